"""The one loop: change a picture, step by step, until a number is as small as it gets.

    x ← x − η · ∂/∂x [ loss(T(x)) + Σ λ R(x) ],  then  x ← filter(x)

Everything that is optimised in this suite runs here: activation maximisation and DeepDream (the loss is minus a
target), inversion (the loss is a distance). Free to choose, and independent of each other: where to start, how the
picture is kept (`parameterization`), the optimiser, penalties R and filters (`regularizers`), random transforms T
(`robustness`), and sizes from small to large (octaves).

It is a *generator*: each step is yielded, and whoever consumes them may show, store, stop, or go on later.
"""

import math
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import reduce
from operator import add
from typing import NamedTuple, TypedDict

import torch
from torch import Tensor
from torch.nn import functional as F

from .optimizers import Adam
from .parameterization import PARAMETERIZATIONS, Parameterization
from .regularizers import Filter, Penalty
from .robustness import Transform

Objective = Callable[[Tensor], Mapping[str, Tensor]]  # a picture (B, 3, H, W) to named terms (B,), which are added up
Keep = Callable[[Tensor], Parameterization]  # of an image (B, 3, H, W) to begin with
Optimizer = Callable[[list[Tensor]], torch.optim.Optimizer]  # such as torch.optim.Adam


class Step(NamedTuple):
    """One step: the picture ``image`` ``(B, 3, H, W)`` in ``[0, 1]`` after it, and what it was made for.

    ``terms`` of the objective by name, before the step (means over the batch); the step is number ``index`` of
    ``total``, counted from 1.
    """

    image: Tensor
    terms: dict[str, float]
    index: int  # type: ignore[assignment]  # a tuple has a method of this name
    total: int

    @property
    def value(self) -> float:
        """The objective: the sum of its terms."""
        return sum(self.terms.values())


class Details(TypedDict, total=False):
    """Of the arguments of `optimize` those that every method hands on to it as they are."""

    schedule: Callable[[float], float] | None
    penalties: Sequence[Penalty]
    filters: Sequence[Filter]
    ratio: float


class Loop(Details, total=False):
    """Those that some methods choose themselves, too."""

    optimizer: Optimizer | None
    normalized: bool
    transforms: Sequence[Transform]
    octaves: int


class Search(Loop, total=False):
    """The whole of a recipe."""

    parameterization: str | Keep


class Diverged(ArithmeticError):
    """The objective is no longer a finite number; ``last`` is the last good `Step`, ``None`` if there was none."""

    def __init__(self, message: str, last: Step | None):
        super().__init__(message)
        self.last = last


def optimize(
    objective: Objective,
    start: Tensor,
    steps: int = 256,
    *,
    parameterization: str | Keep = "pixels",
    optimizer: Optimizer | None = None,
    schedule: Callable[[float], float] | None = None,
    normalized: bool = False,
    penalties: Sequence[Penalty] = (),
    filters: Sequence[Filter] = (),
    transforms: Sequence[Transform] = (),
    octaves: int = 1,
    ratio: float = 1.4,
    seed: int = 0,
    maximize: bool = False,
) -> Iterator[Step]:
    """Minimise ``objective`` plus the penalties over pictures, beginning with ``start`` ``(B, 3, H, W)``.

    Args:
        parameterization: ``"pixels"``, ``"fourier"``, ``"smooth fourier"``; or what makes a `Parameterization` of an
            image (`priors`).
        optimizer: makes one for a list of tensors, such as ``torch.optim.Adam``; by default Adam with a rate that
            suits the parameterisation.
        schedule: a factor for the optimiser's rate, given the part of the steps that has been taken (0 … below 1); by
            default what suits the parameterisation. The filters go that part of their way, or they would win when the
            steps become too small to answer.
        normalized: divide each gradient by its mean magnitude first, so that steps keep their length.
        penalties, filters, transforms: in this order of application; their strengths may change while it runs.
        octaves: begin with small pictures, and enlarge them so often but once, each time by ``ratio``; they share the
            steps. What has changed is enlarged, and laid over ``start`` at the new size, whose details so stay sharp.
        seed: of the transforms.
        maximize: go uphill instead; then the penalties count minus.

    Raises:
        ValueError: unknown parameterisation, no steps, more octaves than steps; a rate of the optimiser or a factor of
            the schedule that is negative or not finite.
        Diverged: NaN or infinity; says in which term.
    """
    keep: Keep | None = (
        PARAMETERIZATIONS.get(parameterization) if isinstance(parameterization, str) else parameterization
    )
    if keep is None:
        raise ValueError(f"there is no parameterization {parameterization!r}; there are {', '.join(PARAMETERIZATIONS)}")
    if isinstance(steps, bool) or not isinstance(steps, int) or steps < 1:
        raise ValueError(f"steps is a whole number from 1; got {steps!r}")
    if isinstance(octaves, bool) or not isinstance(octaves, int) or not 1 <= octaves <= steps or not ratio > 1:
        raise ValueError(f"octaves are 1 … {steps} (the steps), ratio is above 1; got {octaves!r} and {ratio!r}")
    random, sign = torch.Generator().manual_seed(seed), 1 if maximize else -1
    start, change, index, newest = start.detach(), None, 0, None
    for octave in range(1, octaves + 1):
        base = resized(start, [round(side / ratio ** (octaves - octave)) for side in start.shape[2:]])
        image = base if change is None else (base + resized(change, base.shape[2:])).clamp(0, 1)
        picture = keep(image)
        updates = optimizer(picture.parameters) if optimizer else Adam(picture.parameters, picture.RATE)
        rates = [group["lr"] for group in updates.param_groups]
        for rate in rates:
            _check_rate("the optimizer's rate is 0 or more and finite, such as 0.05", rate)
        planned = schedule or (cosine if getattr(picture, "CALMER", False) else constant)
        while index < octave * steps // octaves:
            factor = planned(index / steps)
            _check_rate(f"the schedule's factor for step {index + 1} is 0 or more and finite, such as 0.5", factor)
            for group, rate in zip(updates.param_groups, rates):
                group["lr"] = rate * factor
            index += 1
            with torch.enable_grad():
                image = picture.image()
                image.retain_grad()
                seen = image
                for transform in transforms:
                    seen = transform(seen, random)
                terms = dict(objective(seen))
                for penalty in penalties:
                    terms[penalty.name] = terms.get(penalty.name, 0) - sign * penalty(image)
                updates.zero_grad()
                value = -sign * reduce(add, terms.values()).sum()  # optimisers go downhill
                value.backward()
            values = {name: term.detach().mean().item() for name, term in terms.items()}
            if normalized:
                for parameter in picture.parameters:
                    slope = _slope(parameter)
                    slope /= slope.abs().mean().clamp(min=1e-12)
            updates.step(lambda value=value: value.detach())  # type: ignore[misc]  # L-BFGS wants to know it
            picture.settle()
            for calm in filters:
                before = picture.image().detach()
                after = calm(before, _slope(image), factor)
                if after is not before:  # switched off: there and back again would round
                    picture.put(after)
            _check(values, picture.image(), index, newest)
            newest = Step(picture.image().detach().clone(), values, index, steps)
            yield newest
        change = picture.image().detach() - base


def _slope(of: Tensor) -> Tensor:
    assert of.grad is not None, "the objective has just been differentiated"
    return of.grad


def resized(image: Tensor, size: Sequence[int]) -> Tensor:
    """An image ``(B, 3, H, W)`` of another height and width, antialiased."""
    if list(image.shape[2:]) == list(size):
        return image
    return F.interpolate(image, list(size), mode="bilinear", antialias=True, align_corners=False)


def _check_rate(what: str, rate: float) -> None:
    if not 0 <= rate < math.inf:
        raise ValueError(f"{what}; got {rate!r}")


def _check(values: dict[str, float], image: Tensor, index: int, newest: Step | None) -> None:
    bad = [name for name, value in values.items() if not math.isfinite(value)]
    if not bad and not bool(image.isfinite().all()):
        bad = ["the picture"]
    if bad:
        raise Diverged(
            f"{' and '.join(bad)} became NaN or infinite at step {index}; the last good picture is kept. Take a "
            "smaller rate or weight",
            newest,
        )


def constant(taken: float) -> float:
    """A schedule: always 1."""
    return 1


def cosine(taken: float) -> float:
    """A schedule: from 1 down to 0 along half a wave."""
    return (1 + math.cos(math.pi * taken)) / 2


def last(steps: Iterable[Step]) -> Step:
    """Run to the end; the last step.

    Raises:
        ValueError: there was no step.
    """
    final = deque(steps, maxlen=1)
    if not final:
        raise ValueError("there was no step to take")
    return final[0]
