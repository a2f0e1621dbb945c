"""Occlusion: what if this were not there? (Zeiler and Fergus 2014 [26], section 4.2)

A saliency map says where a *tiny* change would matter. Take the pixels away altogether and ask again: if the map is
right about what the network looks at, the score falls far more where the map is strong than where it is weak.

    S(x with its most important squares covered)  <  S(x)  ≈  S(x with its least important squares covered)

This is one point of the deletion curve of Petsiuk et al. 2018 ("RISE", section 4.3), which goes on until nothing is
left. Squares, because single pixels of a noisy map cover everything with specks.

Where it misleads: a grey square is a thing of its own, which the network has never seen on a cat. Leave a blur instead,
and see whether the answer is the same.
"""

from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F

from ..networks.network import Network
from ..photos import left
from ..targets import Target

SQUARES = 14  # in a row


class Scores(NamedTuple):
    """What a target says to the photo, and to it with its most and its least important squares covered."""

    photo: float
    without_most: float
    without_least: float


def squares(saliency: Tensor, share: float, most: bool = True) -> Tensor:
    """The ``share`` (0 … 1) of a map's 14×14 squares in which it is strongest in the mean, or weakest.

    Args:
        saliency: ``(1, 1, H, W)``, of at least 14×14.

    Returns:
        ``(1, 1, H, W)`` of bool; of squares that are alike, the first in reading order.

    Raises:
        ValueError: another shape, NaN, or a share out of range.
    """
    if saliency.ndim != 4 or saliency.shape[:2] != (1, 1) or min(saliency.shape[2:]) < SQUARES:
        raise ValueError(f"a map is (1, 1, H, W), {SQUARES}×{SQUARES} at least; got {tuple(saliency.shape)}")
    if not bool(saliency.isfinite().all()):
        raise ValueError("the map holds NaN or infinite values: there is no strongest square")
    if not 0 <= share <= 1:
        raise ValueError(f"share is a part of all squares, 0 … 1; got {share!r}")
    means = F.adaptive_avg_pool2d(saliency, SQUARES).flatten()
    chosen = means.sort(descending=most, stable=True).indices[: round(share * len(means))]
    mask = torch.zeros_like(means).index_fill(0, chosen, 1).view(1, 1, SQUARES, SQUARES)
    return F.interpolate(mask, saliency.shape[2:], mode="nearest-exact") > 0


def cover(image: Tensor, mask: Tensor, leaves: str = "grey") -> Tensor:
    """``image`` ``(1, 3, H, W)`` with grey, a blur or a colour (see `images.left`) where ``mask`` ``(1, 1, H, W)`` is.

    Raises:
        ValueError: sizes that differ, or something else to leave.
    """
    if mask.shape[2:] != image.shape[2:]:
        raise ValueError(f"mask and photo differ in size: {tuple(mask.shape[2:])} and {tuple(image.shape[2:])}")
    return torch.where(mask.to(image.device), left(image, leaves), image)


def compare(
    network: Network, image: Tensor, target: Target, saliency: Tensor, share: float = 0.1, leaves: str = "grey"
) -> Scores:
    """How the score falls without what a map ``(1, 1, H, W)`` calls most important, and without the least important."""
    masks = [squares(saliency, share, most) for most in (True, False)]
    with torch.no_grad():
        return Scores(*target(network, torch.cat([image, *(cover(image, mask, leaves) for mask in masks)])).tolist())
