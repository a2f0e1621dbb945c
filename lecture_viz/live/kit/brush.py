"""What a brush has painted on a picture, as a control: its strokes, and two buttons to take them back."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import anywidget
import ipywidgets as widgets
import traitlets

from ...photos import LEAVES, Stroke
from .call import Values
from .photo import WIDE
from .picture import Picture

HERE = Path(__file__).parent
COLOURS = ("black", "white", "red", "yellow", "blue")


def strokes(value: Any) -> tuple[Stroke, ...]:
    """As they come from the browser, in lists."""
    return tuple((leaves, size, tuple((y, x) for y, x in points)) for leaves, size, points in value)


class Brush(anywidget.AnyWidget):
    """``value`` are the strokes, see `painting.paint`."""

    _esm = HERE / "brush.js"
    value = traitlets.Any(()).tag(sync=True, from_json=lambda value, _: strokes(value))
    texts = traitlets.Dict().tag(sync=True)
    description = traitlets.Unicode().tag(sync=True)
    tooltip = traitlets.Unicode(allow_none=True).tag(sync=True)

    def __init__(self, say: Callable[[str], str]):
        """``say`` gives the panel's texts by key."""
        super().__init__(texts={name: say(name) for name in ("undo", "clear")})
        self._seen: dict[int, int] = {}  # how many places of a stroke were taken
        self._picture: Picture | None = None

    def listen(self, picture: Picture, ask: Callable[[], None]) -> None:
        """To a hand on ``picture``; ``ask`` has the panel drawn again."""
        self._picture = picture
        picture.observe(lambda _: ask(), "strokes")

    def heard(self, values: Values, leaves: str) -> Values:
        """``values`` of a panel with the ``strokes`` that a hand has painted since, as wide as its ``brush``."""
        heard = self._picture.strokes if self._picture is not None else []
        return values | {"strokes": self.after(values["strokes"], heard, leaves, values["brush"])}

    @traitlets.validate("value")
    def _as_strokes(self, proposal: dict[str, Any]) -> tuple[Stroke, ...]:
        try:
            return strokes(proposal["value"])
        except (TypeError, ValueError) as error:
            raise ValueError(
                "a stroke is what it leaves, the brush's diameter and its places: ('grey', 0.1, ((0.4, 0.5), …))"
            ) from error

    def after(self, painted: tuple[Stroke, ...], heard: list[Any], leaves: str, size: float) -> tuple[Stroke, ...]:
        """The strokes ``painted``, and those that a hand has begun, or gone on with, on a `Picture` since."""
        for number, points in heard:
            before, self._seen[number] = self._seen.get(number), len(points)
            if before is None and not points:  # the key that takes the last one back
                painted = painted[:-1]
            elif before is None or (before < len(points) and painted):
                kept = painted if before is None else painted[:-1]
                painted = strokes([*kept, (leaves, round(size, 3), points)])
        return painted


def painting(say: Callable[[str], str], size: float, leaves: str) -> dict[str, widgets.Widget]:
    """The controls ``strokes``, ``brush`` (its diameter, at first ``size``) and ``leaves`` (grey, a colour …)."""
    return {
        "strokes": Brush(say),
        "brush": widgets.FloatSlider(value=size, min=0.02, max=0.5, step=0.02, layout=WIDE),
        "leaves": widgets.Dropdown(options=[*LEAVES, *COLOURS], value=leaves, layout=WIDE),
    }


def drawn(values: Values) -> tuple[float, str]:
    """For `Marked`: the brush's diameter, and the colour that the browser draws until the answer comes."""
    return values["brush"], "#fff8" if values["leaves"] in ("blur", "photo") else values["leaves"]
