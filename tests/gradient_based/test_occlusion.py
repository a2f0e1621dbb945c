"""Squares of a map, covered: which, with what, and what becomes of the score."""

import pytest
import torch

import lecture_viz as lv
from lecture_viz.gradient_based.occlusion import SQUARES, compare, cover, squares


@pytest.mark.parametrize("side", [28, 64, 100])
@pytest.mark.parametrize("most", [True, False])
def test_squares_are_the_strongest_or_the_weakest(side, most):
    """The slow twin: the mean of each square, sorted; squares of a side that 14 does not divide share their edges."""
    strength = torch.rand(1, 1, side, side, generator=torch.Generator().manual_seed(0))
    edges = [(n * side // SQUARES, -(-(n + 1) * side // SQUARES)) for n in range(SQUARES)]
    means = {
        (i, j): strength[0, 0, edges[i][0] : edges[i][1], edges[j][0] : edges[j][1]].mean().item()
        for i in range(SQUARES)
        for j in range(SQUARES)
    }
    chosen = sorted(means, key=means.__getitem__, reverse=most)[: round(0.1 * SQUARES**2)]
    mask = squares(strength, 0.1, most)
    assert mask.shape == (1, 1, side, side) and mask.dtype == torch.bool
    for row in range(side):
        for column in range(side):
            square = int((row + 0.5) * SQUARES / side), int((column + 0.5) * SQUARES / side)
            assert mask[0, 0, row, column] == (square in chosen)


def test_the_most_and_the_least_fill_the_photo():
    strength = torch.rand(1, 1, 56, 56)
    most, least = squares(strength, 0.25), squares(strength, 0.75, most=False)
    assert torch.equal(most, ~least)
    assert not squares(strength, 0).any() and squares(strength, 1).all()
    smallest = torch.zeros(1, 1, SQUARES, SQUARES)  # a pixel for each square
    smallest[0, 0, 3, 5] = 1
    assert torch.equal(squares(smallest, 1 / SQUARES**2), smallest > 0)


def test_covering_leaves_the_rest(network, cat):
    mask = squares(lv.saliency(network, cat, lv.logit("tabby")), 0.2)
    for leaves in ("grey", "blur", "#102030"):
        covered = cover(cat, mask, leaves)
        assert torch.equal(torch.where(mask, cat, covered), cat)
        assert torch.equal(torch.where(mask, covered, 0), torch.where(mask, lv.images.left(cat, leaves), 0))


def test_scores_are_those_of_the_covered_photos(network, cat):
    target = lv.logit("tabby")
    strength = lv.saliency(network, cat, target)
    scores = compare(network, cat, target, strength, 0.2, "blur")
    for score, picture in zip(
        scores, (cat, *(cover(cat, squares(strength, 0.2, most), "blur") for most in (True, False)))
    ):
        assert score == pytest.approx(target(network, picture).item(), abs=1e-3)


def test_of_a_linear_network_the_map_is_right():
    """It looks at one corner only: without that the score is gone, and nothing else matters."""

    class Corner(torch.nn.Module):
        def forward(self, x):
            corner = x[:, :, :8, :8].mean(dim=(1, 2, 3))
            return torch.stack([corner, -corner], dim=1)

    network = lv.wrap(Corner(), 56, [0, 0, 0], [1, 1, 1], ["corner", "not"])
    x = torch.full((1, 3, 56, 56), 0.9)
    strength = lv.saliency(network, x, lv.logit("corner"))
    scores = compare(network, x, lv.logit("corner"), strength, 4 / SQUARES**2)
    torch.testing.assert_close(torch.tensor(scores), torch.tensor([0.9, 0.5, 0.9]))


@pytest.mark.parametrize("photo, label", [("coffee", "espresso"), ("rocket", "missile")])
def test_the_lesson_is_right_about_a_cup_and_a_rocket(photo, label):
    network = lv.load_network("efficientnet_lite0", device="cpu")
    x, target = lv.load_image(photo, 224), lv.logit(label)
    scores = compare(network, x, target, lv.saliency(network, x, target), 0.2)
    assert scores.without_most + 0.5 < scores.without_least < scores.photo


def test_the_lesson_is_right_about_the_cat():
    """Close up, the score does not fall without the squares that the map calls most important."""
    network, x, target = lv.load_network("efficientnet_lite0", device="cpu"), lv.load_image("cat", 224), None
    target = lv.logit(network.top(x, 1)[0][0])
    scores = compare(network, x, target, lv.saliency(network, x, target), 0.2)
    assert scores.without_most > scores.photo


@pytest.mark.parametrize(
    "wrong, message",
    [
        (lambda cat: squares(cat, 0.1), r"a map is \(1, 1, H, W\), 14×14 at least"),
        (lambda cat: squares(torch.rand(1, 1, 8, 8), 0.1), "14×14 at least"),
        (lambda cat: squares(torch.full((1, 1, 28, 28), float("nan")), 0.1), "NaN or infinite"),
        (lambda cat: squares(torch.rand(1, 1, 28, 28), 1.5), "share is a part of all squares, 0 … 1; got 1.5"),
        (lambda cat: squares(torch.rand(1, 1, 28, 28), -0.1), "share is a part"),
        (lambda cat: cover(cat, torch.ones(1, 1, 28, 28, dtype=torch.bool)), "mask and photo differ in size"),
        (lambda cat: cover(cat, torch.ones(1, 1, 64, 64, dtype=torch.bool), "chalk"), "a brush leaves grey, blur"),
    ],
)
def test_what_cannot_be_covered_is_refused_with_the_mend(cat, wrong, message):
    with pytest.raises(ValueError, match=message):
        wrong(cat)
