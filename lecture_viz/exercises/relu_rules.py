"""The exercises of notebook 02."""

from collections.abc import Callable
from typing import Any

import torch

from ..gradient_based.relu_rules import relu_backward
from .answers import OPEN, Check, same


def _rule(rule: str) -> Callable[[Any], str]:
    def check_rule(answer: Any) -> str:
        if not callable(answer):
            return f"{OPEN}write a function of (x, s) that returns a tensor"
        x = torch.tensor([-2.0, 0.0, 3.0, 1.0, -1.0, 0.0, 2.0])
        s = torch.tensor([4.0, 5.0, -6.0, 7.0, -8.0, -9.0, 0.0])
        result = answer(x, s)
        if result is ...:
            return OPEN + "replace the three dots ... with your line"
        others = {f"this is {other}": relu_backward(other, x, s) for other in ("backprop", "deconvnet", "guided")}
        others["a ReLU passes nothing back where x is exactly 0"] = s * (x >= 0) * (s > 0)
        return same(result, relu_backward(rule, x, s), f"that is {rule}, exact zeros included", others)

    return check_rule


EXERCISES: dict[str, Check] = {"02.1": _rule("deconvnet"), "02.2": _rule("guided")}
