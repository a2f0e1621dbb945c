"""Lesson 1: any neuron of any layer, propagated back to the photo."""

import html
from collections.abc import Iterator
from typing import Any

import ipywidgets as widgets
from torch import Tensor

from .. import images
from ..gradients import magnitude, sensitivity
from ..networks import Network
from ..relu_rules import RULES
from .neuron import WIDE, NeuronPanel, slider
from .panel import Frame


class Gradients(NeuronPanel):
    """Photo, colour gradient and its magnitude, side by side.

    Controls: ``layer``, ``neuron`` (a channel, or a class at the last layer), ``rule``; in convolutional layers also
    ``row`` and ``column``, unless ``strongest`` follows the place where the neuron fires most.
    """

    name = "gradients"

    def __init__(self, network: Network, photo: Tensor, label: str | int | None = None, size: int = 280):
        """``label`` is the class to start with, by default the most probable one; ``size`` in screen pixels."""
        super().__init__(network, photo, label)
        self.controls |= {
            "rule": widgets.SelectionSlider(options=RULES, value="backprop", description="rule", layout=WIDE),
            "strongest": widgets.Checkbox(True, description="where it fires most", indent=True, layout=WIDE),
            "row": slider("row", 0, 0, "row of the neuron in its activation map"),
            "column": slider("column", 0, 0, "column of the neuron in its activation map"),
        }
        pictures = [
            self.picture("photo", "the photo the network sees", size),
            self.picture("gradient", "colour gradient of the chosen neuron with respect to the photo", size),
            self.picture("magnitude", "size of that gradient, largest colour channel at each pixel", size),
        ]
        self.assemble(self.columns(3), self.row(*pictures))

    def adjust(self, values: dict[str, Any]) -> dict[str, Any]:
        activation = self.activation(values["layer"])
        flat = activation.ndim != 3
        limits = {"neuron": activation.shape[0] - 1}
        if not flat:
            limits |= {"row": activation.shape[1] - 1, "column": activation.shape[2] - 1}
        values = self.limit(values, limits)
        self.controls["strongest"].disabled = flat
        if flat:
            return self.steer(values, row=values["row"], column=values["column"])
        if not values["strongest"]:
            return self.steer(values)
        row, column = self.strongest(values["layer"], values["neuron"])
        return self.steer(values, row=row, column=column)

    def draw(self, values: dict[str, Any]) -> Iterator[Frame]:
        target = self.target(*(values[name] for name in ("layer", "neuron", "row", "column")))
        rule = values["rule"]
        value, gradient, relus = sensitivity(self.network, self.photo, target, rule)
        strength = magnitude(gradient)
        what = html.escape(str(target).removeprefix("lv."))
        note = f"{rule} through {relus} ReLUs" if relus else "no ReLU on the way: the three rules agree"
        if not gradient.any():
            note = "silent on this photo: zero everywhere, try another neuron"
        scale = f"grey is 0, full colour ±{images.stretch(gradient):.2g}"
        yield Frame(
            {
                "photo": self.photo,
                "photo caption": f"<b>{what}</b> = {value.item():.2f}",
                "gradient": images.show_signed(gradient),
                "gradient caption": f"<b>colour gradient</b>: {scale}<br>{note}",
                "magnitude": images.show_magnitude(strength),
                "magnitude caption": f"<b>magnitude</b>: black is 0, yellow {images.stretch(strength):.2g}<br>"
                f"(the {images.PERCENTILE}th percentile)",
            },
            f"lv.gradient(net, photo, {target}, rule={rule!r})",
        )
