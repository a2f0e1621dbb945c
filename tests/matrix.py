"""Does everything hold in any order of sums? ``make matrix`` runs notebooks and numerical tests on other settings.

How many threads share a sum, and which instructions of the processor compute it, decides in which order its numbers are
added, and so how they are rounded. Here the same tests run with one to four threads, and with PyTorch's plain and its
AVX2 instructions. And the code of all notebooks (the Chinese ones', which is the same) runs in kernels in which every
sum comes out a little differently each time: what holds there, holds on machines that are not here
(`order_of_sums.py`).

    python tests/matrix.py          all settings
    python tests/matrix.py --part   the Chinese notebooks in that order, and a few tests, with two threads and plain
                                    instructions: CI
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from itertools import product
from pathlib import Path

from order_of_sums import in_kernels

ROOT = Path(__file__).parents[1]
NUMERICAL = "not browser and not hub and not training"
PART = ["gradient_based", "optimization_based/test_inversion.py", "exercises"]


def run(threads: int, capability: str, tests: list[str], kind: str = NUMERICAL, workers: int = 0, **more: str) -> bool:
    """Whether all ``tests`` of a ``kind`` pass with this setting, and ``more`` of the environment.

    Without workers, since several would share out the threads that are to be tried; kernels have theirs for themselves.
    """
    setting = {"OMP_NUM_THREADS": str(threads), "ATEN_CPU_CAPABILITY": capability} | more
    started = time.monotonic()
    command = [sys.executable, "-m", "pytest", "-n", str(workers), "-q", "-m", kind, *tests]
    done = subprocess.run(command, cwd=ROOT, env=os.environ | setting, check=False)
    verdict = "holds" if done.returncode == 0 else "FAILS"
    print(f"{threads} threads, {capability}: {verdict} ({time.monotonic() - started:.0f} s)", flush=True)
    return done.returncode == 0


def part() -> bool:
    """What CI runs each time."""
    with tempfile.TemporaryDirectory() as folder:
        notebooks = run(2, "default", ["notebooks/zh"], workers=2, **in_kernels(Path(folder)))
    tests = run(2, "default", [f"tests/{name}" for name in PART], f"{NUMERICAL} and not sweep")
    return notebooks and tests


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--part", action="store_true", help="one setting, and a few of the tests")
    only = parser.parse_args().part
    settings = [] if only else product((1, 2, 3, 4), ("default", "avx2"))
    held = [part(), *(run(*setting, ["tests", "notebooks"]) for setting in settings)]
    sys.exit(not all(held))


if __name__ == "__main__":
    main()
