"""Re-identification: "we only store layer 5" – is a photo anonymous then?

An experiment in three steps. Somebody stores the activations of a photo instead of the photo, perhaps spoilt a little
on purpose (`store`). A thief who knows the network inverts them (`inversion`), and looks among the photos of a gallery
for the one most like the result (`ranks`). How often is it the right one?

How alike two pictures are is the cosine between what another network, the *judge*, has of them in its last layer with
rows and columns: people recognise content, not pixels. The thief may also compare the stored activations themselves
with those of the gallery's photos (`ranks` again). Chance is one divided by the size of the gallery.

What follows: activations of a photo are data about a person as the photo is, unless a test like this one says
otherwise. What does not: that a layer which withstood this test is safe. A thief with a better search, or with a
decoder trained for it (`priors`), sees more.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F

from ..networks import Network
from ..networks.random_weights import seeded
from .inversion import invert
from .optimization import last

BITS = (32, 16, 8, 4, 2)


def store(activations: Tensor, bits: int = 32, average: int = 1, dropout: float = 0, seed: int = 0) -> Tensor:
    """``activations`` ``(B, C, h, w)`` or ``(B, C)`` as they come back from a store that spoils them.

    Args:
        bits: 32 leaves them; 16 is half precision; fewer are as many whole steps from the least to the greatest value
            of each photo.
        average: squares of so many rows and columns become their mean (at the edges fewer).
        dropout: this part of them, drawn at random, becomes 0.

    Raises:
        ValueError: other ``bits``, ``average`` below 1, ``dropout`` not in 0 … below 1.
    """
    if bits not in BITS:
        raise ValueError(f"bits are {', '.join(map(str, BITS))}; got {bits!r}")
    if isinstance(average, bool) or not isinstance(average, int) or average < 1:
        raise ValueError(f"average is a whole number of rows and columns from 1; got {average!r}")
    if not 0 <= dropout < 1:
        raise ValueError(f"dropout is a part: 0 … below 1; got {dropout!r}")
    if average > 1 and activations.ndim == 4:
        size = activations.shape[2:]
        means = F.avg_pool2d(activations, average, ceil_mode=True)
        enlarged = means.repeat_interleave(average, dim=2).repeat_interleave(average, dim=3)
        activations = enlarged[:, :, : size[0], : size[1]]
    if dropout:
        with seeded(seed):
            activations = activations * (torch.rand(activations.shape) >= dropout).to(activations)
    if bits == 16:
        return activations.half().float()
    if bits < 16:
        flat = activations.flatten(1)
        low, high = (extreme.view(-1, *[1] * (activations.ndim - 1)) for extreme in flat.aminmax(dim=1))
        step = (high - low).clamp(min=1e-12) / (2**bits - 1)
        return low + ((activations - low) / step).round() * step
    return activations


def similarities(one: Tensor, other: Tensor) -> Tensor:
    """The cosine of each of ``one`` ``(M, …)`` with each of ``other`` ``(N, …)`` about the others' mean: ``(M, N)``."""
    mean = other.flatten(1).mean(dim=0)  # what all photos have in common says nothing
    return F.normalize(one.flatten(1) - mean, dim=1) @ F.normalize(other.flatten(1) - mean, dim=1).T


def ranks(one: Tensor, gallery: Tensor, right: Sequence[int]) -> Tensor:
    """For each of ``one``, how many of the gallery are more like it than the right one: 0 is re-identified ``(M,)``."""
    alike = similarities(one, gallery)
    return (alike > alike.gather(1, torch.as_tensor(right, device=alike.device)[:, None])).sum(dim=1)


def ranking(one: Tensor, gallery: Tensor) -> list[int]:
    """The numbers of a gallery's pictures, the one most like ``one`` ``(1, …)`` first."""
    return similarities(one, gallery)[0].argsort(descending=True, stable=True).tolist()


class Rates(NamedTuple):
    """Which photos a thief finds (0 or 1 each), two ways."""

    by_picture: Tensor  # inverts what is stored, and looks for the picture ``(M,)``
    by_numbers: Tensor  # compares what is stored with the gallery's own activations ``(M,)``


def rates(
    network: Network,
    judge: Network,
    gallery: Tensor,
    right: Sequence[int],
    layer: str,
    steps: int = 128,
    **spoilt: Any,
) -> Rates:
    """Store some photos of a gallery ``(N, 3, H, W)``, those with the numbers ``right``, and play the thief.

    ``spoilt`` is what `store` takes; errors as of `store` and `invert`.
    """
    with torch.no_grad():
        activations = torch.cat([network.activations(part, layer) for part in gallery.split(64)])
    stored = store(activations[list(right)], **spoilt)
    found = last(invert(network, stored, layer, steps, size=gallery.shape[-1])).image
    by_picture = ranks(looks(judge, found), looks(judge, gallery), right) == 0
    return Rates(by_picture.float(), (ranks(stored, activations, right) == 0).float())


def looks(judge: Network, pictures: Tensor, batch: int = 64) -> Tensor:
    """What the judge has of ``pictures`` ``(B, 3, H, W)`` in its last layer with rows and columns."""
    with torch.no_grad():
        sizes = judge.run(pictures[:1], judge.layers)
        last = [name for name, output in sizes.items() if output.ndim == 4 and min(output.shape[2:]) > 1][-1]
        return torch.cat([judge.activations(part, last) for part in pictures.split(batch)])
