"""A thing of one photo laid on another: where it is, is known.

Photos show things in their middle, so a map that says "in the middle" is often right. Here the thing can be anywhere.
"""

from typing import NamedTuple

import numpy as np
import torch
from PIL import Image, ImageDraw
from torch import Tensor
from torch.nn import functional as F

from .loading import Box
from .painting import Stroke, brushed

# of things in bundled photos: rows and columns of a curve about them, in percent of the square about the photo's middle
OUTLINES = {
    "cat": ((2, 28), (2, 72), (14, 86), (30, 92), (52, 93), (66, 84), (80, 76), (91, 66), (94, 58), (91, 44), (82, 26))
    + ((66, 12), (46, 6), (22, 10)),
    "coffee": ((5, 46), (8, 62), (17, 74), (18, 80), (26, 84), (36, 90), (50, 95), (66, 93), (80, 86), (90, 74))
    + ((96, 56), (94, 36), (86, 20), (74, 8), (60, 1), (40, 0), (26, 6), (20, 19), (12, 25)),
    "astronaut": ((3, 44), (6, 52), (12, 57), (20, 59), (26, 55), (30, 50), (35, 47), (38, 43), (36, 39), (30, 36))
    + ((23, 31), (14, 30), (7, 34), (4, 40)),
    "rocket": ((30, 50), (32, 52), (36, 53.5), (60, 53.5), (80, 54), (94.5, 54.5), (95, 50), (94.5, 46), (80, 46.5))
    + ((60, 47), (36, 47), (32, 48)),
}
DRAWN = 4  # times as large as needed, so that edges are soft


class Laid(NamedTuple):
    """A picture ``image`` ``(1, 3, H, W)`` and the thing's ``box`` in it."""

    image: Tensor
    box: Box


def cut(photo: Tensor, outline: str | tuple[Stroke, ...]) -> Tensor:
    """A thing cut out of a square photo ``(1, 3, S, S)``: its colours and its opacity ``(1, 4, h, w)``.

    Args:
        outline: the name of a bundled photo in `OUTLINES`, or what a brush has marked (`painting.paint`).

    Raises:
        ValueError: no such outline, or nothing is marked.
    """
    inside = opacity(outline, photo.shape[2])
    rows, columns = (inside[0, 0].amax(dim=1 - n).nonzero().flatten().tolist() for n in (0, 1))
    if not rows:
        raise ValueError("nothing is marked: move the brush over the thing first")
    box = Box(rows[0], columns[0], rows[-1] + 1, columns[-1] + 1)
    return torch.cat([box.crop(photo), box.crop(inside).to(photo)], dim=1)


def opacity(outline: str | tuple[Stroke, ...], side: int) -> Tensor:
    """1 inside an outline, see `cut`, in a photo of ``side`` pixels, and 0 outside: ``(1, 1, side, side)``."""
    if not isinstance(outline, str):
        marked = torch.zeros(1, 1, side, side)
        for _, size, points in outline:
            marked[brushed(points, size, side, side)] = 1
        return marked
    if outline not in OUTLINES:
        raise ValueError(f"there are outlines of {', '.join(OUTLINES)}; got {outline!r}: mark the thing with the brush")
    from scipy.interpolate import CubicSpline  # a third of a second: only for who cuts out

    corners = np.array([*OUTLINES[outline], OUTLINES[outline][0]]) * DRAWN * side / 100
    curve = CubicSpline(np.arange(len(corners)), corners, bc_type="periodic")
    places = curve(np.linspace(0, len(corners) - 1, 10 * len(corners)))
    drawn = Image.new("L", (DRAWN * side, DRAWN * side))
    ImageDraw.Draw(drawn).polygon([(x, y) for y, x in places], 255)
    return F.avg_pool2d(torch.from_numpy(np.array(drawn, np.float32)).view(1, 1, *drawn.size) / 255, DRAWN)


def lay(thing: Tensor, background: Tensor, row: float = 0.5, column: float = 0.5, scale: float = 0.4) -> Laid:
    """``thing`` ``(1, 4, h, w)``, see `cut`, on ``background`` ``(1, 3, H, W)``.

    Args:
        row, column: its middle, as shares of the background's height and width; what hangs over the edge is not seen.
        scale: its longer side, as a share of the background's shorter one.

    Raises:
        ValueError: a value out of range, something else than a thing, or nothing of it left to see.
    """
    if thing.ndim != 4 or thing.shape[:2] != (1, 4):
        raise ValueError(f"a thing is (1, 4, h, w), colours and opacity: see `cut`; got {tuple(thing.shape)}")
    if not (0 <= row <= 1 and 0 <= column <= 1 and 0 < scale <= 1):
        raise ValueError(f"row, column and scale are shares, 0 … 1; got {row!r}, {column!r}, {scale!r}")
    height, width = background.shape[2:]
    factor = scale * min(height, width) / max(thing.shape[2:])
    size = [max(1, round(factor * side)) for side in thing.shape[2:]]
    thing = F.interpolate(thing, size, mode="bilinear", antialias=True, align_corners=False).clamp(0, 1)
    top, left = round(row * height - size[0] / 2), round(column * width - size[1] / 2)
    # as much of a canvas of the background's size as the thing covers
    thing = F.pad(thing, (left, width - left - size[1], top, height - top - size[0])).to(background)
    covers = thing[:, 3:]
    ys, xs = (covers[0, 0] > 0.5).nonzero(as_tuple=True)
    if not len(ys):
        raise ValueError("nothing of the thing is on the picture: move it, or make it larger")
    box = Box(int(ys.min()), int(xs.min()), int(ys.max()) + 1, int(xs.max()) + 1)
    return Laid(covers * thing[:, :3] + (1 - covers) * background, box)
