"""What a cell or a panel has freed is the system's again."""

import subprocess
import sys

import pytest

from lecture_viz.live.kit import memory

pytestmark = pytest.mark.skipif(memory._libc() is None, reason="no glibc here: its way of keeping memory is not ours")
MOST = """
import psutil
used = lambda: psutil.Process().memory_info().rss / 1e6
def take():
    global last
    blocks, last = [b"x" * 65_000 for _ in range(3000)], b"x" * 65_000  # the last keeps the others from being cut off
"""
CELLS = f"""
from IPython.core.interactiveshell import InteractiveShell
shell = InteractiveShell.instance()
for cell in (
    "import lecture_viz.live",
    {MOST!r},
    "before = used(); take(); during = used()",
    "print(during - before, used() - before)",
):
    shell.run_cell(cell).raise_error()
"""
PANEL = f"""
{MOST}
from lecture_viz.live.kit import worker
worker.LINGER = 0.01
before = used()
def job():
    global during
    take()
    during = used()
worker = worker.Worker("taker", job)
worker.ask()
thread = worker.thread
thread.join()
print(during - before, used() - before)
"""


@pytest.mark.long
@pytest.mark.parametrize("code", [CELLS, PANEL], ids=["cell", "panel"])
def test_what_was_freed_is_given_back(code):
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=300)
    during, after = map(float, shown.stdout.split())
    assert during >= 150 > 50 > after, shown.stdout  # MB
