"""The exercises of notebook 03."""

from typing import Any

import torch
from torch.nn import functional as F

from ..networks import load_network
from .answers import Check, same


def _unpooled(answer: Any) -> str:
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


def _transposed(answer: Any) -> str:
    network = load_network("alexnet64", device="cpu")
    s, weight = torch.zeros(1, 32, 64, 64), network.module.conv1.weight
    s[0, 12, 32, 32] = 1
    slips = {"this is turned by 180°: transpose the convolution itself": F.conv2d(s, weight.transpose(0, 1), padding=2)}
    painted = F.conv_transpose2d(s, weight, padding=2)
    return same(answer, painted, "one activation stamps its filter into the photo", slips)


EXERCISES: dict[str, Check] = {"03.1": _unpooled, "03.2": _transposed}
