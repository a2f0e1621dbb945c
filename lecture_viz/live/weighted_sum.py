"""Lesson 10: a neuron is a sum: what it reads, its weights, the products; and on to what it has read."""

import math
from typing import Any

import ipywidgets as widgets
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .. import maps
from ..networks import Network
from ..networks.weighted_sum import WeightedSum as Sum
from ..networks.weighted_sum import summed, weighted_sum
from ..photos import Box
from .kit.call import Call, Values
from .kit.neuron import NeuronPanel, slider
from .kit.photo import WIDE
from .kit.picture import Marked, signed
from .kit.prediction import Question, Verdict
from .kit.resolved import Made, Resolved
from .kit.view import Shown

SHOWN = 9  # channels, those that add or take away most
ACROSS = 3  # of them side by side
CELLS = 25  # of a window, at most, are written as numbers
POOLS = nn.MaxPool2d, nn.AvgPool2d, nn.AdaptiveAvgPool2d
GESTURE = 500  # milliseconds: a click that drags a little, or a double one, is one step
LIGHT = torch.tensor([0.2126, 0.7152, 0.0722])  # what red, green and blue add to the luminance (ITU-R BT.709)
COLOURS = ("red", "green", "blue")
# neurons of the first layer whose weights differ from colour to colour
COLOURFUL = {"alexnet64": 11, "inception64": 3, "inception64_robust": 3, "efficientnet_lite0": 23}
WEIGHTED = ("convolution", "fully connected")


class WeightedSum(NeuronPanel):
    """The photo, and channel by channel what the neuron reads, its weights and the products, as colours and numbers.

    A click on a number goes on to the neuron that has made it. Controls: ``photo``, ``layer`` (those whose neurons are
    one sum), ``neuron``, ``strongest``, ``row``, ``column``.
    """

    name = "weighted sum"
    question = Question("deep", ("few", "half", "most"), before="colours")

    def __init__(self, network: Network, photo: Tensor | str, label: str | int | None = None, size: int = 160):
        """``label`` is the class of the last preset, by default the most probable one; ``size`` in screen pixels."""
        super().__init__(network, photo, label)
        self._shown: Sum | None = None  # the one on screen
        first = self.presets({})["colours"]
        self.controls |= {
            "layer": widgets.SelectionSlider(options=self.layer_names, value=first["layer"], layout=WIDE),
            "neuron": slider(self.response(first["layer"]).shape[0] - 1, first["neuron"]),
            "strongest": widgets.Checkbox(True, indent=True, layout=WIDE),
            "row": slider(),
            "column": slider(),
        }
        columns = [
            self.view.column(self.view.picture(name, size), *below)
            for name, *below in (
                ("photo",),
                *((name, self.view.text(f"{name} numbers")) for name in ("window", "weights", "products")),
            )
        ]
        four = widgets.Layout(grid_template_columns="repeat(4, minmax(0, 250px))", grid_gap="4px 16px")
        self.assemble(self.columns(4), widgets.GridBox(columns, layout=four), self.view.text("sum"))

    @property
    def layer_names(self) -> tuple[str, ...]:
        return summed(self.network)

    def _output(self) -> Values:
        if not self.layer_names:
            raise ValueError(self.say("no sum", network=self.network.name))
        output, last = super()._output(), self.layer_names[-1]
        return output if output["layer"] == last else {"layer": last, "neuron": self.response(last).loudest}

    def presets(self, values: Values) -> dict[str, Values]:
        def loudest(number: int, *kinds: type[nn.Module]) -> Values:
            found = [layer for layer in self.layer_names if isinstance(self.network.part(layer), kinds)]
            layer = (found or self.layer_names)[number]
            return {"layer": layer, "neuron": self.response(layer).loudest, "strongest": True}

        first = loudest(0, nn.Conv2d)
        return {
            "colours": first | {"neuron": COLOURFUL.get(self.network.name, first["neuron"])},
            "pool": loudest(0, *POOLS),
            "deep": loudest(-1, nn.Conv2d),
            "class": self.output | {"strongest": True},
        }

    def verdict(self) -> Verdict:
        products = self.made.result.products
        zero = (products == 0).float().mean().item()
        right = "few" if zero < 1 / 3 else "half" if zero < 2 / 3 else "most"
        return right, {"zero": zero, "count": products.numel()}

    def resolve(self, values: Values) -> Resolved:
        asked = (values[name] for name in ("layer", "neuron", "strongest", "row", "column"))
        _, limits, disabled, placed = self.at_place(*asked)
        place = {"y": placed["row"], "x": placed["column"]} if self.response(values["layer"]).spatial else {}
        call = Call.of(weighted_sum, self.net(), self.photo_call(), values["layer"], placed["neuron"], **place)
        return Resolved(call, values | placed, limits, disabled, {"layer": self.layer_names})

    def point(self, values: Values, picture: str, row: int, column: int) -> Values:
        """In the photo the place of the neuron; else on to the neuron whose number this is, if there is one."""
        if picture == "photo":
            return values | {"strongest": False, "row": row, "column": column}
        found = self._shown
        if found is None or found.before not in self.layer_names:
            return values
        strongest, (_, height, width) = _strongest(found), found.window.shape
        (down, i), (right, j) = divmod(row, height), divmod(column, width)
        tile = ACROSS * down + right
        if tile >= len(strongest):
            return values
        read = self.response(found.before)
        place = found.channels[strongest[tile]], found.rows[i], found.columns[j]
        if not all(0 <= n < size for n, size in zip(place, read.shape)):  # beyond the border
            return values
        chosen = zip(("neuron", "row", "column"), place[: len(read.shape)])
        return values | {"layer": found.before, "strongest": False, **dict(chosen)}

    def _place_chosen(self, change: dict[str, Any]) -> None:
        before, now = change["old"], change["new"]
        if change["owner"].name == "photo" or not before or now[2] - before[2] > GESTURE:
            super()._place_chosen(change)

    def show(self, made: Made) -> dict[str, Shown]:
        found, values = made.result, made.values
        self._shown = found
        layer, *at = (values[name] for name in ("layer", "neuron", "row", "column"))
        strongest, products, photo = _strongest(found), found.products, Marked(self.photo, alone=True)
        source = {None: self.say("the photo"), "": self.say("no layer")}.get(found.before, found.before)
        named = {"before": source, "count": len(strongest), "total": len(found.channels)}
        zeros = {"count": products.numel(), "zeros": (products == 0).float().mean().item()}
        captions = {
            "window": self.say("window caption", **named),
            "weights": self.say("weights caption" if found.kind in WEIGHTED else "switches caption"),
            "products": self.say("products caption", **zeros),
        }
        told = [self.say("value", what=self.target(layer, *at).name, value=found.value)]
        told += [self.say(found.kind, count=products.numel())]
        told += [self.say("follow")] if found.before in self.layer_names else []
        outputs: dict[str, Shown] = {
            "photo": self.marked(values, photo) if self.response(layer).spatial else photo,
            "photo caption": "<br>".join(told),
            "sum": self._sum(found, strongest, source, {layer: found.value} | self._behind(layer, at)),
        }
        for name, caption in captions.items():
            numbers = getattr(found, name)[strongest]
            outputs[name] = picture = _picture(numbers, found, found.before in self.layer_names)
            scale = self.say("signed scale" if picture.scale == "colours" else "scale", limit=picture.limit)
            outputs[f"{name} caption"] = f"{caption}<br>{scale}"
            outputs[f"{name} numbers"] = self._numbers(numbers[0], picture.limit, self._channel(found, strongest[0]))
        return outputs

    def _channel(self, found: Sum, number: int) -> str:
        """How a channel of the window is called."""
        channel = found.channels[number]
        return self.say(COLOURS[channel]) if found.before is None else str(channel)

    def _behind(self, layer: str, at: list[int]) -> dict[str, float]:
        """What the ReLU behind a layer makes of its neuron, if there is one."""
        behind = dict(zip(self.network.layers, self.network.layers[1:])).get(layer)
        if behind is None or not isinstance(self.network.part(behind), nn.ReLU | nn.ReLU6):
            return {}
        activations = self.response(behind).activations
        return {behind: activations[tuple(at[: activations.ndim])].item()}

    def _numbers(self, numbers: Tensor, limit: float, channel: str) -> str:
        """A window of one channel, or nothing if it has one number or too many."""
        if not 1 < numbers.numel() <= CELLS:
            return ""
        rows = "".join(f"<tr>{_cells(row, limit)}</tr>" for row in numbers)
        return _table(self.say("channel", channel=channel), rows)

    def _sum(self, found: Sum, strongest: list[int], source: str, results: dict[str, float]) -> str:
        """What each channel adds, the others together, and the bias; and what comes out."""
        parts = found.parts[strongest]
        rest = len(found.channels) - len(strongest)
        added = {self.say("others", count=rest): found.value - found.bias - parts.sum().item()} if rest else {}
        added |= {self.say("bias"): found.bias} if found.kind in WEIGHTED or found.bias else {}
        channels = [self._channel(found, number) for number in strongest]
        titles = "".join(
            f'<th style="padding:0 5px">{title}</th>'
            for title in (source, *channels, *added, *(f"= {name}" for name in results))
        )
        rows = [f"<tr>{titles}</tr>"]
        if found.window[0].numel() == 1:
            for name in ("window", "weights"):
                numbers = getattr(found, name)[strongest].flatten()
                rows.append(f"<tr><th>{self.say(f'{name} row')}</th>{_cells(numbers, _limit(numbers), 3)}</tr>")
        numbers = torch.tensor([*parts.tolist(), *added.values()])
        values = "".join(f"<td><b>{value:.3g}</b></td>" for value in results.values())
        rows.append(f"<tr><th>{self.say('products row')}</th>{_cells(numbers, _limit(numbers), 3)}{values}</tr>")
        return _table(self.say("sum"), "".join(rows))


def _strongest(found: Sum) -> list[int]:
    """The channels of the window that add or take away most, in this order."""
    return found.parts.abs().argsort(descending=True, stable=True)[:SHOWN].tolist()


def _limit(numbers: Tensor) -> float:
    """What full colour stands for."""
    return numbers.abs().max().item() or 1.0


def _picture(numbers: Tensor, found: Sum, follows: bool) -> Marked:
    """Numbers of several channels ``(n, kh, kw)``, a pixel each: of a photo its colours, else framed channels."""
    limit, (count, height, width) = _limit(numbers), numbers.shape
    if found.before is None and count == len(COLOURS):
        return signed(numbers[torch.tensor(_strongest(found)).argsort()][None], limit)
    across = min(ACROSS, count)
    tiles = F.pad(numbers, (0, 0, 0, 0, 0, -count % across)).unflatten(0, (-1, across))
    image = maps.show_signed(tiles.transpose(1, 2).flatten(2).flatten(0, 1)[None, None], limit)
    corners = [(n // across * height, n % across * width) for n in range(count)]
    boxes = [Box(top, left, top + height, left + width) for top, left in corners]
    return Marked(image, boxes, limit=limit, scale="signed", grid=image.shape[2:] if follows else ())


def _table(caption: str, rows: str) -> str:
    return f'<table class="lv-numbers" style="font-size:13px"><caption>{caption}</caption>{rows}</table>'


def _cells(numbers: Tensor, limit: float, digits: int = 2) -> str:
    """Numbers ``(n,)`` in the colours of the pictures, to so many digits of the limit."""
    decimals = min(3, max(0, digits - 1 - math.floor(math.log10(limit))))
    cells = ""
    for number, colour in zip(numbers.tolist(), maps.show_signed(numbers.view(1, 1, 1, -1), limit)[0, :, 0].T):
        ink = "#000" if colour.pow(2.2) @ LIGHT > 0.18 else "#fff"
        red, green, blue = (255 * colour).round().int().tolist()
        style = f"background:rgb({red},{green},{blue});color:{ink};width:auto;height:26px;padding:0 3px"
        cells += f'<td style="{style}">{number:z.{decimals}f}</td>'
    return cells
