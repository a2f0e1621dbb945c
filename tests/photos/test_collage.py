"""A thing cut out of one photo, and laid on another."""

import pytest
import torch

import lecture_viz as lv
from lecture_viz.photos import OUTLINES, cut, lay, opacity

GREEN = torch.tensor([0.0, 1, 0]).view(1, 3, 1, 1).expand(1, 3, 100, 100)
SQUARE = torch.cat([torch.tensor([1.0, 0, 0]).view(1, 3, 1, 1).expand(1, 3, 20, 20), torch.ones(1, 1, 20, 20)], dim=1)


@pytest.mark.parametrize("name", OUTLINES)
def test_a_thing_is_cut_along_its_outline(name):
    photo = lv.load_image(name, 128)
    inside = opacity(name, 128)
    assert inside.shape == (1, 1, 128, 128) and inside.min() == 0 and inside.max() == 1
    corners = [(y * 1.28, x * 1.28) for y, x in OUTLINES[name]]
    middle = [sum(part) / len(corners) for part in zip(*corners)]
    assert inside[0, 0, int(middle[0]), int(middle[1])] == 1
    fine = opacity(name, 512)  # in percent of the side, whatever it is
    for y, x in OUTLINES[name]:
        row, column = round(5.12 * y), round(5.12 * x)
        if 12 < row < 500 and 12 < column < 500:
            near = fine[0, 0, row - 2 : row + 3, column - 2 : column + 3]
            assert near.min() < 0.9 and near.max() > 0.1
    for y, x in corners:  # the edge goes through each of them that is not at the photo's own
        if not (4 < y < 124 and 4 < x < 124):
            continue
        near = inside[0, 0, max(0, int(y) - 3) : int(y) + 4, max(0, int(x) - 3) : int(x) + 4]
        assert near.min() < 0.5 < near.max()
    thing = cut(photo, name)
    rows, columns = (inside[0, 0].amax(dim=1 - n).nonzero().flatten() for n in (0, 1))
    assert thing.shape == (1, 4, rows[-1] - rows[0] + 1, columns[-1] - columns[0] + 1)
    assert torch.equal(thing[:, :3], photo[:, :, rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1])


def test_a_thing_is_cut_where_the_brush_marked_it(cat):
    strokes = (("photo", 0.25, ((0.5, 0.25), (0.5, 0.5))), ("photo", 0.25, ((0.5, 0.5), (0.75, 0.5))))
    thing = cut(cat, strokes)
    assert torch.equal(
        opacity(strokes, 64),
        (lv.images.brushed(strokes[0][2], 0.25, 64, 64) | lv.images.brushed(strokes[1][2], 0.25, 64, 64)).float(),
    )
    assert 30 <= thing.shape[2] <= 34 and 30 <= thing.shape[3] <= 34


@pytest.mark.parametrize(
    "row, column, scale", [(0.5, 0.5, 0.4), (0.25, 0.7, 0.2), (0.9, 0.1, 0.5), (0, 0, 0.4), (1, 1, 1)]
)
def test_a_thing_lies_where_it_is_laid(row, column, scale):
    laid = lay(SQUARE, GREEN, row, column, scale)
    half = 50 * scale
    top, bottom = max(0, 100 * row - half), min(100, 100 * row + half)
    left, right = max(0, 100 * column - half), min(100, 100 * column + half)
    assert all(abs(a - b) <= 1 for a, b in zip(laid.box, (top, left, bottom, right)))
    red = (laid.image[:, 0] == 1) & (laid.image[:, 1] == 0)
    expected = torch.zeros(1, 100, 100, dtype=torch.bool)
    expected[:, laid.box.top : laid.box.bottom, laid.box.left : laid.box.right] = True
    assert torch.equal(red, expected)
    assert torch.equal(laid.image[:, :, ~expected[0]], GREEN[:, :, ~expected[0]])


def test_opacity_mixes_thing_and_background():
    glass = SQUARE.clone()
    glass[:, 3] = 0.75
    laid = lay(glass, GREEN)
    torch.testing.assert_close(laid.image[0, :, 50, 50], torch.tensor([0.75, 0.25, 0]))


@pytest.mark.parametrize(
    "wrong, message",
    [
        (
            lambda cat: cut(cat, "galaxies"),
            "outlines of cat, coffee, astronaut, rocket; got 'galaxies': mark the thing",
        ),
        (lambda cat: cut(cat, ()), "nothing is marked: move the brush over the thing first"),
        (lambda cat: lay(cat, GREEN), r"a thing is \(1, 4, h, w\)"),
        (lambda cat: lay(SQUARE, GREEN, row=1.5), "row, column and scale are shares"),
        (lambda cat: lay(SQUARE, GREEN, scale=0), "row, column and scale are shares"),
        (lambda cat: lay(SQUARE, GREEN, column=float("nan")), "row, column and scale are shares"),
        (lambda cat: lay(0 * SQUARE, GREEN), "nothing of the thing is on the picture: move it"),
    ],
)
def test_what_cannot_be_laid_is_refused_with_the_mend(cat, wrong, message):
    with pytest.raises(ValueError, match=message):
        wrong(cat)
