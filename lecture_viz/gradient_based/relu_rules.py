"""One ReLU forward, three ways back.

Forward, a ReLU keeps what is positive: y = max(x, 0). On the way back a *sensitivity* s = ∂(pseudo-loss)/∂y arrives
at its output. Three rules say what leaves at its input:

    backprop     s · [x > 0]                 zero where the forward input was negative     Simonyan et al. 2014 [20]
    deconvnet    s · [s > 0]                 zero where the sensitivity is negative        Zeiler & Fergus 2014 [26]
    guided       s · [x > 0] · [s > 0]       both                                          Springenberg et al. 2015 [21]

Only backprop is the gradient of a function. Deconvnet needs no memory of the forward pass; guided backprop shows the
sharpest pictures, yet they change little from class to class: it draws what is in the photo more than what the
neuron wants (Nie et al. 2018). At x = 0 exactly, backprop uses 0, as PyTorch does.

ReLU6, y = min(max(x, 0), 6), in networks made for phones, has a ceiling, too: where x reaches it, y does not move. So
[x > 0] becomes [0 < x < 6]; deconvnet does not look at x, and stays as it is.

`relu_rule` works on any PyTorch code: while it is active, each call of a ReLU (`nn.ReLU`, `torch.relu`, `F.relu`,
`nn.ReLU6`, `F.relu6`, `nn.Hardtanh(0, 6)`, in place or not) is answered with one that has the chosen way back. The
network itself is never changed. For SiLU, GELU and their kin the last two rules say nothing: those are refused.
"""

import math
from collections.abc import Callable
from typing import Any, Literal, get_args

import torch
from torch import Tensor
from torch.nn import functional as F
from torch.overrides import TorchFunctionMode

Rule = Literal["backprop", "deconvnet", "guided"]
RULES: tuple[Rule, ...] = get_args(Rule)

_RELUS = {torch.relu, torch.Tensor.relu, F.relu, F.relu6}
_RELUS_IN_PLACE = {torch.relu_, torch.Tensor.relu_, F.relu_}
_HARDTANHS = {F.hardtanh, F.hardtanh_}
# functions of their own in the place of a ReLU, by the names that PyTorch's functions have, and as one says them
_OTHERS = {
    **{"silu": "SiLU", "gelu": "GELU", "hardswish": "Hardswish", "mish": "Mish", "elu": "ELU", "selu": "SELU"},
    **{"celu": "CELU", "leaky_relu": "LeakyReLU", "rrelu": "RReLU", "prelu": "PReLU", "softplus": "Softplus"},
    "hardtanh": "Hardtanh",
}


def relu_backward(rule: Rule, forward_input: Tensor, sensitivity: Tensor, ceiling: float = math.inf) -> Tensor:
    """What leaves a ReLU at its input, given its forward input and the sensitivity at its output (same shapes).

    ``ceiling`` is 6 for ReLU6.
    """
    check_rule(rule)
    passes = torch.ones_like(sensitivity, dtype=torch.bool)
    if rule in ("backprop", "guided"):
        passes &= forward_input > 0
        if ceiling < math.inf:
            passes &= forward_input < ceiling
    if rule in ("deconvnet", "guided"):
        passes &= sensitivity > 0
    return sensitivity.where(passes, 0)


def check_rule(rule: str) -> None:
    if rule not in RULES:
        raise ValueError(f"there is no rule {rule!r}; the rules are {', '.join(RULES)}")


class _RuledReLU(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, rule: Rule, ceiling: float) -> Tensor:
        ctx.rule, ctx.ceiling = rule, ceiling
        y = x.clamp(0, ceiling)
        ctx.save_for_backward(y)  # y is in between exactly where x is, and the next layer keeps y anyway
        return y

    @staticmethod
    def backward(ctx: Any, sensitivity: Tensor) -> tuple[Tensor, None, None]:
        (y,) = ctx.saved_tensors
        if ctx.rule == "guided":  # as `relu_backward` says it, in one pass: its masks take half a gradient's time
            sensitivity = torch.ops.aten.hardtanh_backward(sensitivity, y, 0, ctx.ceiling)
        return sensitivity.clamp(min=0), None, None


def _argument(args: tuple[Any, ...], kwargs: dict[str, Any], place: int, name: str, default: Any) -> Any:
    return args[place] if place < len(args) else kwargs.get(name, default)


def _comes_back(x: Any) -> bool:
    """Whether something will come back through a function of ``x``."""
    return isinstance(x, Tensor) and torch.is_grad_enabled() and x.requires_grad


class relu_rule(TorchFunctionMode):  # noqa: N801  used like a function: `with relu_rule("guided") as rule:`
    """A ``with`` block in which every ReLU that runs *forward* gets the chosen way back::

        with relu_rule("guided") as rule:
            value = network(photo)[0, 281]
        value.backward()
        rule.count                      # how many ReLUs were seen

    Raises:
        ValueError: unknown rule; or, under ``deconvnet`` or ``guided``, another function ran in the place of a ReLU,
            such as SiLU; or, on leaving the block, no ReLU ran in it (unless ``refuse_none=False``).
    """

    def __init__(self, rule: Rule, refuse_none: bool = True):
        check_rule(rule)
        super().__init__()
        self.rule = rule
        self.count = 0
        self.refuse_none = refuse_none and rule != "backprop"

    def __torch_function__(
        self, function: Callable[..., Any], types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        kwargs = kwargs or {}
        name = getattr(function, "__name__", "").rstrip("_")
        if function in _RELUS or function in _RELUS_IN_PLACE:
            ceiling = 6.0 if name == "relu6" else math.inf
        elif function in _HARDTANHS and _argument(args, kwargs, 1, "min_val", -1.0) == 0:
            ceiling = float(_argument(args, kwargs, 2, "max_val", 1.0))
        elif name in _OTHERS and self.rule != "backprop" and _comes_back(_argument(args, kwargs, 0, "input", None)):
            raise ValueError(
                f"the rule {self.rule!r} is made for ReLUs, and this network has {_OTHERS[name]} in their place: the "
                "picture would be wrong. Use rule='backprop', or a network with ReLUs"
            )
        else:
            return function(*args, **kwargs)
        x = _argument(args, kwargs, 0, "input", None)
        if not _comes_back(x):
            return function(*args, **kwargs)
        self.count += 1
        if self.rule == "backprop":
            return function(*args, **kwargs)
        in_place = function in _RELUS_IN_PLACE or function is F.hardtanh_
        in_place |= any(argument is True for argument in (*args[1:], kwargs.get("inplace")))
        y = _RuledReLU.apply(x, self.rule, ceiling)
        return x.copy_(y) if in_place else y

    def __exit__(self, exc_type: Any, exc_value: Any, traceback: Any) -> None:
        super().__exit__(exc_type, exc_value, traceback)  # type: ignore[no-untyped-call]
        if exc_type is None and self.count == 0 and self.refuse_none:
            raise ValueError(
                f"the rule {self.rule!r} changes the way back through ReLUs, but no ReLU ran forward here: the result "
                "would silently be the plain gradient. Use rule='backprop', a network with ReLUs, or put the forward "
                "pass inside the block"
            )


def way_back(function: Callable[[Tensor], Tensor], x: Tensor, sensitivity: Tensor, rule: Rule) -> Tensor:
    """What reaches ``x`` when ``sensitivity`` (shape of ``function(x)``) is sent back through ``function``.

    Raises:
        ValueError: unknown rule, or no ReLU runs in ``function`` under ``deconvnet`` or ``guided``.
    """
    x = x.detach().requires_grad_()
    with torch.enable_grad(), relu_rule(rule):
        y = function(x)
    return torch.autograd.grad(y, x, sensitivity)[0]


# what lies between the two ReLUs of `two_relus`: each row of a picture is compared with the next one
BETWEEN = torch.tensor([[1.0, -1.0, 0.0], [0.0, 1.0, -1.0], [-1.0, 0.0, 1.0]])


def two_relus(x: Tensor) -> Tensor:
    """The smallest stack in which the three rules part: a ReLU, the matrix `BETWEEN`, a ReLU; ``x`` is ``(3, …)``."""
    return torch.relu(BETWEEN.to(x) @ torch.relu(x))
