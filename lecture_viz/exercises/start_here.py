"""The exercises of notebook 00."""

from typing import Any

from ..networks import load_network
from ..photos import load_image
from .answers import OPEN, RIGHT, Check, same


def _best_guess(answer: Any) -> str:
    best = load_network("alexnet64").top(load_image("coffee", 64), 1)[0][0]
    if answer == best:
        return f"{RIGHT}the network takes the cup for: {best}"
    if isinstance(answer, (list, tuple)):
        return f"{OPEN}top returns a list of (label, probability) pairs; take the label of the first pair"
    return f"{OPEN}{answer!r} is not its best guess; is the photo the coffee, at size=64?"


def _mirror(answer: Any) -> str:
    photo = load_image("cat", 64)
    slips = {
        "this is the photo as it was": photo,
        "this one stands on its head: columns are the last dimension": photo.flip(2),
        "this one has its colours swapped: dimension 1 holds red, green, blue": photo.flip(1),
    }
    return same(answer, photo.flip(3), "same cat, other way round", slips)


EXERCISES: dict[str, Check] = {"00.1": _best_guess, "00.2": _mirror}
