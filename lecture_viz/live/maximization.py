"""Lesson 5: change the input until a neuron is as excited as it gets."""

from collections.abc import Iterator
from typing import Any

import ipywidgets as widgets
from torch import Tensor

from .. import images, regularizers, robustness, targets
from ..maximization import maximize
from ..networks import Network
from ..optimization import Step
from ..parameterization import PARAMETERIZATIONS
from .neuron import WIDE, NeuronPanel
from .run import RunPanel

# what each slider makes, its end, and its step; 0 is off
PENALTIES = {
    "L2": (regularizers.l2, 100, 1),
    "total variation": (regularizers.total_variation, 200, 5),
    "L1": (regularizers.l1, 100, 1),
    "6-norm": (regularizers.alpha_norm, 1000, 10),
}
FILTERS = {
    "low-pass": (regularizers.low_pass, 2, 0.1),
    "median": (regularizers.median, 3, 1),
    "bilateral": (regularizers.bilateral, 0.5, 0.05),
    "wavelet threshold": (regularizers.wavelet_threshold, 0.1, 0.005),
    "clip small": (regularizers.clip_small, 50, 1),
    "clip small contribution": (regularizers.clip_small_contribution, 50, 1),
}
TRANSFORMS = {
    "jitter": (robustness.jitter, 16, 1),
    "rotation": (robustness.rotation, 30, 1),
    "scale": (robustness.scale, 0.4, 0.02),
}
STRENGTHS = PENALTIES | FILTERS | TRANSFORMS
FOLDED = ("L1", "6-norm", "median", "bilateral", "wavelet threshold", "clip small", "clip small contribution")
OFF = dict.fromkeys(STRENGTHS, 0.0) | {"begin_with": "noise", "parameterization": "pixels", "octaves": 1}
OWN = "your own"
NATURAL = OFF | {"parameterization": "fourier", "jitter": 6, "rotation": 8, "scale": 0.1}
YOSINSKI = {"L2": 10, "low-pass": 0.4, "clip small": 5, "clip small contribution": 5}
WORTH_SEEING = {
    "alexnet64": ("relu3", "relu5"),
    "inception64": ("inception3a", "inception5a"),
}  # an early, a deep layer


class Maximization(RunPanel, NeuronPanel):
    """A class image grows while one watches.

    Controls: ``preset``; ``layer``, ``neuron``, ``kind`` of target (``logit``, ``probability``; ``channel``,
    ``neuron``, ``layer``); ``begin_with`` (``noise``, ``grey``, ``photo``), ``parameterization``, ``steps``,
    ``octaves``; the strength of each regulariser and transform, which act on a running optimisation.
    """

    name = "maximization"

    def __init__(self, network: Network, photo: Tensor, label: str | int | None = None, size: int = 280):
        """``photo`` is one to begin with; ``label`` the class, by default the photo's; ``size`` in screen pixels."""
        super().__init__(network, photo, label)
        self._made = {name: make(0) for name, (make, _, _) in STRENGTHS.items()}
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
            **{
                name: widgets.FloatSlider(
                    value=NATURAL[name],
                    min=0,
                    max=end,
                    step=step,
                    readout_format=".3f" if step < 0.01 else ".2f",
                    description=name,
                    layout=WIDE,
                )
                for name, (_, end, step) in STRENGTHS.items()
            },
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
            "noise, no regulariser": OFF | output,
            "noise + L2": OFF | output | {"L2": 40},
            "smooth": OFF | output | {"total variation": 100, "jitter": 6},
            "four regularisers (Yosinski)": OFF | output | YOSINSKI,
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
        for name, made in self._made.items():
            made.strength = values[name]
        return self._target(values)

    def begin(self, values: dict[str, Any], image: Tensor | None, steps: int) -> Iterator[Step]:
        octaves = values["octaves"]
        if image is None:
            image = self.photo if values["begin_with"] == "photo" else values["begin_with"]
        else:  # a picture that goes on, goes on at its whole size
            image, octaves = images.load_image(image, self.network.input_size), 1
        choices = {
            kind: [self._made[name] for name in names]
            for kind, names in (("penalties", PENALTIES), ("filters", FILTERS), ("transforms", TRANSFORMS))
        }
        return maximize(
            self.network,
            self._target(values),
            steps,
            start=image,
            parameterization=values["parameterization"],
            octaves=octaves,
            **choices,
        )

    def code_for(self, values: dict[str, Any]) -> str:
        start = "photo" if values["begin_with"] == "photo" else repr(values["begin_with"])
        lines = [f"steps = lv.maximize(net, {self._target(values)}, {values['steps']}, start={start}, "]
        lines[0] += f"parameterization={values['parameterization']!r}"
        lines[0] += f", octaves={values['octaves']}" if values["octaves"] > 1 else ""
        for kind, names, room in (
            ("penalties", PENALTIES, "regularizers"),
            ("filters", FILTERS, "regularizers"),
            ("transforms", TRANSFORMS, "robustness"),
        ):
            made = [f"lv.{room}.{names[name][0].__name__}({values[name]:g})" for name in names if values[name]]
            if made:
                lines.append(f"    {kind}=[{', '.join(made)}]")
        return ",\n".join(lines) + ")\nlv.last(steps).image"

    def first_picture(self, values: dict[str, Any]) -> Tensor:
        return next(self.begin(values, None, values["steps"])).image
