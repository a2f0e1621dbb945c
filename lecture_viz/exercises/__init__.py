"""The notebooks' exercises of three kinds: write a line, explain a picture, find something.

`check` says whether an answer is right, and if not, what is wrong; then it shows what the right answer makes. It never
raises, so that a notebook with open exercises runs through. `look` shows the pictures of an exercise that asks about
some.
"""

from typing import Any

from ..figures import Figure, row
from ..languages import say
from . import (
    activation_maximization,
    deconvnet,
    deepdream,
    gradients,
    inversion,
    layer_by_layer,
    learned_priors,
    microscope,
    relu_rules,
    saliency,
    start_here,
)
from .answers import Exercise, not_yet
from .riddles import Riddle

__all__ = ["EXERCISES", "check", "look"]

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
    microscope,
)
EXERCISES: dict[str, Exercise | Riddle] = {
    number: exercise for notebook in NOTEBOOKS for number, exercise in notebook.EXERCISES.items()
}


def check(exercise: str, answer: Any) -> Figure | None:
    """Print what is to be said of an answer to an exercise such as ``"01.2"``; ``...`` means it is still open.

    Returns what a right answer makes, as a figure.
    """
    if not isinstance(exercise, str) or exercise not in EXERCISES:
        known = ", ".join(EXERCISES)
        print(say("there is no exercise {exercise!r}; there are {known}", exercise=exercise, known=known))
        return None
    if answer is ...:
        print(not_yet("replace the three dots ... with your line"))
        return None
    try:
        print(said := EXERCISES[exercise].said(answer))
        return EXERCISES[exercise].picture(answer) if said.right else None
    except Exception as error:  # the student's own function failed
        print(not_yet("your code stops with {kind}: {error}", kind=type(error).__name__, error=error))
        return None


def look(exercise: str) -> Figure | None:
    """The pictures that an exercise such as ``"01.3"`` asks about, with letters."""
    riddle = EXERCISES.get(exercise) if isinstance(exercise, str) else None
    if not isinstance(riddle, Riddle):
        riddles = ", ".join(number for number, one in EXERCISES.items() if isinstance(one, Riddle))
        print(say("there are pictures to look at for {riddles}; got {exercise!r}", riddles=riddles, exercise=exercise))
        return None
    alt = say("pictures with letters; the question asks which of them is meant")
    return row(riddle.lettered(), alt=alt, size=230)
