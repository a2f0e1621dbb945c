"""PyTorch's optimisers, without PyTorch's compiler.

Making one loads `torch._dynamo`, whose business is to leave optimisers alone where a network is compiled: nearly a
second, and 160 MB in the kernel of every student. Here nothing is compiled, so their methods are taken out of that
wrapping; the numbers are theirs to the last bit.
"""

from inspect import unwrap
from typing import Any

import torch


def _alone(kind: type[torch.optim.Optimizer]) -> tuple[Any, Any, Any]:
    """The methods of ``kind`` that would load the compiler, as they are inside: they add, zero, and take a step."""
    return unwrap(kind.add_param_group), unwrap(kind.zero_grad), torch.no_grad()(unwrap(kind.step))


class Adam(torch.optim.Adam):
    """Kingma and Ba 2015, algorithm 1."""

    add_param_group, zero_grad, step = _alone(torch.optim.Adam)


class SGD(torch.optim.SGD):
    """Gradient descent, with momentum if wanted."""

    add_param_group, zero_grad, step = _alone(torch.optim.SGD)


class LBFGS(torch.optim.LBFGS):
    """Nocedal and Wright 2006, algorithm 7.5."""

    add_param_group, zero_grad, step = _alone(torch.optim.LBFGS)
