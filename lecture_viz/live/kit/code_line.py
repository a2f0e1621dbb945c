"""The line of code of a panel, with a button that copies it."""

from collections.abc import Callable
from pathlib import Path

import anywidget
import traitlets

HERE = Path(__file__).parent


class CodeLine(anywidget.AnyWidget):
    """``code`` made what is on screen; ``texts`` are what the button says: to copy, when done, and when refused.

    On the way it names the handles of the panel's sliders for screen readers, which ipywidgets leaves out.
    """

    _esm = HERE / "code_line.js"
    _css = HERE / "panel.css"  # of the whole panel, which has one of these
    code = traitlets.Unicode().tag(sync=True)
    texts = traitlets.Dict().tag(sync=True)

    def __init__(self, say: Callable[..., str]):
        """``say`` gives the panel's texts by key."""
        super().__init__(texts={key: say(key) for key in ("copy", "copied", "not copied")})
