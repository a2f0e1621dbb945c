"""Predict first: a question about a picture that is not there yet, a few answers, then the picture with its number."""

import html
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import ipywidgets as widgets

from ... import languages

Verdict = tuple[str, Mapping[str, float | str]]  # the right answer, and the numbers that say so
LETTERS = "ABCD"  # keys of the presenter view


class Question(NamedTuple):
    """What is asked; which answer is right, the picture says (`Panel.verdict`). Its words are in `languages`.

    Attributes:
        after: the preset that answers it.
        answers: what one may say.
        before: the preset that stands meanwhile; by default what is on screen stays.
    """

    after: str
    answers: tuple[str, ...]
    before: str | None = None


class Prediction:
    """A button that unfolds the question, the answers to choose from, and what came of it.

    While it is `asking`, the panel holds still.

    Attributes:
        widget: the button beside the preset's sentence; instead of it, if a hand wants, the question, and below it the
            answers and what is said of the one chosen.
    """

    def __init__(
        self,
        question: Question,
        told: Mapping[str, Any],
        sentence: widgets.HTML,
        go: Callable[[str | None], None],
    ):
        """``told`` are the texts; ``go`` is called when it begins or ends to ask, with a preset to go to, if any."""
        self._question, self._told, self._sentence, self._go = question, told, sentence, go
        self.button = widgets.ToggleButton(
            description=told["predict"], tooltip=told["predict tip"], icon="question", layout={"width": "auto"}
        )
        self.button.add_class("lv-predict")
        answers = [(f"{letter}  {told['answers'][key]}", key) for letter, key in zip(LETTERS, question.answers)]
        self.answers = widgets.ToggleButtons(options=answers, value=None, style={"button_width": "auto"})
        self.answers.add_class("lv-answers")
        self.said = widgets.HTML()
        self.asked = widgets.HTML(f"<b>{html.escape(told['asked'], quote=False)}</b>", layout={"display": "none"})
        self.shown = widgets.VBox([self.answers, self.said], layout={"display": "none"})
        self.widget = widgets.VBox([widgets.HBox([self.button, sentence, self.asked]), self.shown])
        self.widget.add_class("lv-told")
        self.button.observe(self._unfold, "value")
        self.answers.observe(self._answered, "value")

    @property
    def asking(self) -> bool:
        """Whether the question stands, and nobody has answered."""
        return self.button.value and self.answers.value is None

    def _unfold(self, change: dict[str, bool]) -> None:
        self.answers.value, self.said.value = None, ""
        self._tell(self._question.before if change["new"] else None)  # first: who reads the question can answer it
        self._sentence.layout.display = "none" if change["new"] else ""
        self.asked.layout.display = self.shown.layout.display = "" if change["new"] else "none"

    def _answered(self, change: dict[str, str | None]) -> None:
        if change["new"] is not None:
            self.said.value = ""
            self._tell(self._question.after)

    def _tell(self, preset: str | None) -> None:
        (self.shown.add_class if self.asking else self.shown.remove_class)("lv-asking")
        self._go(preset)

    def judge(self, at: str | None, verdict: Callable[[], Verdict]) -> None:
        """Say whether the answer was right, once the picture of the preset ``at`` is whole."""
        if self.said.value and at != self._question.after:
            self.button.value = False  # a hand has gone on
        elif self.answers.value is not None and not self.said.value and at == self._question.after:
            right, numbers = verdict()
            said = self._told["right" if right == self.answers.value else "wrong"]
            why = f"{languages.fill(self._told['found'][right], numbers)} <i>{self._sentence.value}</i>"
            self.said.value = f'<div role="status"><b>{said}</b> {why}</div>'
