"""From a saliency map to a box."""

from contextlib import suppress

import pytest
import torch
from panels import made_by

import lecture_viz as lv


@pytest.mark.parametrize(
    "values, end",
    [
        ({}, "foreground(saliency, 0.3)"),
        ({"threshold": 0.55}, "foreground(saliency, 0.55)"),
        ({"samples": 16}, "foreground(saliency, 0.3)"),
        ({"by_colour": True}, "foreground_by_colour(saliency, photo)"),
        ({"layer": "conv3", "neuron": 12}, "foreground(saliency, 0.3)"),
    ],
)
def test_localization_shows_what_its_code_makes(network, cat, values, end):
    panel = lv.live.localization(network, cat, label="tabby").set(**values)
    assert panel.code().endswith(f"{end}\nlv.localization.box(mask)")
    names = {"net": network, "photo": cat}
    box = made_by(panel.code(), **names)
    assert torch.equal(panel.image("box"), cat) and panel.outputs["box"].boxes == [[*box]]
    said = f"rows {box.top} … {box.bottom - 1}, columns {box.left} … {box.right - 1}"
    assert said in panel.outputs["box caption"].value
    *lines, _ = panel.code().splitlines()
    mask = made_by("\n".join([*lines, "mask"]), **names)
    assert torch.equal(panel.image("foreground") == cat, mask.expand(1, 3, 64, 64) | (cat == 0))
    assert panel.controls["threshold"].disabled == panel.values["by_colour"]


def test_localization_of_a_silent_neuron_loses_nothing(network, cat):
    silent = (network.activations(cat, "relu7")[0] == 0).nonzero()[0].item()
    fires = network.activations(cat, "relu7")[0].argmax().item()
    panel = lv.live.localization(network, cat, label="tabby")
    with suppress(ValueError):
        panel.set(layer="relu7")  # the neuron with tabby's number may be silent
    panel.set(neuron=fires)
    before = panel.outputs["box"].value
    with pytest.raises(ValueError, match="zero everywhere: there is nothing to locate; try another neuron"):
        panel.set(neuron=silent)
    assert panel.outputs["box"].value == before
    panel.set(neuron=fires)
