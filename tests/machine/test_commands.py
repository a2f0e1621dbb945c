"""``lecture-viz``: JupyterLab and the hall start for whoever types it; the check exits with its verdict."""

import json
import os
import re
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from lecture_viz import machine
from lecture_viz.machine import __main__ as terminal
from lecture_viz.machine import places, warm_kernels

ROOT = Path(__file__).parents[2]
FIRST = ROOT / "notebooks" / "00_start_here.ipynb"
VARIABLES = ("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR", "IPYTHONDIR", "MPLCONFIGDIR")


@pytest.fixture
def at_home(monkeypatch, tmp_path):
    """A home of one's own, and no variable that leads elsewhere."""
    for name in (*VARIABLES, "XDG_CONFIG_HOME", "XDG_DATA_HOME", "JUPYTER_PLATFORM_DIRS", "JUPYTER_NO_CONFIG"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    monkeypatch.setenv("APPDATA", str(tmp_path))
    yield tmp_path
    for name in VARIABLES:
        os.environ.pop(name, None)  # what `find_room` has set


def closed(*folders: Path):
    """As `os.access` of a user who may not write in these; chmod would not stop root."""
    real = os.access
    return lambda place, mode: real(place, mode) and not (mode & os.W_OK and Path(place) in folders)


def test_a_home_that_can_be_written_is_used(at_home, capsys):
    places.find_room()
    assert not os.environ.keys() & set(VARIABLES)
    assert capsys.readouterr().out == ""


def test_a_closed_home_is_replaced_but_not_what_the_user_chose(at_home, monkeypatch, capsys):
    monkeypatch.setattr(os, "access", closed(at_home))
    chosen = {name: str(at_home / name) for name in ("JUPYTER_DATA_DIR", "IPYTHONDIR")}  # closed, too; but chosen
    for name, folder in chosen.items():
        monkeypatch.setenv(name, folder)
    places.find_room()
    room = Path(os.environ["MPLCONFIGDIR"]).parent
    assert os.environ.items() >= chosen.items()
    for name in ("JUPYTER_CONFIG_DIR", "JUPYTER_RUNTIME_DIR", "MPLCONFIGDIR"):
        assert Path(os.environ[name]).parent == room
    assert room.is_dir() and at_home not in room.parents
    (line,) = capsys.readouterr().out.splitlines()
    assert str(at_home) in line and str(room) in line


def test_one_closed_folder_is_enough(at_home, monkeypatch):
    (at_home / ".jupyter").mkdir()  # as root left it once
    monkeypatch.setattr(os, "access", closed(at_home / ".jupyter"))
    places.find_room()
    assert os.environ.keys() & set(VARIABLES) == {"JUPYTER_CONFIG_DIR"}


@pytest.fixture
def started(monkeypatch, at_home):
    """With which options JupyterLab would be started, by `main`."""
    from jupyterlab.labapp import LabApp

    options = []
    monkeypatch.setattr(LabApp, "launch_instance", options.extend)
    monkeypatch.setattr(warm_kernels, "offer", lambda: None)
    monkeypatch.setenv("JUPYTER_PREFER_ENV_PATH", "1")
    monkeypatch.setenv("JUPYTER_CONFIG_PATH", "")
    monkeypatch.setenv("LECTURE_VIZ_LANGUAGE", "en")
    monkeypatch.chdir(at_home)
    return options


@pytest.mark.skipif(os.name == "nt", reason="Windows has no root")
def test_root_is_told_what_it_means(started, monkeypatch, capsys):
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    assert terminal.main(["lab", "a.ipynb"]) == 0
    assert "--allow-root" in started
    (line,) = capsys.readouterr().out.splitlines()
    assert "root" in line and "token" in line and "everything" in line
    started.clear()
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    terminal.main(["lab", "a.ipynb"])
    assert "--allow-root" not in started and capsys.readouterr().out == ""


def test_jupyterlab_is_asked_for_what_was_typed_and_asks_no_network(started, monkeypatch):
    monkeypatch.setenv("JUPYTER_CONFIG_PATH", "mine")
    terminal.main(["lab", "a folder/Übung 1.ipynb", "--port", "9000"])
    assert started[-3:] == ["a folder/Übung 1.ipynb", "--port", "9000"]
    quiet, own = map(Path, os.environ["JUPYTER_CONFIG_PATH"].split(os.pathsep))
    (kept_out,) = json.loads((quiet / "labconfig" / "page_config.json").read_text())["disabledExtensions"].items()
    assert kept_out == ("@jupyterlab/apputils-extension:announcements", True) and own == Path("mine")
    assert "--LabApp.default_url=/lab/tree/%C3%9Cbung%201.ipynb" in started


@pytest.mark.parametrize(
    ("typed", "folder", "begins"),
    [
        (["lab"], "lecture-viz", "00_start_here.ipynb"),
        (["lab", "my notes", "--language", "zh", "--port=9000"], "my notes", "zh/00_start_here.ipynb"),
        (["lab", "--port=9000", "--language=de"], "lecture-viz", "00_start_here.ipynb"),
    ],
)
def test_the_notebooks_are_copied_and_opened_in_a_language(started, at_home, capsys, typed, folder, begins):
    assert terminal.main(typed) == 0
    assert {f"--ServerApp.root_dir={at_home / folder}", f"--LabApp.default_url=/lab/tree/{begins}"} <= {*started}
    assert ("--port=9000" in started) == ("--port=9000" in typed) and "my notes" not in started
    assert (at_home / folder / begins).is_file() and str(at_home / folder) in capsys.readouterr().out
    assert os.environ["LECTURE_VIZ_LANGUAGE"] == ("zh" if "zh" in typed else "de" if "--language=de" in typed else "en")


def test_a_folder_is_brought_up_to_date(at_home, monkeypatch, capsys):
    monkeypatch.chdir(at_home)
    assert terminal.main(["update"]) == 0 and (at_home / "lecture-viz" / "glossary.ipynb").is_file()
    assert terminal.main(["update", "other"]) == 0 and (at_home / "other" / "glossary.ipynb").is_file()
    assert capsys.readouterr().out == "lecture-viz is up to date\nother is up to date\n"


def test_the_hall_gets_the_notebooks_of_the_package(monkeypatch):
    asked = []
    monkeypatch.setattr(sys, "argv", ["lecture-viz"])
    monkeypatch.setattr(terminal, "run_module", lambda name, run_name: asked.append((name, run_name)))
    assert terminal.main(["present", "--language", "zh", "--photo", "cat"]) == 0
    assert asked == [("lecture_viz.presenter", "__main__")]
    assert sys.argv[1:] == [str(ROOT / "notebooks"), "--language=zh", "--photo", "cat"]


@pytest.mark.parametrize(
    ("typed", "status", "said"),
    [
        (["check", "it"], 2, "check does not take it"),
        (["update", "a", "b"], 2, "update does not take a b"),
        (["install"], 2, "invalid choice: 'install'"),
        (["lab", "a.txt"], 1, "a.txt"),
        (["lab", "--language=xx"], 2, "invalid choice: 'xx'"),
    ],
)
def test_what_cannot_be_done_is_a_line(started, at_home, capsys, typed, status, said):
    (at_home / "a.txt").write_text("a file, no folder")
    try:
        assert terminal.main(typed) == status
    except SystemExit as end:
        assert end.code == status
    assert said in capsys.readouterr().err.splitlines()[-1] and started == []


@pytest.mark.long
@pytest.mark.parametrize("command", [["-m", "lecture_viz"], ["lecture_viz/machine"], ["-m", "lecture_viz.machine"]])
def test_it_is_the_same_however_it_is_called(command):
    ran = subprocess.run([sys.executable, *command, "--help"], cwd=ROOT, capture_output=True, text=True, check=True)
    assert ran.stdout.startswith("usage: lecture-viz") and "update [FOLDER]" in ran.stdout


def test_without_jupyterlab_it_says_what_to_do(monkeypatch, capsys):
    monkeypatch.setattr(terminal, "find_spec", lambda name: None)
    assert terminal.main(["lab"]) == 1
    assert "make clean lab" in capsys.readouterr().err


@pytest.mark.parametrize("mend", ["", "install it"])
def test_the_check_exits_with_its_verdict(monkeypatch, capsys, mend):
    monkeypatch.setattr(terminal.report, "check", lambda: machine.Report([machine.Finding("gadget", "here ✓", mend)]))
    assert terminal.main(["check"]) == bool(mend)
    assert "gadget: here ✓" in capsys.readouterr().out


def test_a_broken_pytorch_is_a_line_too(tmp_path):
    (tmp_path / "torch.py").write_text("raise ImportError('libtorch.so: cannot open shared object file')")
    ran = subprocess.run(
        [sys.executable, "lecture_viz/machine", "check"],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(tmp_path), "PYTHONIOENCODING": "ascii"},  # nor does it need a ✗
        capture_output=True,
        text=True,
    )
    assert ran.returncode == 1 and ran.stderr == ""
    assert "PyTorch: ImportError: libtorch.so: cannot open shared object file" in ran.stdout
    assert "numpy" in ran.stdout and "make clean lab" in ran.stdout


def answers(address: str, deadline: float) -> int:
    """The status of the answer; JupyterLab says its address a moment before it listens there."""
    while True:
        try:
            with urllib.request.urlopen(address, timeout=5) as answer:
                return answer.status
        except urllib.error.HTTPError as error:
            return error.code
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.2)


@pytest.mark.browser
def test_a_taken_port_another_folder_and_a_token(tmp_path):
    log = tmp_path / "lab.log"
    with socket.socket() as taken, log.open("w") as out:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        command = [sys.executable, "-m", "lecture_viz.machine", "lab", str(FIRST), "--no-browser", f"--port={port}"]
        lab = subprocess.Popen(command, cwd=tmp_path, stdout=out, stderr=out)
        try:
            deadline = time.monotonic() + 120
            found = None
            while not found and lab.poll() is None and time.monotonic() < deadline:
                time.sleep(0.2)
                found = re.search(
                    r"http://127\.0\.0\.1:(\d+)/lab/tree/00_start_here\.ipynb\?token=(\w+)", log.read_text()
                )
            assert found, log.read_text()
            assert int(found[1]) != port and f"port {port} is already in use" in log.read_text()
            api = f"http://127.0.0.1:{found[1]}/api/contents/00_start_here.ipynb"
            assert answers(api, deadline) == 403
            assert answers(f"{api}?token={found[2]}&content=0", deadline) == 200
        finally:
            lab.terminate()
            lab.wait(30)
