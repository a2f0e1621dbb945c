"""The exercises of notebook 07."""

from typing import Any

import torch

from .answers import Check, of


def _feature_error(answer: Any) -> str:
    outputs, activations = torch.rand(2, 1, 4, 5, 5, generator=torch.Generator().manual_seed(0))
    difference = (outputs - activations).square().sum()
    slips = {
        "this is not normalised: divide by ‖y‖²": difference,
        "divide by ‖y‖², the sum of the squares of y": difference / activations.abs().sum(),
        "these are lengths; the formula has their squares": difference.sqrt() / activations.norm(),
        "divide by what is looked for, y, not by what is there": difference / outputs.square().sum(),
    }
    praise = "0 is the same, 1 as bad as nothing at all"
    return of(answer, (outputs, activations), difference / activations.square().sum(), praise, slips)


def _soft_threshold(answer: Any) -> str:
    c = torch.tensor([-3.0, -1, -0.5, 0, 0.2, 1, 2.5])
    slips = {
        "this is the hard threshold: what is left moves towards 0 by t as well": c * (c.abs() > 1),
        "keep the sign": (c.abs() - 1).clamp(min=0),
        "what is smaller than t becomes 0, not negative": c.sign() * (c.abs() - 1),
    }
    return of(answer, (c, 1.0), c.sign() * (c.abs() - 1).clamp(min=0), "small details go, edges stay", slips)


EXERCISES: dict[str, Check] = {"07.1": _feature_error, "07.2": _soft_threshold}
