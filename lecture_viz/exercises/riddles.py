"""Exercises that show pictures with letters, and ask which of them is the one."""

from collections.abc import Callable
from functools import cached_property
from typing import Any, NamedTuple

from torch import Tensor

from ..figures import Figure, row
from .answers import OPEN, RIGHT

LETTERS = "ABCDE"


class Shown(NamedTuple):
    """A picture of a riddle: what it truly is, the image ``(1, 3, H, W)``, and the number that is measured on it."""

    caption: str
    image: Tensor
    number: float


class Riddle:
    """The picture with the greatest number, or with the least, is the one that is asked for: it is measured.

    Attributes:
        shown: in the order of their letters, made at the first look.
        measure: what the numbers are, in words.
    """

    def __init__(self, make: Callable[[], list[Shown]], measure: str, hint: str, least: bool = False):
        """``hint`` is for who names another letter; ``least``: the least number is asked for."""
        self._make, self.measure, self._hint, self._least = make, measure, hint, least

    @cached_property
    def shown(self) -> list[Shown]:
        return self._make()

    @property
    def letter(self) -> str:
        """The right one."""
        numbers = [shown.number for shown in self.shown]
        return LETTERS[numbers.index((min if self._least else max)(numbers))]

    def lettered(self) -> dict[str, Tensor]:
        """The pictures, each with nothing but its letter."""
        return {letter: shown.image for letter, shown in zip(LETTERS, self.shown)}

    def said(self, answer: Any) -> str:
        """Of a letter."""
        letters = LETTERS[: len(self.shown)]
        if not isinstance(answer, str) or answer.strip().upper() not in tuple(letters):
            return f"{OPEN}answer with a letter: {', '.join(letters)}"
        if answer.strip().upper() != self.letter:
            return f"{OPEN}look again: {self._hint}"
        numbers = ", ".join(f"{letter} {shown.number:.2f}" for letter, shown in zip(letters, self.shown))
        return f"{RIGHT}{self.measure}: {numbers}"

    def picture(self, _answer: Any) -> Figure:
        """The same with what they truly are."""
        pictures = {f"{letter}: {shown.caption}": shown.image for letter, shown in zip(LETTERS, self.shown)}
        return row(pictures, alt="the same pictures, named", size=230)
