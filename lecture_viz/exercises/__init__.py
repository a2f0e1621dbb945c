"""The checks behind the notebooks' exercises: each says whether an answer is right, and if not, what is wrong.

A check never raises, so that a notebook with open exercises runs through.
"""

from typing import Any

from . import (
    activation_maximization,
    deconvnet,
    deepdream,
    gradients,
    inversion,
    layer_by_layer,
    learned_priors,
    relu_rules,
    saliency,
    start_here,
)
from .answers import OPEN, Check

__all__ = ["CHECKS", "check"]

NOTEBOOKS = (
    start_here,
    gradients,
    relu_rules,
    deconvnet,
    saliency,
    activation_maximization,
    deepdream,
    inversion,
    layer_by_layer,
    learned_priors,
)
CHECKS: dict[str, Check] = {number: said for notebook in NOTEBOOKS for number, said in notebook.EXERCISES.items()}


def check(exercise: str, answer: Any) -> None:
    """Print what is to be said of an answer to an exercise such as ``"01.2"``; ``...`` means it is still open."""
    if not isinstance(exercise, str) or exercise not in CHECKS:
        print(f"there is no exercise {exercise!r}; there are {', '.join(CHECKS)}")
        return
    try:
        print(CHECKS[exercise](answer) if answer is not ... else OPEN + "replace the three dots ... with your line")
    except Exception as error:  # the student's own function failed
        print(f"{OPEN}your code stops with {type(error).__name__}: {error}")
