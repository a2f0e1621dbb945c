"""Localisation: where is it? asks a network that was never trained to say it (Simonyan et al. 2014 [20], section 3.2).

    saliency map  →  smooth it  →  foreground: the pixels above a threshold  →  its largest connected part  →  box

The paper does not stop at a threshold: the strongest pixels are taken as *seeds* of the object, the weakest as seeds of
the background, and the colours of the photo decide about those between (`foreground_by_colour`). The paper does that
with GraphCut; here it is the random walker (Grady 2006), which works on the same graph of neighbouring pixels.

How good is a box A, if the object's is B?

    intersection over union    IoU = |A ∩ B| / |A ∪ B|; found if it is at least 0.5    Everingham et al. 2010, 4.2
    pointing game              is the strongest pixel inside B at all?                 Zhang et al. 2016, section 4.2

Where it misleads: the most telling pixels need not cover the object, nor be part of it. And objects like to be in the
middle of photos: compare with a guess that never looks.
"""

from collections.abc import Iterable

import numpy as np
import skimage
import torch
from torch import Tensor

from ..photos import Box

# Threshold and seeds: near the best for the saliency of all three networks, see benchmarks/localization.py
BLUR = 1 / 16  # standard deviation of the smoothing, as a part of the map's height: joins the specks of one object
THRESHOLD = 0.3  # of the smoothed map's maximum
SEEDS = (0.3, 0.7)  # quantiles: up to the first is background, from the second on object
FOUND = 0.5  # intersection over union


def smooth(saliency: Tensor, blur: float = BLUR) -> np.ndarray:
    """A map ``(1, 1, H, W)``, ≥ 0, blurred by a Gaussian: ``(H, W)``.

    Raises:
        ValueError: not a map, or one that is zero everywhere.
    """
    if saliency.ndim != 4 or saliency.shape[:2] != (1, 1) or not bool((saliency >= 0).all()):  # NaN is not ≥ 0
        raise ValueError(
            f"a saliency map is (1, 1, H, W) and nowhere negative; got {tuple(saliency.shape)}: see `saliency`"
        )
    if not bool(saliency.any()):
        raise ValueError("the map is zero everywhere: there is nothing to locate; try another neuron or class")
    array = saliency[0, 0].detach().cpu().double().numpy()
    return skimage.filters.gaussian(array, blur * array.shape[0])


def foreground(saliency: Tensor, threshold: float = THRESHOLD, blur: float = BLUR) -> Tensor:
    """Where the smoothed map ``(1, 1, H, W)`` reaches ``threshold`` (0 … 1) times its maximum: ``(H, W)`` of bool."""
    if not 0 < threshold <= 1:
        raise ValueError(f"threshold is a part of the map's maximum, above 0 and up to 1; got {threshold!r}")
    smoothed = smooth(saliency, blur)
    return torch.from_numpy(smoothed >= threshold * smoothed.max())


def foreground_by_colour(
    saliency: Tensor, image: Tensor, seeds: tuple[float, float] = SEEDS, blur: float = BLUR
) -> Tensor:
    """Where the colours of ``image`` ``(1, 3, H, W)`` lead from the seeds of the map ``(1, 1, H, W)``.

    Args:
        seeds: pixels up to the first quantile of the smoothed map are background, from the second on object.

    Returns:
        ``(H, W)`` of bool.
    """
    if not 0 <= seeds[0] < seeds[1] < 1:
        raise ValueError(f"seeds are two quantiles, 0 ≤ background < object < 1; got {seeds}")
    smoothed = smooth(saliency, blur)
    if image.shape[2:] != smoothed.shape:
        raise ValueError(f"map and photo differ in size: {smoothed.shape} and {tuple(image.shape[2:])}")
    low, high = np.quantile(smoothed, seeds)
    marks = np.zeros(smoothed.shape, np.int8)
    marks[smoothed >= high] = 1
    marks[smoothed <= low] = 2  # a small receptive field leaves both quantiles at zero: that is background
    colours = image[0].detach().cpu().double().numpy()
    return torch.from_numpy(skimage.segmentation.random_walker(colours, marks, mode="bf", channel_axis=0) == 1)


def box(mask: Tensor) -> Box:
    """The box about the largest connected part of a mask ``(H, W)``: the first of several equally large.

    Pixels that touch at a corner are connected.

    Raises:
        ValueError: the mask is empty.
    """
    parts = skimage.measure.label(mask.cpu().numpy())
    sizes = np.bincount(parts.ravel())[1:]
    if not len(sizes):
        raise ValueError("the mask is empty: lower the threshold")
    rows, columns = np.nonzero(parts == 1 + sizes.argmax())
    return Box(int(rows.min()), int(columns.min()), int(rows.max()) + 1, int(columns.max()) + 1)


def intersection_over_union(one: Box, other: Box) -> float:
    """0 for boxes apart, 1 for the same box."""
    shared = Box(*map(max, one[:2], other[:2]), *map(min, one[2:], other[2:]))
    if shared.top >= shared.bottom or shared.left >= shared.right:
        return 0.0
    return shared.area / (one.area + other.area - shared.area)


def peak(saliency: Tensor) -> tuple[int, int]:
    """Row and column of the strongest pixel of a map ``(1, 1, H, W)``; the first of them in reading order."""
    row, column = divmod(int(saliency.flatten().argmax()), saliency.shape[-1])
    return row, column


def pointing_game(saliencies: Iterable[Tensor], boxes: Iterable[Box]) -> Tensor:
    """Whether the strongest pixel of each map ``(1, 1, H, W)`` lies inside the object's box: ``(N,)`` of bool."""
    hits = [box.holds(*peak(saliency)) for saliency, box in zip(saliencies, boxes, strict=True)]
    if not hits:
        raise ValueError("there are no maps; give at least one")
    return torch.tensor(hits)
