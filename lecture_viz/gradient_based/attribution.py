"""Attribution between channels: what a unit reads, and what it speaks for (Olah et al. 2018, "Building Blocks").

A channel is one number among hundreds. Its neighbours give it a meaning: the channels of the layer before that feed it,
and the classes whose scores it moves. On one photo, with a the activations of the layer that is read:

    feeders    C_i = Σ over places p of a_i[p] · ∂S/∂a_i[p]      what channel i of the layer before gives to the unit S
    kernel     K = W / σ                                         how a unit that reads the photo weighs its pixels
    effects    E_k = ∂z_k(a + t · e_c) / ∂t at t = 0             class score k, when the whole map of channel c rises

Behind a single convolution C is exact: weights times the activations they meet, and with the bias they add up to S.
In front of the last layer E is exact, too: it is a column of the weights. Elsewhere both are a slope at *this* photo;
the ReLUs and max-pools on the way are taken as they stand.

What it shows: a head that is fed by fur and a snout speaks for the terrier and against the tabby. Where it misleads: on
another photo others feed it. A slope tells nothing of large steps: without the channel the score may fall otherwise.
And where a channel adds at one place and takes away at another, the sum hides both.

E takes one pass, however many classes there are: *forward-mode* differentiation carries the slope along with the
activations, from the layer to all scores. Backpropagation would need a pass for each class.
"""

import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.autograd import forward_ad

from .. import targets
from ..networks.network import Network
from .gradients import gradient

_FORWARD_MODE = threading.Lock()  # PyTorch runs one differentiation of this kind at a time, in whichever thread


class Fed(NamedTuple):
    """The ``layer`` that a unit reads, and what each channel of it gives to the unit: ``contributions`` ``(C,)``.

    Signed. A unit that reads the photo has ``None`` for a layer, and three contributions: of red, green and blue.
    """

    layer: str | None
    contributions: Tensor


def feeders(network: Network, photo: Tensor, target: targets.Target) -> Fed:
    """Which channels feed ``target`` on ``photo`` ``(B, 3, H, W)``; of several photos the mean.

    A unit reads what goes into the nearest layer with weights, from its own layer backwards: ``conv4`` and ``relu4``
    read ``relu3``, a class what goes into the last layer, a block (Inception, ResNet) what goes into the block, by all
    its paths. Pixels count from the network's mean, where its filters see zero.

    Nothing comes back from a unit that is silent behind a ReLU (or at the ceiling of a ReLU6). It is read before the
    ReLU then: what keeps it there? If that ReLU is inside a block, or a pool follows it, all contributions are 0.

    Raises:
        ValueError: not an image; unknown layer, label or channel; a target of several layers, or inside a block; or
            what goes into its layer has no channels, or is not the output of the layer before.
    """
    if len(targets.as_target(target).layers) != 1:
        raise ValueError(f"a unit has one layer; {target} needs {len(target.layers)}: take them in turn")
    network.check(photo)
    names, weights = _up_to(network, target.layers[0])
    layer = names[weights - 1] if weights > 0 else None
    read, sent = _sent_back(network, photo, target, layer)
    behind = [network.part(name) for name in names[weights + 1 :]]
    if weights >= 0 and not sent.any() and all(isinstance(part, (nn.ReLU, nn.ReLU6)) for part in behind):
        terms = tuple((weight, replace(term, at=names[weights])) for weight, term in target.terms)
        read, sent = _sent_back(network, photo, targets.Target(terms), layer)
    return Fed(layer, (read * sent).reshape(*read.shape[:2], -1).sum(dim=2).mean(dim=0))


def kernel(network: Network, layer: str, channel: int) -> Tensor:
    """The filter ``(1, 3, k, k)`` by which a unit of the first convolution, or behind it, reads the photo.

    Signed, per unit of brightness: the sum of filter times pixels in [0, 1] is the unit before its ReLU, but for a
    constant.

    Raises:
        ValueError: unknown layer or channel; or a layer that reads another layer.
    """
    names, weights = _up_to(network, layer)
    first = network.part(names[0])
    plain = not any(list(network.part(name).parameters()) for name in names[1:])  # batch norm would scale it
    if weights != 0 or not plain or not isinstance(first, nn.Conv2d) or first.weight.shape[1] != 3:
        raise ValueError(f"{layer!r} has no filter of pixels: only a convolution that reads the photo has; see feeders")
    if not 0 <= channel < len(first.weight):
        raise ValueError(f"layer {layer!r} has channel 0 … {len(first.weight) - 1}; got {channel}")
    return first.weight[channel : channel + 1] / network.std


def effects(network: Network, photo: Tensor, layer: str, channel: int) -> Tensor:
    """By how much each class score rises when the whole map of a channel rises by 1: a slope, ``(n_labels,)``.

    Of several photos ``(B, 3, H, W)`` the mean.

    Raises:
        ValueError: not an image; unknown layer or channel; a layer without channels, or one the scores do not need; or
            PyTorch has no forward mode for a part behind it.
    """
    unit = targets.channel(layer, channel)

    def rising(output: Tensor) -> Tensor:
        unit.read(network, {layer: output})  # refuses a channel that is not there
        slope = torch.zeros_like(output)
        slope[:, channel] = 1
        with warnings.catch_warnings():  # PyTorch makes its first one with a part of its own that it calls outdated
            warnings.filterwarnings("ignore", ".*torch.jit.script", FutureWarning)
            return forward_ad.make_dual(output, slope)

    network.check(photo)
    try:
        with _FORWARD_MODE, torch.no_grad(), forward_ad.dual_level(), _instead(network, layer, rising):
            slopes = forward_ad.unpack_dual(network(photo)).tangent
    except NotImplementedError as error:  # such as the attention of a vision transformer
        raise ValueError(f"{network.name} has a part behind {layer!r} without forward mode; use `gradient`") from error
    if slopes is None:
        raise ValueError(f"the scores of {network.name} do not depend on {layer!r}; choose another layer")
    return slopes.mean(dim=0)


def _up_to(network: Network, at: str | None) -> tuple[list[str], int]:
    """The layers up to ``at`` (``None``: the scores), and which of them is the last with weights: −1 if none is.

    Weights join channels. Batch norm only scales each by itself: its parameters are rows, not matrices.
    """
    names = list(network.layers)
    if at is not None:
        network.part(at)  # refuses an unknown one
        if at not in names:
            raise ValueError(f"{at!r} is inside a layer; choose one of {', '.join(names)}")
        names = names[: names.index(at) + 1]
    weights = [any(parameter.ndim > 1 for parameter in network.part(name).parameters()) for name in names]
    return names, max((n for n, found in enumerate(weights) if found), default=-1)


def _sent_back(network: Network, photo: Tensor, target: targets.Target, layer: str | None) -> tuple[Tensor, Tensor]:
    """The activations ``(B, C, …)`` of ``layer`` (``None``: the pixels), and what ``target`` sends back to them."""
    if layer is None:
        return photo.to(network.device) - network.mean, gradient(network, photo, target).to(network.device)
    found: list[Tensor] = []

    def leaf(output: Tensor) -> Tensor:
        found.append(output.detach().requires_grad_())
        return found[0].clone()  # a function behind it may write into it

    with torch.enable_grad(), _instead(network, layer, leaf):
        value = target(network, photo).sum()
    (read,) = found
    if read.ndim not in (2, 4):
        raise ValueError(f"layer {layer!r} gives {tuple(read.shape)}, not (B, C, h, w) or (B, C)")
    (sent,) = torch.autograd.grad(value, read, allow_unused=True) if value.requires_grad else (None,)
    if sent is None:
        raise ValueError(f"{target} does not depend on {layer!r}, the layer before it: {network.name} branches there")
    return read.detach(), sent


@contextmanager
def _instead(network: Network, layer: str, replacement: Callable[[Tensor], Tensor]) -> Iterator[None]:
    """A ``with`` block in which the network goes on from ``replacement(output)`` behind ``layer``.

    In this thread alone: another one may be using the same network.
    """
    thread = threading.get_ident()

    def hook(part: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> Tensor:
        return replacement(output) if threading.get_ident() == thread else output

    handle = network.part(layer).register_forward_hook(hook)
    try:
        yield
    finally:
        handle.remove()
