"""A class image grows: targets of every kind, another neuron while it runs, silent neurons."""

import math

import pytest
import torch
from panels import held

import lecture_viz as lv


def new_panel(network, cat):
    return lv.live.maximization(network, cat, label="tabby").set(steps=8)


@pytest.fixture
def panel(network, cat, again):
    return again(lambda: new_panel(network, cat))


def test_sliders_follow_the_layer(network, cat):
    fresh = new_panel(network, cat)
    for layer in (*network.layers, *reversed(network.layers)):
        fresh.set(layer=layer)
        kinds = {value for _, value in fresh.controls["kind"].options}
        flat = {"fc8": {"logit", "probability"}}.get(layer, {"neuron", "layer"})
        assert kinds == (flat if layer.startswith(("fc", "relu6", "relu7")) else {"channel", "neuron", "layer"})
        assert fresh.values["kind"] in kinds


def test_a_silent_neuron_says_so(panel, network):
    grey = torch.full((1, 3, 64, 64), 0.5)
    silent = (network.activations(grey, "relu7")[0] == 0).nonzero()[0].item()
    panel.set(layer="relu7", neuron=silent, begin_with="grey", jitter=0, rotation=0, scale=0).start().wait()
    assert "silent: try another neuron" in panel.outputs["image caption"].value


def test_another_neuron_while_it_runs_goes_on_from_the_picture(panel, network):
    panel.set(steps=512)
    with held(panel, 10) as gate:
        panel.controls["neuron"].value = network.label_index("goldfish")
        gate.hold(1)  # the step that was under way
        before = panel.step
        assert before.index == 11 and "logit('tabby')" in before.terms
        gate.hold(1)
        assert "logit('goldfish')" in panel.step.terms
        assert panel.step.index == 1 and panel.step.total == 512 - 11  # of those that were left
        assert (panel.step.image - before.image).abs().mean() < 0.05  # a new start is 0.13 away
        curve = panel.run.curves.values["objective"]
        assert [math.isnan(value) for value in curve] == 11 * [True] + [False]  # it begins where the target changed
        panel.stop()
    panel.wait()
    assert "tabby" not in panel.outputs["curves"].value
