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


def test_the_routes_in_words_are_those_of_the_hall():
    """Each line of notebook 00 names the lessons of its route in bold; what it has from the shorter one may be left."""
    (told,) = [text for text in cells("00_start_here", "markdown") if "Short of time?" in text]
    lines = dict(re.findall(r"- \*(\d+) minutes\*: (.+)", told))
    owners = {panel: lesson.notebook[:2] for lesson in LESSONS for panel in lesson.panels}
    named: set[str] = set()
    assert [*map(int, lines)] == [*lv.live.ROUTES]
    for minutes, line in lines.items():
        stops = lv.live.route(int(minutes))
        walked = [owners[lv.live.panels()[stop.panel]] for stop in stops]
        assert walked == sorted(walked), "in the lecture's order"
        named |= set(re.findall(r"\*\*(\d\d)\*\*", line)) if "all ten" not in line else set(walked)
        assert named == set(walked)


def test_every_stop_is_a_preset_that_the_texts_know():
    for stop in lv.live.STOPS:
        assert stop.preset in languages.of_panel(lv.live.panels()[stop.panel].name)["presets"]
        assert stop.minutes in lv.live.ROUTES
