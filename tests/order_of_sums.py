"""Another order of sums, on any machine: every sum of many numbers comes out a little differently each time."""

import math
from pathlib import Path

import torch
from torch.utils._python_dispatch import TorchDispatchMode

SUMS = {"convolution", "convolution_backward", "addmm", "mm", "bmm", "sum", "mean", "_fft_c2r", "_fft_r2c"}
MANY = 2**22  # numbers drawn once: drawing them for each sum takes longer than most sums


class Shaken(TorchDispatchMode):
    """A ``with`` block in which each number that is a sum of many is off by up to one unit in its last place.

    That is what another number of threads, another processor or a GPU do. What holds here, holds there; an equality
    that needs the sums in one order fails. Sums of whole numbers stay, since they are exact in any order.
    """

    def __init__(self, seed: int = 0):
        super().__init__()
        self.random = torch.Generator().manual_seed(seed)
        off = 2 * torch.rand(MANY, generator=self.random, dtype=torch.float64) - 1
        kinds = (torch.float32, torch.float64)
        self.factors = {kind: (1 + torch.finfo(kind).eps * off).to(kind) for kind in kinds}
        self.shaken = 0  # how many sums

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        result = function(*args, **(kwargs or {}))
        if function._schema.name.removeprefix("aten::") not in SUMS:
            return result
        self.shaken += 1
        for value in result if isinstance(result, tuple) else (result,):
            self._shake(value)
        return result

    def _shake(self, value):
        if not isinstance(value, torch.Tensor) or value.dtype not in self.factors:
            return
        if not value.frac().any():
            return  # sums of whole numbers are exact in any order
        shape = list(value.shape)
        while math.prod(shape) > MANY // 2:
            shape.pop(0)  # the same again for each
        begin = int(torch.randint(MANY - math.prod(shape) + 1, (), generator=self.random))
        value.mul_(self.factors[value.dtype][begin : begin + math.prod(shape)].view(shape))


def in_kernels(folder: Path) -> dict[str, str]:
    """Environment variables with which kernels add like that, from their first cell on; ``folder`` is IPython's."""
    startup = folder / "profile_default" / "startup"
    startup.mkdir(parents=True)
    first = "import lecture_viz  # says how threads wait before PyTorch comes"
    (startup / "00.py").write_text(f"{first}\nfrom order_of_sums import Shaken\n\nShaken().__enter__()\n")
    return {"IPYTHONDIR": str(folder), "PYTHONPATH": str(Path(__file__).parent)}
