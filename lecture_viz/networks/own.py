"""A network of one's own, behind the same face."""

import copy
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from .network import Network


def wrap(
    module: nn.Module,
    input_size: int,
    mean: Sequence[float] = (0.0, 0.0, 0.0),
    std: Sequence[float] = (1.0, 1.0, 1.0),
    labels: Sequence[str] | None = None,
    name: str = "my network",
) -> Network:
    """A student's own classifier as a `Network`. ``module`` is copied; yours stays as it is.

    Args:
        module: takes normalised pictures ``(B, 3, input_size, input_size)``, returns logits ``(B, n_labels)``.
        mean, std: of the training pixels in ``[0, 1]``, one number per colour channel, as used in training.
        labels: class names; without them the indices serve as names.

    Raises:
        TypeError: not a module, but its class, or the name of a network.
        ValueError: the module does not take such pictures, does not return logits, or ``labels`` do not fit them.
    """
    if not isinstance(module, nn.Module):
        hint = ""
        if isinstance(module, type) and issubclass(module, nn.Module):
            hint = f": make one first, {module.__name__}()"
        elif isinstance(module, str):
            hint = f"; for networks by name: lv.load_network({module!r})"
        raise TypeError(f"wrap takes a torch.nn.Module; got {module!r}{hint}")
    if len(mean) != 3 or len(std) != 3 or not all(s > 0 for s in std):
        raise ValueError(f"mean and std are three numbers each (R, G, B), std above 0; got {mean} and {std}")
    network = Network(
        copy.deepcopy(module), name=name, input_size=input_size, mean=mean, std=std, labels=labels or ()
    ).to(next(module.parameters(), torch.empty(0)).device)
    with torch.no_grad():
        logits = network(torch.full((1, 3, input_size, input_size), 0.5))
    if not isinstance(logits, Tensor) or logits.ndim != 2:
        shape = tuple(logits.shape) if isinstance(logits, Tensor) else type(logits).__name__
        raise ValueError(f"a network returns logits (B, n_labels); {name} returned {shape}")
    if labels is not None and len(labels) != logits.shape[1]:
        raise ValueError(f"{name} has {logits.shape[1]} logits but {len(labels)} labels were given")
    network.labels = network.english = tuple(labels or map(str, range(logits.shape[1])))
    return network
