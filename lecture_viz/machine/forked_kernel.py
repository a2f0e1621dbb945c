"""A kernel in a forked process, made as one that Jupyter starts; `warm_kernels` runs this file, and gives it ``START``.

It is no module of the package, which would be imported with it.
"""

import atexit
import multiprocessing
import os
import sys
import threading
from runpy import run_module

import numpy as np


def start(arguments: list[str], environment: dict[str, str], folder: str) -> None:
    """Run a kernel until it is shut down, with what Jupyter would start it with."""
    os.setsid()  # a signal for the kernel and what it starts is for nobody else
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    threading.Thread(target=end_with_the_server, daemon=True).start()
    np.random.seed()  # or each kernel would draw the same numbers
    # a notebook may start processes of its own, as from a process that multiprocessing did not start
    multiprocessing.current_process().daemon = False
    multiprocessing.set_start_method(None, force=True)
    # a kernel looks whether its parent has ended; the server, which this thread looks after, is not that
    sys.argv = [*arguments, "--IPKernelApp.parent_handle=1"]
    try:
        run_module("ipykernel_launcher", run_name="__main__")
    finally:
        atexit._run_exitfuncs()  # multiprocessing leaves them out


def end_with_the_server() -> None:
    multiprocessing.parent_process().join()
    os._exit(1)


start(**START)  # noqa: F821
