"""Lesson 9: whose picture is it? The same activations, looked for among pixels, and among what a network paints."""

from collections.abc import Mapping

import ipywidgets as widgets
import torch
from torch import Tensor

from ..networks import Network
from ..networks.decoder import NETWORK
from ..optimization_based.inversion import invert
from ..optimization_based.optimization import Step
from ..optimization_based.priors import decoder_prior, deep_image_prior, spectral_slope
from ..optimization_based.regularizers import GREY, total_variation
from .kit.call import Call, Item, Named, Part, Values
from .kit.photo import UPLOADED, WIDE
from .kit.prediction import Question, Verdict
from .kit.resolved import Resolved
from .kit.run import Run, SearchPanel
from .kit.strengths import Strengths
from .kit.view import Shown

PRIORS = ("total variation", "decoder", "deep image prior")


class Priors(SearchPanel):
    """One prior's picture grows; change the prior while it runs, and compare.

    Controls: ``photo`` (whose activations are given), ``layer``, ``prior`` (``total variation``, ``decoder``,
    ``deep image prior``), ``weight`` of the total variation, which acts on a running search; ``steps``.
    """

    name = "priors"
    question = Question("noise", ("noise", "shades"))
    networks = ()  # its decoder paints for one network only

    def __init__(self, network: Network, pictures: Mapping[str, Tensor], layer: str | None = None, size: int = 240):
        """``pictures`` are images ``(1, 3, H, W)`` by name; ``layer`` the one to begin with."""
        first = next(iter(pictures))
        super().__init__(network, pictures[first])
        self._sources = {name: network.check(picture) for name, picture in pictures.items()}
        self._first = self._photo_name = first
        self._layer = layer or network.layers[len(network.layers) // 2]
        self._priors = [prior for prior in PRIORS if prior != "decoder" or network.name == NETWORK]
        self.controls = {
            **self.photo_controls(),
            "prior": widgets.Dropdown(
                options=self._priors, value="decoder" if "decoder" in self._priors else PRIORS[0], layout=WIDE
            ),
            "layer": widgets.SelectionSlider(options=network.layers, value=self._layer, layout=WIDE),
            "weight": widgets.SelectionSlider(options=(0, 0.1, 0.3, 1, 3, 10, 30, 100), value=3, layout=WIDE),
            "steps": widgets.IntSlider(96, 16, 512, step=16, layout=WIDE),
        }
        self.assemble_run(self.columns(3), size=size, first=[self.view.picture("given", size)])

    def presets(self, values: Values) -> dict[str, Values]:
        plain = {"photo": self._first, "layer": self._layer}
        presets = {prior: plain | {"prior": prior} for prior in self._priors}
        if "decoder" in self._priors:
            deep = plain | {"layer": "relu6", "prior": "decoder"}
            presets["deep"] = deep
            presets |= {"noise": deep | {"photo": "noise"}} if "noise" in self._sources else {}
        return presets

    def verdict(self) -> Verdict:
        slope, given = spectral_slope(self.image("image")), spectral_slope(self.photo)
        return "noise" if slope < 1 else "shades", {"slope": slope, "given": given}

    def outputs_of_controls(self, values: Values) -> dict[str, Shown]:
        slope = self.say("slope", slope=spectral_slope(self.photo))
        caption = f"{self.say('given', layer=values['layer'])}<br>{slope}"
        return {"given": self.photo, "given caption": caption}

    def resolve(self, values: Values) -> Resolved:
        net, layer, name = Named("net", self.network), values["layer"], values["photo"]
        pictures = Named("pictures", self._sources)
        photo = self.loaded(name, self._side) if name == UPLOADED else Item(pictures, name)
        activations = Named("activations", made_by=Call.of(Part(net, "activations"), photo, layer))
        choices: Values = {"penalties": Strengths([total_variation(values["weight"])], always=True)}
        if values["prior"] == "decoder":
            choices = {"**": Call.of(decoder_prior, net)}
        if values["prior"] == "deep image prior":
            choices = {"**": Call.of(deep_image_prior)}
        search = Call.of(invert, net, activations, layer, values["steps"], **choices)
        disabled = {"weight": values["prior"] != "total variation"}
        return Resolved(search, values, disabled=disabled, fixed=(values["prior"], layer))

    def caption(self, run: Run, step: Step) -> str:
        error = self.say("feature error", step=run.taken, error=step.terms["feature error"])
        return f"{error}<br>{self.say('slope', slope=spectral_slope(step.image))}"

    def first_picture(self, values: Values) -> Tensor:
        return torch.full_like(self.photo, GREY)
