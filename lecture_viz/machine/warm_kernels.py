"""Kernels that have PyTorch from the start: all are forked from one process that has imported it.

Importing it takes a second on a fast machine and several on a slow one, and 300 MB of memory, which all of them share:
with one kernel 140 MB more are held than without this room, with two 170 MB less, with three 470 MB less. Only on
Linux, where a process with such libraries can be forked. A kernel of another Python, or one that cannot be forked,
starts as Jupyter starts it.
"""

import asyncio
import multiprocessing
import os
import sys
from importlib.metadata import EntryPoint
from multiprocessing import forkserver
from pathlib import Path
from runpy import run_path
from typing import Any

from jupyter_client.provisioning import KernelProvisionerFactory, LocalProvisioner

NAME = "lecture-viz-warm"
KERNEL = str(Path(__file__).with_name("forked_kernel.py"))
# Neither matplotlib, which asks the kernel's environment at its import where to draw, nor lecture_viz: whoever changes
# it restarts the kernel to see the change.
READY = ["torch", "torchvision", "PIL.Image", "ipywidgets", "IPython", "ipykernel.kernelapp"]


def offer(now: bool = True) -> None:
    """From now on they are this process's kernels; PyTorch is imported meanwhile, or with the first if not ``now``."""
    if sys.platform != "linux":
        return
    factory = KernelProvisionerFactory.instance()
    factory.provisioners[NAME] = EntryPoint(NAME, f"{__name__}:WarmKernel", factory.GROUP_NAME)
    factory.default_provisioner_name = NAME
    os.environ.setdefault("GOMP_SPINCOUNT", "2000")  # as lecture_viz sets it, which is imported later
    forkserver.set_forkserver_preload(READY)
    if now:
        forkserver.ensure_running()


class WarmKernel(LocalProvisioner):
    """Starts a kernel by forking it."""

    async def launch_kernel(self, cmd: list[str], **choices: Any) -> dict[str, Any]:
        python, *arguments = cmd
        if python != sys.executable or arguments[:2] != ["-m", "ipykernel_launcher"]:
            return await super().launch_kernel(cmd, **choices)
        self.cwd = choices.get("cwd") or str(Path.cwd())
        # as plain strings: for Voilà's names, which are constants of its own, the kernel would import all of Voilà
        environment = {str.__str__(name): value for name, value in choices.get("env", os.environ).items()}
        given = {"arguments": arguments[1:], "environment": environment, "folder": self.cwd}
        process = multiprocessing.get_context("forkserver").Process(
            target=run_path, args=(KERNEL, {"START": given}), daemon=True
        )
        try:
            await asyncio.to_thread(process.start)  # the first one waits for the imports
        except (OSError, EOFError):  # it cannot import PyTorch, say: the notebook will say why
            return await super().launch_kernel(cmd, **choices)
        self.process = Forked(process)
        self.pid = self.pgid = process.pid  # it begins a group of its own
        return self.connection_info


class Forked:
    """A forked process, as what `subprocess.Popen` gives."""

    stdin = stdout = stderr = None

    def __init__(self, process: multiprocessing.process.BaseProcess):
        self.process, self.pid = process, process.pid

    def poll(self) -> int | None:
        return self.process.exitcode

    def wait(self) -> int | None:
        self.process.join()
        return self.process.exitcode

    def send_signal(self, number: int) -> None:
        os.kill(self.pid, number)

    def kill(self) -> None:
        self.process.kill()

    def terminate(self) -> None:
        self.process.terminate()
