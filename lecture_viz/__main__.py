"""``lecture-viz``, or ``python -m lecture_viz``: the notebooks, the presenter view and the check, from a terminal.

This process has imported PyTorch, with the package, and would hold its 300 MB; so another one takes its place.
"""

import os
import subprocess
import sys
from pathlib import Path

from . import machine


def main() -> None:
    """Hand over to ``lecture_viz/machine``, which says what there is to ask for."""
    command = [sys.executable, str(Path(machine.__file__).parent), *sys.argv[1:]]
    if os.name == "nt":  # there, a process cannot be replaced: the terminal would not wait for the new one
        sys.exit(subprocess.call(command))
    os.execv(sys.executable, command)


if __name__ == "__main__":
    main()
