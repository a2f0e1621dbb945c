"""Does everything hold in any order of sums? ``make matrix`` runs notebooks and numerical tests on other settings.

How many threads share a sum, and which instructions of the processor compute it, decides in which order its numbers are
added, and so how they are rounded. Here the same tests run with one to four threads, and with PyTorch's plain and its
AVX2 instructions. That an ascent cannot make a difference of rounding large is tried in every run of the tests: see
`tests/test_order_of_sums.py`.

    python tests/matrix.py          all settings
    python tests/matrix.py --part   the Chinese notebooks and a few tests, with two threads and plain instructions: CI
"""

import argparse
import os
import subprocess
import sys
import time
from itertools import product
from pathlib import Path

ROOT = Path(__file__).parents[1]
NUMERICAL = "not browser and not hub and not training and not sweep"
PART = ["gradient_based", "optimization_based/test_inversion.py", "exercises"]


def run(threads: int, capability: str, tests: list[str]) -> bool:
    """Whether all ``tests`` pass with this setting."""
    setting = {"OMP_NUM_THREADS": str(threads), "ATEN_CPU_CAPABILITY": capability}
    started = time.monotonic()
    # one worker: several would share out the threads that are to be tried
    command = [sys.executable, "-m", "pytest", "-n", "0", "-q", "-m", NUMERICAL, *tests]
    done = subprocess.run(command, cwd=ROOT, env=os.environ | setting, check=False)
    verdict = "holds" if done.returncode == 0 else "FAILS"
    print(f"{threads} threads, {capability}: {verdict} ({time.monotonic() - started:.0f} s)", flush=True)
    return done.returncode == 0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--part", action="store_true", help="one setting, and a few of the tests")
    if parser.parse_args().part:
        held = [run(2, "default", [*(f"tests/{name}" for name in PART), "notebooks/zh"])]
    else:
        held = [run(*setting, ["tests", "notebooks"]) for setting in product((1, 2, 3, 4), ("default", "avx2"))]
    sys.exit(not all(held))


if __name__ == "__main__":
    main()
