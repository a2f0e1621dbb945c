"""Atlas: what every channel of a layer looks for, one small optimised picture each.

Activation maximisation (`maximization`), the same recipe for all channels, so that a whole layer can be looked through
at a glance (Yosinski et al. 2015 [25], section 3; Olah et al. 2017 [17], appendix "Layer by layer"). Making one takes a
fraction of a second, making all of them minutes to an hour; so the pictures of the networks that come with the suite
come with it, too: ``python -m lecture_viz.training atlas NETWORK`` made them.

    read(network, "conv3")         all pictures of a layer, stored
    draw(network, "conv3", [12])   those of some channels, made now

A channel that is zero everywhere at the start, behind a ReLU, has no slope to climb. It begins with that of many stark
clouds which excites it most; one that is silent at all of them stays as it began.

Where it misleads: one picture from one start. A channel may answer to other things as well (`diversity`).
"""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from PIL import Image
from torch import Tensor

from ..maps import to_pil
from ..networks import Network
from ..networks.fingerprint import fingerprint
from ..photos import load_image
from ..targets import Target, channel, neuron
from .maximization import maximize, start_image
from .optimization import last
from .robustness import jitter, rotation, scale

FOLDER = Path(__file__).parent / "atlases"
# layers that ship, those with weights of their own: the ReLU and the pool behind one look for the same
LAYERS = {
    "alexnet64": ("conv1", "conv2", "conv3", "conv4", "conv5", "fc8"),
    "inception64": ("conv1", "conv2", "inception3a", "inception3b", "inception4b", "inception5a"),
    "efficientnet_lite0": ("conv1", "block1a", "block2b", "block3b", "block4a", "block5c", "block6d", "block7a"),
}
SEED = 0
CLOUDS, STARK = 64, 4.0  # how many a silent channel can choose from, and how much starker than usual they are
BATCH = 16
COLUMNS = 16  # of a sheet
QUALITY = 60  # of its file, up to 100


def draw(network: Network, layer: str, channels: Sequence[int]) -> Tensor:
    """A picture of what each of ``channels`` of a layer looks for: ``(N, 3, size, size)``.

    The same whichever channels stand beside it: all share the random transforms and their start.

    Raises:
        ValueError: unknown layer, or a channel that it does not have.
    """
    targets, starts = zip(*(begin(network, layer, n) for n in channels))
    steps, choices = recipe(network)
    return last(maximize(network, targets, steps, start=torch.cat(starts), **choices)).image


def begin(network: Network, layer: str, number: int, count: int = 1) -> tuple[Target, Tensor]:
    """The target of a channel, and ``count`` pictures to begin with."""
    _, choices = recipe(network)
    size, keep, seed = (choices[name] for name in ("size", "parameterization", "seed"))
    faint = start_image(network, "noise", count, size, keep, seed)
    with torch.no_grad():
        outputs: dict[str | None, Tensor] = {layer: network.activations(faint, layer)}
        target = (channel if outputs[layer].ndim == 4 else neuron)(layer, number)
        target.read(network, outputs)  # refuses a channel that the layer does not have
        if outputs[layer][:, number].any():
            return target, faint
        clouds = start_image(network, "clouds", CLOUDS, size, seed=seed)
        clouds = ((clouds - 0.5) * STARK + 0.5).clamp(0, 1)
        return target, clouds[target(network, clouds).topk(count).indices]


def recipe(network: Network) -> tuple[int, dict[str, Any]]:
    """Steps, and what `maximize` takes besides; at full size pictures are smaller than photos, and smooth."""
    steps, size, keep = (128, 96, "smooth fourier") if network.full_size else (64, 64, "fourier")
    transforms = [jitter(size / 16), rotation(5), scale(0.1)]
    return steps, {"size": size, "seed": SEED, "parameterization": keep, "transforms": transforms}


def told(network: Network) -> str:
    """The recipe as code."""
    steps, choices = recipe(network)
    return f"lv.maximize(net, targets, {steps}, start=start, {', '.join(f'{n}={v!r}' for n, v in choices.items())})"


def source(network: Network, layer: str) -> str:
    """The layer with weights whose channels ``layer`` shows: of a ReLU or a pool the one before it, else itself."""
    names = [*network.layers]
    network.part(layer)
    if layer not in names:
        return layer
    at = names.index(layer)
    while at and not any(True for _ in network.part(names[at]).parameters()):
        at -= 1
    return names[at]


def read(network: Network, layer: str) -> Tensor:
    """The stored pictures of a layer ``(C, 3, size, size)``; of a ReLU or a pool those of the layer before it.

    Raises:
        ValueError: unknown layer.
        FileNotFoundError: none are stored, or they are of other weights (says how to make them).
    """
    name = source(network, layer)
    if not is_stored(network, layer):
        raise FileNotFoundError(
            f"no atlas of {name} of {network.name} with these weights is stored; it is made by "
            f"python -m lecture_viz.training atlas {network.name} --layers {name}"
        )
    entry = index(network.name)["layers"][name]
    sheet = load_image(FOLDER / entry["file"])
    size = entry["size"]
    cells = sheet.unfold(2, size, size).unfold(3, size, size)  # (1, 3, rows, columns, size, size)
    return cells[0].flatten(1, 2).transpose(0, 1)[: entry["channels"]]


def is_stored(network: Network, layer: str) -> bool:
    """Whether `read` finds pictures of a layer of this network, with just these weights."""
    about = index(network.name)
    return source(network, layer) in about.get("layers", {}) and about["weights"] == fingerprint(network.module)


def index(name: str) -> dict[str, Any]:
    """What is stored of a network: its weights' fingerprint, and for each layer file, recipe, seed and size."""
    file = FOLDER / f"{name}.json"
    return json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}


def keep(network: Network, layer: str, pictures: Tensor) -> None:
    """Store the ``pictures`` ``(C, 3, size, size)`` of a layer, and say how they were made."""
    count, _, size, _ = pictures.shape
    sheet = Image.new("RGB", (COLUMNS * size, -(-count // COLUMNS) * size), "white")
    for n, picture in enumerate(pictures):
        sheet.paste(to_pil(picture), (n % COLUMNS * size, n // COLUMNS * size))
    FOLDER.mkdir(exist_ok=True)
    file = f"{network.name}_{layer}.webp"
    sheet.save(FOLDER / file, quality=QUALITY, method=6)
    weights, about = fingerprint(network.module), index(network.name)
    layers = about.get("layers", {}) if about.get("weights") == weights else {}
    layers[layer] = {"file": file, "channels": count, "size": size, "recipe": told(network), "seed": SEED}
    ordered = {name: layers[name] for name in network.layers if name in layers}
    about = {"network": network.name, "weights": weights, "layers": ordered}
    (FOLDER / f"{network.name}.json").write_text(json.dumps(about, indent=1) + "\n", encoding="utf-8")
