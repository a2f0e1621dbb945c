"""Receptive field: which pixels can a neuron see at all?

A neuron of ``conv1`` sees a kernel's worth of pixels, one behind it sees everything that those neurons see, and so on:
the deeper, the larger. Whatever lies outside cannot move the neuron, so its gradient there is exactly zero.

Computed, not guessed, and exact at the borders: each number in the network carries the rectangle of pixels it depends
on. A window (convolution, pool) joins the rectangles inside it, a sum or a concatenation joins its parts, anything else
that mixes places (a fully connected layer) sees all. (Where it may mislead: the middle of the rectangle usually counts
far more than its rim.)
"""

import torch
from torch import Tensor
from torch.nn import functional as F
from torch.nn.modules.utils import _pair
from torch.overrides import TorchFunctionMode

from ..photos import Box
from .network import Network


class ReceptiveField:
    """The receptive fields of all neurons of a layer; ``field[y, x]`` is the `Box` of those in row y, column x."""

    def __init__(self, rectangles: Tensor):
        """``rectangles`` ``(4, h, w)``: −top, −left, bottom, right."""
        self._rectangles = rectangles

    def __getitem__(self, place: tuple[int, int]) -> Box:
        y, x = place
        top, left, bottom, right = self._rectangles[:, y, x].long().tolist()
        return Box(-top, -left, bottom, right)

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns of the layer's activation maps; 1×1 for a layer without."""
        return tuple(self._rectangles.shape[1:])


def receptive_fields(network: Network, layers: list[str], size: int | None = None) -> dict[str, ReceptiveField]:
    """Of several ``layers``, for photos of ``size`` × ``size`` pixels (default: the network's).

    Raises:
        ValueError: unknown layer, or photos too small for the network.
    """
    size = size or network.input_size
    photo = torch.full((1, 3, size, size), 0.5, device=network.device)
    rows, columns = torch.arange(size).view(-1, 1).expand(size, size), torch.arange(size).expand(size, size)
    photo._rectangles = torch.stack([-rows, -columns, rows + 1, columns + 1])[None].float()
    with torch.no_grad(), _Watch():
        outputs = network.run(photo, layers)
    return {layer: ReceptiveField(outputs[layer]._rectangles[0]) for layer in layers}


def receptive_field(network: Network, layer: str, size: int | None = None) -> ReceptiveField:
    """Of one ``layer``; see `receptive_fields`."""
    return receptive_fields(network, [layer], size)[layer]


class _Watch(TorchFunctionMode):
    """Every tensor made inside carries its rectangles ``(1, 4, h, w)`` of −top, −left, bottom, right.

    All four are to be maximised when rectangles are joined. So a window joins them by a max-pool.
    """

    def __torch_function__(self, function, types, args=(), kwargs=None):
        kwargs = kwargs or {}
        out = function(*args, **kwargs)
        given = [*args, *kwargs.values()]
        tensors = [t for a in given for t in (a if isinstance(a, (list, tuple)) else [a]) if isinstance(t, Tensor)]
        seen = [t._rectangles for t in tensors if hasattr(t, "_rectangles")]
        if isinstance(out, Tensor) and seen:
            out._rectangles = self._join(function.__name__, args, kwargs, out, seen)
        return out

    def _join(self, name: str, args: tuple, kwargs: dict, out: Tensor, seen: list[Tensor]) -> Tensor:
        if name == "conv2d":
            _, weight, _, *rest = _arguments(args, kwargs, "input weight bias stride padding dilation")
            kernel, (stride, padding, dilation) = weight.shape[2:], rest
            if padding == "same":
                padding = [d * (k - 1) // 2 for d, k in zip(_pair(dilation or 1), kernel)]
            return _windows(seen[0], out, kernel, stride or 1, 0 if padding == "valid" else padding, dilation)
        if name == "max_pool2d":
            _, kernel, *rest = _arguments(args, kwargs, "input kernel_size stride padding dilation")
            stride, padding, dilation = rest
            return _windows(seen[0], out, kernel, stride or kernel, padding, dilation)
        if name == "avg_pool2d":
            _, kernel, stride, padding = _arguments(args, kwargs, "input kernel_size stride padding")
            return _windows(seen[0], out, kernel, stride or kernel, padding)
        if name == "pad":
            _, sides = _arguments(args, kwargs, "input pad")
            return F.pad(seen[0], tuple(sides), value=-torch.inf)  # what is added sees nothing
        if name == "adaptive_avg_pool2d":
            return F.adaptive_max_pool2d(seen[0], out.shape[2:])
        if out.ndim != 4 or not all(r.shape[2:] in (out.shape[2:], (1, 1)) for r in seen):
            seen = [r.amax(dim=(2, 3), keepdim=True) for r in seen]  # sees all
        # one by one: activation functions, batch norm, sums, concatenations
        return torch.stack(torch.broadcast_tensors(*seen)).amax(dim=0)


def _arguments(args: tuple, kwargs: dict, names: str) -> list:
    """The arguments of these names, ``None`` for those left out."""
    return [args[n] if n < len(args) else kwargs.get(name) for n, name in enumerate(names.split())]


def _windows(rectangles: Tensor, out: Tensor, kernel, stride, padding, dilation=None) -> Tensor:
    """Join what lies in each window; ``out``, what the layer made of them, says how many there are."""
    (above, left), kernel, dilation = _pair(padding or 0), _pair(kernel), _pair(dilation or 1)
    below, right = (before + d * k for before, d, k in zip((above, left), dilation, kernel))  # room for every last one
    padded = F.pad(rectangles, (left, right, above, below), value=-torch.inf)
    return F.max_pool2d(padded, kernel, _pair(stride), 0, dilation)[:, :, : out.shape[2], : out.shape[3]]
