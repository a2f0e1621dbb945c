"""The exercises of notebook 04."""

from typing import Any

import torch
from torch import Tensor

from ..figures import Figure, framed, row
from ..gradient_based.gradients import gradient, magnitude, saliency
from ..gradient_based.localization import intersection_over_union, peak, smooth
from ..gradient_based.sanity_checks import similarity
from ..gradient_based.smoothgrad import NOISE, smoothgrad
from ..languages import say
from ..maps import show_magnitude, show_signed
from ..networks import load_network
from ..photos import Box, Laid, cut, lay, load_image
from ..targets import logit
from .answers import DOTS, TOLERANCE, Exercise, Said, not_yet, right, same
from .riddles import Riddle, Shown

BOXES = [(0, 0, 4, 4), (2, 1, 6, 5), (1, 1, 3, 3), (5, 6, 8, 8), (4, 0, 6, 4)]  # some overlap, touch, lie apart


def _iou(answer: Any) -> Said:
    if not callable(answer):
        return not_yet("write a function of two boxes that returns a number")
    for a in BOXES:
        for b in BOXES:
            share, expected = answer(a, b), intersection_over_union(Box(*a), Box(*b))
            if share is ...:
                return not_yet(DOTS)
            if abs(share - expected) < TOLERANCE:
                continue
            apart = " (they do not overlap: no height or width is negative)" if expected == 0 else ""
            double = abs(share - expected / (1 + expected)) < TOLERANCE
            why = " (the shared part is counted twice below the line)" if double else apart
            return not_yet(
                "for {a} and {b} it is {expected:.3g}, you get {share:.3g}{why}",
                a=a,
                b=b,
                expected=expected,
                share=share,
                why=say(why),
            )
    return right("the share of all their pixels that both boxes have")


def _smoothgrad(answer: Any) -> Said:
    network, photo = load_network("efficientnet_lite0", device="cpu"), load_image("cat", 224)
    smooth = smoothgrad(network, photo, logit("tabby"), samples=8)
    epsilon = NOISE * torch.randn(8, *photo.shape[1:], generator=torch.Generator().manual_seed(0))
    gradients = gradient(network, photo.repeat(8, 1, 1, 1), lambda net, x: logit("tabby")(net, x + epsilon))
    slips = {
        "this is the sum; divide by the number of neighbours": 8 * smooth,
        "take the mean with signs, so that noise cancels; magnitudes come later": gradients.abs().mean(0, keepdim=True),
    }
    return same(answer, smooth, "what is noise cancels, what all neighbours share stays", slips, full_size=True)


def _boxes(iou: Any) -> Figure:
    photo, one = framed(load_image("coffee", 64), Box(10, 8, 50, 56)), Box(40, 32, 200, 224)  # enlarged fourfold
    others = (one, Box(80, 80, 240, 240), Box(0, 0, 80, 80))
    pictures = {say("IoU {share:.2f}", share=iou(one, other)): framed(photo, other) for other in others}
    return row(pictures, alt=say("two boxes in a photo: the same, half shared, hardly"))


def _calmest() -> list[Shown]:
    network, photo, shown = load_network("alexnet64", device="cpu"), load_image("coffee", 64), []
    about = network, photo, logit("espresso")
    maps = {samples: [magnitude(smoothgrad(*about, samples, seed=seed)) for seed in (0, 1)] for samples in (64, 4, 16)}
    for samples, (one, other) in maps.items():
        shown.append(Shown(say("{samples} samples", samples=samples), show_magnitude(one), similarity(one, other)))
    return shown


def _on_grass(row: float, column: float, scale: float) -> tuple[Laid, Tensor]:
    """The cat, and its saliency in `alexnet64`."""
    network, photo, grass = load_network("alexnet64", device="cpu"), load_image("cat", 64), load_image("grass", 64)
    laid = lay(cut(photo, "cat"), grass, row, column, scale)
    return laid, saliency(network, laid.image, logit(network.top(photo, 1)[0][0]))


def _missed(answer: Any) -> Said:
    try:
        row, column, scale = map(float, answer)
    except (TypeError, ValueError):
        return not_yet("three numbers are expected: row, column (0 … 1) and scale (part of the side)")
    if scale < 0.1:
        return not_yet("at a scale of {scale:g} nobody could see a cat; 0.1 is small enough", scale=scale)
    laid, strength = _on_grass(row, column, scale)
    y, x = peak(torch.from_numpy(smooth(strength))[None, None])
    if laid.box.holds(y, x):
        return not_yet("the strongest place, row {y} and column {x}, lies on the cat; try a smaller one", y=y, x=x)
    return right("the strongest place is row {y}, column {x}, not on the cat", y=y, x=x)


def _where(answer: Any) -> Figure:
    laid, strength = _on_grass(*map(float, answer))
    pictures = {say("the cat"): framed(laid.image, laid.box), say("saliency"): show_magnitude(strength)}
    return row(pictures, alt=say("a small cat on grass"))


EXERCISES: dict[str, Exercise | Riddle] = {
    "04.1": Exercise(_iou, _boxes),
    "04.2": Exercise(
        _smoothgrad, lambda smooth: row({say("SmoothGrad of 8"): show_signed(smooth)}, alt=say("a calmer gradient"))
    ),
    "04.3": Riddle(_calmest, "likeness of two such means with other noise", "the more copies, the less noise is left"),
    "04.4": Exercise(_missed, _where),
}
