"""Lesson 8: every layer inverted, one after another."""

import html
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import ipywidgets as widgets
import torch
from torch import Tensor

from .. import figures
from ..networks import Network
from ..optimization_based.inversion import RECIPES, Quality, invert_all, quality
from ..optimization_based.optimization import Step
from ..optimization_based.regularizers import GREY
from .kit.call import Call, Expression, Item, Named, Values
from .kit.photo import WIDE
from .kit.prediction import Question, Verdict
from .kit.resolved import Resolved
from .kit.run import Run, SearchPanel
from .kit.strengths import Factor
from .kit.view import Shown

STRENGTHS = (0, 0.1, 0.3, 1, 3, 10)
BEST = "best"  # recipe for each layer
COLUMNS = 4  # of the strip, so that 18 layers fill about a square


@dataclass(frozen=True)
class Found(Expression):
    """``{layer: step.image for layer, step in search}``."""

    search: Call

    def inner(self) -> Iterator[Expression]:
        yield self.search

    def results(self, known: Values) -> Iterator[dict[str, Tensor]]:
        for steps in self.search.results(known):
            yield {layer: step.image for layer, step in steps}

    def expression(self) -> str:
        return f"{{layer: step.image for layer, step in {self.search.expression()}}}"


class Layers(SearchPanel):
    """The strip of all layers grows while one watches; afterwards a slider goes through it.

    Controls: ``photo`` (another one begins a new search), ``layer`` (whose picture is shown), ``recipe``,
    ``strength`` (of its regularisers; acts on a running search), ``steps`` for each layer.
    """

    name = "layers"
    question = Question("best", ("early", "middle", "late"))

    def __init__(self, network: Network, photo: Tensor | str, layers: Sequence[str] | None = None, size: int = 240):
        """``photo`` is an image, a bundled name or a path; ``layers`` are by default all; ``size`` in screen pixels."""
        super().__init__(network, photo)
        self._some = tuple(layers or network.layers)
        self._found: dict[str, tuple[Tensor, Quality]] = {}
        self._now = self._some[0]  # the layer being inverted
        self.controls = {
            **self.photo_controls(),
            "layer": widgets.SelectionSlider(options=self._some, value=self._some[-1], layout=WIDE),
            "recipe": widgets.Dropdown(options=[BEST, *RECIPES], layout=WIDE),
            "strength": widgets.SelectionSlider(options=STRENGTHS, value=1, layout=WIDE),
            "steps": widgets.IntSlider(48, 16, 256, step=16, layout=WIDE),
        }
        self.assemble_run(self.columns(4), size=size, first=[self.view.picture("photo", size)])

    @property
    def layer_names(self) -> tuple[str, ...]:
        return self._some if self.network is self._given else self.network.layers

    def presets(self, values: Values) -> dict[str, Values]:
        plain = {"recipe": BEST, "strength": 1}
        return {
            "best": plain,
            "unregularised": plain | {"strength": 0},
            "strong": plain | {"strength": 10},
        }

    def verdict(self) -> Verdict:
        ssims = {layer: found.ssim for layer, (_, found) in self._found.items()}
        kept = [number for number, ssim in enumerate(ssims.values()) if ssim >= 0.2]
        last = kept[-1] if kept else 0
        part = (last + 1) / len(ssims)
        layer, ssim = [*ssims.items()][last]
        return "early" if part < 1 / 3 else "middle" if part < 2 / 3 else "late", {"layer": layer, "ssim": ssim}

    def goal(self, values: Values) -> int:
        return values["steps"] * len(self.layer_names)

    def resolve(self, values: Values) -> Resolved:
        choices = {} if values["recipe"] == BEST else {"recipe": values["recipe"]}
        choices |= {"strength": Factor(values["strength"])}
        choices |= {"layers": self.layer_names} if self.layer_names != self.network.layers else {}
        search = Call.of(invert_all, self.net(), self.photo_call(), values["steps"], **choices)
        return Resolved(search, values, options={"layer": self.layer_names}, fixed=(values["recipe"], self.network))

    def going_on(self, values: Values, search: Call, image: Tensor, steps: int) -> Call:
        return search  # another recipe has to begin anew

    def picture(self, search: Call, values: Values) -> Item:
        return Item(Named("found", made_by=Found(search)), values["layer"])

    def begin(self, run: Run) -> Iterator[Step]:
        self._found, total = {}, len(self.layer_names) * run.search.arguments[2]
        for number, (layer, step) in enumerate(next(run.search.results(run.known)), start=1):
            self._now = layer
            if step.index == step.total:
                self._found[layer] = step.image, quality(self.network, step.image, self.photo, layer)
            yield step._replace(index=number, total=total)

    def outputs_of_controls(self, values: Values) -> dict[str, Shown]:
        outputs: dict[str, Shown] = {"photo": self.photo, "photo caption": self.say("the photo")}
        return outputs if self.running else outputs | self._chosen(values["layer"])

    def _chosen(self, layer: str) -> dict[str, Shown]:
        """The strip so far, and from it the picture of one layer."""
        if layer not in self._found:
            return {}
        image, found = self._found[layer]
        return {
            "image": image,
            "image caption": f"<b>{html.escape(layer)}</b><br>SSIM {found.ssim:.2f}, PSNR {found.psnr:.1f} dB",
            "film": self._strip(layer),
        }

    def _strip(self, layer: str | None) -> Tensor:
        pictures = [image for image, _ in self._found.values()]
        chosen = [*self._found].index(layer) if layer in self._found else None
        return figures.mosaic(pictures or [torch.full_like(self.photo, GREY)], COLUMNS, chosen=chosen)

    def outputs_of_run(self, run: Run, step: Step) -> dict[str, Shown]:
        rows = "".join(
            f"<tr><th scope='row'>{html.escape(layer)}</th><td>{found.feature_error:.3f}</td><td>{found.psnr:.1f}</td>"
            f"<td>{found.ssim:.2f}</td></tr>"
            for layer, (_, found) in self._found.items()
        )
        head = f"<tr><td></td><th>{self.say('error')}</th><th>PSNR</th><th>SSIM</th></tr>"
        outputs = super().outputs_of_run(run, step) | {
            "film": self._strip(self._now),
            "film caption": self.say("inverted", count=len(self._found), total=len(self.layer_names)),
            "curves": f"<table class='lv-figures'>{head}{rows}</table>",
        }
        return outputs if self.running else outputs | self._chosen(self.controls["layer"].value)

    def caption(self, run: Run, step: Step) -> str:
        return self.say("searching", layer=self._now, error=step.terms["feature error"])

    def first_picture(self, values: Values) -> Tensor:
        return torch.full_like(self.photo, GREY)
