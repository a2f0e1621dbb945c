"""Between two targets: what do two neurons paint together? (Olah et al. 2017 [17], "Interaction between Neurons")

Neurons do not work alone: any direction in the space of activations has a picture, and a neuron is only an axis of it.
So turn from one target A to another, B:

    S(x) = cos φ · A(x) + sin φ · B(x)

    φ = 0° is A, 90° is B, 45° their sum; −45° is their difference, A without B, and 135° is B without A.

What it shows: whether two neurons agree on a picture, share it out, or exclude each other; and, by the difference, what
the one sees that the other does not want.
Where it misleads: the angle is one of activations, not of looks. Where A has the larger values, A wins long beyond 45°.
"""

import math
from collections.abc import Sequence
from functools import reduce
from operator import add

from ..targets import Target, as_target

DEGREES = (-45, -22.5, 0, 22.5, 45, 67.5, 90, 112.5, 135)  # from A without B to B without A
DIGITS = 12  # of a weight: in floating point cos 90° is 6e-17, and cos 45° is not quite sin 45°


def mixture(first: Target, second: Target, degrees: float) -> Target:
    """``cos(degrees) * first + sin(degrees) * second``; at 0 and 90 degrees one of them alone, and nothing else.

    Raises:
        TypeError: not a target.
        ValueError: an angle that is not finite.
    """
    if not math.isfinite(degrees):
        raise ValueError(f"an angle is a finite number of degrees, such as 45 for the sum of both; got {degrees!r}")
    angle = math.radians(degrees)
    weights = round(math.cos(angle), DIGITS), round(math.sin(angle), DIGITS)
    parts = zip(weights, (as_target(first), as_target(second)))
    return reduce(add, (weight * target for weight, target in parts if weight))


def interpolate(first: Target, second: Target, degrees: Sequence[float] = DEGREES) -> list[Target]:
    """The `mixture` of two targets at each angle, as `maximize` takes several: a picture for each, in one batch.

    Give `maximize` a single picture to ``start`` with (`start_image`), and all of them begin alike; the random
    transforms are the same for a whole batch anyway. So what differs between two neighbours comes from the angle.

    Raises:
        TypeError, ValueError: as `mixture`; no angle at all.
    """
    targets = [mixture(first, second, one) for one in degrees]
    if not targets:
        raise ValueError("there is no angle; give at least one, such as (0, 45, 90)")
    return targets
