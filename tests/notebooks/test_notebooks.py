"""What every notebook promises, in each language; that each runs through is nbval's part of `make test`."""

import io
import re
from contextlib import redirect_stdout
from pathlib import Path
from typing import NamedTuple

import nbformat
import pytest
import translation
from order_of_sums import Shaken

import lecture_viz as lv
from lecture_viz.optimization_based import results

FOLDER = Path(__file__).parents[2] / "notebooks"
OPEN = r"^\w+ = \.\.\..*$|^def \w+.*\n +return \.\.\..*$"  # the line, or the function, that holds an exercise's dots
NOTEBOOKS = sorted(FOLDER.glob("[0-9]*.ipynb"))
TRANSLATED = [FOLDER / language / path.name for language in translation.LANGUAGES for path in NOTEBOOKS]


class Words(NamedTuple):
    """What the notebooks of a language say alike."""

    promises: tuple[str, ...] = ("**You will be able to**", "**Time**", "minutes", "**Lecture**")
    misleads: str = "Where does it mislead?"
    hint: str = "Hint"
    solution: str = "Solution"
    right: str = "✓ right"
    open: str = "not yet"
    test_yourself: str = "Test yourself"
    question: str = "?"
    stop: str = "."
    further: str = "Go further"
    exercises: str = "Exercises"
    shortest: int = 10  # characters of a text alternative


WORDS = {
    "notebooks": Words(),
    "zh": Words(
        ("**学完你将能够**", "**时间**", "分钟", "**讲座**"),
        "它会在哪里误导人？",
        "提示",
        "答案",
        "✓ 正确",
        "还不对",
        "自测",
        "？",
        "。",
        "拓展",
        "练习",
        5,
    ),
}


def named(path: Path) -> str:
    return f"{path.parent.name}/{path.name}"


@pytest.fixture(params=[*NOTEBOOKS, *TRANSLATED], ids=named)
def path(request):
    return request.param


@pytest.fixture
def words(path):
    """In the language of the notebook, which is in use meanwhile."""
    lv.use_language("en" if path.parent == FOLDER else path.parent.name)
    yield WORDS[path.parent.name]
    lv.use_language("en")


@pytest.fixture
def glossary(path):
    return texts(nbformat.read(path.with_name("glossary.ipynb"), as_version=4))


@pytest.fixture
def notebook(path):
    return nbformat.read(path, as_version=4)


def texts(notebook) -> str:
    return "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")


def code_cells(notebook) -> list:
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def exercises(notebook, words) -> list[tuple[int, str]]:
    """Position of each exercise's cell, and the solution hidden below it."""
    found = []
    for n, cell in enumerate(notebook.cells):
        if "exercise" in cell.metadata.get("tags", []):
            below = notebook.cells[n + 1].source
            assert f"<summary>{words.hint}</summary>" in below
            solution = rf"<summary>{words.solution}</summary>.*?```python\n(.*?)```"
            found.append((n, re.search(solution, below, re.DOTALL).group(1)))
    return found


def test_says_what_it_is_for(notebook, words):
    first = notebook.cells[0].source
    assert first.startswith("# ")
    for promise in words.promises:
        assert promise in first
    assert words.misleads in texts(notebook)


def test_shows_plain_torch_equal_to_the_package_and_a_live_panel(notebook):
    code = "\n".join(cell.source for cell in code_cells(notebook))
    assert re.search(r"^ *assert ", code, re.MULTILINE)
    assert "lv.live." in code
    assert "NBVAL_CHECK_OUTPUT" in code


def test_stored_outputs_are_complete_small_and_free_of_widget_state(notebook, path):
    assert path.stat().st_size < 1_000_000
    assert "widgets" not in notebook.metadata
    for number, cell in enumerate(code_cells(notebook), start=1):
        assert cell.execution_count == number, "store the outputs again: make notebooks"
        for output in cell.outputs:
            assert output.output_type != "error"
            assert output.get("name") != "stderr", output.get("text")
            assert "application/vnd.jupyter.widget-view+json" not in output.get("data", {})


def test_every_picture_has_alt_text(notebook, words):
    pictures = 0
    for cell in code_cells(notebook):
        for output in cell.outputs:
            data = output.get("data", {})
            assert "image/png" not in data and "image/jpeg" not in data, "show pictures with lv.plots"
            for tag in re.findall(r"<img[^>]*>", data.get("text/html", "")):
                assert len(re.search(r'alt="([^"]*)"', tag)[1]) >= words.shortest
                pictures += 1
    assert pictures
    assert "![](" not in texts(notebook)


def test_what_is_folded_has_a_title_in_html(notebook):
    """Markdown is not read in a line of HTML: its marks would stand there."""
    for title in re.findall(r"<summary>(.*)</summary>", texts(notebook)):
        assert not re.search(r"[*`$]|\]\(", title), title


def test_its_links_lead_somewhere(notebook, path):
    links = re.findall(r"\]\(([^)#]+)\)", texts(notebook))
    own = [link for link in links if not link.startswith("https://")]  # papers and systems of others: not tried
    assert own
    for link in own:
        assert (path.parent / link).exists(), link


def test_its_words_are_in_the_glossary(notebook, glossary):
    words = re.findall(r"\(glossary\.ipynb#([^)]+)\)", notebook.cells[0].source)
    assert len(words) >= 3
    for word in words:
        assert f"### {word.replace('-', ' ')}\n" in glossary.replace("-", " "), word


def test_the_glossary_is_in_order_and_leads_to_the_notebooks():
    glossary = texts(nbformat.read(FOLDER / "glossary.ipynb", as_version=4))
    words = re.findall(r"^### (.+)$", glossary, re.MULTILINE)
    assert len(words) > 30 and words == sorted(words, key=str.lower)
    links = set(re.findall(r"\]\(([^)#]+)\)", glossary))
    assert links == {path.name for path in NOTEBOOKS}


def test_ends_with_three_questions_and_their_answers(notebook, words):
    last = notebook.cells[-2].source
    assert re.match(rf"## \d+ · {words.test_yourself}\n", last)
    asked = re.findall(r"<details><summary>(.+)</summary>\n\n(.+)\n\n</details>", last)
    assert len(asked) == last.count("<summary>") == 3
    assert all(question.endswith(words.question) and answer.endswith(words.stop) for question, answer in asked)


@pytest.mark.notebook
@pytest.mark.parametrize(
    "path", [*NOTEBOOKS, *(pytest.param(path, marks=pytest.mark.sweep) for path in TRANSLATED)], ids=named
)
def test_exercises_are_open_in_the_notebook_and_right_with_their_solution(notebook, words):
    """Where sums come in another order, too; the translated ones, whose code is the same, in `make sweep`."""
    found = exercises(notebook, words)
    assert len(found) == 4  # write a line, and another one; explain a picture; find something
    for position, solution in found:
        cell = notebook.cells[position]
        number = re.search(r'exercises\.check\("([\d.]+)"', cell.source).group(1)
        assert f"**{number}**" in notebook.cells[position - 1].source  # the question stands above it
        assert "..." in cell.source
        assert said(cell.source).startswith(words.open), cell.source

        assert "..." not in solved(cell.source, solution)
        forget()  # what the check remembers in the usual order of sums …
        with Shaken():
            assert said(solved(cell.source, solution)).startswith(words.right), solution
        forget()  # … and in the other one


def forget() -> None:
    for room in lv.exercises.NOTEBOOKS:
        for remembered in vars(room).values():
            if hasattr(remembered, "cache_clear"):
                remembered.cache_clear()


def solved(source: str, solution: str) -> str:
    return re.sub(OPEN, lambda _: solution, source, flags=re.MULTILINE)


def said(code: str) -> str:
    output = io.StringIO()
    with redirect_stdout(output):
        exec("import torch\nimport lecture_viz as lv\n" + code, {"display": lambda picture: None})
    return output.getvalue()


@pytest.mark.notebook
def test_each_stored_picture_is_found_by_its_lesson(monkeypatch):
    """One that is not, since a call or what it is told by has changed, would be computed anew, and nobody notice."""
    found, read = set(), results._read
    monkeypatch.setattr(results, "_read", lambda folder, entry: found.add(entry["file"]) or read(folder, entry))
    for path in NOTEBOOKS:
        cells = [cell.source for cell in code_cells(nbformat.read(path, as_version=4)) if "%pip" not in cell.source]
        asking = [n for n, source in enumerate(cells) if "lv.stored(" in source]
        names = {"lv": lv, "display": lambda picture: None}
        for source in cells[: max(asking, default=-1) + 1]:
            exec(source, names)
    assert found == {file.name for file in results.FOLDER.glob("*.webp")}


def cells_of(text: str) -> list[list[str]]:
    """The rows of all tables in a Markdown text."""
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines() if line[:1] == "|"]


@pytest.mark.parametrize(
    "name, table, columns",
    [
        ("04_saliency", "LOCALIZATION", slice(1, 6)),  # without the column that names the network
        ("05_activation_maximization", "CLASS_IMAGES", slice(0, 3)),
        ("08_layer_by_layer", "REIDENTIFICATION", slice(0, 3)),
    ],
)
def test_tables_in_notebooks_are_those_that_were_measured(name, table, columns):
    folder = NOTEBOOKS[0].parent
    measured = cells_of((folder.parent / "benchmarks" / f"{table}.md").read_text())
    shown = [
        row[columns]
        for row in cells_of(texts(nbformat.read(folder / f"{name}.ipynb", as_version=4)))
        if any("±" in cell for cell in row)
    ]
    assert len(shown) >= 10
    assert [row[: len(shown[0])] for row in measured if any("±" in cell for cell in row)] == shown


def test_what_the_layers_at_full_size_keep_is_what_was_measured():
    folder = NOTEBOOKS[0].parent
    measured = cells_of((folder.parent / "benchmarks" / "FULL_SIZE_LAYERS.md").read_text())
    shown = cells_of(texts(nbformat.read(folder / "08_layer_by_layer.ipynb", as_version=4)))
    assert len(measured) >= 13 and [row for row in shown if row in measured] == measured


def test_core_and_further_are_apart(notebook, words):
    """What goes further says so in its heading; lesson 4 without it is short enough to be read before the lecture."""
    core, heading = 0, ""
    for line in texts(notebook).splitlines():
        heading = line if re.match(r"##+ ", line) else heading
        core += len(line.split()) * (not re.search(f"{words.further}|{words.exercises}|{words.test_yourself}", heading))
    assert words.further in texts(notebook)
    assert core < 800 or not notebook.cells[0].source.startswith("# 04")


TYPESETTING = re.compile(
    r"\\(operatorname\*?|mathbb|mathcal|text)\{\w+\}"
    r"|\\(frac|partial|left|right|sum|max|min|cdot|top|leftarrow|lVert|rVert|qquad|approx|log|sqrt|sim|le|ne|langle|rangle|mathbb)(?![a-zA-Z])"
)
GREEK = {"μ": r"\mu", "σ": r"\sigma", "∇": r"\nabla", "β": r"\beta", "λ": r"\lambda"}


def symbols(text: str) -> set[str]:
    """Letters in the formulas of a text, those that typeset left out."""
    formulas = " ".join(map("".join, re.findall(r"\$\$(.+?)\$\$|\$([^$\n]+)\$", text, re.DOTALL)))
    return {GREEK.get(one, one) for one in re.findall(r"\\[a-zA-Z]+|[A-Za-zα-ω∇]", TYPESETTING.sub(" ", formulas))}


def test_every_symbol_is_in_the_glossary(notebook, glossary):
    table = glossary.rpartition("\n## ")[2]
    assert symbols(glossary) <= symbols(table) and len(symbols(table)) > 30
    assert symbols(texts(notebook)) <= symbols(table)
