"""Memory that a cell no longer needs goes back to the system.

On Linux, glibc keeps what is freed for whoever asks next: after all cells of lesson 4 a kernel held 1.7 GB, of which
0.7 were empty, and a student on a hub may take 2. So it is given back at the end of a cell, in 5 to 50 ms. Not when a
panel rests: its next picture would come 30 ms later.
"""

import ctypes
from contextlib import suppress
from functools import cache


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
