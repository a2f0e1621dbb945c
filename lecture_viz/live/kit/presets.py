"""A panel's presets: a button for each, in the lecture's order, and the lecture's sentence below."""

import html
import threading
from collections.abc import Mapping
from typing import Any

import ipywidgets as widgets

from .call import Values


class Buttons(widgets.ToggleButtons):  # type: ignore[misc]  # ipywidgets has no types
    """What the browser sends is taken in as one step: traitlets' holding back of changes knows no second thread.

    Without, a press could be lost: the worker, for which a moved slider leaves the old preset, took the new one away.
    """

    def __init__(self, **choices: Any):
        self.changing = threading.RLock()
        super().__init__(**choices)

    def set_state(self, sync_data: dict[str, Any]) -> None:
        with self.changing:
            super().set_state(sync_data)


class Presets:
    """Buttons; digits press them in the presenter view.

    Attributes:
        at: the preset that the controls stand at, or none.
        wanted: what it set them to.
        buttons: what a hand presses; its value is the preset pressed last, as long as the controls stand at it.
    """

    def __init__(self, told: Mapping[str, tuple[str, str]], presets: Mapping[str, Values], at: str | None):
        """``told`` has a title and a sentence for each name of ``presets``."""
        self._told = told
        self.at, self.wanted = at, presets[at] if at is not None else {}
        self.buttons = Buttons(
            options=[(f"{n} {told[name][0]}", name) for n, name in enumerate(presets, start=1)],
            tooltips=[told[name][1] for name in presets],
            value=at,
            style={"button_width": "auto"},
        )
        self.buttons.add_class("lv-presets")
        self.sentence = widgets.HTML()
        self.sentence.add_class("lv-sentence")
        self.tell()

    def tell(self) -> None:
        """Show the sentence of the preset that the controls stand at."""
        sentence = self._told[self.at][1] if self.at else ""
        self.sentence.value = html.escape(sentence, quote=False)

    def pressed(self, values: Values) -> str | None:
        """The preset that a hand has just pressed, if one did."""
        now, before = values["preset"], self.at
        self.at = now
        return now if now != before else None

    def left(self) -> None:
        """A hand has moved a control of the preset: it stands at none any more, unless a hand has just pressed one."""
        with self.buttons.changing:
            if self.buttons.value == self.at:
                self.buttons.value = None
        self.at = None


def standing(presets: Mapping[str, Mapping[str, Any]], values: Mapping[str, Any]) -> str | None:
    """The preset that ``values`` are, or none."""
    return next((name for name, wanted in presets.items() if wanted.items() <= values.items()), None)
