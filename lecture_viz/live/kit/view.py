"""What a panel shows: pictures and texts of fixed size, an error in words, the line of code."""

import html
import math
from collections.abc import Callable, Mapping
from importlib.resources import files

import ipywidgets as widgets
from torch import Tensor

from ... import figures, maps

STYLE = (files(__package__) / "panel.css").read_text()
SCRIPT = (files(__package__) / "panel.js").read_text()
ONCE = "data:image/gif;base64,R0lGODlhAQABAAAAACwAAAAAAQABAAA="  # a picture of nothing: it runs code once it is there
Shown = Tensor | str | float  # an image tensor, HTML, or the number of a progress bar


def bars(shares: Mapping[str, float], form: str, width: int) -> str:
    """A table of names (HTML), each with its share (0 … 1) as a bar, ``width`` screen pixels at most, and a number."""
    rows = ""
    for name, share in shares.items():
        number = "–" if math.isnan(share) else format(share, form)
        length = 0 if math.isnan(share) else width * max(0.0, share)
        drawn = f'<div class="lv-bar" style="width:{length:.0f}px"></div>'
        rows += f"<tr><td>{name}</td><td>{drawn}</td><td>{number}</td></tr>"
    return f"<table class='lv-guesses'>{rows}</table>"


class View:
    """Outputs by name; `show` changes some of them.

    Attributes:
        outputs: the widgets.
        pictures: the images ``(1, 3, H, W)`` on screen.
        alts: what each picture is, in words.
    """

    def __init__(self, say: Callable[..., str]):
        """``say`` gives the panel's texts by key."""
        self.say = say
        self.outputs: dict[str, widgets.Image | widgets.HTML | widgets.FloatProgress] = {}
        self.pictures: dict[str, Tensor] = {}
        self.alts: dict[str, str] = {}
        self.code = ""
        self._code_line = widgets.HTML()
        self._code_line.add_class("lv-code")
        self.error_line = widgets.HTML(layout=widgets.Layout(display="none"))
        self.error_line.add_class("lv-error")

    def picture(self, name: str, size: int) -> widgets.VBox:
        """An output for an image, ``size`` pixels wide and high, with the text ``name + " caption"`` below."""
        alt = self.alts[name] = self.say(f"{name} alt")
        box = widgets.Layout(width=f"{size}px", height=f"{size}px", object_fit="contain", margin="0")
        image = self.outputs[name] = widgets.Image(format="png", layout=box)
        spoken = widgets.HTML(self.say("picture", alt=alt))  # ipywidgets' Image has no alt text of its own
        spoken.add_class("lv-spoken")
        caption = self.text(f"{name} caption", width=f"{size}px", min_height="64px")  # three lines, seldom four
        return widgets.VBox([spoken, image, caption], layout=widgets.Layout(margin="0 14px 0 0"))

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
    def row(*shown: widgets.Widget) -> widgets.HBox:
        """Pictures and texts side by side; one below the other in a small window."""
        return widgets.HBox(shown, layout=widgets.Layout(margin="8px 0 0 0", flex_flow="row wrap"))

    @staticmethod
    def columns(lines: list[widgets.Widget], left: int) -> widgets.HBox:
        """Controls in two columns, ``left`` in the first; one column in a small window."""
        boxes = [widgets.VBox(lines[:left]), widgets.VBox(lines[left:])]
        shown = widgets.HBox(boxes, layout=widgets.Layout(flex_flow="row wrap"))
        shown.add_class("lv-controls")  # the presenter view can put them away
        return shown

    def assemble(self, *rows: widgets.Widget) -> widgets.VBox:
        """The whole: rows, the error below them, the code with its button."""
        script = f'<img src="{ONCE}" alt="" onload="{html.escape(SCRIPT)}">'
        unseen = widgets.HTML(f"<style>{STYLE}</style>{script}", layout=widgets.Layout(display="none"))
        copy = widgets.HTML(f'<button class="lv-copy" data-copied="{self.say("copied")}">{self.say("copy")}</button>')
        code = widgets.HBox([self._code_line, copy], layout=widgets.Layout(align_items="flex-start"))
        code.add_class("lv-controls")
        whole = widgets.VBox([unseen, *rows, self.error_line, code])
        whole.add_class("lv-panel")
        return whole

    def show(self, outputs: Mapping[str, Shown], code: str) -> None:
        """Change these outputs, and the code that made what is on screen."""
        for name, content in outputs.items():
            output = self.outputs[name]
            if not isinstance(content, Tensor):
                output.value = content
                continue
            self.pictures[name] = content
            exact = max(content.shape[2:]) <= maps.EXACT
            output.format = "png" if exact else "jpeg"
            output.value = maps.encode(content, output.format)
            (output.add_class if exact else output.remove_class)("lv-exact")
        self.code = code
        self._code_line.value = html.escape(code)

    def show_error(self, error: Exception | None) -> None:
        """In words; ``None`` takes the last one away."""
        if error is not None:
            self.error_line.value = f'<div role="alert">{html.escape(str(error) or type(error).__name__)}</div>'
        self.error_line.layout.display = "none" if error is None else ""

    def still(self, alt: str) -> str:
        """The pictures on screen as HTML, where there is no kernel (GitHub, a file just opened)."""
        return figures.row({alt: self.pictures[name] for name, alt in self.alts.items()}, alt=alt)._repr_html_()
