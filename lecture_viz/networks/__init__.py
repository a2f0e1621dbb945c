"""What we look into: the embedded networks, torchvision's, and a student's own."""

import torch

from .. import languages
from .efficientnet import SIZES, load_efficientnet
from .embedded import ARCHITECTURES, load_embedded
from .from_timm import PREFIX, load_timm
from .network import Network, WeightsUnavailable
from .own import wrap
from .pretrained import load_pretrained, names

__all__ = ["Network", "WeightsUnavailable", "load_network", "names", "wrap"]


def load_network(
    name: str = "alexnet64", weights: str | None = "IMAGENET1K_V1", device: str | torch.device | None = None
) -> Network:
    """A classifier by name.

    Args:
        name: ``"efficientnet_lite0"`` (ImageNet at full size), ``"alexnet64"``, ``"inception64"``,
            ``"inception64_robust"`` (small ones), all of which need no download; any torchvision classifier, as
            ``"googlenet"``; or ``"timm:NAME"`` for one of timm, if that is installed.
        weights: one of torchvision's names for its trained weights, for timm's the path of a file; or ``None`` for
            random ones. The others have one set of trained weights, whatever the name.
        device: ``"cpu"``, ``"cuda"``, ``"mps"`` …; by default a GPU if there is one. Every method follows it.

    Raises:
        TypeError: a name that is no text.
        ValueError: no such network, or no such weights for it.
        WeightsUnavailable: its weights are missing, damaged or cannot be downloaded.
    """
    if not isinstance(name, str):
        raise TypeError(
            f"a network's name is a text, such as 'alexnet64'; got {name!r} (lv.wrap takes your own module)"
        )
    if name.startswith(PREFIX):
        network = load_timm(name.removeprefix(PREFIX), weights)
    elif name in SIZES:
        network = load_efficientnet(name, trained=weights is not None)
    elif name in ARCHITECTURES:
        network = load_embedded(name, trained=weights is not None)
    else:
        network = load_pretrained(name, weights)
    network.labels = languages.labels(network.english)
    device = device or torch.accelerator.current_accelerator(check_available=True) or "cpu"
    # the layout in which pools take a tenth of the time and depthwise convolutions half
    return network.to(device, memory_format=torch.channels_last)
