"""Lesson 3: the nine pictures that excite a feature map most, and what the reversed network paints for them."""

from typing import Any

import ipywidgets as widgets
import torch

from .. import figures, languages, maps
from ..gradient_based.deconvnet import UNPOOLINGS, deconvnet, turns_round
from ..gradient_based.gradients import gradient
from ..gradient_based.top_patches import TopPatches, look, patches, top_patches
from ..networks import Network
from ..networks.receptive_fields import receptive_fields
from ..photos import Pictures
from ..targets import neuron
from .kit.call import Call, Item, Named, Part, Values
from .kit.neuron import slider
from .kit.panel import Panel
from .kit.photo import WIDE
from .kit.picture import Marked, signed
from .kit.prediction import Question, Verdict
from .kit.resolved import Made, Resolved
from .kit.view import Shown

# feature maps with a theme: one of a deep layer, of a middle and of an early one
WORTH_SEEING = {
    "alexnet64": (("relu5", 30), ("relu3", 60), ("relu2", 35)),
    "inception64": (("inception4b", 60), ("inception3b", 12), ("relu2", 86)),
}


class Deconvnet(Panel):
    """The nine patches and their reconstructions; one of them large, with its photo.

    Controls: ``layer``, ``channel`` (the feature map), ``which`` of the nine, ``unpooling``; the neuron lies where the
    feature map fires most, unless ``strongest`` is off: then at ``row`` and ``column``.
    """

    name = "deconvnet"
    question = Question("sum", ("little", "much"), before="deep")

    def __init__(
        self, network: Network, pictures: Any = "bundled", layer: str | None = None, channel: int = 0, size: int = 250
    ):
        """``pictures`` as in `top_patches`; the first look at them takes a while. ``size`` in screen pixels."""
        super().__init__()
        self.network = network
        self.pictures = Pictures(pictures, network.input_size)
        fields = receptive_fields(network, list(network.layers))
        self._fields = {name: field for name, field in fields.items() if field.shape != (1, 1)}
        self._found = look(network, self.pictures, list(self._fields))
        self._chains: dict[str, bool] = {}
        self._nine: tuple[tuple[str, int], TopPatches] | None = None
        first = layer or list(self._fields)[len(self._fields) // 2]
        self.controls = {
            "layer": widgets.SelectionSlider(options=list(self._fields), value=first, layout=WIDE),
            "channel": slider(len(self._found.activations[first]) - 1, channel),
            "which": widgets.IntSlider(1, 1, 9, layout=WIDE),
            "unpooling": widgets.SelectionSlider(options=UNPOOLINGS, value="write", layout=WIDE),
            "strongest": widgets.Checkbox(True, indent=True, layout=WIDE),
            "row": slider(),
            "column": slider(),
        }
        shown = [self.view.picture(name, size) for name in ("patches", "reconstructions", "photo", "reconstruction")]
        self.assemble(self.columns(4), self.view.row(*shown, main=0))

    def presets(self, values: Values) -> dict[str, Values]:
        layers = [layer for layer in self._fields if "pool" not in layer]
        deep, middle, early = WORTH_SEEING.get(
            self.network.name, [(layers[round(part * (len(layers) - 1))], 0) for part in (1, 0.5, 0.1)]
        )
        best = {"which": 1, "unpooling": "write", "strongest": True}
        return {
            "early": dict(zip(("layer", "channel"), early)) | best,
            "middle": dict(zip(("layer", "channel"), middle)) | best,
            "deep": dict(zip(("layer", "channel"), deep)) | best,
            "sum": dict(zip(("layer", "channel"), deep)) | best | {"unpooling": "sum"},
        }

    def verdict(self) -> Verdict:
        written = self.resolve(self.values | {"unpooling": "write"}).call.run()
        part = ((self.made.result - written).norm() / written.norm()).item()
        return "little" if part < 0.1 else "much", {"part": part}

    def resolve(self, values: Values) -> Resolved:
        layer, strongest = values["layer"], values["strongest"]
        rows, columns = self._fields[layer].shape
        limits = {"channel": len(self._found.activations[layer]) - 1, "row": rows - 1, "column": columns - 1}
        values = values | {name: min(values[name], high) for name, high in limits.items()}
        channel = values["channel"]
        nine = self._of(layer, channel)
        limits["which"] = len(nine.photos)
        which = values["which"] = min(values["which"], limits["which"])
        if strongest:
            _, values["row"], values["column"] = self._found.places[layer][channel, which - 1].tolist()
        net, source = Named("net", self.network), "bundled" if self.pictures.bundled else Named("pictures")
        found = Named("found", nine, Call.of(top_patches, net, source, layer, channel))
        about = net, Item(Part(found, "photos"), which - 1), neuron(layer, channel, y=values["row"], x=values["column"])
        if self._turns_round(layer):
            call = Call.of(deconvnet, *about, values["unpooling"])
        else:
            call = Call.of(gradient, *about, rule="deconvnet")
        return Resolved(call, values, limits, {"row": strongest, "column": strongest})

    def _of(self, layer: str, channel: int) -> TopPatches:
        if self._nine is None or self._nine[0] != (layer, channel):
            self._nine = (layer, channel), patches(self.network, self.pictures, self._found, layer, channel)
        return self._nine[1]

    def _turns_round(self, layer: str) -> bool:
        if layer not in self._chains:
            self._chains[layer] = turns_round(self.network, self.pictures[0], layer)
        return self._chains[layer]

    def point(self, values: Values, picture: str, row: int, column: int) -> Values:
        return values | {"strongest": False, "row": row, "column": column}

    def show(self, made: Made) -> dict[str, Shown]:
        layer, channel, which = made.values["layer"], made.values["channel"], made.values["which"] - 1
        nine, target, painted = self._of(layer, channel), made.call.arguments[2], signed(made.result)
        photo, box = nine.photos[which], self._fields[layer][made.values["row"], made.values["column"]]
        limit = maps.stretch(torch.cat([part.flatten() for part in nine.reconstructions]))
        shown = [maps.show_signed(part, limit) for part in nine.reconstructions]
        side = {"width": box.right - box.left, "height": box.bottom - box.top}
        numbers = {"first": nine.activations[0].item(), "last": nine.activations[-1].item()}
        how = "reconstruction title" if made.call.function is deconvnet else "by the rule"
        return {
            "patches": figures.mosaic(nine.patches, chosen=which),
            "patches caption": self.say(
                "patches caption", count=len(nine.photos), channel=channel, layer=layer, **numbers
            ),
            "reconstructions": figures.mosaic(shown, chosen=which),
            "reconstructions caption": self.say("reconstructions caption"),
            "photo": Marked(photo, [box], grid=self._fields[layer].shape),
            "photo caption": self.say("value", what=target.name, value=target(self.network, photo).item())
            + "<br>"
            + self.say("seen", photo=languages.option(nine.names[which]), **side),
            "reconstruction": painted,
            "reconstruction caption": f"<b>{self.say(how)}</b>: " + self.say("signed scale", limit=painted.limit),
        }
