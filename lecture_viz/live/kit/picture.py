"""The widget for a picture: its pixels, what it is in words, the marks over it, and what a hand does on it.

The browser frames boxes, moves the crosshair and reads values by itself, without a new picture; only a place that a
hand has chosen comes to the kernel.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import anywidget
import traitlets
from torch import Tensor

from ... import maps
from ...photos import Box

HERE = Path(__file__).parent
TEXTS = ("keys", "brush keys", "enlarge", "save", "compare", "wipe", "blend")


@dataclass(frozen=True)
class Marked:
    """A picture that shows the same places as others of its panel, and what is drawn over it.

    Attributes:
        image: ``(1, 3, H, W)``.
        boxes: framed, in the picture's pixels.
        place: row and column of the crosshair, in the picture's pixels.
        grid: rows and columns of the places that a hand can choose from; without, it can only look.
        scale: how a map is coloured, see `maps.scale_colours`; of a photo, and of what is no map, ``""``.
        limit: what full colour of the scale stands for.
        brush: its diameter, as a share of the side, if a hand can paint; and what the browser draws until the answer
            comes, a CSS colour.
        alone: it shows other places than its neighbours (tiles): it has no crosshair, and nothing is read from it.
    """

    image: Tensor
    boxes: Sequence[Box] = ()
    place: tuple[float, float] | None = None
    grid: Sequence[int] = ()
    limit: float = 1.0
    scale: str = ""
    brush: tuple[float, str] | tuple[()] = ()
    alone: bool = False


def signed(values: Tensor, limit: float | None = None) -> Marked:
    """A signed map ``(1, 3, H, W)``, scaled by ``limit`` (default: `maps.stretch`)."""
    limit = limit or maps.stretch(values)
    return Marked(maps.show_signed(values, limit), limit=limit, scale="colours")


def magnitudes(values: Tensor, limit: float | None = None) -> Marked:
    """A map of magnitudes ``(1, 1, H, W)``, scaled by ``limit`` (default: `maps.stretch`)."""
    limit = limit or maps.stretch(values)
    return Marked(maps.show_magnitude(values, limit), limit=limit, scale="magnitude")


class Picture(anywidget.AnyWidget):
    """A picture of a panel, in a square of at most ``side`` screen pixels.

    Attributes:
        name: its output's; a saved file is called so.
        value: the picture as a file in ``format``, PNG where each pixel must be exact, else JPEG; empty if a notebook
            that is saved with the state of its widgets must not have it: then it comes by a message.
        exact: whether its pixels are shown as squares instead of smoothed.
        alt: what it is, in words; ``texts`` are those of its tools.
        pointed: whether it shows the same places as others of its panel, so that they point at them together.
        boxes, place, grid, scale, limit, brush: see `Marked`.
        chosen: row and column, of the grid, that a hand has chosen, and when.
        strokes: the last few, each by when it was begun: its places so far, as shares of height and width; none take
            the one before back. Several, because not every message comes through while a kernel is busy.
    """

    _esm = HERE / "picture.js"
    _css = HERE / "picture.css"
    name = traitlets.Unicode().tag(sync=True)
    value = traitlets.Bytes().tag(sync=True)
    format = traitlets.Enum(("png", "jpeg"), "png").tag(sync=True)
    exact = traitlets.Bool(False).tag(sync=True)
    alt = traitlets.Unicode().tag(sync=True)
    texts = traitlets.Dict().tag(sync=True)
    side = traitlets.Int().tag(sync=True)
    pointed = traitlets.Bool(False).tag(sync=True)
    boxes: traitlets.List[Any] = traitlets.List().tag(sync=True)
    place: traitlets.List[Any] = traitlets.List().tag(sync=True)
    grid: traitlets.List[Any] = traitlets.List().tag(sync=True)
    scale = traitlets.Unicode().tag(sync=True)
    limit = traitlets.Float(1.0).tag(sync=True)
    table: traitlets.List[Any] = traitlets.List().tag(
        sync=True
    )  # the colours of the scale, from its least to its greatest value
    chosen: traitlets.List[Any] = traitlets.List().tag(sync=True)
    brush: traitlets.List[Any] = traitlets.List().tag(sync=True)
    strokes: traitlets.List[Any] = traitlets.List().tag(sync=True)

    def __init__(self, name: str, side: int, say: Callable[..., str]):
        """``say`` gives the panel's texts by key."""
        texts = {key: say(f"picture {key}") for key in TEXTS}
        blanks = {name: f"{{{name}}}" for name in ("row", "column", "value")}  # the browser fills them in
        texts["reading"] = say("picture reading", **blanks)
        super().__init__(name=name, side=side, alt=say("picture", alt=say(f"{name} alt")), texts=texts)
        self._file = b""
        self.on_msg(lambda *_: self._send_file())  # a page that was opened anew asks for it

    def show(self, shown: Tensor | Marked, kept: bool = True) -> None:
        """Show an image ``(1, 3, H, W)``, with its marks; ``kept``: whether a saved notebook may have it."""
        marked = shown if isinstance(shown, Marked) else Marked(shown)
        exact = max(marked.image.shape[2:]) <= maps.EXACT
        form = "png" if exact else "jpeg"
        self._file = maps.encode(marked.image, form)
        with self.hold_sync():  # one message
            self.exact, self.format, self.value = exact, form, self._file if kept else b""
            self.boxes = [list(box) for box in marked.boxes]
            self.place, self.grid, self.brush = list(marked.place or ()), list(marked.grid), list(marked.brush)
            self.pointed = isinstance(shown, Marked) and not shown.alone
            self.scale, self.table = marked.scale, maps.scale_colours(marked.scale)
            self.limit = float(f"{marked.limit:.3g}")  # values are read to two digits
        if not kept:
            self._send_file()

    def _send_file(self) -> None:
        self.send("file", [self._file])
