"""What we look into: the embedded networks, torchvision's, and a student's own."""

import torch

from .. import languages
from .embedded import ARCHITECTURES, load_embedded
from .network import Network, WeightsUnavailable
from .own import wrap
from .pretrained import load_pretrained, names

__all__ = ["Network", "WeightsUnavailable", "load_network", "names", "wrap"]


def load_network(
    name: str = "alexnet64", weights: str | None = "IMAGENET1K_V1", device: str | torch.device | None = None
) -> Network:
    """A classifier by name.

    Args:
        name: ``"alexnet64"``, ``"inception64"``, ``"inception64_robust"`` (embedded), or any torchvision classifier, as
            ``"googlenet"``.
        weights: one of torchvision's names for its trained weights, or ``None`` for random ones. An embedded network
            has one set of trained weights, whatever the name.
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
    if name in ARCHITECTURES:
        network = load_embedded(name, trained=weights is not None)
    else:
        network = load_pretrained(name, weights)
    network.labels = languages.labels(network.english)
    return network.to(device or torch.accelerator.current_accelerator(check_available=True) or "cpu")
