"""Lesson 4: from a saliency map to a box about the object."""

import ipywidgets as widgets
from torch import Tensor

from ..gradient_based import localization as where
from ..gradient_based.gradients import magnitude, saliency
from ..gradient_based.smoothgrad import smoothgrad
from ..networks import Network
from .kit.call import Call, Named, Values
from .kit.neuron import NeuronPanel, samples_slider
from .kit.photo import WIDE
from .kit.picture import Marked, magnitudes
from .kit.prediction import Question, Verdict
from .kit.resolved import Made, Resolved
from .kit.view import Shown


class Localization(NeuronPanel):
    """Saliency, foreground and box.

    Controls: ``photo``, ``layer``, ``neuron``, ``samples`` of SmoothGrad (0: none), ``threshold``, ``by_colour`` (from
    seeds and the colours of the photo, without threshold).
    """

    name = "localization"

    question = Question("raw", ("same", "other"), before="box")

    def __init__(self, network: Network, photo: Tensor | str, label: str | int | None = None, size: int = 280):
        """``label`` is the class to start with, by default the most probable one; ``size`` in screen pixels."""
        super().__init__(network, photo, label)
        self.controls |= {
            "samples": samples_slider(),
            "threshold": widgets.FloatSlider(value=where.THRESHOLD, min=0.05, max=1, step=0.05, layout=WIDE),
            "by_colour": widgets.Checkbox(False, indent=True, layout=WIDE),
        }
        shown = [self.view.picture(name, size) for name in ("saliency", "foreground", "box")]
        self.assemble(self.columns(4), self.view.row(*shown, main=2))

    def presets(self, values: Values) -> dict[str, Values]:
        plain = self.output | {"samples": 32, "threshold": 0.5, "by_colour": False}
        return {
            "box": plain,
            "strict": plain | {"threshold": 0.8},
            "raw": plain | {"samples": 0},
            "colour": plain | {"by_colour": True},
        }

    def verdict(self) -> Verdict:
        of_many = self.resolve(self.values | self.presets(self.values)["box"]).call.run()
        overlap = where.intersection_over_union(of_many, self.made.result)
        return "same" if overlap >= 0.5 else "other", {"overlap": overlap}

    def resolve(self, values: Values) -> Resolved:
        layer, samples = values["layer"], values["samples"]
        limits = {"neuron": self.response(layer).shape[0] - 1}
        neuron = min(values["neuron"], limits["neuron"])
        about = self.net(), self.photo_call(), self.at_strongest(layer, neuron)
        smooth = Call.of(magnitude, Call.of(smoothgrad, *about, samples))
        strength = Named("saliency", made_by=smooth if samples else Call.of(saliency, *about))
        if values["by_colour"]:
            mask = Call.of(where.foreground_by_colour, strength, self.photo_call())
        else:
            mask = Call.of(where.foreground, strength, values["threshold"])
        call = Call.of(where.box, Named("mask", made_by=mask))
        disabled, options = {"threshold": values["by_colour"]}, {"layer": self.layer_names}
        return Resolved(call, values | {"neuron": neuron}, limits, disabled, options)

    def show(self, made: Made) -> dict[str, Shown]:
        mask, box = made.known["mask"], made.result
        target = self.at_strongest(made.values["layer"], made.values["neuron"])
        edges = {"top": box.top, "bottom": box.bottom - 1, "left": box.left, "right": box.right - 1}
        return {
            "saliency": magnitudes(made.known["saliency"]),
            "saliency caption": self.say("saliency caption", what=target.name),
            "foreground": Marked(self.photo * (0.2 + 0.8 * mask.to(self.photo))),
            "foreground caption": self.say("foreground caption", part=mask.float().mean().item()),
            "box": Marked(self.photo, [box]),
            "box caption": self.say("box caption", **edges),
        }
