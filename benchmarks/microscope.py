"""The microscope: tiles against the bare pass and drawing, frames of a camera, how long a dossier takes, atlases."""

import math
import statistics
import time
from collections.abc import Iterator

import numpy as np
import torch
from matplotlib import colormaps

import lecture_viz as lv
from lecture_viz.maps import encode
from lecture_viz.networks.activation_maps import GAP, SIDE
from lecture_viz.optimization_based.diversity import SHARE, alike

from .compare import Result, ratio, seconds

LAYERS = {"alexnet64": ("conv2", "relu3", "relu5"), "efficientnet_lite0": ("block2b", "block4a", "block5c")}
LIMITS = {"alexnet64": (100, 8), "efficientnet_lite0": (200, 25)}  # ms for a frame of the camera; s for a dossier
FRAMES, UNITS = 40, 5


def results() -> Iterator[Result]:
    for name, layers in LAYERS.items():
        network = lv.load_network(name, device="cpu")
        photo = lv.load_image("cat", network.input_size)
        for layer in layers:
            yield _tiles(network, photo, layer)
        yield from _panel(network, layers)
        for layer in layers[1:]:
            yield from _diverse(network, layer)
            took = seconds(lambda layer=layer, network=network: lv.atlas.draw(network, layer, range(16)))
            yield Result(f"atlas, {name} {layer}: one channel of 16 at once", took / 16, unit=" s")


def _tiles(network: lv.Network, photo: torch.Tensor, layer: str) -> Result:
    def bare() -> bytes:
        with torch.no_grad():
            maps = network.activations(photo, layer)[0].numpy()
        count, height, _ = maps.shape
        columns = math.ceil(math.sqrt(count))
        factor = max(1, (SIDE // columns - GAP) // height)
        low, high = maps.min(axis=(1, 2), keepdims=True), maps.max(axis=(1, 2), keepdims=True)
        colours = colormaps["magma"](((maps - low) / (high - low + 1e-12) * 255).astype(np.uint8), bytes=True)[..., :3]
        tiles = colours.repeat(factor, 1).repeat(factor, 2)
        tiles = np.pad(tiles, ((0, -count % columns), (0, GAP), (0, GAP), (0, 0)), constant_values=255)
        joined = tiles.reshape(-1, columns, *tiles.shape[1:]).transpose(0, 2, 1, 3, 4)
        picture = joined.reshape(joined.shape[0] * joined.shape[1], -1, 3)
        return encode(torch.from_numpy(picture / np.float32(255)).permute(2, 0, 1)[None], "jpeg")

    def ours() -> bytes:
        return encode(lv.activation_maps(network, photo, layer, "strength").image, "jpeg")

    what = f"all maps of {layer}, {network.name}, sorted and coloured: against the bare pass, drawing and file"
    return ratio(what, ours, bare, 1.3)


def _panel(network: lv.Network, layers: tuple[str, ...]) -> Iterator[Result]:
    panel = lv.live.microscope(network, "cat")
    panel.wait()
    frame_limit, dossier_limit = LIMITS[network.name]
    camera = panel.controls["camera"]
    frames = [encode(lv.load_image(name, 480), "jpeg") for name in ("coffee", "rocket")]
    for layer in layers:
        panel.set(layer=layer)
        camera.live, took = True, []
        for n in range(FRAMES):
            started = time.perf_counter()
            camera.value = memoryview(frames[n % 2])
            panel.wait()
            took.append(1000 * (time.perf_counter() - started))
        camera.live = False
        note = "in the kernel: pass, tiles, way through the layers, answers, files"
        what = f"microscope, {network.name} {layer}: a frame of the camera"
        yield Result(what, statistics.median(took), frame_limit, " ms", note)
    panel.set(photo="cat")
    firsts, wholes = [], []
    show = panel.view.show
    for n in range(UNITS):
        shown: list[float] = []
        panel.view.show = lambda outputs, code, shown=shown: (show(outputs, code), shown.append(time.perf_counter()))
        started = time.perf_counter()
        panel.set(neuron=(panel.values["neuron"] + 7 * n + 1) % 60)
        firsts.append(shown[0] - started)
        wholes.append(time.perf_counter() - started)
    yield Result(f"dossier, {network.name}: its first part", statistics.median(firsts), 0.2, " s")
    yield Result(f"dossier, {network.name}: all of it", statistics.median(wholes), dossier_limit, " s")


def _diverse(network: lv.Network, layer: str) -> Iterator[Result]:
    """With the term on Gram matrices, against four starts alone."""
    likeness, fires, share = {}, {}, SHARE[network.full_size]
    for term in (0.0, share):
        SHARE[network.full_size] = term
        pictures = [lv.last(lv.diverse(network, layer, channel)).image for channel in (3, 7, 20)]
        with torch.no_grad():
            likeness[term] = statistics.mean(alike(network, four, layer).mean().item() for four in pictures)
            values = [lv.channel(layer, n)(network, four).mean().item() for n, four in zip((3, 7, 20), pictures)]
            fires[term] = values
    kept = statistics.mean(one / alone for one, alone in zip(fires[share], fires[0.0]) if alone > 0)
    what = f"four pictures of a channel, {network.name} {layer}"
    yield Result(f"{what}: alike", likeness[share], likeness[0.0], "", f"{likeness[0.0]:.2f} without the term")
    yield Result(f"{what}: fires less, part", 1 - kept, 0.2, "", "mean of three channels, against four starts alone")
