"""The exercises of notebook 03."""

from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from ..figures import Figure, mosaic, row
from ..gradient_based.top_patches import top_patches
from ..languages import say
from ..maps import show_signed
from ..networks import load_network
from .answers import Exercise, Said, not_yet, right, same
from .riddles import Riddle, Shown


def _unpooled(answer: Any) -> Said:
    a = torch.tensor([[[[1.0, 3, 0, 2], [0, 2, 5, 1], [4, 0, 1, 0], [1, 2, 0, 6]]]])
    s = torch.tensor([[[[10.0, 20], [30, 40]]]])
    pooled, switches = F.max_pool2d(a, 2, return_indices=True)
    slips = {
        "this spreads each number over its whole window; the switch names one place": F.interpolate(s, scale_factor=2),
        "this is the forward pass run backwards: what goes back is s, not the maxima": F.max_unpool2d(
            pooled, switches, 2
        ),
    }
    return same(answer, F.max_unpool2d(s, switches, 2), "each number is where its maximum came from", slips)


def _transposed(answer: Any) -> Said:
    network = load_network("alexnet64", device="cpu")
    s, weight = torch.zeros(1, 32, 64, 64), network.module.conv1.weight
    s[0, 12, 32, 32] = 1
    slips = {"this is turned by 180°: transpose the convolution itself": F.conv2d(s, weight.transpose(0, 1), padding=2)}
    painted = F.conv_transpose2d(s, weight, padding=2)
    return same(answer, painted, "one activation stamps its filter into the photo", slips)


def _squares(numbers: Tensor) -> Figure:
    shown = show_signed(numbers.expand(-1, 3, -1, -1))
    return row({say("where the maxima came from"): shown}, alt=say("four of 16 squares"))


def _stamp(painted: Tensor) -> Figure:
    shown = show_signed(painted[:, :, 26:39, 26:39])
    return row({say("a filter, stamped"): shown}, alt=say("a filter of 5×5 pixels"), size=160)


def _patches(layer: str, channel: int) -> tuple[Tensor, list[str], int]:
    """The nine as one picture, the photos they come from, and how many pixels wide a patch is."""
    found = top_patches(load_network("alexnet64", device="cpu"), "bundled", layer, channel, progress=False)
    return mosaic(found.patches), found.names, max(patch.shape[-1] for patch in found.patches)


def _depths() -> list[Shown]:
    shown = []
    for layer in ("relu3", "relu1", "relu5"):
        nine, _, side = _patches(layer, 20)
        shown.append(Shown(say("{layer}: {side} pixels", layer=layer, side=side), nine, side))
    return shown


def _many_photos(answer: Any) -> Said:
    if not isinstance(answer, int) or not 0 <= answer < 128:
        return not_yet("the number of a feature map of relu5 is expected, 0 … 127")
    photos = sorted({*_patches("relu5", answer)[1]})
    count, names = len(photos), ", ".join(photos)
    if count < 5:
        return not_yet("its nine patches come from {count} photos: {names}", count=count, names=names)
    return right(
        "{count} photos share what it looks for; of one photo alone, nobody could say what that is", count=count
    )


EXERCISES: dict[str, Exercise | Riddle] = {
    "03.1": Exercise(_unpooled, _squares),
    "03.2": Exercise(_transposed, _stamp),
    "03.3": Riddle(_depths, "pixels that a patch is wide", "the deeper a neuron, the more of a photo it sees"),
    "03.4": Exercise(
        _many_photos,
        lambda channel: row(
            {say("nine patches of {channel}", channel=channel): _patches("relu5", channel)[0]}, alt=say("patches")
        ),
    ),
}
