"""What is said of an answer: right, still open, or which slip it looks like."""

from collections.abc import Callable
from typing import Any, NamedTuple

from torch import Tensor

from ..figures import Figure
from ..languages import say
from ..networks import Network

DOTS = "replace the three dots ... with your lines"
# of the greatest magnitude: another device, or another order of sums, rounds differently, and where a ReLU is all but
# 0, that decides whether it passes a gradient on
TOLERANCE = 1e-3
FULL_SIZE = 0.03  # of the length of a gradient at full size: of its millions of ReLUs some always are all but 0


class Said(NamedTuple):
    """Whether an answer is right, and what else there is to say, in the language in use."""

    right: bool
    text: str

    def __str__(self) -> str:
        return say("✓ right: {text}" if self.right else "not yet: {text}", text=self.text)


def right(english: str, **values: object) -> Said:
    return Said(True, say(english, **values))


def not_yet(english: str, **values: object) -> Said:
    return Said(False, say(english, **values))


class Exercise(NamedTuple):
    """What is ``said`` of an answer, and the ``picture`` that a right one makes."""

    said: Callable[[Any], Said]
    picture: Callable[[Any], Figure]


def class_index(network: Network, answer: Any) -> int | None:
    """Of a class by its whole name, in the network's language or in English; ``None`` if it has no such class."""
    return network.label_index(answer) if answer in (*network.labels, *network.english) else None


def of(answer: Any, arguments: tuple, expected: Tensor, praise: str, slips: dict[str, Tensor]) -> Said:
    """The answer is a function; it is called with ``arguments``."""
    if not callable(answer):
        return not_yet("write a function")
    result = answer(*arguments)
    return not_yet(DOTS) if result is ... else same(result, expected, praise, slips)


def same(answer: Any, expected: Tensor, praise: str, hints: dict[str, Tensor], full_size: bool = False) -> Said:
    """``hints`` are the usual slips: what to say when the answer is this other tensor."""
    if not isinstance(answer, Tensor):
        return not_yet("a tensor is expected, this is a {kind}", kind=type(answer).__name__)
    expected = expected.cpu()
    answer = answer.detach().to(expected)  # doubles and whole numbers are as good
    shape, wanted = tuple(answer.shape), tuple(expected.shape)
    if shape != wanted:
        return not_yet("the shape is {shape}, it should be {wanted}", shape=shape, wanted=wanted)
    if _near(answer, expected, full_size):
        return right(praise)
    for hint, slip in hints.items():
        if slip.shape == answer.shape and _near(answer, slip.cpu(), full_size):
            return not_yet(hint)
    return not_yet("right shape, but values differ by up to {most:.3g}", most=(answer - expected).abs().max())


def _near(answer: Tensor, other: Tensor, full_size: bool) -> bool:
    off = answer - other
    if full_size:
        return bool(off.norm() <= FULL_SIZE * other.norm())
    return bool(off.abs().max() <= TOLERANCE * other.abs().max())
