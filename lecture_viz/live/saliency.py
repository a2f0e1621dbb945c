"""Lesson 4: four maps of one neuron side by side, and how alike each is to maps that should differ from it."""

import math
from collections.abc import Iterator
from typing import Any, NamedTuple

import ipywidgets as widgets
import torch
from torch import Tensor

from .. import targets
from ..gradient_based.gradients import magnitude
from ..gradient_based.relu_rules import RULES
from ..gradient_based.sanity_checks import cascade, randomized, similarity
from ..gradient_based.smoothgrad import BATCH
from ..maps import show_magnitude, show_signed, stretch
from ..networks import Network
from .kit.neuron import WIDE, NeuronPanel, samples_slider, slider
from .kit.panel import Frame

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
        self._random: tuple[str, Network] = (TRAINED, network)
        self._alike = dict.fromkeys(Maps._fields, "")
        layers = cascade(network)
        self._other, self._last = network.label_index(other), layers[0]
        self.controls |= {
            "score": widgets.SelectionSlider(options=["logit", "probability"], layout=WIDE),
            "samples": samples_slider(),
            "other": slider(len(network.labels) - 1, self._other),
            "random": widgets.SelectionSlider(options=[TRAINED, *layers], layout=WIDE),
            "one_scale": widgets.Checkbox(False, indent=True, layout=WIDE),
        }
        shown = [
            widgets.VBox(
                [self.view.picture(name, size), self.view.text(f"{name} alike", width=f"{size}px", height="96px")]
            )
            for name in ("photo", *Maps._fields)
        ]
        self.assemble(self.columns(4), self.view.row(*shown))

    def presets(self, values: dict[str, Any]) -> dict[str, dict[str, Any]]:
        plain = self.output | {"score": "logit", "samples": 0, "random": TRAINED, "other": self._other}
        deep = self.depth(1)
        return {
            "class": plain,
            "probability": plain | {"score": "probability"},
            "deep": plain | {"layer": deep, "neuron": self.loudest(deep), "other": 0},
            "smooth": plain | {"samples": 32},
            "random": plain | {"random": self._last},
        }

    def adjust(self, values: dict[str, Any]) -> dict[str, Any]:
        last = len(self.activation(values["layer"])) - 1
        self.controls["score"].disabled = not self.is_output(values["layer"])
        return self.limit(values, {"neuron": last, "other": last})

    def _target(self, values: dict[str, Any], neuron: int) -> targets.Target:
        layer = values["layer"]
        if self.is_output(layer) and values["score"] == "probability":
            return targets.probability(self.network.labels[neuron])
        return self.at_strongest(layer, neuron)

    def _network(self, random: str) -> Network:
        if self._random[0] != random:
            self._random = random, self.network if random == TRAINED else randomized(self.network, random)
        return self._random[1]

    def _maps(self, network: Network, target: targets.Target, samples: int) -> Iterator[Maps]:
        """After every few samples."""
        for parts in zip(*(self.smoothed(network, target, samples, rule) for rule in RULES)):
            yield Maps(*parts, magnitude(parts[0]))

    def draw(self, values: dict[str, Any]) -> Iterator[Frame]:
        target, other = self._target(values, values["neuron"]), self._target(values, values["other"])
        network, samples = self._network(values["random"]), values["samples"]
        code = self._code_for(target, values["random"], samples)
        with torch.no_grad():
            value = target(network, self.photo).item()
        stale = {f"{name} alike": f'<div class="lv-stale">{text}</div>' for name, text in self._alike.items()}
        trained = "" if network is self.network else f"<br>{self.say('random down to', layer=values['random'])}"
        caption = self.say("value", what=str(target).removeprefix("lv."), value=value)
        photo = {"photo": self.photo, "photo caption": caption + trained}
        for count, maps in enumerate(self._maps(network, target, samples), start=1):
            yield Frame(photo | self._pictures_of(maps, values, min(count * BATCH, samples)) | stale, code)
            stale = {}

        rivals = {"other": (network, other)}
        if network is not self.network:
            rivals["trained"] = (self.network, target)
        bars = {name: "" for name in Maps._fields}
        for rival, (rival_network, rival_target) in rivals.items():
            for rival_maps in self._maps(rival_network, rival_target, samples):  # noqa: B007  the last counts
                yield Frame({}, code)  # newer values may be waiting
            for name, one, other_map in zip(Maps._fields, maps, rival_maps):
                bars[name] += bar(self.say(f"{rival} bar"), similarity(one, other_map))
        self._alike = {name: f"<table class='lv-guesses'>{rows}</table>" for name, rows in bars.items()}
        legend = [self.say("alike", other=str(other).removeprefix("lv."))]
        legend += [self.say("alike trained")] if len(rivals) > 1 else []
        alike = {f"{name} alike": text for name, text in self._alike.items()}
        yield Frame({"photo alike": "<br>".join([*legend, self.say("alike scale")]), **alike}, code)

    def _pictures_of(self, maps: Maps, values: dict[str, Any], samples: int) -> dict[str, Tensor | str]:
        outputs: dict[str, Tensor | str] = {}
        shared = stretch(torch.cat([part.flatten() for part in maps])) if values["one_scale"] else None
        for name, part in maps._asdict().items():
            limit = shared or stretch(part)
            show = show_magnitude if name == "saliency" else show_signed
            outputs[name] = show(part, limit)
            scale = self.say("magnitude scale" if name == "saliency" else "signed scale", limit=limit)
            outputs[f"{name} caption"] = f"<b>{self.say(f'{name} title')}</b><br>{scale}"
        if samples:
            outputs["saliency caption"] += f"<br>{self.say('mean of samples', samples=samples)}"
        if not maps.backprop.any():
            outputs["backprop caption"] += f"<br>{self.say('silent')}"
        return outputs

    def _code_for(self, target: targets.Target, random: str, samples: int) -> str:
        first = self.photo_code() + ("" if random == TRAINED else f"network = lv.randomized(net, {random!r})\n")
        network = "net" if random == TRAINED else "network"
        if samples:
            return f"{first}[lv.smoothgrad({network}, photo, {target}, {samples}, rule=rule) for rule in lv.RULES]"
        return f"{first}[lv.gradient({network}, photo, {target}, rule) for rule in lv.RULES]"


def bar(name: str, alike: float) -> str:
    """A row of a table: a similarity as a bar and a number."""
    number = "–" if math.isnan(alike) else f"{alike:.2f}"
    width = 0 if math.isnan(alike) else 90 * max(0.0, alike)
    return f'<tr><td>{name}</td><td><div class="lv-bar" style="width:{width:.0f}px"></div></td><td>{number}</td></tr>'
