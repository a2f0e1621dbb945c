"""Lesson 8: every layer inverted, one after another."""

import html
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import ipywidgets as widgets
import torch
from torch import Tensor

from .. import figures
from ..networks import Network
from ..optimization_based.inversion import RECIPES, Quality, invert, invert_all, quality
from ..optimization_based.optimization import Step
from ..optimization_based.regularizers import GREY, Penalty
from .kit.call import Call, Expression, Item, Named, Values
from .kit.photo import WIDE
from .kit.run import SearchPanel

STRENGTHS = (0, 0.1, 0.3, 1, 3, 10)
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

    def __init__(self, network: Network, photo: Tensor | str, layers: Sequence[str] | None = None, size: int = 240):
        """``photo`` is an image, a bundled name or a path; ``layers`` are by default all; ``size`` in screen pixels."""
        super().__init__(network, photo)
        self._layers = tuple(layers or network.layers)
        self._found: dict[str, tuple[Tensor, Quality]] = {}
        self._now = self._layers[0]  # the layer being inverted
        self._strength = 1.0
        self._penalties: list[tuple[Penalty, float]] = []  # in use, and their own strengths
        self.controls = {
            **self.photo_controls(),
            "layer": widgets.SelectionSlider(options=self._layers, value=self._layers[-1], layout=WIDE),
            "recipe": widgets.Dropdown(options=list(RECIPES), layout=WIDE),
            "strength": widgets.SelectionSlider(options=STRENGTHS, value=1, layout=WIDE),
            "steps": widgets.IntSlider(48, 16, 256, step=16, layout=WIDE),
        }
        self.assemble_run(self.columns(3), size=size, first=[self.view.picture("photo", size)])
        self.outputs["curves"].layout.height = "auto"  # a table of all layers, longer than the curves it replaces

    def presets(self, values: Values) -> dict[str, Values]:
        plain = {"recipe": "lbfgs", "strength": 1}
        return {
            "best": plain,
            "unregularised": plain | {"strength": 0},
            "strong": plain | {"strength": 10},
        }

    def goal(self, values: Values) -> int:
        return values["steps"] * len(self._layers)

    def fixed(self, values: Values) -> str:
        return values["recipe"]

    def _steer(self, values: Values) -> None:
        self._strength = values["strength"]
        for penalty, own in self._penalties:
            penalty.strength = own * self._strength

    def search(self, values: Values) -> Call:
        choices = {"recipe": values["recipe"]}
        choices |= {"strength": values["strength"]} if values["strength"] != 1 else {}
        choices |= {"layers": self._layers} if self._layers != self.network.layers else {}
        return Call.of(invert_all, Named("net", self.network), self.photo_call(), values["steps"], **choices)

    def code_for(self, values: Values) -> str:
        return str(Item(Named("found", made_by=Found(self.search(values))), values["layer"]))

    def begin(self, values: Values, image: Tensor | None, steps: int) -> Iterator[Step]:
        self._found = {}
        each, total = values["steps"], self.goal(values)
        for number, layer in enumerate(self._layers):
            self._now = layer
            penalties = RECIPES[values["recipe"]](self.network, layer)[1]["penalties"]
            self._penalties = [(penalty, penalty.strength) for penalty in penalties]
            self._steer(values | {"strength": self._strength})
            with torch.no_grad():
                activations = self.network.activations(self.photo, layer)
            choices = {"recipe": values["recipe"], "penalties": penalties, "size": self.photo.shape[-1]}
            for step in invert(self.network, activations, layer, each, **choices):
                if step.index == each:
                    self._found[layer] = step.image, quality(self.network, step.image, self.photo, layer)
                yield step._replace(index=number * each + step.index, total=total)

    def outputs_of_controls(self, values: Values) -> dict[str, Tensor | str]:
        outputs: dict[str, Tensor | str] = {"photo": self.photo, "photo caption": self.say("the photo")}
        return outputs | ({} if self._running else self._chosen(values["layer"]))

    def _chosen(self, layer: str) -> dict[str, Tensor | str]:
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

    def _outputs(self) -> dict[str, Tensor | str | float]:
        outputs = super()._outputs()
        if self._newest is None:
            return outputs
        rows = "".join(
            f"<tr><th scope='row'>{html.escape(layer)}</th><td>{found.feature_error:.3f}</td><td>{found.psnr:.1f}</td>"
            f"<td>{found.ssim:.2f}</td></tr>"
            for layer, (_, found) in self._found.items()
        )
        head = f"<tr><td></td><th>{self.say('error')}</th><th>PSNR</th><th>SSIM</th></tr>"
        outputs |= {
            "film": self._strip(self._now),
            "film caption": self.say("inverted", count=len(self._found), total=len(self._layers)),
            "curves": f"<table class='lv-figures'>{head}{rows}</table>",
        }
        return outputs if self._running else {**outputs, **self._chosen(self.controls["layer"].value)}

    def caption(self, step: Step) -> str:
        return self.say("searching", layer=self._now, error=step.terms["feature error"])

    def depends_on(self, values: Values) -> str:
        return self.code_for(values | {"layer": ""})  # the slider only goes through what was found

    def first_picture(self, values: Values) -> Tensor:
        return torch.full_like(self.photo, GREY)
