"""DeepDream: more of whatever a layer sees in a photo (Mordvintsev et al. 2015, "Inceptionism").

    argmax over x of  mean of a²,    a the activations of a layer, beginning with a photo

Where a layer sees a trace of something, the ascent makes more of it: early layers paint strokes and patterns, deep
layers eyes and animals. It begins on a small picture and works up to the whole size (*octaves*), so that there are
large and small animals; the photo is shifted at each step (*jitter*), and each step has the same length.

A second photo may *guide* the dream: then the layer makes more not of whatever it sees, but of what it sees in the
guide (`targets.likeness`).

What it shows: what a layer responds to. Where it misleads: a layer of a network that has seen many dogs finds dogs
everywhere; it is not what the photo contains.
"""

from collections.abc import Iterator, Sequence
from functools import partial
from typing import Unpack

from torch import Tensor

from ..networks import Network
from ..targets import Target, as_target, likeness
from .maximization import maximize
from .optimization import Details, Keep, Step
from .optimizers import SGD
from .robustness import Transform, jitter

RATE = 0.01  # of the picture's range [0, 1]: how far the average pixel moves in a step


def dream(
    network: Network,
    photo: Tensor | str,
    target: Target,
    steps: int = 40,
    *,
    octaves: int = 4,
    rate: float = RATE,
    transforms: Sequence[Transform] | None = None,
    guide: Tensor | None = None,
    size: int | None = None,
    parameterization: str | Keep = "pixels",
    seed: int = 0,
    **choices: Unpack[Details],
) -> Iterator[Step]:
    """Change ``photo`` ``(1, 3, H, W)`` (or ``"noise"``) towards more of ``target``, such as ``layer("inception4c")``.

    Args:
        steps: of all octaves together.
        octaves: how many sizes, see `optimize`.
        rate: how far the average pixel moves in a step, as a part of ``[0, 1]``.
        transforms: by default a jitter by up to 8 pixels.
        guide: an image ``(1, 3, H, W)``; ``target`` is then a layer, and the dream more of what it sees in the guide.
        size, parameterization, seed: see `maximize`.
        choices: ``penalties``, ``filters`` …, see `optimize`.

    Raises:
        ValueError: see `maximize`; a rate that is negative or not finite; a guide for other targets than one layer.
    """
    if not 0 <= rate < float("inf"):
        raise ValueError(f"rate is 0 or more and finite, such as {RATE}; got {rate!r}")
    if guide is not None:
        if len(as_target(target).layers) != 1 or target.layers[0] is None:
            raise ValueError(f"a guide guides one layer, such as lv.layer('conv3'); the target is {target!r}")
        name = target.layers[0]
        target = likeness(name, network.activations(guide, name))
    yield from maximize(
        network,
        target,
        steps,
        start=photo,
        optimizer=partial(SGD, lr=rate),
        normalized=True,
        octaves=octaves,
        transforms=[jitter(8)] if transforms is None else transforms,
        size=size,
        parameterization=parameterization,
        seed=seed,
        **choices,
    )
