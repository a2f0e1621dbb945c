"""What panels of an optimisation share: a slider for the strength of each penalty, filter and transform."""

from collections.abc import Sequence
from typing import Any

import ipywidgets as widgets

from ...optimization_based import regularizers, robustness
from .neuron import WIDE
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
KINDS = (
    ("penalties", PENALTIES, "regularizers"),
    ("filters", FILTERS, "regularizers"),
    ("transforms", TRANSFORMS, "robustness"),
)
OFF = {name: 0.0 for _, makers, _ in KINDS for name in makers}


class StrengthsPanel(RunPanel):
    """A subclass takes the controls `strength_sliders`, and gives `strengths` to its run."""

    def __init__(self, *arguments: Any):
        super().__init__(*arguments)
        self._made = {name: make(0) for _, makers, _ in KINDS for name, (make, _, _) in makers.items()}

    def strength_sliders(
        self, first: dict[str, float], weights: Sequence[float] = ()
    ) -> dict[str, widgets.FloatSlider | widgets.SelectionSlider]:
        """One for each of `OFF`; ``first`` are the values to begin with. Penalties may be held to some ``weights``."""
        sliders = {}
        for kind, makers, _ in KINDS:
            for name, (_, end, step) in makers.items():
                shared = {"value": first.get(name, 0), "layout": WIDE}
                if weights and kind == "penalties":
                    sliders[name] = widgets.SelectionSlider(options=weights, **shared)
                else:
                    form = ".3f" if step < 0.01 else ".2f"
                    sliders[name] = widgets.FloatSlider(min=0, max=end, step=step, readout_format=form, **shared)
        return sliders

    def set_strengths(self, values: dict[str, Any]) -> None:
        """Also while a run uses them."""
        for name, made in self._made.items():
            made.strength = values[name]

    def strengths(self) -> dict[str, list]:
        """``penalties``, ``filters`` and ``transforms``, as `optimize` takes them."""
        return {kind: [self._made[name] for name in makers] for kind, makers, _ in KINDS}

    @staticmethod
    def strengths_code(values: dict[str, Any], always: tuple[str, ...] = ()) -> list[str]:
        """A line of code for each kind of which one is on, or which is in ``always``."""
        lines = []
        for kind, makers, room in KINDS:
            made = [f"lv.{room}.{makers[name][0].__name__}({values[name]:g})" for name in makers if values[name]]
            if made or kind in always:
                lines.append(f"    {kind}=[{', '.join(made)}]")
        return lines
