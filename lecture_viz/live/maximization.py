"""Lesson 5: change the input until a neuron is as excited as it gets."""

from collections.abc import Iterator
from typing import Any

import ipywidgets as widgets
from torch import Tensor

from .. import images, targets
from ..maximization import maximize
from ..networks import Network
from ..optimization import Step
from ..parameterization import PARAMETERIZATIONS
from .neuron import WIDE, NeuronPanel
from .strengths import OFF, StrengthsPanel

FOLDED = ("L1", "6-norm", "median", "bilateral", "wavelet threshold", "clip small", "clip small contribution")
PLAIN = OFF | {"begin_with": "noise", "parameterization": "pixels", "octaves": 1}
OWN = "your own"
NATURAL = PLAIN | {"parameterization": "fourier", "jitter": 6, "rotation": 8, "scale": 0.1}
YOSINSKI = {"L2": 10, "low-pass": 0.4, "clip small": 5, "clip small contribution": 5}
WORTH_SEEING = {
    "alexnet64": ("relu3", "relu5"),
    "inception64": ("inception3a", "inception5a"),
}  # an early, a deep layer


class Maximization(StrengthsPanel, NeuronPanel):
    """A class image grows while one watches.

    Controls: ``preset``; ``layer``, ``neuron``, ``kind`` of target (``logit``, ``probability``; ``channel``,
    ``neuron``, ``layer``); ``begin_with`` (``noise``, ``grey``, ``photo``), ``parameterization``, ``steps``,
    ``octaves``; the strength of each regulariser and transform, which act on a running optimisation.
    """

    name = "maximization"

    def __init__(self, network: Network, photo: Tensor, label: str | int | None = None, size: int = 280):
        """``photo`` is one to begin with; ``label`` the class, by default the photo's; ``size`` in screen pixels."""
        super().__init__(network, photo, label)
        self._presets = self._make_presets()
        self._preset = "natural"
        self.controls = {
            "preset": widgets.Dropdown(
                options=list(self._presets), value=self._preset, description="preset", layout=WIDE
            ),
            **self.controls,
            "kind": widgets.Dropdown(options=["logit", "probability"], description="target", layout=WIDE),
            "begin_with": widgets.Dropdown(options=["noise", "grey", "photo"], description="start", layout=WIDE),
            "parameterization": widgets.Dropdown(
                options=list(PARAMETERIZATIONS), value="fourier", description="kept as", layout=WIDE
            ),
            "steps": widgets.IntSlider(128, 8, 512, step=8, description="steps", layout=WIDE),
            "octaves": widgets.IntSlider(1, 1, 4, description="octaves", tooltip="small to large", layout=WIDE),
            **self.strength_sliders(NATURAL),
        }
        shown = [name for name in self.controls if name not in FOLDED]
        self.assemble_run(
            self.columns(8, shown),
            self.folded("more penalties and filters", self.columns(4, FOLDED)),
            size=size,
            alt="the picture that excites the target most, so far",
        )

    def adjust(self, values: dict[str, Any]) -> dict[str, Any]:
        if values["preset"] != self._preset:
            self._preset = values["preset"]
            if self._preset != OWN:
                self._wishes.append("start")
                values |= self._set_preset(self._presets[self._preset])
        kinds = ["channel", "neuron", "layer"] if self.activation(values["layer"]).ndim == 3 else ["neuron", "layer"]
        if self.is_output(values["layer"]):
            kinds = ["logit", "probability"]
        menu = self.controls["kind"]
        if list(menu.options) != kinds:
            menu.options = kinds
        if values["kind"] not in kinds:
            values["kind"] = kinds[0]
        menu.value = values["kind"]
        values = self.limit(values, {"neuron": len(self.activation(values["layer"])) - 1})
        self.controls["neuron"].disabled = values["kind"] == "layer"
        if any(values[name] != value for name, value in self._presets[self._preset].items()):
            self.controls["preset"].value = values["preset"] = self._preset = OWN  # so the preset can be chosen again
        return super().adjust(values)

    def _make_presets(self) -> dict[str, dict[str, Any]]:
        """In the order of the lecture: what the controls are set to."""
        network = self.network
        spatial = [name for name in network.layers if self.activation(name).ndim == 3 and "pool" not in name]
        early, deep = WORTH_SEEING.get(network.name, (spatial[len(spatial) // 3], spatial[-1]))
        output = {"layer": network.layers[-1], "kind": "logit", "neuron": self.controls["neuron"].value}
        presets = {
            OWN: {},
            "noise, no regulariser": PLAIN | output,
            "noise + L2": PLAIN | output | {"L2": 40},
            "smooth": PLAIN | output | {"total variation": 100, "jitter": 6},
            "four regularisers (Yosinski)": PLAIN | output | YOSINSKI,
            "natural": NATURAL | output,
            "small to large": NATURAL | output | {"octaves": 4},
            "early layer: strokes": NATURAL | {"layer": early, "kind": "layer"},
            "deep layer: animals": NATURAL | {"layer": deep, "kind": "layer"},
        }
        if "dumbbell" in network.labels:
            presets["dumbbell"] = NATURAL | output | {"neuron": network.label_index("dumbbell")}
        return presets

    def _set_preset(self, preset: dict[str, Any]) -> dict[str, Any]:
        self.controls["neuron"].max = len(self.network.labels) - 1  # its range follows the layer in a moment
        for name, value in preset.items():
            if name != "kind":  # its menu follows the layer, too
                self.controls[name].value = value
        return preset

    def _target(self, values: dict[str, Any]) -> targets.Target:
        layer, neuron, kind = values["layer"], values["neuron"], values["kind"]
        if kind in ("logit", "probability"):
            return getattr(targets, kind)(self.network.labels[neuron])
        return targets.layer(layer) if kind == "layer" else getattr(targets, kind)(layer, neuron)

    def steer_run(self, values: dict[str, Any]) -> targets.Target:
        self.set_strengths(values)
        return self._target(values)

    def begin(self, values: dict[str, Any], image: Tensor | None, steps: int) -> Iterator[Step]:
        octaves = values["octaves"]
        if image is None:
            image = self.photo if values["begin_with"] == "photo" else values["begin_with"]
        else:  # a picture that goes on, goes on at its whole size
            image, octaves = images.load_image(image, self.network.input_size), 1
        return maximize(
            self.network,
            self._target(values),
            steps,
            start=image,
            parameterization=values["parameterization"],
            octaves=octaves,
            **self.strengths(),
        )

    def code_for(self, values: dict[str, Any]) -> str:
        start = "photo" if values["begin_with"] == "photo" else repr(values["begin_with"])
        lines = [f"steps = lv.maximize(net, {self._target(values)}, {values['steps']}, start={start}, "]
        lines[0] += f"parameterization={values['parameterization']!r}"
        lines[0] += f", octaves={values['octaves']}" if values["octaves"] > 1 else ""
        lines += self.strengths_code(values)
        return ",\n".join(lines) + ")\nlv.last(steps).image"

    def first_picture(self, values: dict[str, Any]) -> Tensor:
        return next(self.begin(values, None, values["steps"])).image
