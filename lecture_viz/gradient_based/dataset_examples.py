"""Dataset examples: what does a channel answer to, from the least to the most? (Olah et al. 2017 [17])

    m_n = max over places p of a_c[p](x_n)        how much picture n excites channel c, where it does so most
    m sorted, and k ranks at equal distances      the first is the least exciting picture of all, the last the most

What it shows: whether a channel is as particular as its top nine look. If what it stands for is gone in the middle of
the row, only the extremes were about it; if the middle shows it too, it is the rule.

Where it misleads: behind a ReLU many pictures leave a channel silent. Those tie at 0, so that of them the order of the
pictures decides; and *where* a silent channel fires most says nothing. And as with the top nine, what is not in the
pictures cannot be found in them.
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

import torch
from torch import Tensor
from tqdm.auto import tqdm

from ..networks.network import Network
from ..photos import Box, Pictures
from ..targets import Target
from .top_patches import check_channel, cut_out, strongest_of_each

EVERY = 128  # pictures: as often those seen so far can be shown, and the search be abandoned


class DatasetExamples(NamedTuple):
    """For one channel, from the least exciting picture to the most: ``activations`` ``(n,)``, and what caused them.

    In each of ``photos`` ``(1, 3, H, W)`` the channel is strongest at the neuron of ``targets``, which sees the pixels
    inside ``boxes``: the ``patches`` ``(1, 3, h, w)``. ``skipped`` pictures could not be read.
    """

    activations: Tensor
    photos: list[Tensor]
    names: list[str]
    targets: list[Target]
    boxes: list[Box]
    patches: list[Tensor]
    skipped: list[str]


def dataset_examples(
    network: Network, images: Any, layer: str, channel: int, k: int = 9, progress: bool = True
) -> DatasetExamples:
    """``k`` pictures from the one that excites a channel least to the one that does most, at equal distances in rank.

    Looks at each picture once, and keeps of each only a number and a place. Fewer than ``k`` pictures all come.

    Args:
        images: ``"bundled"``, a folder, a list, or a data set; see `Pictures`. One that cannot be read is skipped and
            listed in ``skipped``.
        progress: show a progress bar.

    Raises:
        ValueError: unknown layer, no such channel, ``k`` below 2, no readable picture; see also `Pictures`.
    """
    *_, found = growing(network, images, layer, channel, k, progress, every=None)
    return found


def growing(
    network: Network,
    images: Any,
    layer: str,
    channel: int,
    k: int = 9,
    progress: bool = True,
    every: int | None = EVERY,
) -> Iterator[DatasetExamples]:
    """`dataset_examples` of the pictures seen so far, after ``every`` so many of them, and at the end of all."""
    if k < 2:
        raise ValueError(f"k is 2 at least, the least and the most exciting picture; got {k}")
    pictures = Pictures(images, network.input_size)
    activations, places = [], []
    skipped: list[str] = []
    due = every or len(pictures)
    with tqdm(total=len(pictures), desc="looking at pictures", disable=not progress, leave=False) as bar:
        for seen, strongest in strongest_of_each(network, pictures, [layer], skipped):
            bar.update(seen - bar.n)
            for best, where in strongest.values():
                check_channel(layer, channel, len(best))
                activations.append(best[channel].clone())  # a view would hold on to all channels
                places.append(where[channel].clone())
            if not activations or seen < min(due, len(pictures)):
                continue
            due += every or 0
            ascending, order = torch.cat(activations).sort(stable=True)
            count = min(k, len(order))
            ranks = [n * (len(order) - 1) // max(count - 1, 1) for n in range(count)]
            chosen = torch.cat(places)[order[ranks]].tolist()
            yield DatasetExamples(ascending[ranks], *cut_out(network, pictures, layer, channel, chosen), [*skipped])


dataset_examples.grows = growing  # type: ignore[attr-defined]  # a panel shows each
