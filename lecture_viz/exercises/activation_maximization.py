"""The exercises of notebook 05."""

from numbers import Real
from typing import Any

import torch
from torch import Tensor

from ..gradient_based.gradients import gradient
from ..networks import load_network
from ..optimization_based.regularizers import total_variation
from ..photos import load_image
from ..targets import logit
from .answers import DOTS, OPEN, Check, same


def _total_variation(answer: Any) -> str:
    if not callable(answer):
        return f"{OPEN}write a function of a picture that returns a number"
    x = torch.rand(1, 3, 6, 9, generator=torch.Generator().manual_seed(0))
    result = answer(x)
    if result is ...:
        return DOTS
    if isinstance(result, Real):
        result = torch.tensor(float(result))
    if isinstance(result, Tensor) and result.numel() == 1:  # a number, or one for each picture
        result = result.reshape(())
    here = x[:, :, :-1, :-1]
    down, right = (x[:, :, 1:, :-1] - here).square(), (x[:, :, :-1, 1:] - here).square()
    slips = {
        "these are only the differences to the pixel below": down.mean(),
        "these are only the differences to the pixel on the right": right.mean(),
        "take the mean over pixels and colours, not the sum": (down + right).sum(),
        "this is the root; the exercise is |∇x|², β = 2": (down + right).sqrt().mean(),
    }
    expected = total_variation(1, epsilon=0)(x)[0]
    return same(result, expected, "smooth pictures cost little, each edge costs", slips)


def _ascent(answer: Any) -> str:
    network, x = load_network("inception64", device="cpu"), load_image("coffee", 64)
    step = 0.2 * gradient(network, x, logit("tabby"))
    slips = {
        "this goes down: ascent adds the gradient": (x - step).clamp(0, 1),
        "some pixels left [0, 1]: clamp them": x + step,
        "this is the step alone; add it to the picture": step,
    }
    return same(answer, (x + step).clamp(0, 1), "a step uphill, and still a picture", slips)


EXERCISES: dict[str, Check] = {"05.1": _total_variation, "05.2": _ascent}
