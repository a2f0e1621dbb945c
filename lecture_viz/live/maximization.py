"""Lesson 5: change the input until a neuron is as excited as it gets."""

from contextlib import suppress

import ipywidgets as widgets
import torch
from torch import Tensor

from .. import targets
from ..networks import Network
from ..optimization_based.maximization import LARGE, SMALL, maximize, start_image
from ..optimization_based.optimization import resized
from ..optimization_based.parameterization import PARAMETERIZATIONS
from .kit import worth_seeing
from .kit.call import Call, Values
from .kit.neuron import NeuronPanel
from .kit.photo import WIDE
from .kit.prediction import Question, Verdict
from .kit.resolved import Resolved
from .kit.run import RunPanel
from .kit.strengths import OFF, sliders, strengths

FOLDED = ("L1", "6-norm", "median", "bilateral", "wavelet threshold", "clip small", "clip small contribution")
PLAIN: Values = OFF | {"begin_with": "noise", "parameterization": "pixels", "octaves": 1}
NATURAL: Values = PLAIN | {"parameterization": "fourier"} | SMALL
YOSINSKI = {"L2": 10, "low-pass": 0.4, "clip small": 5, "clip small contribution": 5}
# at full size: shapes first (`SmoothFourier`), from small to large, seen from many sides
FULL_SIZE: Values = {"begin_with": "grey", "parameterization": "smooth fourier", "steps": 192, "octaves": 4}


class Maximization(RunPanel, NeuronPanel):
    """A class image grows while one watches.

    Controls: ``layer``, ``neuron``, ``kind`` of target (``logit``, ``probability``; ``channel``, ``neuron``,
    ``layer``); ``begin_with`` (``noise``, ``grey``, ``photo``), ``photo``, ``parameterization``, ``steps``,
    ``octaves``; the strength of each regulariser and transform, which act on a running optimisation.
    """

    name = "maximization"
    question = Question("noise, no regulariser", ("unsure", "half", "sure"))

    def __init__(self, network: Network, photo: Tensor | str, label: str | int | None = None, size: int = 280):
        """``photo`` is one to begin with; ``label`` the class, by default the photo's; ``size`` in screen pixels."""
        super().__init__(network, photo, label)
        first = recipe(network)
        self.controls |= {
            "kind": widgets.Dropdown(options=["logit", "probability"], layout=WIDE),
            "begin_with": widgets.Dropdown(options=["noise", "grey", "photo"], value=first["begin_with"], layout=WIDE),
            "parameterization": widgets.Dropdown(
                options=list(PARAMETERIZATIONS), value=first["parameterization"], layout=WIDE
            ),
            "steps": widgets.IntSlider(first.get("steps", 128), 8, 512, step=8, layout=WIDE),
            "octaves": widgets.IntSlider(first["octaves"], 1, 4, layout=WIDE),
            **sliders(first),
        }
        shown = [name for name in self.controls if name not in FOLDED]
        self.assemble_run(
            self.columns(9, shown),
            self.view.folded(self.columns(4, FOLDED)),
            size=size,
        )

    def presets(self, values: Values) -> dict[str, Values]:
        network = self.network
        early, _, deep = worth_seeing.layers(network, self.layer_names)
        output = self.output | {"kind": "logit"}
        natural = recipe(network)
        # shifted that far, what is about the dumbbell comes into view
        arms = {"jitter": 32, "scale": 0.25, "total variation": 50} if network.full_size else {}
        presets = {
            "noise, no regulariser": PLAIN | output,
            "noise + L2": PLAIN | output | {"L2": 640},
            "smooth": PLAIN | output | {"total variation": 800, "jitter": 6},
            "four regularisers (Yosinski)": PLAIN | output | YOSINSKI,
            "natural": natural | output | {"octaves": 1},
            "small to large": natural | output | {"octaves": 4},
            "early layer: strokes": natural | {"layer": early, "kind": "layer", "octaves": 1},
            "deep layer: animals": natural | {"layer": deep, "kind": "layer"},
        }
        with suppress(ValueError):  # a network that does not know it
            presets["dumbbell"] = presets["small to large"] | {"neuron": network.label_index("dumbbell")} | arms
        return presets

    def verdict(self) -> Verdict:
        label, picture = self.network.labels[self.values["neuron"]], self.image("image")
        with torch.no_grad():
            p = targets.probability(label)(self.network, picture).item()
        return "unsure" if p < 0.1 else "half" if p < 0.9 else "sure", {"label": label, "p": p}

    def _target(self, values: Values) -> targets.Target:
        layer, neuron, kind = values["layer"], values["neuron"], values["kind"]
        if kind in ("logit", "probability"):
            return getattr(targets, kind)(self.network.labels[neuron])
        return targets.layer(layer) if kind == "layer" else getattr(targets, kind)(layer, neuron)

    def resolve(self, values: Values) -> Resolved:
        kinds, last = self._kinds(values["layer"]), self.response(values["layer"]).shape[0] - 1
        kind = values["kind"] if values["kind"] in kinds else kinds[0]
        values = values | {"kind": kind, "neuron": min(values["neuron"], last)}
        start = self.photo_call() if values["begin_with"] == "photo" else values["begin_with"]
        choices = {"start": start, "parameterization": values["parameterization"]}
        choices |= {"octaves": values["octaves"]} if values["octaves"] > 1 else {}
        net, target = self.net(), self._target(values)
        search = Call.of(maximize, net, target, values["steps"], **choices, **strengths(values))
        disabled, options = {"neuron": kind == "layer"}, {"layer": self.layer_names, "kind": kinds}
        return Resolved(search, values, {"neuron": last}, disabled, options, fixed=target)

    def _kinds(self, layer: str) -> list[str]:
        if self.is_output(layer):
            return ["logit", "probability"]
        return ["channel", "neuron", "layer"] if self.response(layer).spatial else ["neuron", "layer"]

    def going_on(self, values: Values, search: Call, image: Tensor, steps: int) -> Call:
        image = resized(image, 2 * [self.network.input_size])  # a picture that goes on, goes on at its whole size
        return super().going_on(values, search.but(octaves=None), image, steps)

    def first_picture(self, values: Values) -> Tensor:
        start = self.photo if values["begin_with"] == "photo" else values["begin_with"]
        return start_image(self.network, start, 1, self.network.input_size, values["parameterization"])


def recipe(network: Network) -> Values:
    """What gives natural pictures of its size."""
    return PLAIN | FULL_SIZE | LARGE if network.full_size else NATURAL
