"""Lesson 4: what if this were not there? A brush on the photo, and squares of a map: what hurts the score?"""

import html

import ipywidgets as widgets
from torch import Tensor

from ..gradient_based.gradients import magnitude, saliency, sensitivity
from ..gradient_based.occlusion import Scores, compare, cover, squares
from ..networks import Network
from ..photos import SHEET, paint
from .kit.brush import drawn, painting
from .kit.call import Call, Expression, Named, Values
from .kit.neuron import NeuronPanel
from .kit.photo import WIDE
from .kit.picture import Marked, magnitudes, signed
from .kit.prediction import Question, Verdict
from .kit.resolved import Made, Resolved
from .kit.view import Shown, bars

NOTHING, MOST, LEAST = "nothing", "most", "least"
GUESSES = 5


class Occlusion(NeuronPanel):
    """A photo to paint on, the gradient and the saliency of what is left, and what the network takes it for.

    Controls: ``photo``, ``layer``, ``neuron``, ``strokes`` (what was painted, see `images.paint`), ``brush`` (its
    diameter), ``leaves`` (grey, blur, the photo again, a colour), ``cover`` (nothing, or the squares that the map
    calls most or least important), ``share`` (of the squares).
    """

    name = "occlusion"
    further = (SHEET,)

    def __init__(
        self, network: Network, photo: Tensor | str = "coffee", label: str | int | None = None, size: int = 280
    ):
        """``label`` is the class to start with, by default the most probable one; ``size`` in screen pixels."""
        super().__init__(network, photo, label)
        self._scores: tuple[Call, Scores] | None = None  # of the squares, and for which call
        self.controls |= {
            **painting(self.say, 0.12, "grey"),
            "cover": widgets.Dropdown(options=[NOTHING, MOST, LEAST], layout=WIDE),
            "share": widgets.FloatSlider(value=0.2, min=0.05, max=0.5, step=0.05, readout_format=".0%", layout=WIDE),
        }
        pictures = [self.view.picture(name, size) for name in ("photo", "gradient", "saliency")]
        said = widgets.HBox([self.view.text("guesses"), self.view.text("scores")])
        said.add_class("lv-said")
        self.assemble(self.columns(5), self.view.row(*pictures, main=0), said)
        self.controls["strokes"].listen(self.outputs["photo"], self.worker.ask)

    question = Question("least", ("less", "more"), before="whole")

    def presets(self, values: Values) -> dict[str, Values]:
        plain = self.output | {"photo": "coffee", "strokes": (), "leaves": "grey", "cover": NOTHING, "share": 0.2}
        return {
            "whole": plain,
            "coffee": plain | {"strokes": (("grey", 0.3, ((0.36, 0.36), (0.36, 0.56))),)},
            "most": plain | {"cover": MOST},
            "least": plain | {"cover": LEAST},
            "cat": plain | {"photo": "cat", "cover": MOST},
        }

    def verdict(self) -> Verdict:
        scores = self._compared(self.made)._asdict()
        return "less" if scores["without_least"] > scores["without_most"] else "more", scores

    def receive(self, values: Values) -> Values:
        values = super().receive(values)
        return self.controls["strokes"].heard(values, values["leaves"])

    def resolve(self, values: Values) -> Resolved:
        layer = values["layer"]
        limits = {"neuron": self.response(layer).shape[0] - 1}
        neuron = min(values["neuron"], limits["neuron"])
        network, target = self.net(), self.at_strongest(layer, neuron)
        photo = self.photo_call()
        shown: Expression = photo
        if values["cover"] != NOTHING:
            strength = Named("strength", made_by=Call.of(saliency, network, photo, target))
            mask = Call.of(squares, strength, values["share"], **({} if values["cover"] == MOST else {"most": False}))
            shown = Named("covered", made_by=Call.of(cover, photo, mask, self._covers(values)))
        if values["strokes"]:
            on = () if shown is photo else (shown,)
            shown = Named("painted", made_by=Call.of(paint, photo, values["strokes"], *on))
        call = Call.of(sensitivity, network, shown, target)
        return Resolved(call, values | {"neuron": neuron}, limits, options={"layer": self.layer_names})

    def _covers(self, values: Values) -> str:
        """What covers the squares: the photo again would cover nothing."""
        return "grey" if values["leaves"] == "photo" else values["leaves"]

    def _compared(self, made: Made) -> Scores:
        """What becomes of the score without the photo's most and least important squares."""
        network, _, target = made.call.arguments
        strength = Call.of(saliency, network, self.photo_call(), target)
        share, leaves = made.values["share"], self._covers(made.values)
        asked = Call.of(compare, network, self.photo_call(), target, strength, share, leaves)
        if self._scores is None or self._scores[0] != asked:
            self._scores = asked, asked.run()
        return self._scores[1]

    def show(self, made: Made) -> dict[str, Shown]:
        values, found = made.values, made.result
        painted = next((made.known[name] for name in ("painted", "covered") if name in made.known), self.photo)
        scores, target = self._compared(made), made.call.arguments[2]
        guesses = {html.escape(guess): p for guess, p in self.network.top(painted, GUESSES)}
        rows = {
            "as it is": scores.photo,
            "as it stands": found.value.item(),
            "without most": scores.without_most,
            "without least": scores.without_least,
        }
        told = "".join(
            f"<tr><td>{self.say(name, share=values['share'])}</td><td>{value:.2f}</td></tr>"
            for name, value in rows.items()
        )
        gradient, strength = signed(found.gradient), magnitudes(magnitude(found.gradient))
        signed_scale = self.say("signed scale", limit=gradient.limit)
        magnitude_scale = self.say("magnitude scale", limit=strength.limit)
        return {
            "photo": Marked(painted, brush=drawn(values)),
            "photo caption": self.say("photo caption"),
            "gradient": gradient,
            "gradient caption": f"<b>{self.say('gradient title')}</b><br>{signed_scale}",
            "saliency": strength,
            "saliency caption": f"<b>{self.say('saliency title')}</b><br>{magnitude_scale}",
            "guesses": f"<b>{self.say('guesses')}</b>{bars(guesses, '.0%', 90)}",
            "scores": f"<b>{self.say('scores', what=target.name)}</b><table class='lv-scores'>{told}</table>",
        }
