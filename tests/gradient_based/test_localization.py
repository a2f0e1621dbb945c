"""From a map to a box: against pixel counts and flood fill, and on networks whose answer is known by construction."""

import numpy as np
import pytest
import torch

import lecture_viz as lv
from lecture_viz.gradient_based import localization
from lecture_viz.photos import Box
from lecture_viz.training.tiny_imagenet import read_boxes


def mask_of(box: Box, size: int = 64) -> torch.Tensor:
    mask = torch.zeros(size, size, dtype=torch.bool)
    box.crop(mask)[:] = True
    return mask


def random_boxes(count: int, size: int = 64) -> list[Box]:
    random = np.random.default_rng(0)
    corners = [np.sort(random.choice(size + 1, (2, 2), replace=False), axis=1) for _ in range(count)]
    return [Box(*corner[:, 0].tolist(), *corner[:, 1].tolist()) for corner in corners]


def test_intersection_over_union_counts_pixels():
    boxes = random_boxes(40, 12)
    for one in boxes:
        for other in boxes:
            a, b = mask_of(one, 12), mask_of(other, 12)
            expected = (a & b).sum().item() / (a | b).sum().item()
            assert localization.intersection_over_union(one, other) == pytest.approx(expected)
        assert localization.intersection_over_union(one, one) == 1


def test_a_box_knows_its_area_and_what_it_holds():
    for box in random_boxes(20, 12):
        mask = mask_of(box, 12)
        assert box.area == mask.sum()
        assert all(box.holds(y, x) == mask[y, x].item() for y in range(12) for x in range(12))


def flood(mask: torch.Tensor) -> Box:
    """The largest part, found by walking from pixel to pixel."""
    left = {tuple(place) for place in mask.nonzero().tolist()}
    parts = []
    while left:
        part, edge = set(), [min(left)]  # of parts equally large, the first in reading order
        left.remove(edge[0])
        while edge:
            y, x = edge.pop()
            part.add((y, x))
            near = {(y + dy, x + dx) for dy in (-1, 0, 1) for dx in (-1, 0, 1)} & left
            left -= near
            edge += near
        parts.append(part)
    rows, columns = zip(*max(parts, key=len))
    return Box(min(rows), min(columns), max(rows) + 1, max(columns) + 1)


@pytest.mark.parametrize("seed", range(10))
def test_the_box_is_about_the_largest_part(seed):
    mask = torch.rand(12, 15, generator=torch.Generator().manual_seed(seed)) < 0.3
    mask[:, 7] = False  # at least two parts
    assert localization.box(mask) == flood(mask)


def test_the_foreground_is_where_the_smoothed_map_is_strong():
    box = Box(20, 10, 44, 30)
    saliency = mask_of(box).float()[None, None]
    assert localization.box(localization.foreground(saliency, 0.5, blur=0.01)) == box
    lower = [localization.foreground(saliency, t).sum() for t in (0.1, 0.3, 0.9)]
    assert lower[0] > lower[1] > lower[2] > 0
    lone = torch.zeros(1, 1, 64, 64)
    lone[0, 0, 32, 32] = 1  # becomes a bell four pixels wide, a sixteenth of the height
    assert localization.smooth(lone)[32, 36] / localization.smooth(lone)[32, 32] == pytest.approx(
        np.exp(-0.5), rel=1e-3
    )
    speck = saliency.clone()
    speck[0, 0, 60, 60] = 1.5  # smoothing takes the single wild pixel away
    assert localization.box(localization.foreground(speck, 0.5)) == localization.box(
        localization.foreground(saliency, 0.5)
    )


def test_colours_lead_from_the_seeds_to_the_edges_of_the_object():
    box = Box(12, 20, 52, 44)
    photo = torch.full((1, 3, 64, 64), 0.2)
    photo[0, 0][mask_of(box)] = 0.9  # a red object
    photo += 0.02 * torch.rand(photo.shape, generator=torch.Generator().manual_seed(0))
    rows, columns = torch.meshgrid(torch.arange(64), torch.arange(64), indexing="ij")
    saliency = torch.exp(-((rows - 30) ** 2 + (columns - 32) ** 2) / 200)[None, None]  # a blob, not the object's shape
    mask = localization.foreground_by_colour(saliency, photo, seeds=(0.3, 0.95))
    assert torch.equal(mask, mask_of(box))
    assert localization.box(localization.foreground(saliency)) != box


def test_a_map_with_few_pixels_has_its_background_at_zero():
    saliency = torch.zeros(1, 1, 64, 64)
    saliency[0, 0, 30:34, 30:34] = 1  # a small receptive field: both quantiles are zero
    assert not localization.foreground_by_colour(saliency, torch.rand(1, 3, 64, 64)).all()


class Eye(torch.nn.Module):
    """One logit: how bright are the pixels above mid-grey, in the columns it can see?"""

    def __init__(self, columns: int):
        super().__init__()
        self.columns = columns

    def forward(self, x):
        bright = torch.relu(x[:, :, :, : self.columns] - 0.5)
        return bright.square().flatten(1).sum(dim=1, keepdim=True).repeat(1, 2)


@pytest.mark.parametrize("columns, expected", [(32, 1.0), (16, 0.5)])
def test_the_pointing_game_where_the_answer_is_known(columns, expected):
    boxes = [Box(y, x, y + 6, x + 6) for x in (4, 20) for y in (1, 9, 17, 25)]  # half of them left of column 16
    network = lv.wrap(Eye(columns), 32)
    maps = []
    for box in boxes:
        photo = torch.full((1, 3, 32, 32), 0.3)
        box.crop(photo)[:] = 0.8
        maps.append(lv.saliency(network, photo, lv.logit(0)))
    assert localization.pointing_game(maps, boxes).float().mean() == expected
    if expected == 1:
        found = [localization.box(localization.foreground(saliency, 0.5, blur=0.001)) for saliency in maps]
        assert found == boxes


def test_the_peak_is_the_strongest_pixel():
    saliency = torch.zeros(1, 1, 5, 9)
    saliency[0, 0, 3, 7] = 1
    assert localization.peak(saliency) == (3, 7)


@pytest.mark.parametrize(
    "call, message",
    [
        (lambda: localization.foreground(torch.zeros(1, 1, 8, 8)), "zero everywhere: .* try another neuron"),
        (lambda: localization.foreground(torch.full((1, 1, 8, 8), torch.nan)), "nowhere negative"),
        (lambda: localization.foreground(-torch.rand(1, 1, 8, 8)), "nowhere negative"),
        (lambda: localization.foreground(torch.rand(1, 3, 8, 8)), r"got \(1, 3, 8, 8\): see `saliency`"),
        (lambda: localization.foreground(torch.rand(1, 1, 8, 8), 0), "above 0 and up to 1; got 0"),
        (lambda: localization.foreground(torch.rand(1, 1, 8, 8), float("nan")), "above 0 and up to 1"),
        (lambda: localization.foreground_by_colour(torch.rand(1, 1, 8, 8), torch.rand(1, 3, 9, 9)), "differ in size"),
        (
            lambda: localization.foreground_by_colour(torch.rand(1, 1, 8, 8), torch.rand(1, 3, 8, 8), (0.9, 0.3)),
            "background < object",
        ),
        (
            lambda: localization.foreground_by_colour(torch.rand(1, 1, 8, 8), torch.rand(1, 3, 8, 8), (0.3, 1)),
            "background < object < 1",
        ),
        (lambda: localization.box(torch.zeros(8, 8, dtype=torch.bool)), "lower the threshold"),
        (lambda: localization.pointing_game([], []), "give at least one"),
        (lambda: localization.pointing_game([torch.rand(1, 1, 8, 8)], []), "shorter|argument"),
    ],
)
def test_bad_input_says_the_mend(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_boxes_of_tiny_imagenet_hold_their_last_row_and_column(tmp_path):
    (tmp_path / "val").mkdir()
    (tmp_path / "val" / "val_annotations.txt").write_text("a.JPEG\tn1\t0\t32\t44\t62\nb.JPEG\tn2\t0\t0\t63\t63\n")
    assert read_boxes(tmp_path) == [Box(32, 0, 63, 45), Box(0, 0, 64, 64)]
