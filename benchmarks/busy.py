"""A gradient at full size beside other programs: what the threads' waiting for one another costs, and what we take off.

PyTorch's threads (OpenMP) wait by counting. Importing ``lecture_viz`` first lets them count to 2,000 instead of 300,000
before they give the core away.
"""

import os
import statistics
import subprocess
import sys
from collections.abc import Iterator

from .compare import Result

GRADIENTS = """
import statistics, time
import lecture_viz as lv
network, photo = lv.load_network("efficientnet_lite0", device="cpu"), lv.load_image("cat", 224)
times = []
for _ in range(43):
    started = time.perf_counter()
    lv.gradient(network, photo, lv.logit("tabby"))
    times.append(1e3 * (time.perf_counter() - started))
print(statistics.median(times[3:]), max(times[3:]))
"""
COUNT = "while True: pass"
USUAL = {"GOMP_SPINCOUNT": "300000"}


def gradients(**settings: str) -> tuple[float, float]:
    """The median and the longest time of 40 gradients in a fresh process, in milliseconds."""
    command, given = [sys.executable, "-c", GRADIENTS], {k: v for k, v in os.environ.items() if k != "GOMP_SPINCOUNT"}
    said = subprocess.run(command, env=given | settings, check=True, capture_output=True, text=True).stdout
    median, longest = map(float, said.split())
    return median, longest


def results() -> Iterator[Result]:
    for others in (0, os.cpu_count() or 1):
        programs = [subprocess.Popen([sys.executable, "-c", COUNT]) for _ in range(others)]
        try:
            both = [(gradients(), gradients(**USUAL)) for _ in range(5)]
        finally:
            for program in programs:
                program.kill()
        for n, kind in enumerate(("median", "longest")):
            ours, usual = (statistics.median(pair[side][n] for pair in both) for side in (0, 1))
            what = f"busy: {kind} of 40 gradients at 224×224 beside {others} programs, against PyTorch's own waiting"
            limit = 1.25 if (others, kind) == (0, "median") else 1
            yield Result(what, ours / usual, limit, note=f"{ours:.0f} ms against {usual:.0f} ms")
