"""Lesson 4: lay a thing anywhere on another photo: does its saliency follow it, or just like the middle?"""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import ipywidgets as widgets
import torch
from torch import Tensor

from ..gradient_based import localization as where
from ..gradient_based.gradients import magnitude, saliency
from ..gradient_based.smoothgrad import smoothgrad
from ..networks import Network
from ..photos import OUTLINES, TEXTURES, cut, lay, opacity
from ..targets import logit
from .kit.brush import Brush
from .kit.call import Call, Expression, Named, Part, Values
from .kit.neuron import samples_slider
from .kit.photo import WIDE, PhotoPanel
from .kit.picture import Marked, magnitudes
from .kit.prediction import Question, Verdict
from .kit.resolved import Frame, Made, Resolved
from .kit.view import Shown

GRID = 101  # places in a row that a hand can choose from: each is a percent
TRIED = [(row, column) for row in (0.2, 0.5, 0.8) for column in (0.15, 0.3, 0.5, 0.7, 0.85)]
SHADE = 0.25  # of what is not cut out


class Collage(PhotoPanel):
    """A thing on a background, the saliency of its class, and the box that the saliency finds beside the true one.

    Controls: ``photo`` (the background), ``thing`` (the photo with the thing), ``strokes`` (what marks it there;
    none: its outline is known) and ``brush``; ``row``, ``column`` and ``scale`` in percent of the background,
    ``samples`` of SmoothGrad, ``threshold`` of the box, ``places`` (whether to try fifteen of them).
    """

    name = "collage"
    further = tuple(TEXTURES)
    menus = ("photo", "thing")

    question = Question("elsewhere", ("follows", "stays", "astray"), before="corner")

    def __init__(self, network: Network, thing: str = "cat", background: Tensor | str = "grass", size: int = 280):
        """``thing`` is a bundled photo of `images.OUTLINES`, ``background`` what `load_image` takes."""
        super().__init__(network, background)
        self._labels: tuple[Network, Any, str, str] | None = None  # its first and last guess at the photo of the thing
        self._tried: list[tuple[bool, bool, bool, float]] = []  # what came of each place, see `_try`
        self._tried_with: Expression | None = None  # the map at the first of them
        controls = self.photo_controls()
        things = [*OUTLINES, *(name for name in self._sources if name not in OUTLINES and name not in TEXTURES)]
        self.controls = {
            **controls,
            "thing": widgets.Dropdown(options=things, value=thing, layout=WIDE),
            "strokes": Brush(self.say),
            "brush": widgets.FloatSlider(value=0.2, min=0.02, max=0.5, step=0.02, layout=WIDE),
            "row": widgets.IntSlider(30, 0, 100, layout=WIDE),
            "column": widgets.IntSlider(30, 0, 100, layout=WIDE),
            "scale": widgets.IntSlider(40, 10, 100, step=5, layout=WIDE),
            "samples": samples_slider(),
            "threshold": widgets.FloatSlider(value=0.5, min=0.05, max=1, step=0.05, layout=WIDE),
            "places": widgets.Checkbox(False, indent=True, layout=WIDE),
        }
        shown = [self.view.picture(name, size) for name in ("thing", "photo", "saliency")]
        self.assemble(self.columns(5), self.view.row(*shown, main=1), self.view.text("tally", min_height="24px"))
        self.controls["strokes"].listen(self.outputs["thing"], self.worker.ask)

    def presets(self, values: Values) -> dict[str, Values]:
        plain = {"thing": "cat", "photo": "grass", "strokes": (), "row": 30, "column": 30, "scale": 40}
        plain |= {"samples": 0, "places": False}
        return {
            "corner": plain,
            "elsewhere": plain | {"row": 70, "column": 75},
            "small": plain | {"scale": 20, "samples": 16},
            "cup": plain | {"thing": "coffee", "photo": "bricks", "row": 60, "column": 65, "scale": 50},
            "places": plain | {"places": True},
        }

    def point(self, values: Values, picture: str, row: int, column: int) -> Values:
        return values | {"row": row, "column": column}

    def verdict(self) -> Verdict:
        known: Values = {}
        [*self.resolve(self.values | self.presets(self.values)["corner"]).call.results(known)]
        strongest = where.peak(smoothed(self.made.known["strength"]))
        there, before = self.made.known["laid"].box, known["laid"].box
        right = "follows" if there.holds(*strongest) else "stays" if before.holds(*strongest) else "astray"
        return right, dict(zip(("row", "column"), strongest))

    def receive(self, values: Values) -> Values:
        values = super().receive(values)
        return self.controls["strokes"].heard(values, "photo")

    def resolve(self, values: Values) -> Resolved:
        place = values["row"] / 100, values["column"] / 100
        mask = Call.of(where.foreground, self._map(values, *place), values["threshold"])
        return Resolved(Call.of(where.box, mask), values)

    def _map(self, values: Values, row: float, column: float, other: bool = False) -> Named:
        """Of the thing's class, or of another one, with the thing there."""
        thing = Call.of(cut, self.loaded(values["thing"], self._side), values["strokes"] or values["thing"])
        laid = Named("laid", made_by=Call.of(lay, thing, self.photo_call(), row, column, values["scale"] / 100))
        about = self.net(), Part(laid, "image"), logit(self._classes(values["thing"])[other])
        samples = values["samples"]
        smooth = Call.of(magnitude, Call.of(smoothgrad, *about, samples))
        return Named("strength", made_by=smooth if samples else Call.of(saliency, *about))

    def _classes(self, name: str) -> tuple[str, str]:
        """What the network takes the photo with the thing for, and for what least of all."""
        source = self._sources[name]
        if self._labels is None or self._labels[0] is not self.network or self._labels[1] is not source:
            guesses = self.network.top(self.load(name, self._side), len(self.network.labels))
            self._labels = self.network, source, guesses[0][0], guesses[-1][0]
        return self._labels[2:]

    def draw(self, values: Values) -> Iterator[Frame]:
        yield from super().draw(values)
        if self._made is not None and values["places"]:
            for tally in self._try(values):
                yield Frame({"tally": tally}, str(self._made.call))

    def _try(self, values: Values) -> Iterator[str]:
        """The pointing game at fifteen places: the map, that of another class, and who always points at the middle."""
        first, middle = self._map(values, *TRIED[0]), self.photo.shape[-1] // 2
        if self._tried_with != first:
            self._tried_with, self._tried = first, []
        while True:
            if self._tried:
                hits, others, central, chance = (sum(column) for column in zip(*self._tried))
                said = {"tried": len(self._tried), "label": self._classes(values["thing"])[1]}
                yield self.say("tally", hits=hits, others=others, middle=central, chance=chance, **said)
            if len(self._tried) == len(TRIED):
                return
            place, found = TRIED[len(self._tried)], []
            for other in (False, True):
                known: Values = {}
                *_, strength = self._map(values, *place, other).results(known)
                box = known["laid"].box
                found.append(box.holds(*where.peak(smoothed(strength))))
            self._tried.append((*found, box.holds(middle, middle), box.area / self.photo[0, 0].numel()))

    def show(self, made: Made) -> dict[str, Shown]:
        values, found = made.values, made.result
        laid, strength = made.known["laid"], made.known["strength"]
        source = self.load(values["thing"], self._side)
        inside = opacity(values["strokes"] or values["thing"], self._side)
        label, _ = self._classes(values["thing"])
        strongest = where.peak(smoothed(strength))
        on = self.say("on it" if laid.box.holds(*strongest) else "beside it")
        middle = (laid.box.top + laid.box.bottom - 1) / 2, (laid.box.left + laid.box.right - 1) / 2
        overlap = where.intersection_over_union(found, laid.box)
        shown: dict[str, Shown] = {
            "thing": Marked(source * (SHADE + (1 - SHADE) * inside), brush=(values["brush"], "#fff8")),
            "thing caption": self.say("thing caption"),
            "photo": Marked(laid.image, [laid.box], middle, (GRID, GRID)),
            "photo caption": self.say("photo caption", label=label),
            "saliency": replace(magnitudes(strength), boxes=[found], place=strongest),
            "saliency caption": self.say("saliency caption", label=label, on=on, overlap=overlap),
        }
        return shown if values["places"] else shown | {"tally": ""}


def smoothed(strength: Tensor) -> Tensor:
    """A map as `localization` looks at it, ``(1, 1, H, W)``."""
    return torch.from_numpy(where.smooth(strength))[None, None]
