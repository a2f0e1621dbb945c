"""Lesson 4: from a saliency map to a box about the object."""

from collections.abc import Iterator
from typing import Any

import ipywidgets as widgets
from torch import Tensor

from .. import figures, maps
from ..gradient_based import localization as where
from ..gradient_based.gradients import magnitude
from ..networks import Network
from .kit.neuron import WIDE, NeuronPanel, samples_slider
from .kit.panel import Frame


class Localization(NeuronPanel):
    """Saliency, foreground and box.

    Controls: ``photo``, ``layer``, ``neuron``, ``samples`` of SmoothGrad (0: none), ``threshold``, ``by_colour`` (from
    seeds and the colours of the photo, without threshold).
    """

    name = "localization"

    def __init__(self, network: Network, photo: Tensor | str, label: str | int | None = None, size: int = 280):
        """``label`` is the class to start with, by default the most probable one; ``size`` in screen pixels."""
        super().__init__(network, photo, label)
        self.controls |= {
            "samples": samples_slider(),
            "threshold": widgets.FloatSlider(value=where.THRESHOLD, min=0.05, max=1, step=0.05, layout=WIDE),
            "by_colour": widgets.Checkbox(False, indent=True, layout=WIDE),
        }
        shown = [self.view.picture(name, size) for name in ("saliency", "foreground", "box")]
        self.assemble(self.columns(3), self.view.row(*shown))

    def presets(self, values: dict[str, Any]) -> dict[str, dict[str, Any]]:
        plain = self.output | {"samples": 32, "threshold": 0.5, "by_colour": False}
        return {
            "box": plain,
            "strict": plain | {"threshold": 0.8},
            "raw": plain | {"samples": 0},
            "colour": plain | {"by_colour": True},
        }

    def adjust(self, values: dict[str, Any]) -> dict[str, Any]:
        self.controls["threshold"].disabled = values["by_colour"]
        return self.limit(values, {"neuron": len(self.activation(values["layer"])) - 1})

    def draw(self, values: dict[str, Any]) -> Iterator[Frame]:
        target = self.at_strongest(values["layer"], values["neuron"])
        samples = values["samples"]
        code = self.photo_code()
        if samples:
            code += f"saliency = lv.magnitude(lv.smoothgrad(net, photo, {target}, {samples}))\n"
        else:
            code += f"saliency = lv.saliency(net, photo, {target})\n"
        how = "_by_colour(saliency, photo)" if values["by_colour"] else f"(saliency, {values['threshold']:.2g})"
        code += f"lv.localization.box(lv.localization.foreground{how})"
        for mean in self.smoothed(self.network, target, samples):
            saliency = magnitude(mean)
            if values["by_colour"]:
                mask = where.foreground_by_colour(saliency, self.photo)
            else:
                mask = where.foreground(saliency, values["threshold"])
            box = where.box(mask)
            yield Frame(
                {
                    "saliency": maps.show_magnitude(saliency),
                    "saliency caption": self.say("saliency caption", what=str(target).removeprefix("lv.")),
                    "foreground": self.photo * (0.2 + 0.8 * mask.to(self.photo)),
                    "foreground caption": self.say("foreground caption", part=mask.float().mean().item()),
                    "box": figures.framed(self.photo, box),
                    "box caption": self.say(
                        "box caption", top=box.top, bottom=box.bottom - 1, left=box.left, right=box.right - 1
                    ),
                },
                code,
            )
