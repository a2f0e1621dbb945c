"""Every preset of every panel gives its picture, and at every place its code gives the same pixels."""

from functools import cache

import ipywidgets as widgets
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
    "collage": 5,
    "occlusion": 5,
    "maximization": 9,
    "planted_bias": 5,
    "interpolation": 4,
    "dreaming": 5,
    "inversion": 9,
    "layers": 3,
    "reidentification": 5,
    "priors": 5,
    "distribution": 4,
    "microscope": 5,
    "weighted_sum": 4,
}

# other places of the controls, so that every kind of call is written once
VALUES = {
    "start": [{"photo": "coffee", "rank": 2}],
    "gradients": [{"layer": "conv3", "neuron": 12, "strongest": False, "row": 8, "column": 3, "rule": "deconvnet"}],
    "relu_rules": [{"relus": 2, "x23": 1.5, "s31": -4}],
    "deconvnet": [{"strongest": False, "row": 3, "column": 8}, {"layer": "conv2", "channel": 20, "which": 2}],
    "saliency": [{"layer": "fc7", "neuron": 3, "random": "fc7"}],
    "localization": [{"layer": "conv3", "neuron": 12, "samples": 16, "threshold": 0.55}],
    "collage": [
        {"strokes": (("photo", 0.3, ((0.4, 0.4), (0.6, 0.7))),), "thing": "galaxies", "photo": "bricks", "row": 80},
        {"samples": 8, "scale": 80, "threshold": 0.3},
    ],
    "occlusion": [
        {"cover": "most", "share": 0.1, "leaves": "blur", "strokes": [("#c00000", 0.2, ((0.4, 0.5), (0.7, 0.2)))]},
        {"cover": "least", "leaves": "yellow", "layer": "conv3", "neuron": 12},
        {"photo": "sheet", "strokes": (("#000000", 0.05, ((0.2, 0.2), (0.8, 0.8))),)},
    ],
    "maximization": [
        {"parameterization": "pixels", "L2": 20, "low-pass": 0.5, "rotation": 0},
        {"layer": "conv3", "neuron": 12, "kind": "neuron", "begin_with": "grey"},
        {"kind": "probability", "begin_with": "photo", "total variation": 25},
        {"layer": "relu4", "kind": "layer", "octaves": 3},
        {"L1": 5, "6-norm": 100, "median": 1, "wavelet threshold": 0.02},
        {"parameterization": "pixels", "bilateral": 0.1, "clip small": 5, "clip small contribution": 5},
    ],
    "planted_bias": [],
    "interpolation": [{"angle": 112.5}, {"layer": "relu7", "first": 3, "second": 9, "angle": -45}],
    "dreaming": [
        {"layer": "relu4", "octaves": 2, "rate": 0.02, "jitter": 0, "pixels": 64},
        {"photo": "coffee", "pixels": 128},
        {"photo": "noise", "guide": "rocket", "pixels": 64},
    ],
    "inversion": [{"L2": 3, "low-pass": 0.5, "jitter": 1}, {"layer": "fc6", "bilateral": 0.3}],
    "layers": [{"strength": 3, "layer": "relu3"}],
    "reidentification": [{"layer": "relu4", "bits": 4, "average": 2, "dropout": 0.5}],
    "priors": [{"photo": "noise", "prior": "total variation", "weight": 10}],
    "distribution": [{"begin_with": "cat", "layer": "relu2", "total variation": 0.1}, {"begin_with": "grey"}],
    "microscope": [
        {"layer": "conv2", "order": "selectivity", "tiles": "atlas", "neuron": 7},
        {"strokes": (("white", 0.3, ((0.4, 0.5), (0.6, 0.5))),), "one_scale": True, "order": "index"},
    ],
    "weighted_sum": [
        {"layer": "conv3", "neuron": 12, "strongest": False, "row": 8, "column": 3},
        {"layer": "fc6", "neuron": 7},
        {"layer": "relu5", "neuron": 100},
    ],
}


def test_every_panel_is_tried():
    assert [*PRESETS] == [*VALUES] == [*lv.live.panels()]


@pytest.fixture(scope="module")
def panels(network, cat):
    """Made when they are asked for, once each."""
    return cache(lambda name: make(name, network, cat, layers=(network, cat, ("conv1", "relu3", "fc8"))))


@pytest.mark.parametrize(
    "name, number",
    [
        pytest.param(name, n, marks=[pytest.mark.long] if n else [])  # `make quick` takes one of each panel
        for name, count in PRESETS.items()
        for n in range(count)
    ],
)
def test_a_preset_gives_its_picture_and_its_code_the_same(panels, name, number):
    panel = panels(name)
    if isinstance(panel, RunPanel):
        panel.controls["steps"].min = 4  # fewer than a hand can choose
        panel.set(steps=4)
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


@pytest.mark.long
@pytest.mark.parametrize("name, values", [(name, values) for name, each in VALUES.items() for values in each])
def test_at_other_places_it_shows_what_its_code_makes(panels, name, values):
    panel = panels(name)
    panel.set(preset=next(iter(panel.presets(panel.values)))).set(**values)
    if isinstance(panel, RunPanel):
        panel.start().wait()
        assert panel.step.index == panel.step.total and panel.outputs["progress"].value == 1
    assert shows(name, panel, made_by(panel.code(), **panel.known)), panel.code()


def stand_on_the_steps_of_sliders(panel: lv.live.Panel) -> None:
    """Elsewhere a browser moves them, as if a hand had left the preset."""
    for preset, wanted in panel.presets(panel.values).items():
        for name, value in wanted.items():
            slider = panel.controls[name]
            if isinstance(slider, widgets.FloatSlider):
                steps = (value - slider.min) / slider.step
                assert steps == pytest.approx(round(steps), abs=1e-6), (preset, name, value)


@pytest.mark.parametrize("name", PRESETS)
def test_presets_stand_where_a_hand_can_put_them(panels, name):
    stand_on_the_steps_of_sliders(panels(name))


@pytest.mark.parametrize("name", ["maximization", "interpolation", "dreaming", "inversion"])
def test_presets_at_full_size_stand_where_a_hand_can_put_them(name):
    at = {} if name == "interpolation" else {"photo": lv.load_image("cat", 224)}
    stand_on_the_steps_of_sliders(getattr(lv.live, name)(lv.load_network("efficientnet_lite0", device="cpu"), **at))


@pytest.mark.parametrize("name", PRESETS)
def test_a_panel_is_made_of_standard_widgets(panels, name):
    """So that it works wherever they do: VS Code, Colab, Binder."""
    waiting, modules = [panels(name).widget], set()
    while waiting:
        widget = waiting.pop()
        modules.add(widget._model_module)
        waiting += getattr(widget, "children", ())
    assert modules <= {"@jupyter-widgets/controls", "@jupyter-widgets/base", "anywidget"}


def test_a_moved_control_is_no_preset_any_more_and_it_can_be_chosen_again(network, cat):
    panel = lv.live.gradients(network, cat)
    assert panel.values["preset"] == "class" and "pseudo-loss" in panel._presets.sentence.value
    panel.set(rule="guided")
    assert panel.values["preset"] is None and not panel._presets.sentence.value
    panel.set(preset="class")
    assert panel.values["rule"] == "backprop" and "pseudo-loss" in panel._presets.sentence.value
