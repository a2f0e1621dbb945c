"""The exercises of notebook 04."""

from typing import Any

import torch

from ..gradient_based.gradients import gradient
from ..gradient_based.localization import intersection_over_union
from ..gradient_based.smoothgrad import NOISE, smoothgrad
from ..networks import load_network
from ..photos import Box, load_image
from ..targets import logit
from .answers import DOTS, OPEN, RIGHT, TOLERANCE, Check, same

BOXES = [(0, 0, 4, 4), (2, 1, 6, 5), (1, 1, 3, 3), (5, 6, 8, 8), (4, 0, 6, 4)]  # some overlap, touch, lie apart


def _iou(answer: Any) -> str:
    if not callable(answer):
        return f"{OPEN}write a function of two boxes that returns a number"
    for a in BOXES:
        for b in BOXES:
            share, expected = answer(a, b), intersection_over_union(Box(*a), Box(*b))
            if share is ...:
                return DOTS
            if abs(share - expected) < TOLERANCE:
                continue
            apart = " (they do not overlap: no height or width is negative)" if expected == 0 else ""
            double = abs(share - expected / (1 + expected)) < TOLERANCE
            why = " (the shared part is counted twice below the line)" if double else apart
            return f"{OPEN}for {a} and {b} it is {expected:.3g}, you get {share:.3g}{why}"
    return RIGHT + "the share of all their pixels that both boxes have"


def _smoothgrad(answer: Any) -> str:
    network, photo = load_network("alexnet64", device="cpu"), load_image("cat", 64)
    smooth = smoothgrad(network, photo, logit("tabby"), samples=8)
    epsilon = NOISE * torch.randn(8, *photo.shape[1:], generator=torch.Generator().manual_seed(0))
    gradients = gradient(network, photo.repeat(8, 1, 1, 1), lambda net, x: logit("tabby")(net, x + epsilon))
    slips = {
        "this is the sum; divide by the number of neighbours": 8 * smooth,
        "take the mean with signs, so that noise cancels; magnitudes come later": gradients.abs().mean(0, keepdim=True),
    }
    return same(answer, smooth, "what is noise cancels, what all neighbours share stays", slips)


EXERCISES: dict[str, Check] = {"04.1": _iou, "04.2": _smoothgrad}
