"""Transformation robustness: what survives being moved, turned and scaled is more than noise (Olah et al. 2017 [17]).

Before each look of the network, the picture is changed a little at random. A pattern that depends on single pixels is
destroyed by that; one that is recognised all the same stays.

    jitter      shift by up to so many pixels, up or down, left or right
    rotation    about the middle, by up to so many degrees
    scale       by up to so much: 0.1 is 90 % … 110 %

Edges are mirrored. Strength 0 leaves the picture alone, and the strengths may be changed any time.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from .regularizers import Choice


@dataclass(repr=False)
class Transform(Choice):
    """A random change of pictures ``(B, 3, H, W)``, the same for all of a batch; differentiable."""

    change: Callable[[Tensor, float, torch.Generator], Tensor]

    def __call__(self, image: Tensor, random: torch.Generator) -> Tensor:
        return self.change(image, self.strength, random) if self.strength else image


def _uniform(extent: float, random: torch.Generator) -> float:
    return extent * (2 * torch.rand((), generator=random).item() - 1)


def jitter(pixels: float) -> Transform:
    """Shift by up to so many pixels.

    The mirror leaves no seam; rolling the picture instead would show the network an edge that is not there.
    """

    def change(image: Tensor, pixels: float, random: torch.Generator) -> Tensor:
        height, width = image.shape[2:]
        extent = min(int(pixels), height - 1, width - 1)  # a mirror shows no more than the picture
        y, x = torch.randint(2 * extent + 1, (2,), generator=random).tolist()
        mirrored = F.pad(image, (extent, extent, extent, extent), mode="reflect")
        return mirrored[:, :, y : y + height, x : x + width]

    return Transform("jitter", pixels, change, code="lv.robustness.jitter({})")


def rotation(degrees: float) -> Transform:
    """Turn about the middle by up to so many degrees."""

    def change(image: Tensor, degrees: float, random: torch.Generator) -> Tensor:
        angle = math.radians(_uniform(degrees, random))
        tilt = image.shape[2] / image.shape[3]  # coordinates run from -1 to 1 along either side
        rows = [[math.cos(angle), -math.sin(angle) * tilt, 0], [math.sin(angle) / tilt, math.cos(angle), 0]]
        return _affine(image, rows)

    return Transform("rotation", degrees, change, code="lv.robustness.rotation({})")


def scale(extent: float) -> Transform:
    """Enlarge or shrink about the middle by up to this part, below 1."""
    if extent >= 1:
        raise ValueError(f"scale is a part below 1, such as 0.1 for 90 % … 110 %; got {extent!r}")

    def change(image: Tensor, extent: float, random: torch.Generator) -> Tensor:
        factor = 1 + _uniform(extent, random)
        return _affine(image, [[1 / factor, 0, 0], [0, 1 / factor, 0]])

    return Transform("scale", extent, change, code="lv.robustness.scale({})")


def _affine(image: Tensor, rows: list[list[float]]) -> Tensor:
    """The picture, read at places moved by a 2×3 matrix."""
    matrix = torch.tensor(rows, dtype=image.dtype, device=image.device).expand(len(image), 2, 3)
    grid = F.affine_grid(matrix, list(image.shape), align_corners=False)
    return F.grid_sample(image, grid, padding_mode="reflection", align_corners=False)
