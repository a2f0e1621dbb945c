"""The small trained networks that ship inside the package, at 64×64 pixels and with 200 classes.

``alexnet64`` is the lecture's chain (Krizhevsky et al. 2012): five convolutions, three *overlapping* 3/2 max-pools,
three fully connected layers. ``inception64`` is a small GoogLeNet (Szegedy et al. 2015): two convolutions and nine
inception modules, which look at every place at four scales at once. ``inception64_robust`` is the same network, trained
on with pictures that were changed a little so as to mislead it (`lecture_viz.training.adversarial`).

Batch normalisation is used while training only and folded into the convolutions on export
(`lecture_viz.training.export`), so what students see is convolution, ReLU, pool. The first convolutions have stride 1:
a strided one leaves a checkerboard in every gradient.
"""

import hashlib
import json
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor, nn

from .. import languages
from .network import Network, WeightsUnavailable
from .random_weights import seeded

WEIGHTS = Path(__file__).parent / "weights"
CHECKSUMS = "SHA256SUMS"  # in the folder of the weights, in the format of the command sha256sum
ALEXNET64_CHANNELS = (32, 96, 192, 192, 128)  # conv1 … conv5
ALEXNET64_HIDDEN = 320  # fc6 and fc7; keeps the half-precision file under 8 MB

# Outputs as in Table 1 of Szegedy et al. 2015, about a third as many: 1×1, 3×3 reduce, 3×3, 5×5 reduce, 5×5, pool
INCEPTION64_MODULES = {
    "3a": (64, 64, 96, 16, 32, 32),
    "3b": (80, 96, 128, 24, 48, 32),
    "4a": (112, 96, 176, 24, 48, 48),
    "4b": (112, 96, 176, 24, 48, 48),
    "4c": (112, 112, 208, 32, 64, 48),
    "4d": (112, 112, 208, 32, 64, 48),
    "4e": (144, 128, 256, 32, 80, 64),
    "5a": (160, 128, 288, 40, 96, 96),
    "5b": (192, 160, 320, 48, 128, 128),
}


def _add(parts: nn.Sequential, name: str, number: int | str, layer: nn.Module, batch_norm: bool) -> None:
    """Append weight layer, batch norm (when asked) and ReLU."""
    parts.add_module(f"{name}{number}", layer)
    if batch_norm:
        norm = nn.BatchNorm2d(layer.out_channels) if name == "conv" else nn.BatchNorm1d(layer.out_features)
        parts.add_module(f"bn{number}", norm)
    parts.add_module(f"relu{number}", nn.ReLU())


def _convolution(incoming: int, outgoing: int, kernel: int, batch_norm: bool) -> nn.Conv2d:
    return nn.Conv2d(incoming, outgoing, kernel, padding=kernel // 2, bias=not batch_norm)


def _pool() -> nn.MaxPool2d:
    return nn.MaxPool2d(kernel_size=3, stride=2, padding=1)


def alexnet64(n_labels: int = 200, batch_norm: bool = False) -> nn.Sequential:
    """The bare chain ``conv1 relu1 pool1 … fc8``, untrained.

    Takes normalised pictures ``(B, 3, 64, 64)``; larger or smaller ones are averaged to the head's 8×8 grid, which
    does nothing at 64×64. ``batch_norm=True`` adds ``bn1 … bn7`` for training.
    """
    chain = nn.Sequential()
    incoming = 3
    for number, outgoing in enumerate(ALEXNET64_CHANNELS, start=1):
        _add(chain, "conv", number, _convolution(incoming, outgoing, 5 if number == 1 else 3, batch_norm), batch_norm)
        if number in (1, 2, 5):
            chain.add_module(f"pool{number}", _pool())
        incoming = outgoing
    chain.add_module("grid", nn.AdaptiveAvgPool2d(8))
    chain.add_module("flatten", nn.Flatten())
    incoming *= 8 * 8
    for number in (6, 7):
        _add(chain, "fc", number, nn.Linear(incoming, ALEXNET64_HIDDEN, bias=not batch_norm), batch_norm)
        incoming = ALEXNET64_HIDDEN
    chain.add_module("fc8", nn.Linear(incoming, n_labels))
    return chain


class Inception(nn.Module):
    """An inception module: ``branch1`` 1×1, ``branch2`` 3×3, ``branch3`` 5×5, ``branch4`` pool; stacked in this order.

    A 1×1 convolution reduces the channels before the larger kernels, and follows the pool.
    """

    def __init__(
        self, incoming: int, n1: int, reduce3: int, n3: int, reduce5: int, n5: int, n_pool: int, batch_norm: bool
    ):
        super().__init__()

        def branch(*layers: tuple[int, int], pool: bool = False) -> nn.Sequential:
            parts = nn.Sequential()
            if pool:
                parts.add_module("pool", nn.MaxPool2d(kernel_size=3, stride=1, padding=1))
            before = incoming
            for number, (outgoing, kernel) in enumerate(layers, start=1):
                _add(parts, "conv", number, _convolution(before, outgoing, kernel, batch_norm), batch_norm)
                before = outgoing
            return parts

        self.branch1 = branch((n1, 1))
        self.branch2 = branch((reduce3, 1), (n3, 3))
        self.branch3 = branch((reduce5, 1), (n5, 5))
        self.branch4 = branch((n_pool, 1), pool=True)
        self.out_channels = n1 + n3 + n5 + n_pool

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat([self.branch1(x), self.branch2(x), self.branch3(x), self.branch4(x)], dim=1)


def inception64(n_labels: int = 200, batch_norm: bool = False) -> nn.Sequential:
    """The bare network ``conv1 relu1 pool1 conv2 relu2 pool2 inception3a … inception5b average fc``, untrained.

    Takes normalised pictures ``(B, 3, H, W)`` of any size from 32×32: the head averages over all places.
    """
    network = nn.Sequential()
    incoming = 3
    for number, (outgoing, kernel) in enumerate(((32, 5), (96, 3)), start=1):
        _add(network, "conv", number, _convolution(incoming, outgoing, kernel, batch_norm), batch_norm)
        network.add_module(f"pool{number}", _pool())
        incoming = outgoing
    for name, channels in INCEPTION64_MODULES.items():
        module = Inception(incoming, *channels, batch_norm=batch_norm)
        network.add_module(f"inception{name}", module)
        if name in ("3b", "4e"):
            network.add_module(f"pool{name[0]}", _pool())
        incoming = module.out_channels
    network.add_module("average", nn.AdaptiveAvgPool2d(1))
    network.add_module("flatten", nn.Flatten())
    network.add_module("fc", nn.Linear(incoming, n_labels))
    return network


ARCHITECTURES = {"alexnet64": alexnet64, "inception64": inception64, "inception64_robust": inception64}


def read_checksums(folder: Path) -> dict[str, str]:
    """``{file name: SHA-256}`` of the weights in ``folder``."""
    file = folder / CHECKSUMS
    lines = file.read_text().splitlines() if file.exists() else []
    return {name: checksum for checksum, name in (line.split() for line in lines)}


def read_card(name: str, folder: Path | None = None) -> str | None:
    """The card beside a network's weights, in the language in use if it was translated; ``None``: there is none."""
    folder = folder or WEIGHTS
    cards = (folder / languages.current() / f"{name}.md", folder / f"{name}.md")
    return next((card.read_text(encoding="utf-8") for card in cards if card.exists()), None)


def read_weights(path: Path) -> tuple[dict[str, Tensor], dict[str, str]]:
    """The weights in a file, in single precision, and its metadata.

    Raises:
        WeightsUnavailable: the file is missing or damaged.
    """
    try:
        with path.open("rb") as file:
            if hashlib.file_digest(file, "sha256").hexdigest() != read_checksums(path.parent)[path.name]:
                raise OSError(f"its checksum is not the one in {CHECKSUMS}")
        with safe_open(path, framework="pt") as file:  # memory-mapped, and no pickle
            return {key: file.get_tensor(key).float() for key in file.keys()}, file.metadata()  # noqa: SIM118
    except (OSError, KeyError, SafetensorError) as error:
        raise WeightsUnavailable(
            f"the weights of {path.stem} at {path} are missing or damaged ({error}); install the package again"
        ) from error


def load_embedded(name: str, trained: bool = True, folder: Path | None = None) -> Network:
    """An embedded network with its shipped weights (or those in ``folder``), or with random ones (seed 0).

    Raises:
        WeightsUnavailable: the weights file is missing or damaged.
    """
    path = (folder or WEIGHTS) / f"{name}.safetensors"
    weights, about = read_weights(path)
    labels = json.loads(about["labels"])
    with torch.device("meta") if trained else seeded():
        module = ARCHITECTURES[name](len(labels))
    if trained:
        module.load_state_dict(weights, assign=True)
    names = [part for part, _ in module.named_children() if part not in ("grid", "flatten")]
    return Network(
        module,
        name=name,
        input_size=64,
        mean=json.loads(about["mean"]),
        std=json.loads(about["std"]),
        labels=labels,
        layers={name: name for name in names},
        card=read_card(name, path.parent),
    )
