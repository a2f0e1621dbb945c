"""Lesson 4: four maps of one neuron side by side, and how alike each is to maps that should differ from it."""

from collections.abc import Iterator
from typing import NamedTuple

import ipywidgets as widgets
import torch
from torch import Tensor

from .. import targets
from ..gradient_based.gradients import gradient, magnitude
from ..gradient_based.relu_rules import RULES
from ..gradient_based.sanity_checks import cascade, randomized, similarity
from ..gradient_based.smoothgrad import BATCH, smoothgrad
from ..maps import stretch
from ..networks import Network
from .kit.call import Call, Expression, ForEach, Named, Values
from .kit.neuron import NeuronPanel, samples_slider, slider
from .kit.photo import WIDE
from .kit.picture import Marked, magnitudes, signed
from .kit.prediction import Question, Verdict
from .kit.resolved import Frame, Made, Resolved
from .kit.view import Shown, bars

TRAINED = "none"  # of the weights are random


class Maps(NamedTuple):
    """What the three rules send back ``(1, 3, H, W)``, and the saliency ``(1, 1, H, W)``."""

    backprop: Tensor
    deconvnet: Tensor
    guided: Tensor
    saliency: Tensor


class Saliency(NeuronPanel):
    """Backprop, Deconvnet, guided backprop and saliency of one neuron, with two sanity checks below each.

    Controls: ``photo``, ``layer``, ``neuron`` (in convolutional layers where it fires most), ``score`` (of a class:
    ``logit`` or ``probability``), ``samples`` of SmoothGrad (0: none), ``other`` (the neuron compared with),
    ``random`` (random weights from the output down to this layer), ``one_scale`` for all maps or for each its own.
    """

    name = "saliency"
    question = Question("random", RULES, before="class")

    def __init__(
        self,
        network: Network,
        photo: Tensor | str,
        label: str | int | None = None,
        other: str | int = 0,
        size: int = 200,
    ):
        """``label`` and ``other`` are the classes to start with; ``size`` in screen pixels."""
        super().__init__(network, photo, label)
        self._random: tuple[tuple[str, str], Network] | None = None  # the last one, and of which network
        self._compared: tuple[Expression, ...] = ()  # calls whose maps were compared last
        self._value: tuple[Expression, float] | None = None  # of the target, for the call that is shown
        self._alike = dict.fromkeys(Maps._fields, "")
        self._other = network.english[network.label_index(other)]
        self.controls |= {
            "score": widgets.SelectionSlider(options=["logit", "probability"], layout=WIDE),
            "samples": samples_slider(),
            "other": slider(len(network.labels) - 1, self._rival),
            "random": widgets.SelectionSlider(options=[TRAINED, *cascade(network)], layout=WIDE),
            "one_scale": widgets.Checkbox(False, indent=True, layout=WIDE),
        }
        shown = [
            self.view.column(self.view.picture(name, size), self.view.text(f"{name} alike", height="96px"))
            for name in ("photo", *Maps._fields)
        ]
        self.assemble(self.columns(5), self.view.row(*shown, main=3))

    def presets(self, values: Values) -> dict[str, Values]:
        plain = self.output | {"score": "logit", "samples": 0, "random": TRAINED, "other": self._rival}
        deep = self.depth(1)
        return {
            "class": plain,
            "probability": plain | {"score": "probability"},
            "deep": plain | {"layer": deep, "neuron": self.response(deep).loudest, "other": 0},
            "smooth": plain | {"samples": 32},
            "random": plain | {"random": cascade(self.network)[0]},
        }

    def verdict(self) -> Verdict:
        trained = self._rivals(self.values)["trained"].run()
        alike: dict[str, float] = {rule: similarity(*maps) for rule, *maps in zip(RULES, self.made.result, trained)}
        return min(alike, key=lambda rule: alike[rule]), alike

    @property
    def _rival(self) -> int:
        """The class compared with; in a network that does not know it, the first."""
        return self.network.english.index(self._other) if self._other in self.network.english else 0

    def resolve(self, values: Values) -> Resolved:
        last = self.response(values["layer"]).shape[0] - 1
        values = values | {name: min(values[name], last) for name in ("neuron", "other")}
        options = {"layer": self.layer_names, "random": (TRAINED, *cascade(self.network))}
        values["random"] = values["random"] if values["random"] in options["random"] else TRAINED
        call = self._call(values, self._target(values, values["neuron"]), values["random"])
        disabled = {"score": not self.is_output(values["layer"])}
        return Resolved(call, values, {"neuron": last, "other": last}, disabled, options)

    def _target(self, values: Values, neuron: int) -> targets.Target:
        layer = values["layer"]
        if self.is_output(layer) and values["score"] == "probability":
            return targets.probability(self.network.labels[neuron])
        return self.at_strongest(layer, neuron)

    def _call(self, values: Values, target: targets.Target, random: str) -> ForEach:
        """What the three rules send back from ``target``, through the trained weights or some random ones."""
        network = self.net()
        if random != TRAINED:
            network = Named("network", self._network(random), Call.of(randomized, network, random))
        about, rule, samples = (network, self.photo_call(), target), Named("rule"), values["samples"]
        each = Call.of(smoothgrad, *about, samples, rule=rule) if samples else Call.of(gradient, *about, rule)
        return ForEach(each, "rule", RULES, "lv.RULES")

    def _network(self, random: str) -> Network:
        key = self.network.name, random
        if self._random is None or self._random[0] != key:
            self._random = key, randomized(self.network, random)
        return self._random[1]

    def draw(self, values: Values) -> Iterator[Frame]:
        yield from super().draw(values)
        if self._made is not None:
            yield from self._compare(self._made, str(self._made.call))

    def _rivals(self, values: Values) -> dict[str, ForEach]:
        """The maps that should look different: another neuron's and, with random weights, those of the trained ones."""
        rivals = {"other": self._call(values, self._target(values, values["other"]), values["random"])}
        if values["random"] != TRAINED:
            rivals["trained"] = self._call(values, self._target(values, values["neuron"]), TRAINED)
        return rivals

    def _compare(self, made: Made, code: str) -> Iterator[Frame]:
        rivals = self._rivals(made.values)
        compared = made.call, *rivals.values()
        if self._compared != compared:
            maps = whole(made.result)
            alike: dict[str, dict[str, float]] = {name: {} for name in Maps._fields}
            for rival, call in rivals.items():
                for result in call.results({}):  # noqa: B007  the last counts
                    yield Frame({}, code)  # newer values may be waiting
                for name, one, another in zip(Maps._fields, maps, whole(result)):
                    alike[name][self.say(f"{rival} bar")] = similarity(one, another)
            self._alike = {name: bars(shares, ".2f", 90) for name, shares in alike.items()}
            self._compared = compared
        other = self._target(made.values, made.values["other"])
        legend = [self.say("alike", other=other.name)]
        legend += [self.say("alike trained")] if len(rivals) > 1 else []
        texts = {f"{name} alike": text for name, text in self._alike.items()}
        yield Frame({"photo alike": "<br>".join([*legend, self.say("alike scale")]), **texts}, code)

    def show(self, made: Made) -> dict[str, Shown]:
        maps, (network, _, target) = whole(made.result), made.call.each.arguments[:3]
        if self._value is None or self._value[0] != made.call:
            with torch.no_grad():
                self._value = made.call, target(network.value, self.photo).item()
        caption = self.say("value", what=target.name, value=self._value[1])
        if made.values["random"] != TRAINED:
            caption += f"<br>{self.say('random down to', layer=made.values['random'])}"
        outputs: dict[str, Shown] = {"photo": Marked(self.photo), "photo caption": caption}
        shared = stretch(torch.cat([part.flatten() for part in maps])) if made.values["one_scale"] else None
        for name, part in maps._asdict().items():
            limit = shared or stretch(part)
            outputs[name] = (magnitudes if name == "saliency" else signed)(part, limit)
            scale = self.say("magnitude scale" if name == "saliency" else "signed scale", limit=limit)
            outputs[f"{name} caption"] = f"<b>{self.say(f'{name} title')}</b><br>{scale}"
            outputs[f"{name} alike"] = f'<div class="lv-stale">{self._alike[name]}</div>'
        if samples := made.values["samples"]:
            samples = min(made.number * BATCH, samples)
            outputs["saliency caption"] = (
                f"{outputs['saliency caption']}<br>{self.say('mean of samples', samples=samples)}"
            )
        if not self.has_switches:
            outputs["deconvnet caption"] = f"<b>{self.say('deconvnet title')}</b><br>{self.say('no switches')}"
        if not maps.backprop.any():
            outputs["backprop caption"] = f"{outputs['backprop caption']}<br>{self.say('silent')}"
        return outputs


def whole(result: list[Tensor]) -> Maps:
    """What the rules send back, and the saliency."""
    backprop, deconvnet, guided = result
    return Maps(backprop, deconvnet, guided, magnitude(backprop))
