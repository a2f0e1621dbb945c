"""Cells and panels compute in different threads, and only one of them can have the cores' helpers awake.

On Linux, PyTorch shares each operation among helpers, a team for each thread that computes (OpenMP, by libgomp).
Between operations they wait awake, but only while there are no more helpers than cores, counting the idle ones of other
teams; else each operation has to wake them. With the team of the notebook's cells still there, a gradient at 224 pixels
takes a panel's thread 54 ms instead of 27. So at the end of a cell its team goes home; the next cell calls another in
no time.

What is small computes without them (`alone`): a gradient at 112 pixels waits longer for helpers than they save. On a
slow machine it takes two threads 60 ms, and one 32.
"""

import ctypes
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path

import torch

SOFT = 1  # omp_pause_soft, OpenMP 5.0, section 3.2.43: what it was set to stays


@cache
def _openmp() -> ctypes.CDLL | None:
    """PyTorch's own libgomp; none where it has another OpenMP, which knows no such rule."""
    for file in (Path(torch.__file__).parent / "lib").glob("libgomp*.so*"):
        with suppress(OSError):
            library = ctypes.CDLL(str(file))
            return library if hasattr(library, "omp_pause_resource_all") else None
    return None


def send_home(_result: object = None) -> bool:
    """End the helpers of the calling thread; returns whether there may have been some."""
    library = _openmp()
    return library is not None and library.omp_pause_resource_all(SOFT) == 0


@contextmanager
def alone() -> Iterator[None]:
    """Inside, the calling thread computes without helpers."""
    cores = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(cores)
