"""A student's folder: what is missing comes, what is new comes where nothing was changed, and no work is lost."""

import json
import shutil
from pathlib import Path

import pytest

from lecture_viz.machine import handout

PROJECT = Path(__file__).parents[2]


def notebook(*sources: str, outputs: int = 0) -> str:
    return json.dumps({"cells": [{"cell_type": "code", "source": [one], "outputs": [0] * outputs} for one in sources]})


@pytest.fixture
def shipped(tmp_path, monkeypatch):
    """Two notebooks and a picture of a small suite."""
    folder = tmp_path / "shipped"
    (folder / "zh").mkdir(parents=True)
    (folder / "00_start_here.ipynb").write_text(notebook("one"))
    (folder / "zh" / "00_start_here.ipynb").write_text(notebook("一"))
    (folder / "picture.png").write_bytes(b"pixels")
    (folder / "store.py").write_text("not for students")
    (folder / ".ipynb_checkpoints").mkdir()
    (folder / ".ipynb_checkpoints" / "00_start_here-checkpoint.ipynb").write_text("not for students")
    monkeypatch.setattr(handout, "SHIPPED", folder)
    return folder


@pytest.fixture
def mine(shipped, tmp_path):
    folder = tmp_path / "my notebooks – 笔记"
    assert handout.hand_out(folder) == []
    return folder


def names(folder: Path) -> list[str]:
    return sorted(str(file.relative_to(folder)) for file in folder.rglob("*") if file.is_file())


def test_all_notebooks_and_their_pictures_are_handed_out(mine):
    assert names(mine) == [handout.RECORD, "00_start_here.ipynb", "picture.png", str(Path("zh", "00_start_here.ipynb"))]


def test_the_folder_is_made_wherever_it_is(shipped, tmp_path):
    handout.hand_out(tmp_path / "new" / "newer")
    assert (tmp_path / "new" / "newer" / "picture.png").exists()


def test_what_is_there_stays_and_what_is_missing_comes(shipped, mine):
    (mine / "00_start_here.ipynb").write_text("mine")
    (mine / "picture.png").unlink()
    (shipped / "zh" / "00_start_here.ipynb").write_text(notebook("二"))
    assert handout.hand_out(mine) == []
    assert (mine / "00_start_here.ipynb").read_text() == "mine" and (mine / "picture.png").read_bytes() == b"pixels"
    assert json.loads((mine / "zh" / "00_start_here.ipynb").read_text()) == json.loads(notebook("一"))


def test_an_update_replaces_what_was_only_run(shipped, mine):
    (mine / "00_start_here.ipynb").write_text(notebook("one", outputs=3))
    (shipped / "00_start_here.ipynb").write_text(notebook("one, better"))
    assert handout.hand_out(mine, update=True) == ["00_start_here.ipynb is new"]
    assert (mine / "00_start_here.ipynb").read_text() == notebook("one, better")
    assert handout.hand_out(mine, update=True) == []


def test_an_update_keeps_outputs_where_nothing_is_new(mine):
    (mine / "00_start_here.ipynb").write_text(notebook("one", outputs=3))
    assert handout.hand_out(mine, update=True) == []
    assert (mine / "00_start_here.ipynb").read_text() == notebook("one", outputs=3)


@pytest.mark.parametrize("work", [notebook("one", "my answer"), "damaged", "[]", '{"cells": [3]}'])
def test_an_update_loses_no_work(shipped, mine, work):
    (mine / "00_start_here.ipynb").write_text(work)
    assert handout.hand_out(mine, update=True) == []  # nothing new
    (shipped / "00_start_here.ipynb").write_text(notebook("one, better"))
    (said,) = handout.hand_out(mine, update=True)
    assert said == "00_start_here.ipynb is yours and stays; the new one is beside it, 00_start_here.new.ipynb"
    assert (mine / "00_start_here.ipynb").read_text() == work
    assert (mine / "00_start_here.new.ipynb").read_text() == notebook("one, better")
    assert handout.hand_out(mine, update=True) == []  # it was said once
    (shipped / "00_start_here.ipynb").write_text(notebook("one, best"))
    assert handout.hand_out(mine, update=True) == [said]
    assert (mine / "00_start_here.new.ipynb").read_text() == notebook("one, best")
    (mine / "00_start_here.new.ipynb").write_text(notebook("one, best", "worked in"))
    (shipped / "00_start_here.ipynb").write_text(notebook("one, best of all"))
    assert handout.hand_out(mine, update=True) == [said.replace(".new.", ".new2.")]
    assert (mine / "00_start_here.new.ipynb").read_text() == notebook("one, best", "worked in")


@pytest.mark.parametrize("record", [None, "damaged", "[]"])
def test_without_a_record_all_that_is_there_is_the_students(shipped, mine, record):
    (mine / handout.RECORD).unlink() if record is None else (mine / handout.RECORD).write_text(record)
    (shipped / "00_start_here.ipynb").write_text(notebook("one, better"))
    (said,) = handout.hand_out(mine, update=True)
    assert "is yours and stays" in said and (mine / "00_start_here.ipynb").read_text() == notebook("one")


def test_one_begins_in_ones_language(shipped):
    assert handout.first("zh") == "zh/00_start_here.ipynb"
    assert handout.first("en") == handout.first("de") == "00_start_here.ipynb"


def test_the_notebooks_are_those_of_the_project(tmp_path):
    assert handout.SHIPPED == PROJECT / "notebooks"
    handout.hand_out(tmp_path)
    assert {"10_microscope.ipynb", "glossary.ipynb", "ten_classes.png", "store.py"} - {*names(tmp_path)} == {"store.py"}
    shutil.rmtree(tmp_path / "zh")
    handout.hand_out(tmp_path)
    assert (tmp_path / "zh" / "00_start_here.ipynb").is_file()
