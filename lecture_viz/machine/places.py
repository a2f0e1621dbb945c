"""Before Jupyter starts: where it may write, what it means to be root, what it can do without.

For JupyterLab, the presenter view and the tests.

Only the standard library and Jupyter are imported, so that a launcher holds no PyTorch.
"""

import atexit
import os
import shutil
import sys
import tempfile
from pathlib import Path

LOOPBACK = ("127.0.0.1", "localhost", "::1")
ROOT = (
    "You are root: whoever opens this page with its token can do everything on this machine; "
    "unless you give another --ip, only this machine reaches it."
)


def prepare() -> bool:
    """Before a server starts: `find_room`, the environment's own kernel first, and what root means; is this root?"""
    leave_out_grammar()
    find_room()
    os.environ.setdefault("JUPYTER_PREFER_ENV_PATH", "1")  # a kernel from elsewhere has no lecture_viz
    root = hasattr(os, "geteuid") and os.geteuid() == 0
    if root:
        print(ROOT, flush=True)
    return root


def leave_out_grammar() -> None:
    """Before Jupyter is imported, of whose time half goes into the grammar of web addresses with letters such as ü.

    jsonschema can check them, reads the grammar for that when it is imported, and does without it where it is missing;
    no schema of Jupyter's asks for it.
    """
    sys.modules.setdefault("rfc3987_syntax", None)  # type: ignore[arg-type]  so an import of it fails, says Python


def find_room() -> None:
    """A folder until this process ends for what Jupyter, IPython and matplotlib cannot write elsewhere; says so.

    What you have set yourself stays as it is.
    """
    closed = {name: _there(folder) for name, folder in _folders().items() if name not in os.environ}
    closed = {name: folder for name, folder in closed.items() if not os.access(folder, os.W_OK | os.X_OK)}
    if not closed:
        return
    room = Path(tempfile.mkdtemp(prefix="lecture-viz-"))
    atexit.register(shutil.rmtree, room, ignore_errors=True)
    os.environ.update({name: str(room / name.lower()) for name in closed})
    unwritable = " and ".join(sorted(set(map(str, closed.values()))))
    print(f"{unwritable} cannot be written: Jupyter keeps its settings in {room} until it stops.", flush=True)


def _folders() -> dict[str, Path]:
    """Where each of them writes, by the variable that says so."""
    from jupyter_core import paths

    return {
        "JUPYTER_CONFIG_DIR": Path(paths.jupyter_config_dir()),
        "JUPYTER_DATA_DIR": Path(paths.jupyter_data_dir()),
        "JUPYTER_RUNTIME_DIR": Path(paths.jupyter_runtime_dir()),
        "IPYTHONDIR": Path("~/.ipython").expanduser(),
        "MPLCONFIGDIR": Path(os.environ.get("XDG_CONFIG_HOME") or "~/.config").expanduser() / "matplotlib",
    }


def _there(folder: Path) -> Path:
    """The folder, or the nearest above it that exists."""
    return next(place for place in (folder, *folder.parents) if os.access(place, os.F_OK))
