"""Lesson 8: "we only store layer 5": spoil what is stored, and see whether the photo is found all the same."""

from functools import cached_property

import ipywidgets as widgets
import torch
from torch import Tensor

from .. import figures
from ..networks import Network
from ..optimization_based.inversion import invert
from ..optimization_based.optimization import Step
from ..optimization_based.regularizers import GREY
from ..optimization_based.reidentification import BITS, looks, ranking, store
from .kit.call import Call, Named, Part, Values
from .kit.photo import WIDE
from .kit.prediction import Question, Verdict
from .kit.resolved import Resolved
from .kit.run import Run, RunPanel
from .kit.view import Shown

UNSPOILED = {"bits": 32, "average": 1, "dropout": 0}
FOUND = 9  # shown of the gallery
WORTH_SEEING = {"alexnet64": ("relu3", "relu5")}  # an early and a middle layer


class Reidentification(RunPanel):
    """The photo grows back from what was stored, while a thief looks for it in a gallery.

    Controls: ``layer``; ``bits``, ``average``, ``dropout``: how the store spoils the activations; ``steps``.
    """

    name = "re-identification"
    question = Question("defended", ("found", "lost"))

    def __init__(
        self,
        network: Network,
        judge: Network,
        gallery: Tensor,
        right: int = 0,
        layer: str | None = None,
        size: int = 200,
    ):
        """``gallery`` are images ``(N, 3, H, W)``, of which number ``right`` is stored; ``judge`` compares pictures."""
        super().__init__()
        if not 0 <= right < len(gallery):
            raise ValueError(f"right is the number of a photo in the gallery, 0 … {len(gallery) - 1}; got {right!r}")
        self.network, self._judge, self._gallery, self._right = network, judge, gallery, right
        self.photo = network.check(gallery)[right : right + 1]
        self._raw: dict[str, Tensor] = {}  # the gallery's activations
        first = layer or network.layers[len(network.layers) // 2]
        self.controls = {
            "layer": widgets.SelectionSlider(options=network.layers, value=first, layout=WIDE),
            "steps": widgets.IntSlider(64, 16, 256, step=16, layout=WIDE),
            "bits": widgets.SelectionSlider(options=BITS, layout=WIDE),
            "average": widgets.SelectionSlider(options=(1, 2, 4, 8), layout=WIDE),
            "dropout": widgets.FloatSlider(min=0, max=0.9, step=0.1, readout_format=".1f", layout=WIDE),
        }
        first_pictures = [self.view.picture("photo", size), self.view.picture("matches", size)]
        self.assemble_run(self.columns(2), size=size, first=first_pictures)

    def presets(self, values: Values) -> dict[str, Values]:
        layers, plain = self.network.layers, {"bits": BITS[0], "average": 1, "dropout": 0}
        early, middle = WORTH_SEEING.get(self.network.name, (layers[len(layers) // 4], layers[len(layers) // 2]))
        return {
            "early": plain | {"layer": early},
            "middle": plain | {"layer": middle},
            "last": plain | {"layer": layers[-1]},
            "bits": plain | {"layer": middle, "bits": 2},
            "defended": plain | {"layer": middle, "average": 2, "dropout": 0.5},
        }

    def _stored(self, values: Values) -> Tensor:
        with torch.no_grad():
            activations = self.network.activations(self.photo, values["layer"])
        return store(activations, values["bits"], values["average"], values["dropout"])

    def outputs_of_controls(self, values: Values) -> dict[str, Shown]:
        """The photo, and how the thief fares who compares the stored activations themselves."""
        caption = f"{self.say('by numbers')} {self._verdict(self._rank(values))}"
        outputs: dict[str, Shown] = {"photo": self.photo, "photo caption": caption}
        return outputs if self.step else outputs | {"matches": torch.full_like(self.photo, GREY)}

    def _rank(self, values: Values) -> int:
        """Of the photo, among all whose activations are compared with what was stored; 0 is the most like it."""
        layer = values["layer"]
        if layer not in self._raw:
            with torch.no_grad():
                parts = [self.network.activations(part, layer) for part in self._gallery.split(64)]
            self._raw = {layer: torch.cat(parts)}
        return ranking(self._stored(values), self._raw[layer]).index(self._right)

    def verdict(self) -> Verdict:
        rank = self._rank(self.values)
        return "lost" if rank else "found", {"rank": rank + 1, "total": len(self._gallery)}

    @cached_property
    def _looks(self) -> Tensor:
        """What the judge has of the gallery; nothing is compared with it before a run."""
        return looks(self._judge, self._gallery)

    def _verdict(self, rank: int) -> str:
        return self.say("ranked" if rank else "found", rank=rank + 1, total=len(self._gallery))

    def resolve(self, values: Values) -> Resolved:
        net, layer = Named("net", self.network), values["layer"]
        spoiled = {name: values[name] for name, off in UNSPOILED.items() if values[name] != off}
        activations = Call.of(Part(net, "activations"), Named("photo", self.photo), layer)
        stored = Named("stored", made_by=Call.of(store, activations, **spoiled))
        search = Call.of(invert, net, stored, layer, values["steps"], size=self.photo.shape[-1])
        return Resolved(search, values, fixed=stored)

    def outputs_of_run(self, run: Run, step: Step) -> dict[str, Shown]:
        order = ranking(looks(self._judge, step.image), self._looks)
        pictures = [self._gallery[n : n + 1] for n in order[:FOUND]]
        chosen = rank if (rank := order.index(self._right)) < FOUND else None
        caption = f"{self.say('by picture')} {self._verdict(rank)}"
        found: dict[str, Shown] = {"matches": figures.mosaic(pictures, chosen=chosen), "matches caption": caption}
        return super().outputs_of_run(run, step) | found

    def caption(self, run: Run, step: Step) -> str:
        return self.say("feature error", step=run.taken, error=step.terms["feature error"])

    def first_picture(self, values: Values) -> Tensor:
        return torch.full_like(self.photo, GREY)
