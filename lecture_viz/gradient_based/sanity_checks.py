"""Sanity checks: is a map about the class, and about what the network has learned? (Adebayo et al. 2018)

A beautiful map proves nothing. Two questions can be answered by comparing two maps:

    class sensitivity       ask for another class: does the map change?       Nie et al. 2018
    weight randomisation    replace trained weights by random ones, layer     Adebayo et al. 2018, section 3
                            after layer, from the output down (a *cascade*):
                            does the map change?

If it hardly does, it shows the photo, not the class and not the training: guided backprop fails both. How alike two
maps are is their correlation (`similarity`). Where it misleads: a map that changes is not yet a right one.
"""

import copy

import torch
from torch import Tensor

from ..networks.network import Network


def similarity(one: Tensor, other: Tensor) -> float:
    """The correlation (Pearson) of two maps of the same shape: 1 is the same picture, 0 nothing in common, −1 inverted.

    NaN if one of them is the same everywhere, as for a silent neuron.

    Raises:
        ValueError: different shapes.
    """
    if one.shape != other.shape:
        raise ValueError(f"two maps are compared pixel by pixel; got {tuple(one.shape)} and {tuple(other.shape)}")
    return torch.corrcoef(torch.stack([one.flatten(), other.flatten()]).double())[0, 1].item()


def cascade(network: Network) -> tuple[str, ...]:
    """The layers that have weights, from the output down: the order in which they are replaced."""
    return tuple(layer for layer in reversed(network.layers) if [*network.part(layer).parameters()])


def randomized(network: Network, down_to: str, seed: int = 0) -> Network:
    """A copy of ``network`` with random weights in every layer from the output down to ``down_to``.

    Each weight tensor is drawn anew from a normal distribution with its own mean and standard deviation, so that the
    signal keeps its strength and only what was learned is gone.

    Raises:
        ValueError: ``down_to`` is not one of `cascade`.
    """
    layers = cascade(network)
    if down_to not in layers:
        raise ValueError(f"{network.name} has no layer with weights {down_to!r}; those are {', '.join(layers)}")
    changed = copy.deepcopy(network)
    random = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for layer in layers[: layers.index(down_to) + 1]:
            for weights in changed.part(layer).parameters():
                drawn = torch.randn(weights.shape, generator=random).to(weights.device)
                weights.copy_(drawn * weights.std(correction=0) + weights.mean())
    return changed
