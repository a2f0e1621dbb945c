"""From a notebook to a lesson: the cells that make its panels, and its prose to be folded away."""

import re
import shutil
from pathlib import Path
from typing import NamedTuple

import nbformat

from .. import languages, live

TAG = "present"
OWN = "from lecture_viz.presenter.own import use_own\n\nuse_own(lv)"  # after the cell that imports the package
END = re.compile(r"^## \d+ · (?:Exercises|练习)", re.MULTILINE)  # what follows is for students


class Lesson(NamedTuple):
    """``file`` is the name of its notebook, ``title`` what the lecturer sees."""

    file: str
    title: str


def lessons(source: Path, target: Path) -> list[Lesson]:
    """Write a notebook for each lesson in ``source`` into ``target``; in the lecture's order, in the language in use.

    Raises:
        FileNotFoundError: there are no notebooks with cells to present.
    """
    found, own = [], source / languages.current()
    for lesson in live.LESSONS:
        path = (own if own.is_dir() else source) / f"{lesson.notebook}.ipynb"
        if not path.is_file():
            continue
        notebook = nbformat.read(path, as_version=4)
        first, *cells = [cell.source for cell in notebook.cells if TAG in cell.metadata.get("tags", [])]
        prose, code = _prose(notebook), (first, OWN, *cells)
        notebook.cells = [*prose, *map(nbformat.v4.new_code_cell, code)]
        numbered = enumerate(code, 1 + len(prose))  # Voilà counts from 1
        notebook.metadata["panels"] = [number for number, source in numbered if "lv.live." in source]
        nbformat.write(notebook, target / path.name)
        title = languages.of_panel(lesson.panels[0].name)["title"]
        found.append(Lesson(path.name, f"{int(lesson.notebook[:2])} · {title}"))
    for picture in source.glob("*.png"):  # of the prose
        shutil.copy(picture, target)
    if not found:
        raise FileNotFoundError(f"no notebooks of lessons in {str(source)!r}; give the folder notebooks/")
    return found


def routes(found: list[Lesson]) -> dict[int, list[tuple[int, int, int]]]:
    """The stops of each route by its minutes: the numbers of the lesson found, of its panel and of the preset."""
    numbers, shown = {lesson.file: n for n, lesson in enumerate(found)}, live.panels()
    places = {
        panel: (numbers[f"{lesson.notebook}.ipynb"], number)
        for lesson in live.LESSONS
        if f"{lesson.notebook}.ipynb" in numbers
        for number, panel in enumerate(lesson.panels)
    }

    def stop(asked: live.Stop) -> tuple[int, int, int]:
        panel = shown[asked.panel]
        return *places[panel], [*languages.of_panel(panel.name)["presets"]].index(asked.preset)

    return {
        minutes: [stop(asked) for asked in live.route(minutes) if shown[asked.panel] in places]
        for minutes in live.ROUTES
    }


def _prose(notebook: nbformat.NotebookNode) -> list[nbformat.NotebookNode]:
    """The Markdown up to the exercises."""
    cells = []
    for cell in notebook.cells:
        if cell.cell_type != "markdown":
            continue
        before, *exercises = END.split(cell.source)
        cells.append(nbformat.v4.new_markdown_cell(before.replace("](../", "](")))  # pictures come along
        if exercises:
            break
    return cells
