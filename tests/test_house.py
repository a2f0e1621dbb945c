"""The house: few rooms, small files, imports that only point down, one public face."""

import ast
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import lecture_viz as lv

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "lecture_viz"
# from the top floor down; a room may use those below it, and of its own floor only itself
FLOORS = (
    {"presenter", "training", "__main__"},
    {"live", "exercises"},
    {"gradient_based", "optimization_based", "figures"},
    {"targets"},
    {"networks"},
    {"photos", "maps", "machine"},
    {"languages"},
)
FILES = [file for file in PACKAGE.rglob("*.py") if file.parent != PACKAGE or file.stem != "__init__"]


def room(file: Path) -> str:
    return file.relative_to(PACKAGE).with_suffix("").parts[0]


def imported(file: Path) -> set[str]:
    """The rooms of the package that a file imports, wherever in it."""
    here = file.relative_to(ROOT).with_suffix("").parts[:-1]
    found = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom):
            parts = [*here[: len(here) - node.level + 1]] if node.level else []
            parts += (node.module or "").split(".")
            parts = [part for part in parts if part]
            if parts[:1] == [PACKAGE.name]:
                found |= {parts[1]} if len(parts) > 1 else {alias.name for alias in node.names}
    return found & {place.stem for place in PACKAGE.iterdir()}


def test_there_are_few_rooms_and_small_files():
    entries = [place.name for place in PACKAGE.iterdir() if place.name != "__pycache__"]
    assert len(entries) <= 15, entries
    lines = {str(file.relative_to(PACKAGE)): len(file.read_text(encoding="utf-8").splitlines()) for file in FILES}
    assert {name: n for name, n in lines.items() if n > 300} == {}


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(PACKAGE)))
def test_imports_point_down(file):
    (floor,) = [n for n, rooms in enumerate(FLOORS) if room(file) in rooms]
    below = set().union(*FLOORS[floor + 1 :])
    # the check of the machine tries a network on a photo, whatever is broken
    allowed = below | {room(file)} | ({"networks"} if room(file) == "machine" else set())
    assert imported(file) <= allowed


def test_no_test_imports_another():
    for file in (ROOT / "tests").rglob("*.py"):
        assert not re.search(r"^(from|import) test_", file.read_text(encoding="utf-8"), re.MULTILINE), file


def test_tab_shows_the_whole_public_face():
    assert set(dir(lv)) == set(lv.__all__)
    for name in dir(lv):
        assert getattr(lv, name) is not None
    assert {"maximize", "dream", "invert", "live", "images", "plots"} <= set(dir(lv))


def test_notebooks_import_only_the_public_face():
    for path in (ROOT / "notebooks").glob("*.ipynb"):
        for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
            if cell["cell_type"] == "code":
                assert not re.search(r"(from|import) lecture_viz(?! as lv\b)", "".join(cell["source"])), path.name


@pytest.mark.long
@pytest.mark.parametrize("chosen", [{}, {"GOMP_SPINCOUNT": "7"}])
def test_how_threads_wait_is_said_before_pytorch_comes(chosen):
    """Later nobody listens; and what a user has chosen stays."""
    watch = "class Watch:\n    find_spec = lambda name, *_: print(os.environ[KEY]) if name == 'torch' else None\n"
    code = f"import os, sys\nKEY = 'GOMP_SPINCOUNT'\n{watch}sys.meta_path.insert(0, Watch)\nimport lecture_viz"
    settings = {name: value for name, value in os.environ.items() if name != "GOMP_SPINCOUNT"} | chosen
    said = subprocess.run([sys.executable, "-c", code], env=settings, check=True, capture_output=True, text=True).stdout
    assert said.split() == [chosen.get("GOMP_SPINCOUNT", "2000")]


def test_notebooks_import_the_package_before_pytorch():
    for path in (ROOT / "notebooks").glob("[0-9]*.ipynb"):
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
        code = "\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "code")
        assert re.search(r"import (lecture_viz|torch)\b", code)[1] == "lecture_viz", path
