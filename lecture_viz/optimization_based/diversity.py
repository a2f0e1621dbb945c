"""Diversity: several pictures of one target that differ from one another (Olah et al. 2017 [17], "Diversity").

A neuron may answer to more than one thing, and activation maximisation shows one of them. So begin with a batch of
pictures x_1 … x_B of the same target, and let each cost what it has in common with the others. What is in a picture,
wherever it is, the Gram matrix of a layer's activations A_b (channels × places) says: which channels fire together.

    G_b = A_b A_bᵀ        R(x_b) = mean over a ≠ b of cos(G_a, G_b)

Where it misleads: asked to differ, pictures also show what excites the target less. Look at how much it fires.
"""

from collections.abc import Iterator

import torch
from torch import Tensor
from torch.nn import functional as F

from ..networks import Network
from . import atlas
from .maximization import maximize
from .optimization import Step
from .regularizers import Penalty

SHARE = {False: 0.2, True: 0.05}  # what likeness costs, of what the channel fires; smooth pictures at full size: less


def gram(activations: Tensor) -> Tensor:
    """Of activations ``(B, C, ...)``: ``(B, C, C)``, the products of all pairs of channels, summed over the places."""
    flat = activations.flatten(2)
    return flat @ flat.transpose(1, 2)


def alike(network: Network, images: Tensor, layer: str) -> Tensor:
    """How alike each of ``images`` ``(B, 3, H, W)`` is to the others in a layer: ``(B,)``, 1 is the same texture.

    Raises:
        ValueError: a single image, which has nothing to be like; no such layer, or one without rows and columns.
    """
    if len(images) < 2:
        raise ValueError("diversity takes several pictures: give several targets, such as 4 * [lv.channel(…)]")
    activations = network.activations(images, layer)
    if activations.ndim != 4:
        raise ValueError(f"{layer} has no rows and columns: diversity compares which channels fire at the same place")
    directions = F.normalize(gram(activations).flatten(1), dim=1)
    cosines = directions @ directions.T
    return (cosines.sum(dim=1) - cosines.diagonal()) / (len(images) - 1)


def diversity(weight: float, network: Network, layer: str) -> Penalty:
    """A penalty on what the pictures of a batch have in common in ``layer``; errors as of `alike`, when it runs."""
    network.part(layer)  # refuses an unknown one now
    measure = lambda images: alike(network, images, layer)  # noqa: E731
    return Penalty("diversity", weight, measure, code=f"lv.diversity({{}}, net, {layer!r})")


def diverse(network: Network, layer: str, channel: int, count: int = 4) -> Iterator[Step]:
    """Pictures of what one channel looks for that differ from one another, by the recipe of the `atlas`; yields steps.

    The more the channel fires, the more likeness costs, so that one weight suits all channels. It is measured in the
    layer itself, or in the deepest one before it that has rows and columns.

    Raises:
        ValueError: unknown layer, a channel that it does not have, or fewer than two pictures.
    """
    target, start = atlas.begin(network, layer, channel, count)
    steps, choices = atlas.recipe(network)
    penalty = diversity(0.0, network, _spatial(network, layer, start[:1]))
    for step in maximize(network, count * [target], steps, start=start, penalties=[penalty], **choices):
        penalty.strength = SHARE[network.full_size] * max(0.0, step.terms[f"{count} targets"])
        yield step


def _spatial(network: Network, layer: str, image: Tensor) -> str:
    """``layer``, or the deepest one before it that has rows and columns."""
    if layer not in network.layers:
        return layer
    names = network.layers[: network.layers.index(layer) + 1]
    with torch.no_grad():
        outputs = network.run(image, names)
    return next(name for name in reversed(names) if outputs[name].ndim == 4 and max(outputs[name].shape[2:]) > 1)
