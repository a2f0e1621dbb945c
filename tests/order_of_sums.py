"""Another order of sums, on any machine: every sum of many numbers comes out a little differently each time."""

import torch
from torch.utils._python_dispatch import TorchDispatchMode

SUMS = {"convolution", "convolution_backward", "addmm", "mm", "bmm", "sum", "mean", "_fft_c2r", "_fft_r2c"}


class Shaken(TorchDispatchMode):
    """A ``with`` block in which each number that is a sum of many is off by up to one unit in its last place.

    That is what another number of threads, another processor or a GPU do. What holds here, holds there; an equality
    that needs the sums in one order fails.
    """

    def __init__(self, seed: int = 0):
        super().__init__()
        self.random = torch.Generator().manual_seed(seed)
        self.shaken = 0  # how many sums

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        result = function(*args, **(kwargs or {}))
        if function._schema.name.removeprefix("aten::") not in SUMS:
            return result
        self.shaken += 1
        return tuple(map(self._shake, result)) if isinstance(result, tuple) else self._shake(result)

    def _shake(self, value):
        if not isinstance(value, torch.Tensor) or not value.is_floating_point():
            return value
        off = 2 * torch.rand(value.shape, generator=self.random) - 1
        return value * (1 + torch.finfo(value.dtype).eps * off.to(value))
