"""From one target to another: the ends, the sum, the difference, and the pictures that come of it."""

import math

import pytest
import torch

import lecture_viz as lv

A, B = lv.channel("conv3", 12), lv.logit("tabby")


def test_the_ends_are_the_targets_themselves():
    assert lv.mixture(A, B, 0) == A and lv.mixture(A, B, 90) == B
    assert repr(lv.mixture(A, B, 90)) == "lv.logit('tabby')"  # not 6e-17 of the other
    assert lv.mixture(A, B, 180) == -A and lv.mixture(A, B, -90) == -B and lv.mixture(A, B, 360) == A


@pytest.mark.parametrize("degrees, same", [(45, A + B), (-45, A - B), (135, B - A), (225, -A - B)])
def test_half_way_is_the_sum_or_the_difference(network, cat, degrees, same):
    """Up to the factor √½, which makes no other picture."""
    mixed = lv.mixture(A, B, degrees)
    assert abs(mixed.terms[0][0]) == abs(mixed.terms[1][0])  # as much of one as of the other
    assert math.sqrt(2) * mixed(network, cat).item() == pytest.approx(same(network, cat).item(), rel=1e-5)


@pytest.mark.parametrize("degrees", [-123.4, -22.5, 0, 10, 67.5, 300])
def test_its_value_is_the_weighted_sum(network, cat, degrees):
    with torch.no_grad():
        a = network.activations(cat, "conv3")[0, 12].mean().item()
        b = network(cat)[0, network.label_index("tabby")].item()
    wanted = math.cos(degrees / 180 * math.pi) * a + math.sin(degrees / 180 * math.pi) * b
    assert lv.mixture(A, B, degrees)(network, cat).item() == pytest.approx(wanted, rel=1e-4, abs=1e-5)


def test_targets_of_several_terms_are_mixed_as_a_whole(network, cat):
    several = A - 0.5 * B
    mixed = lv.mixture(several, B, 45)
    wanted = math.sqrt(0.5) * (several(network, cat) + B(network, cat))
    assert torch.allclose(mixed(network, cat), wanted, rtol=1e-4)


def test_nine_angles_from_the_difference_to_the_other_one():
    targets = lv.interpolate(A, B)
    assert len(targets) == 9 and targets[2] == A and targets[6] == B
    assert targets == [lv.mixture(A, B, -45 + 22.5 * n) for n in range(9)]
    assert lv.interpolate(A, B, (90, 0)) == [B, A]


@pytest.mark.long
def test_pictures_from_one_start_go_over_into_each_other(network):
    """The same start, and the same transforms for all: neighbours are more alike than the ends."""
    start = lv.start_image(network, "noise", 1, 64, "fourier")
    choices = {"start": start, "parameterization": "fourier", "transforms": [lv.robustness.jitter(4)]}
    cat_to_fish = lv.interpolate(B, lv.logit("goldfish"), (0, 15, 30, 45, 60, 75, 90))
    pictures = lv.last(lv.maximize(network, cat_to_fish, 24, **choices)).image
    apart = torch.cdist(pictures.flatten(1)[None], pictures.flatten(1)[None])[0]
    assert apart.diagonal(1).max() < 0.9 * apart[0, -1]
    with torch.no_grad():
        tabby, goldfish = (lv.logit(label)(network, pictures) for label in ("tabby", "goldfish"))
    assert tabby[0] > tabby[3] > tabby[6] and goldfish[0] < goldfish[3] < goldfish[6]  # one is won, the other lost


def test_another_start_for_each_makes_neighbours_less_alike(network):
    """Why one start is given to all of them."""
    near = lv.interpolate(B, lv.logit("goldfish"), (0, 10))
    pictures = [
        lv.last(lv.maximize(network, near, 16, start=start, parameterization="fourier")).image
        for start in (lv.start_image(network, "noise", 1, 64, "fourier"), "noise")
    ]
    one, each = ((image[0] - image[1]).norm() for image in pictures)
    assert one < 0.8 * each


@pytest.mark.parametrize("degrees", [math.nan, math.inf, -math.inf])
def test_an_angle_is_finite(degrees):
    with pytest.raises(ValueError, match="finite number of degrees, such as 45"):
        lv.mixture(A, B, degrees)
    with pytest.raises(ValueError, match="finite number of degrees, such as 45"):
        lv.interpolate(A, B, (0, degrees))


def test_there_is_an_angle():
    with pytest.raises(ValueError, match=r"give at least one, such as \(0, 45, 90\)"):
        lv.interpolate(A, B, ())


@pytest.mark.parametrize("first, second", [("tabby", B), (A, "conv3"), (A, None), (12, B)])
@pytest.mark.parametrize("degrees", [0, 45, 90])
def test_only_targets_are_mixed(first, second, degrees):
    with pytest.raises(TypeError, match=r"a target is such as lv\.logit"):
        lv.mixture(first, second, degrees)
