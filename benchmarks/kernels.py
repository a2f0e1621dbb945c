"""From a wish to a picture: a kernel forked by a server that has imported PyTorch, against one started by Jupyter."""

import statistics
import sys
from collections.abc import Iterator
from functools import partial

import psutil
from jupyter_client import KernelManager
from jupyter_client.provisioning import KernelProvisionerFactory

from lecture_viz.machine import warm_kernels

from .compare import Result, ratio
from .startup import OURS

PICTURE = OURS.format(network="efficientnet_lite0")


def megabytes(provisioner: str) -> float:
    """Start a kernel, make a picture, end it; the memory that it has for itself alone."""
    KernelProvisionerFactory.instance().default_provisioner_name = provisioner
    manager = KernelManager(kernel_name="python3")
    manager.start_kernel()
    client = manager.client()
    client.start_channels()
    try:
        client.wait_for_ready(120)
        client.execute_interactive(PICTURE, timeout=120, output_hook=lambda message: None)
        return psutil.Process(manager.provisioner.pid).memory_full_info().uss / 2**20
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)


def results() -> Iterator[Result]:
    if sys.platform != "linux":  # they are forked there alone
        return
    warm_kernels.offer()
    sides = [partial(megabytes, name) for name in (warm_kernels.NAME, "local-provisioner")]
    yield ratio("kernel: start + import + load + first gradient, forked against started", *sides, 1, rounds=5)
    forked, started = (statistics.median(side() for _ in range(3)) for side in sides)
    note = f"{forked:.0f} MB against {started:.0f} MB, each kernel's own"
    yield Result("kernel: memory, forked against started", forked / started, 1, note=note)
