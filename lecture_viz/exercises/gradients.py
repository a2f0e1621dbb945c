"""The exercises of notebook 01."""

from typing import Any

from ..gradient_based.gradients import gradient, saliency
from ..networks import load_network
from ..photos import load_image
from ..targets import logit
from .answers import Check, same


def _two_classes(answer: Any) -> str:
    network, photo = load_network("alexnet64"), load_image("cat", 64)
    cat, dog = (gradient(network, photo, logit(label)) for label in ("tabby", "golden retriever"))
    slips = {
        "this is tabby alone": cat,
        "this is golden retriever minus tabby; the sign is the wrong way round": dog - cat,
        "this is the sum; you want what tells the two apart": cat + dog,
    }
    return same(answer, cat - dog, "the gradient of a difference is the difference of the gradients", slips)


def _saliency(answer: Any) -> str:
    network, photo = load_network("alexnet64"), load_image("cat", 64)
    signed = gradient(network, photo, logit("tabby"))
    slips = {
        "without the absolute value, a strong minus counts as nothing": signed.amax(1, keepdim=True),
        "this is the mean over the colours; the paper takes the maximum": signed.abs().mean(1, keepdim=True),
        "take the absolute value first, then the maximum": signed.amax(1, keepdim=True).abs(),
    }
    return same(answer, saliency(network, photo, logit("tabby")), "that is the paper's saliency map", slips)


EXERCISES: dict[str, Check] = {"01.1": _two_classes, "01.2": _saliency}
