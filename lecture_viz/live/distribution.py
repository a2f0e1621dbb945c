"""Lesson 9: "I want this distribution in layer 4": pictures with the channel statistics of a photo."""

import ipywidgets as widgets
from torch import Tensor

from .. import targets
from ..networks import Network
from ..networks.responses import responses
from ..optimization_based.maximization import maximize, start_image
from ..optimization_based.optimization import Step
from .kit.call import Call, Named, Part, Values
from .kit.photo import WIDE, PhotoPanel
from .kit.prediction import Question, Verdict
from .kit.resolved import Resolved
from .kit.run import Run, RunPanel
from .kit.strengths import OFF, sliders, strengths
from .kit.view import Shown

FIRST = OFF | {"jitter": 4}
SHOWN = ("network", "layer", "photo", "begin_with", "steps", "total variation", "jitter")


class Distribution(RunPanel, PhotoPanel):
    """A picture grows until each channel of a layer has the mean and the spread that a photo causes.

    Controls: ``layer``, ``photo`` (whose distribution is wanted), ``begin_with`` (noise, grey or a photo), ``steps``;
    the strength of each regulariser and transform, which act on a running optimisation.
    """

    name = "distribution"
    question = Question("middle", ("yes", "no"))
    menus = ("photo", "begin_with")

    def __init__(self, network: Network, photo: Tensor | str = "coffee", layer: str | None = None, size: int = 240):
        """``photo`` is an image, a bundled name or a path; ``layer`` the one to begin with."""
        super().__init__(network, photo)
        self._spatial: dict[str, tuple[str, ...]] = {}  # layers with rows and columns, by network
        layers = self.layer_names
        self.controls = {
            "layer": widgets.SelectionSlider(options=layers, value=layer or layers[len(layers) // 2], layout=WIDE),
            **self.photo_controls(),
            "begin_with": widgets.Dropdown(options=["noise", "grey", *self._sources], layout=WIDE),
            "steps": widgets.IntSlider(128, 16, 512, step=16, layout=WIDE),
            **sliders(FIRST, weights=(0, 0.01, 0.03, 0.1, 0.3, 1, 3, 10)),
        }
        rest = [name for name in self.controls if name not in SHOWN]
        self.assemble_run(
            self.columns(4, SHOWN),
            self.view.folded(self.columns(6, rest)),
            size=size,
            first=[self.view.picture("given", size)],
        )

    @property
    def layer_names(self) -> tuple[str, ...]:
        if self.network.name not in self._spatial:
            outputs = responses(self.network, self._of("cat"))[0]
            self._spatial[self.network.name] = tuple(name for name, output in outputs.items() if output.spatial)
        return self._spatial[self.network.name]

    def presets(self, values: Values) -> dict[str, Values]:
        early, middle, deep = (self.layer_names[round(part * (len(self.layer_names) - 1))] for part in (0.1, 0.5, 0.9))
        plain = FIRST | {"photo": self._first, "begin_with": "noise"}
        return {
            "early": plain | {"layer": early},
            "middle": plain | {"layer": middle},
            "deep": plain | {"layer": deep},
            "cat": plain | {"layer": middle, "begin_with": "cat"},
        }

    def verdict(self) -> Verdict:
        pictures = self._of(self.values["photo"]), self.image("image")
        (wanted, _), (label, p) = (self.network.top(picture, 1)[0] for picture in pictures)
        return "yes" if label == wanted else "no", {"wanted": wanted, "label": label, "p": p}

    def _of(self, name: str) -> Tensor:
        return self.load(name, self.network.input_size)

    def _start(self, values: Values) -> Tensor | str:
        first = values["begin_with"]
        return first if first in ("noise", "grey") else self._of(first)

    def outputs_of_controls(self, values: Values) -> dict[str, Shown]:
        return {
            "given": self._of(values["photo"]),
            "given caption": self.say("wanted", layer=values["layer"]),
        }

    def resolve(self, values: Values) -> Resolved:
        net, layer, size = self.net(), values["layer"], self.network.input_size
        features = Call.of(Part(net, "activations"), self.loaded(values["photo"], size), layer)
        target = Named("target", made_by=Call.of(targets.distribution, layer, features))
        first = values["begin_with"]
        start = first if first in ("noise", "grey") else self.loaded(first, size)
        choices = {"start": start, "parameterization": "fourier"}
        search = Call.of(maximize, net, target, values["steps"], **choices, **strengths(values))
        return Resolved(search, values, options={"layer": self.layer_names}, fixed=(target, self.network))

    def caption(self, run: Run, step: Step) -> str:
        return self.say("distance", step=run.taken, distance=-next(iter(step.terms.values())))

    def first_picture(self, values: Values) -> Tensor:
        return start_image(self.network, self._start(values), 1, self.network.input_size, "fourier")
