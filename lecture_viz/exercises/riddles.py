"""Exercises that show pictures with letters, and ask which of them is the one."""

from collections.abc import Callable
from functools import cache
from typing import Any, NamedTuple

from torch import Tensor

from ..figures import Figure, row
from ..languages import current, say
from .answers import Said, not_yet, right

LETTERS = "ABCDE"


class Shown(NamedTuple):
    """A picture of a riddle: what it truly is, the image ``(1, 3, H, W)``, and the number that is measured on it."""

    caption: str
    image: Tensor
    number: float


class Riddle:
    """The picture with the greatest number, or with the least, is the one that is asked for: it is measured.

    Attributes:
        shown: in the order of their letters, made at the first look in a language.
        measure: what the numbers are, in words.
    """

    def __init__(self, make: Callable[[], list[Shown]], measure: str, hint: str, least: bool = False):
        """``hint`` is for who names another letter; ``least``: the least number is asked for."""
        self._made = cache(lambda _language: make())
        self.measure, self._hint, self._least = measure, hint, least

    @property
    def shown(self) -> list[Shown]:
        return self._made(current())

    @property
    def letter(self) -> str:
        """The right one."""
        numbers = [shown.number for shown in self.shown]
        return LETTERS[numbers.index((min if self._least else max)(numbers))]

    def lettered(self) -> dict[str, Tensor]:
        """The pictures, each with nothing but its letter."""
        return {letter: shown.image for letter, shown in zip(LETTERS, self.shown)}

    def said(self, answer: Any) -> Said:
        """Of a letter."""
        letters = LETTERS[: len(self.shown)]
        if not isinstance(answer, str) or answer.strip().upper() not in tuple(letters):
            return not_yet("answer with a letter: {letters}", letters=", ".join(letters))
        if answer.strip().upper() != self.letter:
            return not_yet("look again: {hint}", hint=say(self._hint))
        numbers = ", ".join(f"{letter} {shown.number:.2f}" for letter, shown in zip(letters, self.shown))
        return right("{measure}: {numbers}", measure=say(self.measure), numbers=numbers)

    def picture(self, _answer: Any) -> Figure:
        """The same with what they truly are."""
        pictures = {f"{letter}: {shown.caption}": shown.image for letter, shown in zip(LETTERS, self.shown)}
        return row(pictures, alt=say("the same pictures, named"), size=230)
