"""Every preset of every panel gives its picture, and the panel's code gives the same pixels."""

import time

import pytest
import torch
from test_run import made_by

import lecture_viz as lv
from lecture_viz import plots
from lecture_viz.images import show_signed, to_array
from lecture_viz.live.run import RunPanel

FEW = {"planted bias": 20}  # steps, else 16
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


@pytest.fixture(scope="module")
def panels(network, cat):
    """Made when they are asked for, once each."""
    gallery = torch.cat([lv.load_image(name, 64) for name in lv.images.BUNDLED_PHOTOS])
    pictures = {"photo": cat, "noise": torch.rand(1, 3, 64, 64, generator=torch.Generator().manual_seed(0))}
    arguments = {
        "start": (),
        "relu_rules": (),
        "planted_bias": (),
        "deconvnet": (network,),
        "dreaming": (network,),
        "distribution": (network,),
        "reidentification": (network, network, gallery),
        "priors": (network, pictures),
    }
    made = {}

    def panel(name):
        if name not in made:
            made[name] = getattr(lv.live, name)(*arguments.get(name, (network, cat)))
            made[name].known = {"net": network, "photo": gallery[:1] if name == "reidentification" else cat}
            made[name].known |= {"pictures": pictures, "torch": torch}
        return made[name]

    return panel


def same(picture, shown) -> bool:
    """Up to one step of 256: a sum of many numbers may be rounded in another order."""
    return abs(to_array(picture).astype(int) - to_array(shown).astype(int)).max() <= 1


def shows(name: str, panel, made) -> bool:
    """Whether what the code made is what the panel shows."""
    match name:
        case "start" | "gradients":
            return same(show_signed(made), panel.image("gradient"))
        case "relu_rules":
            numbers = [f">{n:g}</td>" for n in made[2].flatten().tolist()]
            return all(number in panel.outputs["guided"].value for number in numbers)
        case "deconvnet":
            return same(show_signed(made), panel.image("reconstruction"))
        case "saliency":
            return all(same(show_signed(part), panel.image(rule)) for rule, part in zip(lv.RULES, made))
        case "localization":
            return same(plots.framed(panel.photo, made), panel.image("box"))
    return same(made, panel.image("image"))


@pytest.mark.parametrize("name, number", [(name, n) for name, count in PRESETS.items() for n in range(count)])
def test_a_preset_gives_its_picture_and_its_code_the_same(panels, name, number):
    panel = panels(name)
    if isinstance(panel, RunPanel):
        panel.set(steps=FEW.get(panel.name, 16))
    presets = [*panel.presets(panel.values)]
    assert len(presets) == PRESETS[name]
    started = time.monotonic()
    panel.set(preset=presets[number])
    if isinstance(panel, RunPanel) and panel.step is None:  # the controls stood there already
        panel.start().wait()
    assert time.monotonic() - started < 15
    assert panel.values["preset"] == presets[number]
    assert panel._sentence.value
    if name != "relu_rules":
        last = list(panel._pictures)[-1 if name not in ("start", "gradients") else 1]
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
    assert panel.values["preset"] == "class" and "pseudo-loss" in panel._sentence.value
    panel.set(rule="guided")
    assert panel.values["preset"] is None and not panel._sentence.value
    panel.set(preset="class")
    assert panel.values["rule"] == "backprop" and "pseudo-loss" in panel._sentence.value
