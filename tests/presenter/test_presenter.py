"""From the notebooks to the lessons of the presenter view, and what it says of bad choices."""

import re
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
import torch
from IPython.core.inputtransformer2 import TransformerManager
from voila.execute import VoilaExecutor

import lecture_viz as lv
from lecture_viz.machine import places, warm_kernels
from lecture_viz.presenter import own
from lecture_viz.presenter.__main__ import Presenter, arguments, main
from lecture_viz.presenter.lessons import lessons
from lecture_viz.presenter.own import choose

NOTEBOOKS = Path(__file__).parents[2] / "notebooks"


def code(path: Path) -> str:
    return "\n".join(cell.source for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == "code")


def test_every_notebook_is_a_lesson_with_all_its_panels(tmp_path):
    found = lessons(NOTEBOOKS, tmp_path)
    assert [lesson.file for lesson in found] == [path.name for path in sorted(NOTEBOOKS.glob("[0-9]*.ipynb"))]
    assert found[5].title == "5 · Activation maximisation"
    for lesson in found:
        notebook = nbformat.read(tmp_path / lesson.file, as_version=4)
        assert code(tmp_path / lesson.file).count("lv.live.") == code(NOTEBOOKS / lesson.file).count("lv.live.")
        shown = [notebook.cells[number - 1].source for number in notebook.metadata.panels]
        assert shown and all(re.search(r"^\w+ = lv\.live\.", source, re.MULTILINE) for source in shown)
        assert len(shown) == code(tmp_path / lesson.file).count("lv.live.")
        prose = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
        assert "Where does it mislead?" in prose and "Solution" not in prose
        assert "exercises.check" not in code(tmp_path / lesson.file)


@pytest.fixture
def hall(tmp_path, monkeypatch):
    """``hall(network, photo)``: what each lesson's cells leave behind, by file, under this choice."""

    def all_lessons(network=None, photo=None, only="0"):
        for name, value in choose(network, photo).items():
            monkeypatch.setenv(name, value)
        for lesson in lessons(NOTEBOOKS, tmp_path)[1:]:
            if only not in lesson.file:
                continue
            before = vars(lv).copy(), vars(lv.live).copy()
            names = {}
            try:
                exec(TransformerManager().transform_cell(code(tmp_path / lesson.file)), names)
            finally:
                for room, old in zip((lv, lv.live), before):
                    vars(room).update(old)
            yield names

    return all_lessons


def test_the_lecturers_own_photo(hall, tmp_path):
    mine = lv.load_image("coffee", 224)
    (tmp_path / "mine.png").write_bytes(lv.images.encode(mine))
    (names,) = hall(photo=str(tmp_path / "mine.png"), only="01_")
    assert names["net"].name == "efficientnet_lite0"
    for photo in (names["photo"], names["panel"].photo):
        assert (lv.images.to_array(photo) == lv.images.to_array(mine)).all()
    assert "coffee" not in names["panel"].code() and "tabby" not in names["panel"].code()


def test_without_a_choice_a_lesson_is_the_notebooks(hall):
    (names,) = hall(only="01_")
    assert torch.equal(names["photo"], lv.load_image("cat", 224)) and "lv.logit('tabby')" in names["panel"].code()


@pytest.mark.parametrize(
    ("language", "title", "said"),
    [("zh", "1 · 梯度", "它会在哪里误导人？"), ("de", "1 · Gradienten", "Where does it mislead?")],
)
def test_titles_and_prose_in_the_language_in_use(tmp_path, language, title, said):
    """Where the notebooks have it: German has panels alone."""
    lv.use_language(language)
    try:
        assert lessons(NOTEBOOKS, tmp_path)[1].title == title
    finally:
        lv.use_language("en")
    first = nbformat.read(tmp_path / "00_start_here.ipynb", as_version=4)
    prose = "\n".join(cell.source for cell in first.cells if cell.cell_type == "markdown")
    assert said in prose and "](ten_classes.png)" in prose and not re.search("<summary>(Solution|答案)<", prose)


def test_bad_choices_are_refused_before_anything_is_served(tmp_path, capsys):
    with pytest.raises(FileNotFoundError, match="no notebooks of lessons in"):
        lessons(tmp_path, tmp_path)
    with pytest.raises(FileNotFoundError, match="no photo at"):
        main([str(NOTEBOOKS), "--photo", "nowhere.png"])
    with pytest.raises(ValueError, match="there is no network 'alexnet6'"):
        main([str(NOTEBOOKS), "--network", "alexnet6"])
    with pytest.raises(FileNotFoundError, match=r"no file 'nowhere.py'; it is to make a network: net = lv.wrap"):
        main([str(NOTEBOOKS), "--network", "nowhere.py"])
    (tmp_path / "none.py").write_text("net = 3")
    with pytest.raises(ValueError, match=r"none.py makes no network; let it end with: net = lv.wrap"):
        main([str(NOTEBOOKS), "--network", str(tmp_path / "none.py")])
    with pytest.raises(SystemExit):
        arguments([str(NOTEBOOKS), "--language", "xx"])
    assert "invalid choice: 'xx'" in capsys.readouterr().err


@pytest.fixture
def options(monkeypatch):
    """Those that `main` starts Voilà with, which is not started."""
    options = []
    monkeypatch.setattr(places, "prepare", lambda: False)
    monkeypatch.setattr(Presenter, "launch_instance", options.extend)
    monkeypatch.setattr(warm_kernels, "offer", lambda: None)
    monkeypatch.setenv("JUPYTER_PATH", "")
    monkeypatch.setenv("LECTURE_VIZ_LANGUAGE", "en")
    return options


@pytest.mark.parametrize(
    ("root", "asked", "token"),
    [
        (False, [], None),
        (True, [], "--Voila.auto_token=True"),
        (False, ["--ip=0.0.0.0"], "--Voila.auto_token=True"),
        (True, ["--token=mine"], "--Voila.token=mine"),
        (True, ["--token="], None),
    ],
)
def test_who_is_asked_for_a_token(options, monkeypatch, root, asked, token):
    monkeypatch.setattr(places, "prepare", lambda: root)
    main([str(NOTEBOOKS), *asked])
    assert [option for option in options if "token" in option] == ([token] if token else [])


def test_a_panel_may_come_long_after_its_cell_has_ended(options):
    main([str(NOTEBOOKS)])
    presenter = Presenter()
    presenter.parse_command_line(options)
    executor = VoilaExecutor(nbformat.v4.new_notebook(), config=presenter.config)
    assert executor.iopub_timeout >= 60  # with nbclient's 4 s a busy machine lost it, and the lesson never came


def test_ports_are_tried_in_their_order():
    assert list(Presenter().random_ports(8866, 51))[:3] == [8866, 8867, 8868]
    assert list(Presenter().random_ports(65535, 51)) == [65535]


@pytest.mark.long
def test_a_bad_choice_is_a_line_in_the_terminal():
    command = [sys.executable, "-m", "lecture_viz.presenter", str(NOTEBOOKS), "--photo=nowhere.png"]
    ran = subprocess.run(command, capture_output=True, text=True)
    assert ran.returncode == 1 and len(ran.stderr.splitlines()) == 1 and "no photo at 'nowhere.png'" in ran.stderr


OWN = """
import torch
from torch import nn
import lecture_viz as lv

torch.manual_seed(0)
wide = [(3, 8), (8, 16), (16, 32)]
conv = [part for sizes in wide for part in (nn.Conv2d(*sizes, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2))]
net = lv.wrap(nn.Sequential(*conv, nn.Flatten(), nn.Linear(32 * 8 * 8, 5)), input_size=64, labels=list("abcde"))
"""


@pytest.mark.notebook
def test_every_lesson_runs_with_a_network_of_ones_own(hall, tmp_path):
    (tmp_path / "mine.py").write_text(OWN)
    for names in hall(str(tmp_path / "mine.py"), "coffee"):
        assert names["net"].labels == tuple("abcde")


@pytest.mark.notebook
@pytest.mark.parametrize(
    "network",
    [
        "alexnet64",
        pytest.param("inception64", marks=pytest.mark.sweep),
        pytest.param("googlenet", marks=pytest.mark.sweep),
    ],
)
def test_every_lesson_runs_with_another_network_and_photo(hall, network, monkeypatch):
    random = lv.load_network(network, weights=None, device="cpu")  # no download
    monkeypatch.setattr(own, "_load", lambda name: random)
    for names in hall(network, "coffee"):
        assert names["net"] is random
