"""One registry of lessons: notebooks, their links, the README, the hall and the texts are held to it."""

import json
import re
from itertools import pairwise
from pathlib import Path

import pytest

import lecture_viz as lv
from lecture_viz import languages
from lecture_viz.live import LESSONS

ROOT = Path(__file__).parents[1]
NAMES = [lesson.notebook for lesson in LESSONS]
LINK = re.compile(r"\((?:notebooks/)?(\d\d_\w+)\.ipynb\)")


def cells(notebook: str, kind: str) -> list[str]:
    every = json.loads((ROOT / "notebooks" / f"{notebook}.ipynb").read_text(encoding="utf-8"))["cells"]
    return ["".join(cell["source"]) for cell in every if cell["cell_type"] == kind]


def test_every_notebook_is_a_lesson():
    assert sorted(NAMES) == sorted(path.stem for path in (ROOT / "notebooks").glob("[0-9]*.ipynb"))
    assert sorted(NAMES) == NAMES


def test_every_panel_is_in_its_lesson_and_in_tab():
    files = {path.stem for path in (ROOT / "lecture_viz" / "live").glob("*.py")} - {"__init__"}
    assert {*lv.live.panels()} == files
    for name, panel in lv.live.panels().items():
        assert getattr(lv.live, name) is panel and name in dir(lv.live)
    for lesson in LESSONS:
        shown = set(re.findall(r"lv\.live\.(\w+)\(", "\n".join(cells(lesson.notebook, "code"))))
        assert {panel.__module__.rpartition(".")[2] for panel in lesson.panels} <= shown


@pytest.mark.parametrize("language", languages.LANGUAGES)
def test_every_panel_has_its_texts(language):
    lv.use_language(language)
    try:
        for panel in lv.live.panels().values():
            assert languages.of_panel(panel.name)["title"]
    finally:
        lv.use_language("en")


def test_the_readme_and_the_first_notebook_list_them_all():
    assert LINK.findall((ROOT / "README.md").read_text(encoding="utf-8")) == NAMES
    table = next(text for text in cells(NAMES[0], "markdown") if text.startswith("| step |"))
    assert LINK.findall(table) == NAMES[1:]


def test_each_notebook_leads_to_the_next():
    for this, following in pairwise(NAMES):
        last = next(text for text in reversed(cells(this, "markdown")) if "Next: " in text)
        assert LINK.findall(last.split("Next: ")[1])[0] == following
