"""What a panel shows: pictures and texts of fixed size, an error in words, the line of code."""

import html
import math
from collections.abc import Callable, Mapping

import ipywidgets as widgets
from torch import Tensor

from ... import figures
from ...photos import Box
from .code_line import CodeLine
from .picture import Marked, Picture

Shown = Tensor | Marked | str | float  # an image tensor, with or without marks; HTML; or the number of a progress bar


def bars(shares: Mapping[str, float], form: str, width: int) -> str:
    """A table of names (HTML), each with its share (0 … 1) as a bar, ``width`` screen pixels at most, and a number."""
    rows = ""
    for name, share in shares.items():
        number = "–" if math.isnan(share) else format(share, form)
        length = 0 if math.isnan(share) else 100 * max(0.0, share)
        drawn = f'<div class="lv-bar" style="width:{length:.0f}%"></div>'
        rows += f'<tr><td>{name}</td><td style="width:{width}px">{drawn}</td><td>{number}</td></tr>'
    return f"<table class='lv-guesses'>{rows}</table>"


class View:
    """Outputs by name; `show` changes some of them.

    Attributes:
        outputs: the widgets.
        pictures: the images ``(1, 3, H, W)`` on screen.
        alts: what each picture is, in words.
        kept: whether a saved notebook may have the pictures; not what a camera saw.
    """

    def __init__(self, say: Callable[..., str]):
        """``say`` gives the panel's texts by key."""
        self.say = say
        self.outputs: dict[str, Picture | widgets.HTML | widgets.FloatProgress] = {}
        self.pictures: dict[str, Tensor] = {}
        self.alts: dict[str, str] = {}
        self.kept = True
        self._code_line = CodeLine(say)
        self.error_line = widgets.HTML(layout=widgets.Layout(display="none"))
        self.error_line.add_class("lv-error")

    def picture(self, name: str, size: int) -> widgets.VBox:
        """An output for an image, ``size`` pixels wide and high, with the text ``name + " caption"`` below."""
        self.alts[name] = self.say(f"{name} alt")
        picture = self.outputs[name] = Picture(name, size, self.say)
        return self.column(picture, self.text(f"{name} caption", min_height="64px"))  # three lines, seldom four

    @staticmethod
    def column(*shown: widgets.Widget) -> widgets.VBox:
        """One below the other: a column of a row, as wide as the others."""
        return widgets.VBox(shown, layout=widgets.Layout(width="100%", min_width="0"))

    def text(self, name: str, **layout: str) -> widgets.HTML:
        """An output for HTML text."""
        output = self.outputs[name] = widgets.HTML(layout=widgets.Layout(**layout))
        output.add_class("lv-text")
        return output

    def folded(self, content: widgets.Box) -> widgets.VBox:
        """A button that shows and hides ``content``, more penalties and filters, which is hidden at first."""
        button = widgets.ToggleButton(
            description=self.say("more"), icon="caret-down", layout=widgets.Layout(width="260px")
        )
        content.layout.display = "none"
        content.add_class("lv-folded")

        def toggle(change: dict[str, bool]) -> None:
            content.layout.display = "flex" if change["new"] else "none"
            button.icon = "caret-up" if change["new"] else "caret-down"

        button.observe(toggle, "value")
        shown = widgets.VBox([button, content])
        shown.add_class("lv-controls")
        return shown

    @staticmethod
    def row(*shown: widgets.Widget, main: int) -> widgets.HBox:
        """Pictures and texts side by side, which share the width there is; in a small window two of them.

        In the hall the one with the number ``main`` is the largest.
        """
        shown[main].add_class("lv-main")
        row = widgets.HBox(shown)
        row.add_class("lv-row")
        row.add_class(f"lv-row-{len(shown)}")
        return row

    @staticmethod
    def columns(lines: list[widgets.Widget], left: int) -> widgets.HBox:
        """Controls in two columns, ``left`` in the first; one column in a small window."""
        boxes = [widgets.VBox(lines[:left]), widgets.VBox(lines[left:])]
        shown = widgets.HBox(boxes, layout=widgets.Layout(flex_flow="row wrap"))
        shown.add_class("lv-controls")  # the presenter view can put them away
        return shown

    def assemble(self, *rows: widgets.Widget) -> widgets.VBox:
        """The whole: rows, the error below them, the line of code."""
        self._code_line.add_class("lv-controls")
        whole = widgets.VBox([*rows, self.error_line, self._code_line])
        whole.add_class("lv-panel")
        return whole

    def show(self, outputs: Mapping[str, Shown], code: str) -> None:
        """Change these outputs, and the code that made what is on screen."""
        for name, content in outputs.items():
            output = self.outputs[name]
            if isinstance(output, Picture):
                assert isinstance(content, Tensor | Marked)
                self.pictures[name] = content.image if isinstance(content, Marked) else content
                output.show(content, self.kept)
            else:
                output.value = content
        self._code_line.code = code

    @property
    def code(self) -> str:
        return self._code_line.code

    def show_error(self, error: Exception | None) -> None:
        """In words; ``None`` takes the last one away."""
        if error is not None:
            self.error_line.value = f'<div role="alert">{html.escape(str(error) or type(error).__name__)}</div>'
        self.error_line.layout.display = "none" if error is None else ""

    def still(self, called: str) -> str:
        """The panel as HTML where there is no kernel (GitHub, a file just opened): pictures, else numbers."""
        stills = {}
        for shown, words in self.alts.items():
            if shown not in self.pictures:  # it is not there yet
                continue
            stills[words] = self.pictures[shown]
            if boxes := self.outputs[shown].boxes:
                stills[words] = figures.framed(stills[words], Box(*boxes[0]))
        note = f"<p><em>{self.say('still note', name=called)}</em></p>"
        texts = (output.value for output in self.outputs.values() if isinstance(output, widgets.HTML))
        row = figures.row(stills, alt=self.say("still alt", name=called))
        return row._repr_html_() + ("" if stills else "".join(texts)) + note
