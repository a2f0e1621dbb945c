"""Random weights that are the same every time."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch


@contextmanager
def seeded(seed: int = 0) -> Iterator[None]:
    """What is made within has random weights that depend on ``seed`` alone, without touching anyone else's numbers."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        yield
