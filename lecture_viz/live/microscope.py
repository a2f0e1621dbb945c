"""Lesson 10: every channel of a layer at once, and the dossier of one of them."""

import html
from collections.abc import Iterator
from typing import Any

import ipywidgets as widgets
from torch import Tensor

from ..networks import Network
from ..networks.activation_maps import ORDERS, STRONGEST, Flow, activation_maps, arranged, strip
from ..optimization_based import atlas
from ..photos import SHEET, Box, Pictures, Stroke, paint
from .kit import worth_seeing
from .kit.brush import drawn, painting
from .kit.call import Call, Expression, Named, Values
from .kit.dossier import RANGE, Dossier
from .kit.dossier import STRONGEST as MOST
from .kit.neuron import NeuronPanel
from .kit.photo import WIDE
from .kit.picture import Marked
from .kit.prediction import Question, Verdict
from .kit.resolved import Frame, Made, Resolved
from .kit.view import Shown, bars

HERE, LOOKS_FOR = "maps", "atlas"  # what the tiles show
GUESSES = 5
NAMED = 5  # of the strongest channels


class Microscope(NeuronPanel):
    """A photo, what it causes in all layers and in all channels of one, what the network says, and a unit's dossier.

    Controls: ``photo``, ``layer``, ``neuron`` (the channel), ``tiles`` (its activation maps, or what each channel looks
    for), ``order`` and ``one_scale`` of the tiles, ``examples`` (of pictures that excite the channel), ``strokes``,
    ``brush``, ``leaves`` as in `Occlusion`.
    """

    name = "microscope"
    question = Question("deep", ("few", "half", "most"), before="early")
    further = (SHEET,)
    _strokes: tuple[Stroke, ...] = ()
    _opened = False  # the dossier comes when the panel is on screen

    def __init__(
        self,
        network: Network,
        photo: Tensor | str = "cat",
        pictures: Any = "bundled",
        layer: str | None = None,
        size: int = 300,
    ):
        """``pictures`` as in `top_patches`, for examples that excite a channel, such as a folder.

        ``layer`` is the one to begin with, by default one of the middle; ``size`` in screen pixels.
        """
        super().__init__(network, photo)
        self._flow: tuple[object, Flow] | None = None  # of the photo as it is, and of which responses
        first = layer or self._worth()[1]
        self.controls["layer"].value = first
        self.controls["neuron"].max = self.response(first).shape[0] - 1
        self.controls["neuron"].value = self.response(first).loudest
        self.controls |= {
            "tiles": widgets.Dropdown(options=[HERE, LOOKS_FOR], layout=WIDE),
            "order": widgets.SelectionSlider(options=ORDERS, value="strength", layout=WIDE),
            "one_scale": widgets.Checkbox(False, indent=True, layout=WIDE),
            "examples": widgets.Dropdown(options=[MOST, RANGE], layout=WIDE),
            **painting(self.say, 0.08, "black"),
        }
        Pictures(pictures, network.input_size)  # says now what is wrong with them
        self.dossier = Dossier(self, pictures)
        picture, text = self.view.picture, self.view.text
        classes = text("classes", min_height="190px"), text("classes caption", min_height="84px")
        says = self.view.column(text("guesses"), *classes)  # of fixed height: nothing below jumps while it is empty
        shown = self.view.row(picture("photo", size), picture("maps", size), says, main=1)
        way = picture("flow", size)
        way.add_class("lv-wide")
        unit = [picture(name, size) for name in ("fires", "backprop", "deconvnet", "guided")]
        unit += [picture(name, size) for name in ("reads", "atlas", "pictures", "patches")]
        dossier = widgets.Box(unit)
        dossier.add_class("lv-dossier")
        self.assemble(self.columns(6), shown, way, dossier)
        self.controls["strokes"].listen(self.outputs["photo"], self.worker.ask)
        self.controls["camera"].observe(self._moved, "live")  # what waits for a pause comes
        self._opened, self._drawn = True, None
        self.worker.ask()

    def _worth(self) -> tuple[str, str, str]:
        """A first layer, behind its ReLU unless that is saturated, a middle and a deep one."""
        spatial = [name for name in self.layer_names if self.response(name).spatial]
        _, middle, deep = worth_seeing.layers(self.network, spatial)
        behind = [name for name in spatial[:2] if self.response(name).activations.min() >= 0]
        first = next((name for name in behind if not self.response(name).saturated), spatial[0])
        return first, middle, deep

    def presets(self, values: Values) -> dict[str, Values]:
        early, middle, deep = self._worth()
        last = self.layer_names[-1]
        loudest = {layer: {"layer": layer, "neuron": self.response(layer).loudest} for layer in (early, middle, deep)}
        plain: Values = {"tiles": HERE, "order": "strength", "one_scale": False}
        return {
            "early": loudest[early] | plain,
            "middle": loudest[middle] | plain,
            "deep": loudest[deep] | plain | {"one_scale": True},
            "looks for": loudest[deep] | plain | {"tiles": LOOKS_FOR},
            "class": {"layer": last, "neuron": self.response(last).loudest} | plain,
        }

    def verdict(self) -> Verdict:
        early, _, deep = self._worth()
        first, share = (self.response(layer).activations.gt(0).float().mean().item() for layer in (early, deep))
        return "few" if share < 0.25 else "half" if share < 0.75 else "most", {"share": share, "first": first}

    # --- the photo, and what is painted on it -------------------------------------------------------------------------

    def receive(self, values: Values) -> Values:
        values = super().receive(values)
        values = self.controls["strokes"].heard(values, values["leaves"])
        if values["strokes"] != self._strokes:
            self._strokes, self._looked = values["strokes"], None
        return values

    @property
    def seen(self) -> Tensor:
        return paint(self.photo, self._strokes) if self._strokes else self.photo

    def _seen_call(self) -> Expression:
        photo = self.photo_call()
        return Named("painted", made_by=Call.of(paint, photo, self._strokes)) if self._strokes else photo

    def is_waiting(self) -> bool:
        return self.dossier.waits and not self.controls["camera"].live

    # --- the tiles ----------------------------------------------------------------------------------------------------

    def resolve(self, values: Values) -> Resolved:
        layer = values["layer"]
        response = self.response(layer)
        channels, numbers = response.shape[0], not response.spatial  # each with a scale of its own would look alike
        choices = {"order": values["order"]} if values["order"] != ORDERS[0] else {}
        choices |= {"one_scale": True} if values["one_scale"] or numbers else {}
        if values["tiles"] == LOOKS_FOR:
            choices["pictures"] = Call.of(atlas.read, self.net(), layer)
        call = Call.of(activation_maps, self.net(), self._seen_call(), layer, **choices)
        values = values | {"neuron": min(values["neuron"], channels - 1)}
        disabled = {"one_scale": numbers or values["tiles"] == LOOKS_FOR}
        return Resolved(call, values, {"neuron": channels - 1}, disabled, {"layer": self.layer_names})

    def point(self, values: Values, picture: str, row: int, column: int) -> Values:
        if picture == "flow":
            _, flow = self._way()
            return values | {"layer": self.layer_names[column], "neuron": flow.channels[row, column].item()}
        tiles = self.made.result
        at = row * tiles.columns + column
        return values | ({"neuron": tiles.channels[at].item()} if at < len(tiles.channels) else {})

    def _way(self) -> tuple[object, Flow]:
        looked = self._look()[0]
        if self._flow is None or self._flow[0] is not looked:
            self._flow = looked, strip({name: found.activations for name, found in looked.items()})
        return self._flow

    def draw(self, values: Values) -> Iterator[Frame]:
        call = self.resolve(values).call
        choices = dict(call.choices)
        if pictures := choices.get("pictures"):
            choices["pictures"] = pictures.run()
        layer, channel = values["layer"], values["neuron"]
        tiles = arranged(self.response(layer).activations, **choices)  # the same, without another pass
        self._made = Made(call, tiles, values, {}, 1)
        code = str(call)
        shown = self.show(self._made)
        self.view.show_error(None)  # the rest takes its time
        if not self._opened:
            yield Frame(shown, code)
            return
        live = self.controls["camera"].live
        dossier = self.dossier.fill(layer, channel, values["examples"], self._seen_call(), live)
        yield Frame(shown | next(dossier), code)
        for outputs in dossier:
            yield Frame(outputs, code)

    def show(self, made: Made) -> dict[str, Shown]:
        layer, channel = made.values["layer"], made.values["neuron"]
        response, tiles, (_, flow) = self.response(layer), made.result, self._way()
        boxes = [self.receptive_field(layer)[response.place(channel)]] if response.spatial else []
        at = tiles.channels.tolist().index(channel)
        most = response.activations.reshape(response.shape[0], -1).amax(dim=1)
        strongest = most.argsort(descending=True, stable=True)[:NAMED]
        named = ", ".join(f"<b>{n}</b>" for n in strongest.tolist())
        column = self.layer_names.index(layer)
        best = flow.channels[:, column].tolist()
        row = best.index(channel) if channel in best else 0
        chosen = self.say("of", channel=channel, channels=response.shape[0], layer=layer)
        return {
            "photo": Marked(self.seen, boxes, brush=drawn(made.values), alone=True),
            "photo caption": self.say("photo caption"),
            "maps": _tile(tiles.image, tiles.grid, *divmod(at, tiles.columns)),
            "maps caption": f"{chosen}<br>{self.say('strongest')} {named}",
            "flow": _tile(flow.image, (STRONGEST, len(self.layer_names)), row, column, whole=True),
            "flow caption": self.say("flow"),
            "guesses": f"<b>{self.say('guesses')}</b>{bars(self._guesses(), '.0%', 90)}",
        }

    def _guesses(self) -> dict[str, float]:
        """What the network takes the photo for; of one whose last layer is no class score, by another pass."""
        last = self.layer_names[-1]
        if not self.is_output(last):
            return {html.escape(label): share for label, share in self.network.top(self.seen, GUESSES)}
        shares, numbers = self.response(last).activations.softmax(dim=0).topk(min(GUESSES, len(self.network.labels)))
        return {html.escape(self.network.labels[n]): p for n, p in zip(numbers.tolist(), shares.tolist())}


def _tile(image: Tensor, grid: tuple[int, int], row: int, column: int, whole: bool = False) -> Marked:
    """A picture of tiles to choose from, with a frame about this one, or about its ``whole`` column."""
    height, width = (side / count for side, count in zip(image.shape[2:], grid))
    top, bottom = (0, grid[0]) if whole else (row, row + 1)
    box = Box(round(top * height), round(column * width), round(bottom * height), round((column + 1) * width))
    place = (row + 0.5) * height, (column + 0.5) * width
    return Marked(image, [box], place, grid, alone=True)
