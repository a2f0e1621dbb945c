"""The file that is handed out: all is in it, and who has nothing else does the course with it, in Chinese."""

import os
import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path

import pytest
from lab import Lab, Program, eventually, free_port

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> Path:
    """As `make wheel` makes it, with what builds it at hand."""
    folder = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "--no-build-isolation", "-w", str(folder), "."]
    subprocess.run(command, cwd=ROOT, check=True)
    (file,) = folder.glob("lecture_viz-*.whl")
    return file


def test_networks_notebooks_languages_and_licences_are_in_it(wheel):
    names = {*zipfile.ZipFile(wheel).namelist()}
    package = [file for file in (ROOT / "lecture_viz").rglob("*") if file.is_file() and file.suffix != ".pyc"]
    lessons = [*(ROOT / "notebooks").rglob("*.ipynb"), *(ROOT / "notebooks").glob("*.png")]
    wanted = {file.relative_to(ROOT).as_posix() for file in package}
    wanted |= {f"lecture_viz/{file.relative_to(ROOT).as_posix()}" for file in lessons if file.parent.name[0] != "."}
    assert wanted <= names, wanted - names
    assert {
        "lecture_viz/notebooks/zh/10_microscope.ipynb",
        "lecture_viz/networks/weights/alexnet64.safetensors",
    } <= names
    assert any(name.endswith("licenses/LICENSE") for name in names)
    assert not [name for name in names if "tests/" in name or "checkpoint" in name or name.endswith(".pyc")]
    assert wheel.stat().st_size < 50e6


class HandedOut(Program):
    """JupyterLab as `lecture-viz lab FOLDER` starts it."""

    def __init__(self, command: Path, folder: Path, language: str):
        self.token = "handed-out"
        arguments = ["lab", str(folder / "notes"), "--language", language, "--no-browser", f"--port={free_port()}"]
        arguments += [f"--IdentityProvider.token={self.token}", "--LabApp.expose_app_in_browser=True"]
        super().__init__(folder, arguments, "jupyter.log", (str(command),))

    def address(self, notebook: str) -> str:
        return f"http://127.0.0.1:{self.port}/doc/tree/{notebook}?token={self.token}&reset"


def told(*command: str | Path) -> list[str]:
    """The lines a program says, which has to end well."""
    return subprocess.run(command, capture_output=True, text=True, check=True, cwd="/").stdout.splitlines()


@pytest.fixture(scope="module")
def installed(wheel, tmp_path_factory) -> Path:
    """The command of an environment that has this wheel; what it depends on, it borrows from ours."""
    folder = tmp_path_factory.mktemp("fresh")
    venv.create(folder / "env", with_pip=False, symlinks=os.name != "nt")
    python = folder / "env" / ("Scripts" if os.name == "nt" else "bin") / "python"
    asked = "import sysconfig; print(sysconfig.get_path('purelib'))"
    (packages,) = told(python, "-c", asked)
    (Path(packages) / "borrowed.pth").write_text(sysconfig.get_path("purelib"))
    (folder / "env" / "share").mkdir()
    (folder / "env" / "share" / "jupyter").symlink_to(Path(sys.prefix) / "share" / "jupyter")
    subprocess.run([python, "-m", "pip", "install", "-q", "--no-deps", "--ignore-installed", str(wheel)], check=True)
    return python.with_name("lecture-viz")


def test_a_fresh_environment_has_this_package_and_not_ours(installed):
    (where,) = told(installed.with_name("python"), "-c", "import lecture_viz; print(lecture_viz.__file__)")
    assert str(installed.parents[1]) in where
    assert not any("✗" in line for line in told(installed, "check"))


def test_a_chinese_reader_does_the_first_lesson(installed, open_page, tmp_path):
    server = HandedOut(installed, tmp_path, "zh")
    try:
        page = open_page()
        lab = Lab(page, server, "zh/00_start_here.ipynb")
        assert lab.run_all() == []
        assert page.get_by_text("这台电脑已准备就绪").first.is_visible()
        panel = lab.panel()
        assert panel.root.get_by_text("先预测").is_visible()
        code = panel.code()
        panel.handle("第几个猜测").press("ArrowRight")

        def moved() -> None:
            assert panel.code() != code

        eventually(moved)
        panel.shows_what_its_kernel_holds()
        assert "nbformat" in (tmp_path / "notes" / "zh" / "10_microscope.ipynb").read_text(encoding="utf-8")
    finally:
        server.stop()
