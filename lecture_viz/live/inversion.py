"""Lesson 7: look for a picture that causes the same activations."""

import ipywidgets as widgets
import torch
from torch import Tensor

from ..networks import Network
from ..optimization_based.inversion import CLOUDS, RECIPES, best_recipe, by_depth, coarsely_alike, invert, quality
from ..optimization_based.optimization import Step
from ..optimization_based.priors import spectral_slope
from ..optimization_based.regularizers import GREY
from .kit.call import Call, Part, Values
from .kit.photo import WIDE
from .kit.prediction import Question, Verdict
from .kit.resolved import Resolved
from .kit.run import Run, SearchPanel
from .kit.strengths import OFF, sliders, strengths
from .kit.view import Shown

WEIGHTS = (0, 0.1, 0.3, 1, 3, 6.9, 10, 23, 30, 69, 100, 300, 690, 1000)  # 6.9, 69, 690 and 23 are the paper's
FOLDED = ("L1", "6-norm", "median", "clip small", "clip small contribution")
ALONE: dict[str, Values] = {
    "no regulariser": {},
    "L2": {"L2": 3},
    "total variation": {"total variation": 10},
    "low-pass": {"low-pass": 0.5},
    "edge-preserving": {"bilateral": 0.3},
    "wavelets": {"wavelet threshold": 0.02},
    "jitter, rotation, scale": {"jitter": 1, "rotation": 2, "scale": 0.02},
}


class Inversion(SearchPanel):
    """What a layer still knows grows into a picture.

    Controls: ``photo`` (another one begins a new search), ``layer``, ``recipe`` (``lbfgs``, ``adam``, ``clouds``,
    ``mahendran``), ``steps``; the strength of each regulariser and transform, which act on a running optimisation.
    """

    name = "inversion"
    question = Question("no regulariser", ("photo", "spoilt", "nothing"))

    def __init__(self, network: Network, photo: Tensor | str, layer: str | None = None, size: int = 240):
        """``photo`` is an image, a bundled name or a path; ``layer`` the first one; ``size`` in screen pixels."""
        super().__init__(network, photo)
        first = layer or network.layers[len(network.layers) // 2]
        best = self.presets({"layer": first})["best"]
        self.controls = {
            **self.photo_controls(),
            "layer": widgets.SelectionSlider(options=network.layers, value=first, layout=WIDE),
            "recipe": widgets.Dropdown(options=list(RECIPES), value=best["recipe"], layout=WIDE),
            "steps": widgets.IntSlider(best["steps"], 16, 512, step=16, layout=WIDE),
            **sliders(best, WEIGHTS),
        }
        shown = [name for name in self.controls if name not in FOLDED]
        self.assemble_run(
            self.columns(7, shown),
            self.view.folded(self.columns(3, FOLDED)),
            size=size,
            first=[self.view.picture("photo", size)],
        )

    def presets(self, values: Values) -> dict[str, Values]:
        """The last two depend on how deep the layer is."""
        alone = ALONE | ({"total variation": {"total variation": 300}} if self.network.full_size else {})
        presets: dict[str, Values] = {name: OFF | {"recipe": "adam"} | strengths for name, strengths in alone.items()}
        weights = {recipe: by_depth(self.network, values["layer"], recipe) for recipe in RECIPES}
        paper = {"recipe": "mahendran", "total variation": weights["mahendran"], "6-norm": 23, "steps": 128}
        presets["paper"] = OFF | paper
        best = best_recipe(self.network, values["layer"])
        more = CLOUDS | {"steps": 128} if best == "clouds" else {"steps": 64}
        presets["best"] = OFF | {"recipe": best, "total variation": weights[best]} | more
        return presets

    def verdict(self) -> Verdict:
        picture = self.image("image")
        found = quality(self.network, picture, self.photo, self.values["layer"])
        numbers = {"coarse": coarsely_alike(picture, self.photo), "slope": spectral_slope(picture)}
        right = "photo" if found.ssim > 0.5 else "spoilt" if numbers["coarse"] > 0.3 else "nothing"
        return right, {"error": found.feature_error, "ssim": found.ssim, **numbers}

    def outputs_of_controls(self, values: Values) -> dict[str, Shown]:
        return {"photo": self.photo, "photo caption": self.say("the photo")}

    def resolve(self, values: Values) -> Resolved:
        net, photo, layer = self.net(), self.photo_call(), values["layer"]
        activations, side = Call.of(Part(net, "activations"), photo, layer), self.photo.shape[-1]
        choices = {"recipe": values["recipe"]} | ({"size": side} if side != self.network.input_size else {})
        choices |= strengths(values, always=("penalties",))  # none of them is not the recipe's own
        search = Call.of(invert, net, activations, layer, values["steps"], **choices)
        return Resolved(search, values, options={"layer": self.layer_names}, fixed=(layer, values["recipe"], net))

    def caption(self, run: Run, step: Step) -> str:
        found = quality(self.network, step.image, self.photo, run.search.arguments[2])
        return self.say("feature error", step=run.taken, error=found.feature_error) + f"<br>SSIM {found.ssim:.2f}"

    def first_picture(self, values: Values) -> Tensor:
        return torch.full_like(self.photo, GREY)
