"""Deconvnet: the trained network, turned round (Zeiler & Fergus 2014 [26], section 2.1).

Choose an activation, set all others of its layer to zero, and walk back to the photo, layer by layer, with the same
filters and without any training:

    ReLU           rectify        s ← max(s, 0)
    max-pool       unpool         each s goes where its maximum came from: the *switch*, recorded on the way forward
    convolution    transpose      s ← Wᵀ s, the bias is left out

What it shows: which structure of *this* photo excites the neuron. Without the switches nothing of the photo would be
left, so it is no picture of the neuron alone.

Walking back through a max-pool, backprop sends s to the switches, too, and a convolution is transposed there as well:
the ReLU is the only difference, and `gradient` with the rule ``deconvnet`` changes just that. Are the two the same?
Where pools do not overlap (VGG): exactly. AlexNet's 3×3 pools with stride 2 overlap, so that one activation can be the
maximum of several windows. Then the paper's unpooling *writes* the s of one of them, and backprop *sums* them all.
"""

from typing import Literal, get_args

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ..networks.network import Call, Network
from ..targets import Target, as_target

Unpooling = Literal["write", "sum"]
UNPOOLINGS: tuple[Unpooling, ...] = get_args(Unpooling)


class NoChain(ValueError):
    """The network branches, or does something between its parts that cannot be seen and so not be reversed."""


def deconvnet(network: Network, image: Tensor, target: Target, unpooling: Unpooling = "write") -> Tensor:
    """What the reversed network paints for ``target`` on ``image`` ``(B, 3, H, W)``: signed, same shape and device.

    The walk starts with ∂target / ∂activations: for a neuron 1 at its place and 0 elsewhere. (The paper starts with the
    activation itself; the picture is the same, times that number.)

    Args:
        unpooling: where windows of a pool overlap and share a maximum, ``"write"`` keeps the last window's value (the
            paper), ``"sum"`` adds them up (backprop).

    Raises:
        NoChain: GoogLeNet, ResNet and other networks that branch: use ``gradient(..., rule="deconvnet")``.
        ValueError: a layer that cannot be turned round, or a target that mixes layers; and whatever `gradient` raises.
    """
    if unpooling not in UNPOOLINGS:
        raise ValueError(f"unpooling is one of {', '.join(UNPOOLINGS)}; got {unpooling!r}")
    if len(as_target(target).layers) != 1:
        raise ValueError(f"the walk back starts at one layer; {target} needs {len(target.layers)}: take them in turn")
    calls = _chain(network, network.check(image), target.layers[0])
    with torch.enable_grad():
        activations = calls[-1].y.requires_grad_()
        (s,) = torch.autograd.grad(target.read(network, {target.layers[0]: activations}).sum(), activations)
    for call in reversed(calls):
        s = _back(network, call, s.view_as(call.y), unpooling)
    return (s / network.std).to(image.device)  # normalisation is the network's first layer


def turns_round(network: Network, image: Tensor, layer: str | None) -> bool:
    """Whether `deconvnet` can walk back from ``layer``: the network is a chain up to it."""
    try:
        _chain(network, image, layer)
    except NoChain:
        return False
    return True


def _chain(network: Network, image: Tensor, layer: str | None) -> list[Call]:
    """The parts that ran up to ``layer``, each on what the one before gave; a ValueError where that is not so."""
    calls = network.trace(image, layer)
    before = (image.to(network.device) - network.mean) / network.std
    for path, _, x, y in calls:
        if x.numel() != before.numel() or not torch.equal(x.flatten(), before.flatten()):
            raise NoChain(
                f"{network.name} is no chain: what goes into {path!r} is not what came out of the layer before. Use "
                'gradient(..., rule="deconvnet"), which differs only where pools overlap'
            )
        before = y
    if layer is not None and any(network.part(layer).children()):  # a block may add its input behind its last part
        with torch.no_grad():
            given = network.activations(image, layer)
        if given.shape != before.shape or not torch.equal(given, before):
            raise NoChain(
                f"{network.name} is no chain: {layer!r} gives something else than its last part. Use "
                'gradient(..., rule="deconvnet"), which differs only where pools overlap'
            )
    return calls


def _back(network: Network, call: Call, s: Tensor, unpooling: Unpooling) -> Tensor:
    """``s``, one number per output of this call, carried to its inputs."""
    part, x = call.part, call.x
    match part:
        case nn.ReLU() | nn.ReLU6():  # what arrives is rectified, whatever came by on the way forward
            return s.relu()
        case nn.MaxPool2d():
            return _unpool(part, x, s, unpooling)
        case nn.Conv2d(padding_mode="zeros", padding=(int(), int())) if type(part) is nn.Conv2d:  # others may pad, too
            lost = [  # rows and columns at the far edge that no stride reached
                n - ((out - 1) * stride - 2 * padding + dilation * (kernel - 1) + 1)
                for n, out, stride, padding, dilation, kernel in zip(
                    x.shape[2:], s.shape[2:], part.stride, part.padding, part.dilation, part.kernel_size
                )
            ]
            padding = [int(side) for side in part.padding]
            return F.conv_transpose2d(s, part.weight, None, part.stride, padding, lost, part.groups, part.dilation)
        case nn.Linear():
            return s @ part.weight
        case nn.Flatten() | nn.Dropout() | nn.Identity():
            return s.view_as(x)
        case nn.Conv2d() | nn.AvgPool2d() | nn.AdaptiveAvgPool2d() | nn.BatchNorm2d():  # linear: PyTorch transposes
            with torch.enable_grad():
                x = x.detach().requires_grad_()
                return torch.autograd.grad(part(x), x, s)[0]
    raise ValueError(f"{network.name} has a {type(part).__name__}, which the reversed network cannot undo")


def _unpool(pool: nn.MaxPool2d, x: Tensor, s: Tensor, unpooling: Unpooling) -> Tensor:
    settings = (pool.kernel_size, pool.stride, pool.padding)
    _, switches = F.max_pool2d(x, *settings, pool.dilation, pool.ceil_mode, return_indices=True)
    switches, s = switches.flatten(2), s.flatten(2)
    if unpooling == "sum":
        return torch.zeros_like(x).flatten(2).scatter_add(2, switches, s).view_as(x)
    windows = torch.arange(s.shape[2], device=s.device).expand_as(s)
    last = torch.full_like(x, -1, dtype=torch.int64).flatten(2).scatter_reduce(2, switches, windows, "amax")
    return torch.where(last >= 0, s.gather(2, last.clamp(min=0)), 0).view_as(x)
