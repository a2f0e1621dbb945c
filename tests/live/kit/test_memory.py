"""What a cell has freed is the system's again."""

import subprocess
import sys

import pytest

from lecture_viz.live.kit import memory

pytestmark = pytest.mark.skipif(memory._libc() is None, reason="no glibc here: its way of keeping memory is not ours")
CELLS = """
from IPython.core.interactiveshell import InteractiveShell
shell = InteractiveShell.instance()
for cell in (
    "import psutil, lecture_viz.live",
    "used = lambda: psutil.Process().memory_info().rss / 1e6",
    "before = used(); blocks = [b'x' * 65_000 for _ in range(3000)]; during = used()",
    "last = b'x' * 65_000; del blocks",  # the last keeps the others from being cut off
    "print(during - before, used() - before)",
):
    shell.run_cell(cell).raise_error()
"""


@pytest.mark.long
def test_what_a_cell_has_freed_is_given_back():
    shown = subprocess.run([sys.executable, "-c", CELLS], capture_output=True, text=True, check=True, timeout=300)
    during, after = map(float, shown.stdout.split())
    assert during >= 150 > 50 > after, shown.stdout  # MB
