"""The exercises of notebook 02."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from ..figures import Figure, row
from ..gradient_based.gradients import gradient, magnitude
from ..gradient_based.relu_rules import RULES, relu_backward
from ..languages import say
from ..maps import show_signed
from ..networks import load_network
from ..photos import load_image
from ..targets import logit
from .answers import Exercise, Said, not_yet, right, same
from .riddles import Riddle, Shown


def _rule(rule: str) -> Callable[[Any], Said]:
    def check_rule(answer: Any) -> Said:
        if not callable(answer):
            return not_yet("write a function of (x, s) that returns a tensor")
        x = torch.tensor([-2.0, 0.0, 3.0, 1.0, -1.0, 0.0, 2.0])
        s = torch.tensor([4.0, 5.0, -6.0, 7.0, -8.0, -9.0, 0.0])
        result = answer(x, s)
        if result is ...:
            return not_yet("replace the three dots ... with your line")
        others = {say("this is {rule}", rule=other): relu_backward(other, x, s) for other in RULES}
        others["a ReLU passes nothing back where x is exactly 0"] = s * (x >= 0) * (s > 0)
        praise = say("that is {rule}, exact zeros included", rule=rule)
        return same(result, relu_backward(rule, x, s), praise, others)

    return check_rule


def _through(rule: str) -> Tensor:
    """What a rule sends back to the photo of the rocket from the class it is taken for."""
    network, photo = load_network("alexnet64", device="cpu"), load_image("rocket", 64)
    return gradient(network, photo, logit(network.top(photo, 1)[0][0]), rule)


def _by_rule(rule: str) -> Figure:
    pictures = {say("photo"): load_image("rocket", 64), rule: show_signed(_through(rule))}
    return row(pictures, alt=say("a rocket, and what {rule} sends back to it", rule=rule))


def _sparse() -> list[Shown]:
    shown = []
    for rule in ("guided", "backprop", "deconvnet"):
        sent = _through(rule)
        strengths = magnitude(sent).flatten().sort(descending=True).values
        share = strengths[: len(strengths) // 20].sum() / strengths.sum()
        shown.append(Shown(rule, show_signed(sent), share.item()))
    return shown


def _only_backprop(answer: Any) -> Said:
    try:
        x, s = (torch.tensor(float(number)) for number in answer)
    except (TypeError, ValueError):
        return not_yet("two numbers are expected, (x, s)")
    passing = [rule for rule in RULES if relu_backward(rule, x, s)]
    if passing != ["backprop"]:
        return not_yet("this passes through {rules}", rules=", ".join(passing) or say("none of them"))
    return right("the neuron was active, and what arrives is negative: only the true gradient may say so")


def _numbers(answer: Any) -> Figure:
    x, s = (torch.tensor(float(number)) for number in answer)
    squares = {rule: show_signed(relu_backward(rule, x, s).expand(1, 3, 4, 4), limit=abs(s.item())) for rule in RULES}
    return row(squares, alt=say("only backprop's square is not grey"), size=80)


EXERCISES: dict[str, Exercise | Riddle] = {
    "02.1": Exercise(_rule("deconvnet"), lambda _: _by_rule("deconvnet")),
    "02.2": Exercise(_rule("guided"), lambda _: _by_rule("guided")),
    "02.3": Riddle(
        _sparse,
        "part of its strength in the strongest 5 % of the pixels",
        "two conditions at every ReLU: what is left lies in few pixels",
    ),
    "02.4": Exercise(_only_backprop, _numbers),
}
