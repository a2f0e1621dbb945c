"""What is said of an answer: right, still open, or which slip it looks like."""

from collections.abc import Callable
from typing import Any, NamedTuple

from torch import Tensor

from ..figures import Figure

RIGHT = "✓ right: "
OPEN = "not yet: "
DOTS = OPEN + "replace the three dots ... with your lines"
# of the greatest magnitude: another device, or another order of sums, rounds differently, and where a ReLU is all but
# 0, that decides whether it passes a gradient on
TOLERANCE = 1e-3


class Exercise(NamedTuple):
    """What is ``said`` of an answer, and the ``picture`` that a right one makes."""

    said: Callable[[Any], str]
    picture: Callable[[Any], Figure]


def of(answer: Any, arguments: tuple, expected: Tensor, praise: str, slips: dict[str, Tensor]) -> str:
    """The answer is a function; it is called with ``arguments``."""
    if not callable(answer):
        return f"{OPEN}write a function"
    result = answer(*arguments)
    return DOTS if result is ... else same(result, expected, praise, slips)


def same(answer: Any, expected: Tensor, praise: str, hints: dict[str, Tensor]) -> str:
    """``hints`` are the usual slips: what to say when the answer is this other tensor."""
    if not isinstance(answer, Tensor):
        return f"{OPEN}a tensor is expected, this is a {type(answer).__name__}"
    expected = expected.cpu()
    answer = answer.detach().to(expected)  # doubles and whole numbers are as good
    if answer.shape != expected.shape:
        return f"{OPEN}the shape is {tuple(answer.shape)}, it should be {tuple(expected.shape)}"
    if _near(answer, expected):
        return RIGHT + praise
    for hint, slip in hints.items():
        if slip.shape == answer.shape and _near(answer, slip.cpu()):
            return OPEN + hint
    return f"{OPEN}right shape, but values differ by up to {(answer - expected).abs().max():.3g}"


def _near(answer: Tensor, other: Tensor) -> bool:
    return bool((answer - other).abs().max() <= TOLERANCE * other.abs().max())
