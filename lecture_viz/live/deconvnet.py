"""Lesson 3: the nine pictures that excite a feature map most, and what the reversed network paints for them."""

import html
from collections.abc import Iterator
from typing import Any

import ipywidgets as widgets
import torch

from .. import images, plots
from ..deconvnet import UNPOOLINGS, NoChain, deconvnet
from ..gradients import gradient
from ..networks import Network
from ..pictures import Pictures
from ..receptive_field import receptive_fields
from ..targets import neuron
from ..top_patches import TopPatches, look, patches
from .neuron import WIDE, slider
from .panel import Frame, Panel


class Deconvnet(Panel):
    """The nine patches and their reconstructions; one of them large, with its photo.

    Controls: ``layer``, ``channel`` (the feature map), ``which`` of the nine, ``unpooling``; the neuron lies where the
    feature map fires most, unless ``strongest`` is off: then at ``row`` and ``column``.
    """

    name = "deconvnet"

    def __init__(
        self, network: Network, pictures: Any = "bundled", layer: str | None = None, channel: int = 0, size: int = 250
    ):
        """``pictures`` as in `top_patches`; the first look at them takes a while. ``size`` in screen pixels."""
        super().__init__()
        self.network = network
        self.pictures = Pictures(pictures, network.input_size)
        self._source = "'bundled'" if self.pictures.bundled else "pictures"
        fields = receptive_fields(network, list(network.layers))
        self._fields = {name: field for name, field in fields.items() if field.shape != (1, 1)}
        self._found = look(network, self.pictures, list(self._fields))
        self._nine: tuple[tuple[str, int], TopPatches] | None = None
        first = layer or list(self._fields)[len(self._fields) // 2]
        self.controls = {
            "layer": widgets.SelectionSlider(options=list(self._fields), value=first, description="layer", layout=WIDE),
            "channel": slider(
                "feature map", len(self._found.activations[first]) - 1, channel, "a channel of the layer"
            ),
            "which": widgets.IntSlider(1, 1, 9, description="which of 9", layout=WIDE),
            "unpooling": widgets.SelectionSlider(
                options=UNPOOLINGS, value="write", description="unpooling", layout=WIDE
            ),
            "strongest": widgets.Checkbox(True, description="where it fires most", indent=True, layout=WIDE),
            "row": slider("row", 0, 0, "row of the neuron in its feature map"),
            "column": slider("column", 0, 0, "column of the neuron in its feature map"),
        }
        shown = [
            self.picture("patches", "the patches of nine pictures that excite the feature map most", size),
            self.picture("reconstructions", "what the reversed network paints for each of the nine", size),
            self.picture("photo", "one of the pictures, with a frame about what the neuron sees", size),
            self.picture("reconstruction", "what the reversed network paints for that neuron", size),
        ]
        self.assemble(self.columns(4), self.row(*shown))

    def adjust(self, values: dict[str, Any]) -> dict[str, Any]:
        layer = values["layer"]
        rows, columns = self._fields[layer].shape
        limits = {"channel": len(self._found.activations[layer]) - 1, "row": rows - 1, "column": columns - 1}
        values = self.limit(values, limits)
        values = self.limit(values, {"which": len(self._of(layer, values["channel"]).photos)})
        if not values["strongest"]:
            return self.steer(values)
        _, row, column = self._found.places[layer][values["channel"], values["which"] - 1].tolist()
        return self.steer(values, row=row, column=column)

    def _of(self, layer: str, channel: int) -> TopPatches:
        if self._nine is None or self._nine[0] != (layer, channel):
            self._nine = (layer, channel), patches(self.network, self.pictures, self._found, layer, channel)
        return self._nine[1]

    def draw(self, values: dict[str, Any]) -> Iterator[Frame]:
        layer, channel, which = values["layer"], values["channel"], values["which"] - 1
        nine = self._of(layer, channel)
        photo = nine.photos[which]
        target = neuron(layer, channel, y=values["row"], x=values["column"])
        box = self._fields[layer][values["row"], values["column"]]
        value = target(self.network, photo).item()
        arguments = f"(net, found.photos[{which}], {target}, "
        try:
            painted = deconvnet(self.network, photo, target, values["unpooling"])
            code, how = f"lv.deconvnet{arguments}{values['unpooling']!r})", "reconstruction"
        except NoChain:
            painted = gradient(self.network, photo, target, rule="deconvnet")
            code, how = f"lv.gradient{arguments}rule='deconvnet')", "by the rule, because the network branches"
        limit = images.stretch(torch.cat([part.flatten() for part in nine.reconstructions]))
        shown = [images.show_signed(part, limit) for part in nine.reconstructions]
        what = html.escape(str(target).removeprefix("lv."))
        first, last = nine.activations[0].item(), nine.activations[-1].item()
        yield Frame(
            {
                "patches": plots.mosaic(nine.patches, chosen=which),
                "patches caption": f"<b>{len(nine.photos)} patches</b> that excite feature map {channel} of {layer} "
                f"most: {first:.1f} … {last:.1f}",
                "reconstructions": plots.mosaic(shown, chosen=which),
                "reconstructions caption": "<b>what of each patch counted</b>: grey is nothing",
                "photo": plots.framed(photo, box),
                "photo caption": f"<b>{what}</b> = {value:.2f}<br>{html.escape(nine.names[which])}, "
                f"seen: {box.right - box.left}×{box.bottom - box.top} pixels",
                "reconstruction": images.show_signed(painted),
                "reconstruction caption": f"<b>{how}</b>: grey is 0, full colour ±{images.stretch(painted):.2g}",
            },
            f"found = lv.top_patches(net, {self._source}, {layer!r}, {channel})\n{code}",
        )
