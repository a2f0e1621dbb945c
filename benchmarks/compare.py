"""How figures are made: both sides in turn in one run, ratios of medians; one time alone means little."""

import statistics
import time
from collections.abc import Callable
from typing import NamedTuple

import numpy as np


class Result(NamedTuple):
    """One row of the table. ``limit`` is what the figure should not exceed."""

    what: str
    figure: float
    limit: float | None = None
    unit: str = "×"
    note: str = ""

    @property
    def met(self) -> str:
        return "" if self.limit is None else "yes" if self.figure <= self.limit else "**no**"


def percent(right: np.ndarray) -> str:
    """The share of those that are right, with its 95 % confidence interval (normal approximation)."""
    share = right.mean()
    return f"{100 * share:.1f} ± {196 * (share * (1 - share) / len(right)) ** 0.5:.1f}"


def seconds(call: Callable[[], object]) -> float:
    started = time.perf_counter()
    call()
    return time.perf_counter() - started


def ratio(what: str, ours: Callable, theirs: Callable, limit: float | None, rounds: int = 40, note: str = "") -> Result:
    """Median time of ``ours`` over median time of ``theirs``, each called in turn, first the one, then the other."""
    times: tuple[list[float], list[float]] = ([], [])
    for call in (ours, theirs):
        call(), call()  # warm up
    for n in range(rounds):
        for side, call in ((0, ours), (1, theirs)) if n % 2 else ((1, theirs), (0, ours)):
            times[side].append(seconds(call))
    one, other = map(statistics.median, times)
    return Result(
        what, one / other, limit, note=f"{1e3 * one:.1f} ms against {1e3 * other:.1f} ms{note and '; ' + note}"
    )
