"""What a panel has computed stays while only what comes behind it changes."""

import pytest
import torch
from panels import made_by

import lecture_viz as lv


def test_another_threshold_needs_no_new_map(network, cat, passes):
    panel = lv.live.localization(network, cat, label="tabby").set(samples=16)
    passes.clear()
    for move in ({"threshold": 0.5}, {"by_colour": True}, {"threshold": 0.8}):
        panel.set(**move)
        assert not passes
        box = made_by(panel.code(), net=network, photo=cat)
        assert [list(box)] == panel.outputs["box"].boxes
        passes.clear()


def test_a_map_of_something_else_is_made_anew(network, cat, passes):
    panel = lv.live.localization(network, cat, label="tabby").set(samples=16, threshold=0.5)
    for move in ({"samples": 8}, {"neuron": 5}, {"photo": "coffee"}, {"photo": "given"}):
        passes.clear()
        panel.set(**move)
        assert passes, move
    strength = lv.magnitude(lv.smoothgrad(network, cat, lv.logit(5), 8))
    assert torch.equal(panel.made.known["saliency"], strength)


@pytest.mark.long
def test_it_comes_without_a_coarse_one(network, monkeypatch):
    monkeypatch.setattr("lecture_viz.live.kit.panel.SLOW", -1.0)  # each picture is announced …
    panel = lv.live.localization(network, lv.load_image("cat", 256), label="tabby").set(samples=8)
    assert len([*panel.draw(panel.values | {"samples": 0})]) == 2
    assert len([*panel.draw(panel.values | {"samples": 0, "threshold": 0.6})]) == 1  # … but not what is there


def test_it_outlives_an_error(network, cat, passes):
    activations = network.activations(cat, "relu7")[0]
    panel = lv.live.localization(network, cat).set(neuron=0).set(layer="relu7", neuron=activations.argmax().item())
    with pytest.raises(ValueError, match="nothing to locate"):
        panel.set(neuron=(activations == 0).nonzero()[0].item())
    passes.clear()
    panel.set(neuron=activations.argmax().item())
    assert not passes
