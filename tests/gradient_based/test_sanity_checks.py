"""Sanity checks: what must change changes, what must stay stays, and what the notebooks claim of the rules holds."""

import math

import numpy as np
import pytest
import torch

import lecture_viz as lv
from lecture_viz.networks import embedded


def test_similarity_is_the_correlation():
    one, other = torch.rand(2, 1, 3, 9, 7)
    assert lv.similarity(one, other) == pytest.approx(np.corrcoef(one.flatten(), other.flatten())[0, 1], abs=1e-6)
    assert lv.similarity(one, 3 * one + 2) == pytest.approx(1)
    assert lv.similarity(one, -one) == pytest.approx(-1)
    assert math.isnan(lv.similarity(one, torch.zeros_like(one)))
    with pytest.raises(ValueError, match=r"got \(1, 3, 9, 7\) and \(1, 1, 9, 7\)"):
        lv.similarity(one, other[:, :1])


def test_the_cascade_goes_from_the_output_down(network):
    assert lv.cascade(network) == ("fc8", "fc7", "fc6", "conv5", "conv4", "conv3", "conv2", "conv1")
    assert lv.cascade(lv.load_network("inception64", device="cpu"))[:2] == ("fc", "inception5b")
    torchvision = lv.load_network("resnet18", weights=None, device="cpu")
    assert lv.cascade(torchvision)[:2] == ("fc", "layer4.1") and lv.cascade(torchvision)[-2:] == ("bn1", "conv1")


def test_only_the_layers_from_the_output_down_are_random(network, cat):
    before = {name: weights.clone() for name, weights in network.module.state_dict().items()}
    changed = lv.randomized(network, "fc6")
    for name, weights in changed.module.state_dict().items():
        if name.startswith(("fc6", "fc7", "fc8")):
            assert (weights != before[name]).all()
            assert abs(weights.mean() - before[name].mean()) < 0.2 * before[name].std()
            assert weights.std() == pytest.approx(before[name].std().item(), rel=0.2)
        else:
            assert torch.equal(weights, before[name])
    assert torch.equal(changed.activations(cat, "pool5"), network.activations(cat, "pool5"))
    assert all(torch.equal(weights, before[name]) for name, weights in network.module.state_dict().items())
    assert changed.labels == network.labels and changed.layers == network.layers


def test_every_weight_can_be_random_in_every_kind_of_network():
    for network in (
        lv.load_network("resnet18", weights=None, device="cpu"),  # batch norm, branches
        lv.wrap(torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(3 * 64, 1)), 8),  # a single bias has no spread
    ):
        changed = lv.randomized(network, lv.cascade(network)[-1])
        assert all(weights.isfinite().all() for weights in changed.parameters())
        assert changed(torch.rand(1, 3, network.input_size, network.input_size)).isfinite().all()


def test_the_seed_decides(network, cat):
    one, again, other = (lv.randomized(network, "fc8", **seed)(cat) for seed in ({"seed": 0}, {}, {"seed": 1}))
    assert torch.equal(one, again) and not torch.equal(one, other)


@pytest.mark.parametrize("layer", ["relu5", "fc9"])
def test_a_layer_without_weights_is_refused(network, layer):
    with pytest.raises(ValueError, match=f"no layer with weights '{layer}'; those are fc8, fc7"):
        lv.randomized(network, layer)


@pytest.mark.parametrize("name", sorted(embedded.ARCHITECTURES))
def test_guided_backprop_fails_both_checks_and_backprop_passes(name, cat):
    """What notebook 04 says (Nie et al. 2018, Adebayo et al. 2018)."""
    network = lv.load_network(name, device="cpu")
    forgot = lv.randomized(network, lv.cascade(network)[0])
    target, other = lv.logit(network.top(cat, 1)[0][0]), lv.logit("school bus")

    def alike(rule):
        trained = lv.gradient(network, cat, target, rule)
        maps = lv.gradient(network, cat, other, rule), lv.gradient(forgot, cat, target, rule)
        return [lv.similarity(trained, compared) for compared in maps]

    assert min(alike("guided")) > 0.9
    assert max(alike("backprop")) < 0.6
