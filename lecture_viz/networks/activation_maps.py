"""All activation maps of a layer in one picture, and the way of a photo through all layers.

Yosinski et al. 2015 [25], section 2, watch a whole layer at once: every channel a tile, which lights up where the
channel fires. Sorted, the tiles say more:

    strength      max over places of a[c]
    selectivity   (√n − ‖a[c]‖₁ / ‖a[c]‖₂) / (√n − 1)       n places

Selectivity is Hoyer's sparseness (2004, section 3.1): 0 for a map that fires everywhere alike, 1 for one that fires at
a single place.

Where it misleads: a bright tile says *where* a channel fires, not what for. And with a scale of its own for each tile,
the faintest map looks as bright as the strongest.
"""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import torch
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor
from torch.nn import functional as F

from .. import maps
from .network import Network

ORDERS = ("index", "strength", "selectivity")
SIDE = 560  # of the picture, in pixels, about; tiles are enlarged, or averaged, to make it so
GAP = 2  # pixels between two tiles
STRONGEST = 3  # of each layer, in `flow`
TILE, HEAD = 56, 14  # pixels of a tile of `flow`, and of the line with its layer's name over the first one


class ActivationMaps(NamedTuple):
    """The ``image`` ``(1, 3, H, W)`` of all maps of a layer, and the ``channels`` ``(C,)`` of its tiles, row by row."""

    image: Tensor
    channels: Tensor
    columns: int

    @property
    def grid(self) -> tuple[int, int]:
        """Rows and columns of tiles."""
        return -(-len(self.channels) // self.columns), self.columns


class Flow(NamedTuple):
    """The ``image`` ``(1, 3, H, W)`` of the strongest maps of each layer, and their ``channels`` ``(3, layers)``."""

    image: Tensor
    channels: Tensor


def activation_maps(
    network: Network,
    photo: Tensor,
    layer: str,
    order: str = "index",
    one_scale: bool = False,
    pictures: Tensor | None = None,
) -> ActivationMaps:
    """All activation maps that ``photo`` ``(1, 3, H, W)`` causes in a layer, as one picture.

    Args:
        order: of the tiles: ``"index"``, or the ``"strength"`` or ``"selectivity"`` of their maps, largest first.
        one_scale: the same colours for all; else each tile has its own.
        pictures: shown in the place of the maps, one for each channel ``(C, 3, h, w)``, such as those of an atlas.

    Raises:
        ValueError: unknown layer or order, not an image, or another number of pictures than channels.
    """
    with torch.no_grad():
        activations = network.activations(network.check(photo), layer)[0]
    return arranged(activations, order, one_scale, pictures)


def arranged(
    activations: Tensor, order: str = "index", one_scale: bool = False, pictures: Tensor | None = None
) -> ActivationMaps:
    """The same, of ``activations`` ``(C, h, w)`` or ``(C,)`` that are known."""
    found = activations.cpu().contiguous() if activations.ndim == 3 else activations.cpu().view(-1, 1, 1)
    if pictures is not None and len(pictures) != len(found):
        raise ValueError(f"the layer has {len(found)} channels, and there are {len(pictures)} pictures: give one each")
    channels = sorted_by(found, order)
    columns = int(np.ceil(np.sqrt(len(found))))
    tiles = coloured(found, one_scale) if pictures is None else pictures
    return ActivationMaps(_joined(tiles[channels], columns, max(1, SIDE // columns - GAP)), channels, columns)


def sorted_by(activations: Tensor, order: str) -> Tensor:
    """The channels ``(C,)`` of ``activations`` ``(C, h, w)`` in one of `ORDERS`; equal ones by index.

    Raises:
        ValueError: no such order.
    """
    if order == "index":
        return torch.arange(len(activations))
    if order not in ORDERS:
        raise ValueError(f"order is one of {', '.join(ORDERS)}; got {order!r}")
    measure = strength if order == "strength" else selectivity
    return measure(activations).argsort(descending=True, stable=True).cpu()


def strength(activations: Tensor) -> Tensor:
    """The largest activation of each map: ``(C,)``, of ``(C, h, w)``."""
    return activations.flatten(1).amax(dim=1)


def selectivity(activations: Tensor) -> Tensor:
    """How few places of each map ``(C, h, w)`` fire: ``(C,)``, 0 … 1; 0 for a map of zeros, or of a single place."""
    flat = activations.flatten(1)
    root = flat.shape[1] ** 0.5
    if root == 1:
        return torch.zeros(len(flat))
    ratio = flat.abs().sum(dim=1) / flat.norm(dim=1)
    return ((root - ratio) / (root - 1)).nan_to_num(0)


def coloured(activations: Tensor, one_scale: bool) -> Tensor:
    """Maps ``(C, h, w)`` as pictures ``(C, 3, h, w)``; about 0, if any number is negative."""
    signed = bool(activations.min() < 0)
    largest = activations.flatten(1).abs().amax(dim=1)
    limits = torch.full_like(largest, maps.stretch(activations)) if one_scale else largest.clamp(min=1e-12)
    scaled = (activations / limits.view(-1, 1, 1))[:, None].cpu()
    return maps.show_signed(scaled, 1) if signed else maps.show_magnitude(scaled, 1)


def _joined(tiles: Tensor, columns: int, side: int) -> Tensor:
    """Tiles ``(N, 3, h, w)``, each about ``side`` pixels, in rows of ``columns``, with white between them."""
    height, width = tiles.shape[2:]
    if max(height, width) > side:
        tiles = F.interpolate(tiles, (side, side), mode="area")
    else:
        factor = side // max(height, width)
        tiles = tiles.repeat_interleave(factor, dim=2).repeat_interleave(factor, dim=3)
    tiles = F.pad(tiles, (0, GAP, 0, GAP), value=1)
    missing = -len(tiles) % columns
    tiles = torch.cat([tiles, torch.ones(missing, *tiles.shape[1:])])
    _, _, height, width = tiles.shape
    rows = tiles.view(-1, columns, 3, height, width).permute(2, 0, 3, 1, 4)
    return rows.reshape(1, 3, -1, columns * width)


def flow(network: Network, photo: Tensor) -> Flow:
    """The way of ``photo`` ``(1, 3, H, W)`` through the network: from each layer the three maps that fire most.

    Raises:
        ValueError: not an image.
    """
    with torch.no_grad():
        outputs = network.run(network.check(photo), network.layers)
    return strip({layer: output[0] for layer, output in outputs.items()})


def strip(activations: Mapping[str, Tensor]) -> Flow:
    """The same, of activations ``(C, h, w)`` or ``(C,)`` by layer that are known."""
    shown, channels = [], []
    for found in activations.values():
        found = found if found.ndim == 3 else found.view(-1, 1, 1)
        best = strength(found).argsort(descending=True, stable=True)[:STRONGEST].cpu()
        best = F.pad(best, (0, STRONGEST - len(best)), value=int(best[-1]))  # a layer of fewer channels
        tiles = F.interpolate(coloured(found[best], one_scale=found.shape[1:] == (1, 1)), (TILE, TILE))
        shown.append(F.pad(torch.cat([*F.pad(tiles, (0, 0, 0, GAP), value=1)], dim=1), (0, GAP), value=1))
        channels.append(best)
    image = torch.cat(shown, dim=2)
    image[:, :HEAD] = _names(tuple(activations))
    return Flow(image[None], torch.stack(channels, dim=1))


def _names(layers: tuple[str, ...]) -> Tensor:
    """The layers' names ``(3, HEAD, W)``, each above its column."""
    line = Image.new("RGB", (len(layers) * (TILE + GAP), HEAD), "white")
    font, drawing = ImageFont.load_default(11), ImageDraw.Draw(line)
    for n, layer in enumerate(layers):
        name = layer.removeprefix("inception")
        drawing.text((n * (TILE + GAP) + TILE / 2, HEAD / 2), name, "#333", font, anchor="mm")
    return torch.from_numpy(np.array(line)).permute(2, 0, 1).float() / 255
