"""Lesson 1: any neuron of any layer, propagated back to the photo."""

import ipywidgets as widgets
from torch import Tensor

from .. import maps
from ..gradient_based.gradients import magnitude, sensitivity
from ..gradient_based.relu_rules import RULES
from ..networks import Network
from .kit.call import Call, Values
from .kit.neuron import NeuronPanel, slider
from .kit.photo import WIDE
from .kit.picture import Marked, magnitudes, signed
from .kit.prediction import Question, Verdict
from .kit.resolved import Made, Resolved
from .kit.view import Shown

BACKPROP = {"rule": "backprop", "strongest": True}


class Gradients(NeuronPanel):
    """Photo, colour gradient and its magnitude, side by side.

    Controls: ``photo``, ``layer``, ``neuron`` (a channel, or a class at the last layer), ``rule``; in convolutional
    layers also ``row`` and ``column``, unless ``strongest`` follows the place where the neuron fires most.
    """

    name = "gradients"
    question = Question("early", ("all", "part", "few"), before="class")

    def __init__(self, network: Network, photo: Tensor | str, label: str | int | None = None, size: int = 280):
        """``label`` is the class to start with, by default the most probable one; ``size`` in screen pixels."""
        super().__init__(network, photo, label)
        self.controls |= {
            "rule": widgets.SelectionSlider(options=RULES, value="backprop", layout=WIDE),
            "strongest": widgets.Checkbox(True, indent=True, layout=WIDE),
            "row": slider(),
            "column": slider(),
        }
        shown = self.view.row(*(self.view.picture(name, size) for name in ("photo", "gradient", "magnitude")), main=1)
        self.assemble(self.columns(5), shown)

    def presets(self, values: Values) -> dict[str, Values]:
        deep, middle, early = (self.depth(part) for part in (1, 0.5, 0))
        return {
            "class": self.output | BACKPROP,
            "deep": {"layer": deep, "neuron": self.response(deep).loudest} | BACKPROP,
            "middle": {"layer": middle, "neuron": self.response(middle).loudest} | BACKPROP,
            "early": {"layer": early, "neuron": self.response(early).loudest} | BACKPROP,
            "deconvnet": self.output | {"rule": "deconvnet"},
            "guided": self.output | {"rule": "guided"},
        }

    def verdict(self) -> Verdict:
        reached = self.made.result.gradient.any(dim=1)
        share, total = reached.float().mean().item(), reached.numel()
        right = "all" if share > 0.9 else "part" if share > 0.1 else "few"
        return right, {"count": round(share * total), "total": total}

    def resolve(self, values: Values) -> Resolved:
        asked = (values[name] for name in ("layer", "neuron", "strongest", "row", "column"))
        target, limits, disabled, placed = self.at_place(*asked)
        call = Call.of(sensitivity, self.net(), self.photo_call(), target, rule=values["rule"])
        return Resolved(call, values | placed, limits, disabled, {"layer": self.layer_names})

    def show(self, made: Made) -> dict[str, Shown]:
        (value, gradient, relus), values = made.result, made.values
        sensitivities, strength = signed(gradient), magnitudes(magnitude(gradient))
        note = self.say("through", rule=values["rule"], relus=relus) if relus else self.say("no relu")
        if values["rule"] == "deconvnet" and not self.has_switches:
            note = self.say("no switches")
        if not gradient.any():
            note = self.say("silent")
        return {
            "photo": self.marked(values, Marked(self.photo)),
            "photo caption": self.say("value", what=made.call.arguments[2].name, value=value.item()),
            "gradient": self.marked(values, sensitivities),
            "gradient caption": f"<b>{self.say('gradient title')}</b>: "
            + self.say("signed scale", limit=sensitivities.limit)
            + f"<br>{note}",
            "magnitude": self.marked(values, strength),
            "magnitude caption": f"<b>{self.say('magnitude title')}</b>: "
            + self.say("magnitude scale", limit=strength.limit)
            + f"<br>{self.say('percentile', percentile=maps.PERCENTILE)}",
        }
