"""From node to sum: the numbers a neuron reads, its weights, the products, and what they add up to.

A neuron of a convolution reads a window of the layer before, in all channels (of its group), and adds up:

    a[k, y, x] = b[k] + Σ over c, i, j of  W[k, c, i, j] · a'[c, s·y − p + d·i, s·x − p + d·j]

a' is the output of the layer before, s the stride, p the padding, d the dilation; beyond the border a' is 0. A neuron
of a fully connected layer does the same with one window as large as the whole layer before. What has no weights of its
own is a sum, too, only that the photo chooses them: a ReLU gives its one number the weight 1 or 0, a max pool gives 1
to the largest number of its window and 0 to the rest. An average pool gives 1/n to each.

What it shows: there is nothing else in such a network; each number can be checked by hand, and followed to the sum that
it is itself, down to the pixels. Where it misleads: a product says what was added for *this photo*, not what would
happen without it (other neurons change as well). Large products may cancel. And only in the first layer do weights show
what a neuron looks for: further up they belong to channels, whose meaning is another sum.
"""

import threading
from operator import index
from typing import Literal, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.modules.utils import _pair

from .efficientnet import Same
from .network import Network

Kind = Literal["convolution", "fully connected", "ReLU", "max pool", "average pool"]
KINDS: dict[type[nn.Module], Kind] = {
    nn.Conv2d: "convolution",
    Same: "convolution",
    nn.Linear: "fully connected",
    nn.ReLU: "ReLU",
    nn.ReLU6: "ReLU",
    nn.MaxPool2d: "max pool",
    nn.AvgPool2d: "average pool",
    nn.AdaptiveAvgPool2d: "average pool",
}


class WeightedSum(NamedTuple):
    """One neuron: ``value`` is the sum of its ``products``, and its ``bias``.

    Attributes:
        kind: what its layer is.
        window: the numbers it reads ``(C, kh, kw)``; 0 beyond the border.
        weights: what each is multiplied by ``(C, kh, kw)``.
        bias: what is added. A ReLU6 that stands at 6 has the weight 0, and 6 here.
        before: the layer it reads; ``None`` for the normalised photo, ``""`` for what no layer of its own has made.
        channels, rows, columns: where the window lies there: ``window[c, i, j]`` is the neuron in channel
            ``channels[c]``, row ``rows[i]`` and column ``columns[j]``, unless that is beyond the border.
    """

    kind: Kind
    window: Tensor
    weights: Tensor
    bias: float
    before: str | None
    channels: range
    rows: range
    columns: range

    @property
    def products(self) -> Tensor:
        """What is added up ``(C, kh, kw)``."""
        return self.window * self.weights

    @property
    def parts(self) -> Tensor:
        """What each channel adds ``(C,)``."""
        return self.products.sum(dim=(1, 2))

    @property
    def value(self) -> float:
        """The neuron's activation."""
        return self.products.double().sum().item() + self.bias


def summed(network: Network) -> tuple[str, ...]:
    """The layers of a network whose neurons are such sums."""
    return tuple(layer for layer in network.layers if _is_sum(network.part(layer)))


def _is_sum(part: nn.Module) -> bool:
    """By its exact class: one derived from it may compute something else."""
    return type(part) in KINDS and getattr(part, "padding_mode", "zeros") == "zeros"


def weighted_sum(
    network: Network, photo: Tensor, layer: str, channel: int, y: int | None = None, x: int | None = None
) -> WeightedSum:
    """The sum that one neuron is, for one photo ``(1, 3, H, W)`` in ``[0, 1]``; its tensors are on the CPU.

    Args:
        layer: one convolution (also grouped or dilated), fully connected layer, ReLU, max pool or average pool.
        channel: a channel, or a neuron of a layer without rows and columns.
        y, x: row and column, by default the middle.

    Raises:
        TypeError: channel, y or x is no whole number.
        ValueError: not one photo; unknown layer, or one that is no such sum; channel or place out of range.
    """
    if len(network.check(photo)) != 1:
        raise ValueError(f"a neuron has one sum for each photo; got {len(photo)} photos: give one, such as photo[:1]")
    part = network.part(layer)
    if not _is_sum(part):
        raise ValueError(
            f"{type(part).__name__} {layer!r} of {network.name} is not one sum; those that are: "
            f"{', '.join(summed(network)) or 'none'}"
        )
    read, output, before, shape = _look(network, photo, layer)
    if output.ndim not in (2, 4) or (isinstance(part, nn.Linear) and output.ndim == 4):
        raise ValueError(f"layer {layer!r} gives {tuple(output.shape)}, not (B, C, h, w), or (B, C) of a Linear")
    if output.ndim == 2 and (y, x) != (None, None):
        raise ValueError(f"layer {layer!r} has no rows and columns: leave y and x out")
    sizes = (*output.shape[1:], 1, 1)[:3]
    neuron = [size // 2 if asked is None else index(asked) for asked, size in zip((channel, y, x), sizes)]
    for what, asked, size in zip(("channel", "row y", "column x"), neuron, sizes):
        if not 0 <= asked < size:
            raise ValueError(f"layer {layer!r} has {what} 0 … {size - 1}; got {asked}")

    channels, rows, columns = _where(part, neuron, sizes, shape)
    down, right = torch.tensor(rows), torch.tensor(columns)
    inside = ((down >= 0) & (down < shape[1]))[:, None] & (right >= 0) & (right < shape[2])
    here = read.cpu().reshape(shape)[channels.start : channels.stop]
    window = here[:, down.clamp(0, shape[1] - 1)][:, :, right.clamp(0, shape[2] - 1)] * inside
    weights, bias = _weights(part, neuron, window, inside, shape)
    return WeightedSum(KINDS[type(part)], window, weights, bias, before, channels, rows, columns)


def _look(network: Network, photo: Tensor, layer: str) -> tuple[Tensor, Tensor, str | None, tuple[int, ...]]:
    """In one pass: what a layer reads, what it gives, the layer before, and the shape ``(C, h, w)`` of its output."""
    names = {part: path for path, part in network.module.named_modules() if path}
    names |= {network.part(name): name for name in network.layers}
    asked, thread = network.part(layer), threading.get_ident()
    read: list[Tensor] = []
    outputs: dict[str, Tensor] = {}

    def keep(part: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
        if threading.get_ident() != thread:  # another one is using the same network
            return
        if part is asked:
            read.append(inputs[0])
        elif isinstance(output, Tensor):
            outputs[names[part]] = output

    handles = [part.register_forward_hook(keep) for part in names]
    try:
        with torch.no_grad():
            given = network.activations(photo, layer)
    finally:
        for handle in handles:
            handle.remove()

    def is_read(output: Tensor) -> bool:
        """Before a fully connected layer something may have changed its shape."""
        (x,) = read
        alike = output.shape == x.shape or (x.ndim == 2 and output.numel() == x.numel())
        return alike and torch.equal(output.flatten(), x.flatten())

    photo = photo.to(network.device)
    found = [name for name, output in outputs.items() if is_read(output)]
    known = [name for name in found if name in network.layers]  # the last of them, as others say it
    before = None if is_read((photo - network.mean) / network.std) else ["", *found[:1], *known][-1]
    source = photo if before is None else outputs.get(before, read[0])
    return read[0], given, before, (*source.shape[1:], 1, 1)[:3]


def _where(
    part: nn.Module, neuron: list[int], sizes: tuple[int, ...], shape: tuple[int, ...]
) -> tuple[range, range, range]:
    """Channels, rows and columns that a neuron of a layer with ``sizes`` reads, of a layer of this ``shape``."""
    channel, *place = neuron
    own = range(channel, channel + 1)
    match part:
        case nn.Linear():
            return range(shape[0]), range(shape[1]), range(shape[2])
        case nn.AdaptiveAvgPool2d():
            rows, columns = (
                range(n * side // size, -(-(n + 1) * side // size))
                for n, size, side in zip(place, sizes[1:], shape[1:])
            )
            return own, rows, columns
        case nn.Conv2d():
            each = part.in_channels // part.groups
            first = channel // (part.out_channels // part.groups) * each
            own = range(first, first + each)
            windows = part.kernel_size, part.stride, _padding(part, shape), part.dilation
        case nn.MaxPool2d():
            windows = part.kernel_size, part.stride, part.padding, part.dilation
        case nn.AvgPool2d():
            windows = part.kernel_size, part.stride, part.padding, 1
        case _:  # a ReLU
            windows = 1, 1, 0, 1
    rows, columns = (
        range(n * stride - padding, n * stride - padding + dilation * kernel, dilation)
        for n, kernel, stride, padding, dilation in zip(place, *map(_pair, windows))
    )
    return own, rows, columns


def _padding(part: nn.Conv2d, shape: tuple[int, ...]) -> tuple[int, ...]:
    """Rows above and columns left of what a convolution reads."""
    sizes = zip(shape[1:], part.kernel_size, part.stride, part.dilation)
    if isinstance(part, Same):
        return tuple(
            max(0, (-(-side // stride) - 1) * stride + kernel - side) // 2 for side, kernel, stride, _ in sizes
        )
    if part.padding == "same":
        return tuple(dilation * (kernel - 1) // 2 for _, kernel, _, dilation in sizes)
    return (0, 0) if part.padding == "valid" else part.padding


def _weights(
    part: nn.Module, neuron: list[int], window: Tensor, inside: Tensor, shape: tuple[int, ...]
) -> tuple[Tensor, float]:
    """What the numbers of a window are multiplied by, and what is added."""
    channel, y, x = neuron
    match part:
        case nn.Conv2d() | nn.Linear():
            bias = 0.0 if part.bias is None else part.bias[channel].item()
            return part.weight[channel].cpu().reshape(window.shape), bias
        case nn.MaxPool2d():
            best = torch.where(inside, window, -torch.inf).argmax()
            return torch.zeros(window.numel()).index_fill(0, best, 1).reshape(window.shape), 0.0
        case nn.AvgPool2d() | nn.AdaptiveAvgPool2d():  # its share of a map of ones lies on what is inside
            share = part(torch.ones(1, 1, *shape[1:]))[0, 0, y, x]
            return (inside * share / inside.sum())[None], 0.0
    full = isinstance(part, nn.ReLU6) and window.item() >= 6
    return ((window > 0) & (not full)).to(window.dtype), 6.0 if full else 0.0
