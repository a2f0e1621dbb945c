"""Memory that cells and panels no longer need goes back to the system.

On Linux, glibc keeps what is freed for whoever asks next: after all cells of lesson 4 a kernel held 1.7 GB, of which
0.7 were empty, and a student on a hub may take 2. Giving it back takes 5 to 50 ms, so it is done when a cell has ended,
and when a panel rests.
"""

import ctypes
from contextlib import suppress
from functools import cache

import IPython


@cache
def _libc() -> ctypes.CDLL | None:
    """glibc; none where there is another allocator."""
    with suppress(OSError):
        library = ctypes.CDLL("libc.so.6")
        return library if hasattr(library, "malloc_trim") else None
    return None


def give_back(_result: object = None) -> bool:
    """Return whether there was some."""
    library = _libc()
    return library is not None and library.malloc_trim(0) == 1


def give_back_after_cells() -> None:
    """From now on, in a notebook."""
    if shell := IPython.get_ipython():
        shell.events.register("post_run_cell", give_back)
