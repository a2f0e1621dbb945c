"""Pictures of one target that differ: the term as its formula says, its gradient, and what it brings about."""

import itertools

import numpy as np
import pytest
import torch

import lecture_viz as lv
from lecture_viz.optimization_based.diversity import SHARE, alike, diversity, gram


@pytest.fixture(scope="module")
def inception():
    return lv.load_network("inception64", device="cpu")


def pictures(count: int, size: int = 64) -> torch.Tensor:
    return torch.rand(count, 3, size, size, generator=torch.Generator().manual_seed(0))


def test_gram_matrix_in_loops():
    activations = torch.rand(2, 3, 4, 5, generator=torch.Generator().manual_seed(0))
    expected = np.zeros((2, 3, 3))
    for b in range(2):
        for i in range(3):
            for j in range(3):
                for y in range(4):
                    for x in range(5):
                        expected[b, i, j] += activations[b, i, y, x].item() * activations[b, j, y, x].item()
    np.testing.assert_allclose(gram(activations), expected, rtol=1e-5)


def test_alike_is_the_mean_cosine_with_the_others(inception):
    images = pictures(3)
    grams = gram(inception.activations(images, "inception3b")).flatten(1)
    cosine = torch.nn.functional.cosine_similarity
    for b in range(3):
        others = [cosine(grams[b], grams[a], dim=0).item() for a in range(3) if a != b]
        assert alike(inception, images, "inception3b")[b].item() == pytest.approx(sum(others) / 2, abs=1e-5)
    assert alike(inception, images[:1].repeat(4, 1, 1, 1), "inception3b").tolist() == pytest.approx([1] * 4, abs=1e-3)


def test_where_things_are_does_not_count(inception):
    """A Gram matrix sums over the places: the same activations shifted have the same one."""
    activations = inception.activations(pictures(1), "inception3b")
    assert torch.allclose(gram(activations), gram(activations.roll((3, 5), (2, 3))), rtol=1e-4)


def test_its_gradient():
    nn = torch.nn
    module = nn.Sequential(nn.Conv2d(3, 4, 3), nn.Softplus(), nn.AdaptiveAvgPool2d(1), nn.Flatten())
    network = lv.wrap(module, 8).double()
    penalty = diversity(2, network, network.layers[1])
    images = pictures(3, 8).double().requires_grad_()
    assert torch.autograd.gradcheck(lambda x: penalty(x).sum(), images)


@pytest.mark.long
def test_four_pictures_differ_and_still_excite_the_channel(inception):
    target, found = lv.channel("inception3b", 7), {}
    for weight in (0, 1):
        penalties = [diversity(weight, inception, "inception3b")]
        step = lv.last(lv.maximize(inception, 4 * [target], 32, parameterization="fourier", penalties=penalties))
        with torch.no_grad():
            found[weight] = alike(inception, step.image, "inception3b").mean(), target(inception, step.image).mean()
    assert found[0][0] > 0.95 and found[1][0] < 0.85
    assert found[1][1] > 0.8 * found[0][1]


@pytest.mark.long
def test_pictures_of_one_channel_differ_more_than_from_as_many_starts(monkeypatch, inception):
    found = {}
    for share in (0.0, SHARE[False]):
        monkeypatch.setitem(SHARE, False, share)
        *_, step = lv.diverse(inception, "inception3b", 7)
        with torch.no_grad():
            fires = lv.channel("inception3b", 7)(inception, step.image).mean()
            found[share] = alike(inception, step.image, "inception3b").mean(), fires
    (same, alone), (apart, together) = found.values()
    assert len(step.image) == 4 and apart < 0.85 < 0.95 < same and together > 0.8 * alone


def test_units_without_places_are_compared_in_the_layer_before_that_has_some(network):
    step = next(lv.diverse(network, "fc7", 3, count=2))
    assert len(step.image) == 2
    (penalty,) = (term for term in step.terms if term == "diversity")
    assert step.terms[penalty] == 0  # it has not fired yet


def test_likeness_costs_as_much_as_the_channel_fires(inception):
    """In each step the share of what it fired in the one before; nothing where it is below 0."""
    steps = itertools.islice(lv.diverse(inception, "conv1", 7, count=2), 12)
    for before, step in itertools.pairwise(steps):
        weight = SHARE[False] * max(0, before.terms["2 targets"])
        likeness = alike(inception, before.image, "conv1").mean().item()
        assert step.terms["diversity"] == pytest.approx(-weight * likeness, rel=1e-3, abs=1e-6)


def test_what_it_refuses(inception):
    with pytest.raises(ValueError, match="give several targets, such as 4"):
        diversity(1, inception, "inception3b")(pictures(1))
    with pytest.raises(ValueError, match="fc has no rows and columns"):
        diversity(1, inception, "fc")(pictures(2))
    with pytest.raises(ValueError, match="channel 0 … 287; got 288"):
        next(lv.diverse(inception, "inception3b", 288))
    with pytest.raises(ValueError, match="inception9"):
        diversity(1, inception, "inception9")
    with pytest.raises(ValueError, match="0 or more"):
        diversity(-1, inception, "inception3b")
    assert repr(diversity(0.5, inception, "fc")) == "lv.diversity(0.5, net, 'fc')"
