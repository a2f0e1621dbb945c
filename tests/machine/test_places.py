import subprocess
import sys

import pytest


@pytest.mark.long
@pytest.mark.parametrize(
    "start",
    [
        "import machine.places; machine.places.prepare(); import jupyterlab.labapp",
        "import lecture_viz.presenter.__main__",
    ],
)
def test_a_server_starts_without_the_grammar_of_addresses(start):
    """Its import takes longer than all others of Jupyter together."""
    asked = f"import sys; sys.path.append('lecture_viz'); {start}; print('lark' in sys.modules)"
    said = subprocess.run([sys.executable, "-c", asked], stdout=subprocess.PIPE, text=True, check=True).stdout
    assert said.splitlines()[-1] == "False"
