"""What panels of an optimisation share: a slider for the strength of each penalty, filter and transform."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import ipywidgets as widgets

from ...optimization_based import regularizers, robustness
from ...optimization_based.regularizers import Choice
from .call import Expression, Values
from .photo import WIDE

# what each slider makes, its end, and its step; 0 is off
Kind = dict[str, tuple[Callable[..., Choice], float, float]]
PENALTIES: Kind = {
    "L2": (regularizers.l2, 1000, 10),
    "total variation": (regularizers.total_variation, 1000, 25),
    "L1": (regularizers.l1, 100, 1),
    "6-norm": (regularizers.alpha_norm, 1000, 10),
}
FILTERS: Kind = {
    "low-pass": (regularizers.low_pass, 2, 0.1),
    "median": (regularizers.median, 3, 1),
    "bilateral": (regularizers.bilateral, 0.5, 0.05),
    "wavelet threshold": (regularizers.wavelet_threshold, 0.1, 0.005),
    "clip small": (regularizers.clip_small, 50, 1),
    "clip small contribution": (regularizers.clip_small_contribution, 50, 1),
}
TRANSFORMS: Kind = {
    "jitter": (robustness.jitter, 32, 1),
    "rotation": (robustness.rotation, 30, 1),
    "scale": (robustness.scale, 0.4, 0.01),
}
KINDS = {
    "penalties": PENALTIES,
    "filters": FILTERS,
    "transforms": TRANSFORMS,
}
BETAS = (1.0, 1.5, 2.0)  # exponents of the total variation: 2 spreads edges, 1 keeps them
OFF = {name: 0.0 for makers in KINDS.values() for name in makers} | {"beta": 2.0}


class Following(Expression):
    """An argument that may change while a run uses it."""

    def follow(self, other: Any) -> None:
        """Become what another one of the same kind is."""
        raise NotImplementedError


class Factor(Following):
    """A number that a run asks for at each step; 1 is not written. Any two are equal: it makes no other run."""

    def __init__(self, value: float):
        self.value = value

    @property
    def left_out(self) -> bool:
        return self.value == 1

    def results(self, known: Values) -> Iterator[Callable[[], float]]:
        yield lambda: self.value

    def expression(self) -> str:
        return repr(self.value)

    def follow(self, other: "Factor") -> None:
        self.value = other.value

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Factor)

    def __hash__(self) -> int:
        return hash(Factor)


class Strengths(Following):
    """A list of regularisers or transforms whose strengths may change; written are those that are on.

    Two are equal if they hold the same kinds: another strength makes no other run.
    """

    def __init__(self, choices: Sequence[Choice], always: bool = False):
        """``always`` writes the list even if nothing in it is on."""
        self.choices, self.always = list(choices), always

    @property
    def left_out(self) -> bool:
        return not self.always and not any(choice.strength for choice in self.choices)

    @property
    def own_line(self) -> bool:
        return True

    def results(self, known: Values) -> Iterator[list[Choice]]:
        yield self.choices

    def expression(self) -> str:
        return f"[{', '.join(repr(choice) for choice in self.choices if choice.strength)}]"

    def follow(self, other: "Strengths") -> None:
        """Take over the strengths of another one of the same kinds, and the exponent."""
        for mine, its in zip(self.choices, other.choices, strict=True):
            vars(mine).update(vars(its))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Strengths) and [c.name for c in self.choices] == [c.name for c in other.choices]

    def __hash__(self) -> int:
        return hash(tuple(choice.name for choice in self.choices))


def sliders(first: Mapping[str, float], weights: Sequence[float] = ()) -> dict[str, widgets.Widget]:
    """One for each of `OFF`; ``first`` are the values to begin with. Penalties may be held to some ``weights``.

    ``beta``, a menu, stands beside the slider of the total variation (`shown_slider`).
    """
    beta = widgets.Dropdown(options=BETAS, value=first.get("beta", 2.0), layout={"width": "86px"})
    beta.style.description_width = "14px"
    made = {"beta": beta}
    for kind, makers in KINDS.items():
        for name, (_, end, step) in makers.items():
            shared = {"value": first.get(name, 0), "layout": WIDE}
            if weights and kind == "penalties":
                made[name] = widgets.SelectionSlider(options=weights, **shared)
            else:
                form = ".3f" if step < 0.01 else ".2f"
                made[name] = widgets.FloatSlider(min=0, max=end, step=step, readout_format=form, **shared)
    made["total variation"].layout.width = "350px"
    return made


def shown_slider(controls: Mapping[str, widgets.Widget], name: str) -> widgets.Widget | None:
    """What a panel shows for one of the sliders: the total variation and its exponent share a line."""
    if name == "total variation":
        return widgets.HBox([controls[name], controls["beta"]])
    return None if name == "beta" else controls[name]


def strengths(values: Mapping[str, Any], always: Sequence[str] = ()) -> dict[str, Strengths]:
    """``penalties``, ``filters`` and ``transforms`` as `optimize` takes them, as strong as the sliders say."""
    return {
        kind: Strengths(
            [
                make(values[name], values["beta"]) if name == "total variation" else make(values[name])
                for name, (make, _, _) in makers.items()
            ],
            kind in always,
        )
        for kind, makers in KINDS.items()
    }
