"""What a brush leaves where it came by."""

import math

import pytest
import torch

import lecture_viz as lv
from lecture_viz.photos import brushed, left, paint


def distance(y: float, x: float, a: tuple[float, float], b: tuple[float, float]) -> float:
    """From a point to the line between two others."""
    length = (b[0] - a[0]) ** 2 + (b[1] - a[1]) ** 2
    along = 0 if length == 0 else ((y - a[0]) * (b[0] - a[0]) + (x - a[1]) * (b[1] - a[1])) / length
    along = min(1, max(0, along))
    return math.hypot(y - a[0] - along * (b[0] - a[0]), x - a[1] - along * (b[1] - a[1]))


@pytest.mark.parametrize("size", [0.05, 0.2, 0.5])
@pytest.mark.parametrize(
    "points", [((0.5, 0.5),), ((0.2, 0.3), (0.8, 0.7)), ((0.1, 0.9), (0.1, 0.2), (0.7, 0.4)), ((-0.1, 0.5), (1.2, 0.6))]
)
def test_a_stroke_is_as_wide_as_the_brush(points, size):
    """The slow twin: each pixel's distance to the line; within a pixel of the edge either is right."""
    height, width = 40, 60
    mask = brushed(points, size, height, width)
    assert mask.shape == (1, 1, height, width) and mask.dtype == torch.bool
    places = [(y * height, x * width) for y, x in points]
    for row in range(height):
        for column in range(width):
            away = min(distance(row + 0.5, column + 0.5, a, b) for a, b in zip(places, [*places[1:], places[-1]]))
            if abs(away - size * height / 2) > 1:
                assert mask[0, 0, row, column] == (away < size * height / 2), (row, column)


def test_the_finest_brush_leaves_something():
    assert brushed(((0.5, 0.5),), 0.001, 64, 64).any()


def test_a_brush_leaves_what_it_is_told(cat):
    places = ((0.3, 0.3), (0.6, 0.6))
    mask = brushed(places, 0.2, 64, 64).expand_as(cat)
    for leaves, expected in (
        ("grey", torch.full_like(cat, 0.5)),
        ("#ff8000", torch.tensor([1, 128 / 255, 0]).view(1, 3, 1, 1).expand_as(cat)),
        ("#ff800020", torch.tensor([1, 128 / 255, 0]).view(1, 3, 1, 1).expand_as(cat)),  # paint covers
        ("blur", left(cat, "blur")),
    ):
        painted = paint(cat, ((leaves, 0.2, places),))
        torch.testing.assert_close(painted[mask], expected[mask])
        assert torch.equal(painted[~mask], cat[~mask])
    assert torch.equal(paint(cat, ()), cat)


def test_the_last_stroke_lies_on_top_and_the_photo_comes_back(cat):
    everywhere = ((0.5, 0), (0.5, 1))
    grey, red = ("grey", 1.0, everywhere), ("#ff0000", 0.2, everywhere)
    painted = paint(cat, (grey, red))
    assert painted[0, :, 32, 32].tolist() == [1, 0, 0] and painted[0, :, 5, 32].tolist() == [0.5] * 3
    assert torch.equal(paint(cat, (grey, red, ("photo", 1.0, everywhere))), cat)


def test_a_blur_takes_details_and_keeps_the_mean(cat):
    soft = left(cat, "blur")
    assert soft.shape == cat.shape and abs(soft.mean() - cat.mean()) < 0.02
    rough = (cat.diff(dim=3).abs().mean(), soft.diff(dim=3).abs().mean())
    assert rough[1] < rough[0] / 4
    # the slow twin, at one pixel: the mean of those within two standard deviations, by the bell curve
    spread = 64 / 12
    reach = range(-math.ceil(2 * spread), math.ceil(2 * spread) + 1)
    bell = {(a, b): math.exp(-(a**2 + b**2) / (2 * spread**2)) for a in reach for b in reach}
    mean = sum(weight * cat[0, :, 30 + a, 34 + b] for (a, b), weight in bell.items()) / sum(bell.values())
    torch.testing.assert_close(soft[0, :, 30, 34], mean, atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize(
    "stroke, message",
    [
        (("chalk", 0.1, ((0.5, 0.5),)), "a brush leaves grey, blur, photo or a colour such as '#c00000'; got 'chalk'"),
        ((None, 0.1, ((0.5, 0.5),)), "a brush leaves grey"),
        (("grey", 0, ((0.5, 0.5),)), "diameter is a share of the photo's side, above 0 and up to 1; got 0"),
        (("grey", -1, ((0.5, 0.5),)), "above 0 and up to 1; got -1"),
        (("grey", 0.1, ((0.5, float("nan")),)), "places are rows and columns as shares"),
    ],
)
def test_a_bad_stroke_is_refused_with_the_mend(cat, stroke, message):
    with pytest.raises(ValueError, match=message):
        paint(cat, (stroke,))


def test_an_empty_sheet_is_white():
    assert torch.equal(lv.load_image("sheet", 64), torch.ones(1, 3, 64, 64))


def test_what_covers_a_photo_can_be_taken_away_by_a_brush(cat):
    stroke = ("photo", 0.3, ((0.5, 0.5),))
    covered = torch.zeros_like(cat)
    painted = paint(cat, (stroke,), covered)
    assert torch.equal(painted, torch.where(brushed(stroke[2], 0.3, 64, 64), cat, covered))
    assert torch.equal(paint(cat, (), covered), covered)
