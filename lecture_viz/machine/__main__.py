"""Lecture Viz from a terminal.

    lab [FOLDER]      copy the notebooks into FOLDER (lecture-viz), never over your work, and open JupyterLab there; all
                      that JupyterLab takes: --port, --no-browser, …; a notebook in place of a folder is opened as it is
    present           the lessons' panels full-screen, for the lecture hall; all that the presenter takes: --photo, …
    check             is this machine ready? what is missing, and what mends it; exit status 1 if not all is well
    update [FOLDER]   bring FOLDER's notebooks to the version that is installed; those you changed stay

`lecture-viz`, `python -m lecture_viz` and, where the package lies at hand, `python lecture_viz/machine` are the same.
"""

import argparse
import os
import sys
from importlib.util import find_spec
from pathlib import Path
from runpy import run_module
from urllib.parse import quote

# `python lecture_viz/machine` does without lecture_viz, hence without PyTorch: a server needs none of its 300 MB, and
# it may be what is broken.
if not __package__:
    __package__ = "machine"
    sys.path[0] = str(Path(__file__).parents[1])
    import machine  # noqa: F401

    del sys.path[0]  # what else is in that folder is nobody's

from . import handout, places, report

FOLDER = Path("lecture-viz")
LANGUAGE = "LECTURE_VIZ_LANGUAGE"  # the kernels read it
LANGUAGES = sorted(file.stem for file in (Path(__file__).parents[1] / "languages").glob("??.json"))
# JupyterLab asks no network for news, in a lecture hall there may be none, and nobody whether it may, before a picture
QUIET = Path(__file__).with_name("jupyter")


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="lecture-viz",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("command", choices=["lab", "present", "check", "update"])
    parser.add_argument("--language", choices=LANGUAGES, help="of notebooks and panels; in German, of panels")
    asked, more = parser.parse_known_args(argv)
    try:
        match asked.command:
            case "lab":
                return lab(more, asked.language)
            case "present":
                return present(more, asked.language)
            case "update" if len(more) < 2:
                return update(Path(*more) if more else FOLDER)
            case "check" if not more:
                return check()
    except OSError as error:  # a folder that cannot be written, a port out of reach
        print(error, file=sys.stderr)
        return 1
    parser.error(f"{asked.command} does not take {' '.join(more)}")


def update(folder: Path) -> int:
    """Bring a folder's notebooks to this version, and say what was done."""
    print(*(handout.hand_out(folder, update=True) or [f"{folder} is up to date"]), sep="\n")
    return 0


def present(arguments: list[str], language: str | None) -> int:
    """Run the presenter view with the notebooks that come with the package, until it is stopped."""
    sys.argv[1:] = [str(handout.SHIPPED), *([f"--language={language}"] if language else []), *arguments]
    run_module("lecture_viz.presenter", run_name="__main__")  # as `python -m` does
    return 0


def check() -> int:
    """Print the report of `machine.check`; 1 if something is to be mended."""
    sys.stdout.reconfigure(errors="replace")  # a terminal without ✓ shows ?
    found = report.check()
    print(found)
    if not found.ready:
        print(f"pip is here: {sys.executable} -m pip; all anew: make clean lab")
    return 0 if found.ready else 1


def lab(arguments: list[str], language: str | None = None) -> int:
    """Run JupyterLab until it is stopped."""
    if find_spec("jupyterlab") is None:
        print(f"{sys.executable} has no JupyterLab; `make clean lab` sets the environment up again", file=sys.stderr)
        return 1
    if language:
        os.environ[LANGUAGE] = language
    options = ["--allow-root"] if places.prepare() else []
    more = filter(None, [str(QUIET), os.environ.get("JUPYTER_CONFIG_PATH")])
    os.environ["JUPYTER_CONFIG_PATH"] = os.pathsep.join(more)
    if not arguments or not arguments[0].endswith(".ipynb"):
        own = bool(arguments) and not arguments[0].startswith("-")
        folder = Path(arguments[0]) if own else FOLDER
        handout.hand_out(folder)
        print(f"The notebooks are in {folder.resolve()}", flush=True)
        arguments = [f"--ServerApp.root_dir={folder.resolve()}", *arguments[own:]]
        options.append(f"--LabApp.default_url=/lab/tree/{handout.first(os.environ.get(LANGUAGE) or 'en')}")
    else:  # the address in the terminal opens it, too
        options.append(f"--LabApp.default_url=/lab/tree/{quote(Path(arguments[0]).name)}")
    from jupyterlab.labapp import LabApp

    from . import warm_kernels

    warm_kernels.offer()
    LabApp.launch_instance([*options, *arguments])
    return 0


if __name__ == "__main__":
    sys.exit(main())
