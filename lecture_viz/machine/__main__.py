"""Open JupyterLab as it suits this machine, or check the machine, from a terminal.

    python lecture_viz/machine lab notebooks/00_start_here.ipynb    all that JupyterLab takes: --port, --no-browser, …
    python lecture_viz/machine check                                lv.machine.check(); exit status 1 if not all is well

Where the package is installed without its folder at hand, `python -m lecture_viz.machine` does the same.
"""

import argparse
import sys
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import quote

if __package__:
    from . import places, report
else:  # without the package, hence without PyTorch: JupyterLab needs none of its 300 MB, and it may be what is broken
    import places
    import report

    del sys.path[0]  # this folder: its modules are nobody else's

# nothing is asked of a network, in a lecture hall there may be none
QUIET = {"LabApp.check_for_updates_class": "jupyterlab.NeverCheckForUpdate", "LabApp.news_url": "None"}


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m lecture_viz.machine", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("command", choices=["lab", "check"])
    asked, more = parser.parse_known_args(argv)
    if asked.command == "lab":
        return lab(more)
    if more:
        parser.error(f"check takes no arguments: {' '.join(more)}")
    return check()


def check() -> int:
    """Print the report of `machine.check`; 1 if something is to be mended."""
    sys.stdout.reconfigure(errors="replace")  # a terminal without ✓ shows ?
    found = report.check()
    print(found)
    if not found.ready:
        print(f"pip is here: {sys.executable} -m pip; all anew: make clean lab")
    return 0 if found.ready else 1


def lab(arguments: list[str]) -> int:
    """Run JupyterLab until it is stopped."""
    if find_spec("jupyterlab") is None:
        print(f"{sys.executable} has no JupyterLab; `make clean lab` sets the environment up again", file=sys.stderr)
        return 1
    options = ["--allow-root"] if places.prepare() else []
    options += [f"--{name}={value}" for name, value in QUIET.items() if f"--{name}=" not in " ".join(arguments)]
    if arguments and arguments[0].endswith(".ipynb"):  # the address in the terminal opens it, too
        options.append(f"--LabApp.default_url=/lab/tree/{quote(Path(arguments[0]).name)}")
    from jupyterlab.labapp import LabApp

    LabApp.launch_instance([*options, *arguments])
    return 0


if __name__ == "__main__":
    sys.exit(main())
