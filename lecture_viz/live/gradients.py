"""Lesson 1: any neuron of any layer, propagated back to the photo."""

from collections.abc import Iterator
from typing import Any

import ipywidgets as widgets
from torch import Tensor

from .. import maps
from ..gradient_based.gradients import magnitude, sensitivity
from ..gradient_based.relu_rules import RULES
from ..networks import Network
from .kit.neuron import WIDE, NeuronPanel, slider
from .kit.panel import Frame


class Gradients(NeuronPanel):
    """Photo, colour gradient and its magnitude, side by side.

    Controls: ``photo``, ``layer``, ``neuron`` (a channel, or a class at the last layer), ``rule``; in convolutional
    layers also ``row`` and ``column``, unless ``strongest`` follows the place where the neuron fires most.
    """

    name = "gradients"

    def __init__(self, network: Network, photo: Tensor | str, label: str | int | None = None, size: int = 280):
        """``label`` is the class to start with, by default the most probable one; ``size`` in screen pixels."""
        super().__init__(network, photo, label)
        self.controls |= {
            "rule": widgets.SelectionSlider(options=RULES, value="backprop", layout=WIDE),
            "strongest": widgets.Checkbox(True, indent=True, layout=WIDE),
            "row": slider(),
            "column": slider(),
        }
        shown = self.view.row(*(self.view.picture(name, size) for name in ("photo", "gradient", "magnitude")))
        self.assemble(self.columns(4), shown)

    def presets(self, values: dict[str, Any]) -> dict[str, dict[str, Any]]:
        deep, middle, early = (self.depth(part) for part in (1, 0.5, 0))
        backprop = {"rule": "backprop", "strongest": True}
        return {
            "class": self.output | backprop,
            "deep": {"layer": deep, "neuron": self.loudest(deep)} | backprop,
            "middle": {"layer": middle, "neuron": self.loudest(middle)} | backprop,
            "early": {"layer": early, "neuron": self.loudest(early)} | backprop,
            "deconvnet": self.output | {"rule": "deconvnet"},
            "guided": self.output | {"rule": "guided"},
        }

    def adjust(self, values: dict[str, Any]) -> dict[str, Any]:
        activation = self.activation(values["layer"])
        flat = activation.ndim != 3
        limits = {"neuron": activation.shape[0] - 1}
        if not flat:
            limits |= {"row": activation.shape[1] - 1, "column": activation.shape[2] - 1}
        values = self.limit(values, limits)
        self.controls["strongest"].disabled = flat
        if flat:
            return self.set_place(values, row=values["row"], column=values["column"])
        if not values["strongest"]:
            return self.set_place(values)
        row, column = self.strongest(values["layer"], values["neuron"])
        return self.set_place(values, row=row, column=column)

    def draw(self, values: dict[str, Any]) -> Iterator[Frame]:
        target = self.target(*(values[name] for name in ("layer", "neuron", "row", "column")))
        rule = values["rule"]
        value, gradient, relus = sensitivity(self.network, self.photo, target, rule)
        strength = magnitude(gradient)
        note = self.say("through", rule=rule, relus=relus) if relus else self.say("no relu")
        if not gradient.any():
            note = self.say("silent")
        yield Frame(
            {
                "photo": self.photo,
                "photo caption": self.say("value", what=str(target).removeprefix("lv."), value=value.item()),
                "gradient": maps.show_signed(gradient),
                "gradient caption": f"<b>{self.say('gradient title')}</b>: "
                + self.say("signed scale", limit=maps.stretch(gradient))
                + f"<br>{note}",
                "magnitude": maps.show_magnitude(strength),
                "magnitude caption": f"<b>{self.say('magnitude title')}</b>: "
                + self.say("magnitude scale", limit=maps.stretch(strength))
                + f"<br>{self.say('percentile', percentile=maps.PERCENTILE)}",
            },
            f"{self.photo_code()}lv.gradient(net, photo, {target}, rule={rule!r})",
        )
