"""The small trained networks that ship inside the package.

``alexnet64`` is the lecture's chain (Krizhevsky et al. 2012) at 64×64 pixels: five convolutions, three
*overlapping* 3/2 max-pools, three fully connected layers, 200 classes. Batch normalisation is used while
training only and folded into the convolutions on export (`lecture_viz.training.export`), so what students see
is convolution, ReLU, pool. The first convolution has stride 1: a strided one leaves a checkerboard in every
gradient.
"""

import json
from collections import OrderedDict
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from torch import nn

from .network import Network, WeightsUnavailable, seeded

WEIGHTS = Path(__file__).parent / "weights"
ALEXNET64_CHANNELS = (32, 96, 192, 192, 128)  # conv1 … conv5
ALEXNET64_HIDDEN = 320  # fc6 and fc7; keeps the half-precision file under 8 MB


def alexnet64(n_labels: int = 200, batch_norm: bool = False) -> nn.Sequential:
    """The bare chain ``conv1 relu1 pool1 … fc8``, untrained.

    Takes normalised pictures ``(B, 3, 64, 64)``; larger or smaller ones are averaged to the head's 8×8 grid, which
    does nothing at 64×64. ``batch_norm=True`` adds ``bn1 … bn7`` for training.
    """
    chain: OrderedDict[str, nn.Module] = OrderedDict()

    def normalised(number: int, weight_layer: nn.Module, norm: nn.Module) -> None:
        chain[f"{'conv' if number <= 5 else 'fc'}{number}"] = weight_layer
        if batch_norm:
            chain[f"bn{number}"] = norm
        chain[f"relu{number}"] = nn.ReLU()

    incoming = 3
    for number, outgoing in enumerate(ALEXNET64_CHANNELS, start=1):
        kernel = 5 if number == 1 else 3
        convolution = nn.Conv2d(incoming, outgoing, kernel, padding=kernel // 2, bias=not batch_norm)
        normalised(number, convolution, nn.BatchNorm2d(outgoing))
        if number in (1, 2, 5):
            chain[f"pool{number}"] = nn.MaxPool2d(kernel_size=3, stride=2, padding=1)
        incoming = outgoing
    chain["grid"] = nn.AdaptiveAvgPool2d(8)
    chain["flatten"] = nn.Flatten()
    incoming *= 8 * 8
    for number in (6, 7):
        linear = nn.Linear(incoming, ALEXNET64_HIDDEN, bias=not batch_norm)
        normalised(number, linear, nn.BatchNorm1d(ALEXNET64_HIDDEN))
        incoming = ALEXNET64_HIDDEN
    chain["fc8"] = nn.Linear(incoming, n_labels)
    return nn.Sequential(chain)


ARCHITECTURES = {"alexnet64": alexnet64}


def load_embedded(name: str, trained: bool = True) -> Network:
    """An embedded network with its shipped weights, or with random ones (seed 0).

    Raises:
        WeightsUnavailable: the weights file is missing or damaged.
    """
    path = WEIGHTS / f"{name}.safetensors"
    try:
        with safe_open(path, framework="pt") as file:  # memory-mapped, and no pickle
            about = file.metadata()
            weights = {key: file.get_tensor(key).float() for key in file.keys()} if trained else {}  # noqa: SIM118
    except (OSError, SafetensorError) as error:
        raise WeightsUnavailable(
            f"the weights of {name} at {path} are missing or damaged ({error}); install the package again"
        ) from error
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
    )
