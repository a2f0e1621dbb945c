"""Every preset of every panel gives its picture, and the panel's code gives the same pixels."""

from functools import cache

import pytest
from panels import made_by, make, shows

import lecture_viz as lv
from lecture_viz.live.kit.run import RunPanel

PRESETS = {
    "start": 5,
    "gradients": 6,
    "relu_rules": 3,
    "deconvnet": 4,
    "saliency": 5,
    "localization": 4,
    "maximization": 9,
    "planted_bias": 3,
    "dreaming": 5,
    "inversion": 9,
    "layers": 3,
    "reidentification": 5,
    "priors": 5,
    "distribution": 4,
}


def test_every_panel_is_tried():
    assert [*PRESETS] == [*lv.live.panels()]


@pytest.fixture(scope="module")
def panels(network, cat):
    """Made when they are asked for, once each."""
    return cache(lambda name: make(name, network, cat, layers=(network, cat, ("conv1", "relu3", "fc8"))))


@pytest.mark.parametrize("name, number", [(name, n) for name, count in PRESETS.items() for n in range(count)])
def test_a_preset_gives_its_picture_and_its_code_the_same(panels, name, number):
    panel = panels(name)
    if isinstance(panel, RunPanel):
        panel.controls["steps"].min = 8  # fewer than a hand can choose in most of them
        panel.set(steps=8)
    presets = [*panel.presets(panel.values)]
    assert len(presets) == PRESETS[name]
    panel.set(preset=presets[number])
    if isinstance(panel, RunPanel) and panel.step is None:  # the controls stood there already
        panel.start().wait()
    assert panel.values["preset"] == presets[number]
    assert panel._presets.sentence.value
    if name != "relu_rules":
        last = list(panel.view.pictures)[-1 if name not in ("start", "gradients") else 1]
        assert panel.image(last).std() > 0.02, "a grey picture disappoints"
    assert shows(name, panel, made_by(panel.code(), **panel.known)), panel.code()


@pytest.mark.parametrize("name", PRESETS)
def test_a_panel_is_made_of_plain_ipywidgets(panels, name):
    """So that it works wherever they do: VS Code, Colab, Binder."""
    waiting, modules = [panels(name).widget], set()
    while waiting:
        widget = waiting.pop()
        modules.add(widget._model_module)
        waiting += getattr(widget, "children", ())
    assert modules <= {"@jupyter-widgets/controls", "@jupyter-widgets/base"}


def test_a_moved_control_is_no_preset_any_more_and_it_can_be_chosen_again(network, cat):
    panel = lv.live.gradients(network, cat)
    assert panel.values["preset"] == "class" and "pseudo-loss" in panel._presets.sentence.value
    panel.set(rule="guided")
    assert panel.values["preset"] is None and not panel._presets.sentence.value
    panel.set(preset="class")
    assert panel.values["rule"] == "backprop" and "pseudo-loss" in panel._presets.sentence.value
