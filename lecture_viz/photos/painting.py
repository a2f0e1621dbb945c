"""A brush on a photo: what would be if this were not there?

It leaves grey, a blur, a colour, or the photo again, which takes away what was painted before. A stroke keeps shares of
the photo instead of pixels, so that it fits a photo of any size.
"""

import math

import numpy as np
import torch
from PIL import Image, ImageColor, ImageDraw
from torch import Tensor

# what it leaves; the brush's diameter; rows and columns it came by; both as shares of the photo's side, 0 … 1
Stroke = tuple[str, float, tuple[tuple[float, float], ...]]
LEAVES = ("grey", "blur", "photo")  # or a colour
GREY = 0.5
BLUR = 1 / 12  # standard deviation of the blur, as a part of the side: a face becomes a spot


def paint(photo: Tensor, strokes: tuple[Stroke, ...], covered: Tensor | None = None) -> Tensor:
    """``photo`` ``(1, 3, H, W)`` after these strokes, one over the other; they begin on ``covered``, if it is given.

    Raises:
        ValueError: a stroke that leaves something else, a diameter that is not above 0, a place that is no number.
    """
    painted = photo if covered is None else covered
    for leaves, size, points in strokes:
        painted = torch.where(brushed(points, size, *photo.shape[2:]).to(photo.device), left(photo, leaves), painted)
    return painted


def brushed(points: tuple[tuple[float, float], ...], size: float, height: int, width: int) -> Tensor:
    """Where a brush came by: ``(1, 1, H, W)`` of bool, the pixels within half its diameter of the line; one at least.

    Raises:
        ValueError: a diameter that is not above 0, a place that is no number.
    """
    if not (isinstance(size, (int, float)) and 0 < size <= 1):
        raise ValueError(f"a brush's diameter is a share of the photo's side, above 0 and up to 1; got {size!r}")
    if not all(math.isfinite(part) for point in points for part in point):
        raise ValueError(f"a stroke's places are rows and columns as shares of the side, 0 … 1; got {points!r}")
    mask = Image.new("1", (width, height))
    drawing = ImageDraw.Draw(mask)
    line = [(x * width - 0.5, y * height - 0.5) for y, x in points]  # the first pixel's centre is its 0
    radius = max(1, size * min(height, width) / 2)
    drawing.line(line, 1, round(2 * radius), joint="curve")
    for place in line:
        drawing.circle(place, radius - 0.5, 1)  # Pillow's circle takes the pixels that its edge touches, too
    return torch.from_numpy(np.array(mask)).view(1, 1, height, width)


def left(photo: Tensor, leaves: str) -> Tensor:
    """What a brush would leave everywhere on ``photo`` ``(1, 3, H, W)``: ``"grey"``, ``"blur"``, ``"photo"``, a colour.

    Raises:
        ValueError: it is none of these.
    """
    if leaves == "photo":
        return photo
    if leaves == "grey":
        return torch.full_like(photo, GREY)
    if leaves == "blur":
        from torchvision.transforms.v2 import functional as tv  # 170 MB and a second: only for who blurs

        spread = BLUR * min(photo.shape[2:])
        return tv.gaussian_blur(photo, [2 * math.ceil(2 * spread) + 1] * 2, [spread] * 2)
    try:
        colour = ImageColor.getrgb(leaves)[:3]
    except (ValueError, AttributeError, TypeError) as error:
        raise ValueError(f"a brush leaves {', '.join(LEAVES)} or a colour such as '#c00000'; got {leaves!r}") from error
    return (photo.new_tensor(colour) / 255).view(1, 3, 1, 1).expand_as(photo)
