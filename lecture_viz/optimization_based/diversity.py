"""Diversity: several pictures of one target that differ from one another (Olah et al. 2017 [17], "Diversity").

A neuron may answer to more than one thing, and activation maximisation shows one of them. So begin with a batch of
pictures x_1 … x_B of the same target, and let each cost what it has in common with the others. What is in a picture,
wherever it is, the Gram matrix of a layer's activations A_b (channels × places) says: which channels fire together.

    G_b = A_b A_bᵀ        R(x_b) = mean over a ≠ b of cos(G_a, G_b)

Where it misleads: asked to differ, pictures also show what excites the target less. Look at how much it fires.
"""

from torch import Tensor
from torch.nn import functional as F

from ..networks import Network
from .regularizers import Penalty


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
