"""Between cells, the helpers of the cells' thread are gone."""

import subprocess
import sys

import pytest

from lecture_viz.live.kit import teams

CELLS = """
from IPython.core.interactiveshell import InteractiveShell
shell = InteractiveShell.instance()
for cell in (
    "import psutil, torch, lecture_viz.live",
    "torch.set_num_threads(4)",
    "threads = lambda: psutil.Process().num_threads()",
    "before = threads(); torch.rand(512, 512).exp(); during = threads()",
    "print(during - before, threads() - before)",
):
    shell.run_cell(cell).raise_error()
"""


@pytest.mark.long
@pytest.mark.skipif(teams._openmp() is None, reason="PyTorch comes without libgomp here: there are no teams of it")
def test_a_cells_helpers_go_home_at_its_end_so_that_a_panel_has_the_cores():
    shown = subprocess.run([sys.executable, "-c", CELLS], capture_output=True, text=True, check=True, timeout=300)
    during, after = map(int, shown.stdout.split())
    assert during >= 3, shown.stdout
    assert after == 0, shown.stdout
