"""From a notebook to a lesson: the cells that make its panels, and its prose to be folded away."""

import re
import shutil
from pathlib import Path
from typing import NamedTuple

import nbformat

from .. import languages, live

TAG = "present"
OWN = "from lecture_viz.presenter.own import use_own\n\nuse_own(lv)"  # after the cell that imports the package
END = re.compile(r"^## \d+ · Exercises", re.MULTILINE)  # what follows is for students


class Lesson(NamedTuple):
    """``file`` is the name of its notebook, ``title`` what the lecturer sees."""

    file: str
    title: str


def lessons(source: Path, target: Path) -> list[Lesson]:
    """Write a notebook for each lesson in ``source`` into ``target``; in the lecture's order.

    Raises:
        FileNotFoundError: there are no notebooks with cells to present.
    """
    found = []
    for lesson in live.LESSONS:
        path = source / f"{lesson.notebook}.ipynb"
        if not path.is_file():
            continue
        notebook = nbformat.read(path, as_version=4)
        first, *cells = [cell.source for cell in notebook.cells if TAG in cell.metadata.get("tags", [])]
        notebook.metadata["panels"] = "\n".join(cells).count("lv.live.")
        notebook.cells = [*_prose(notebook), *map(nbformat.v4.new_code_cell, (first, OWN, *cells))]
        nbformat.write(notebook, target / path.name)
        title = languages.of_panel(lesson.panels[0].name)["title"]
        found.append(Lesson(path.name, f"{int(lesson.notebook[:2])} · {title}"))
    for picture in source.glob("*.png"):  # of the prose
        shutil.copy(picture, target)
    if not found:
        raise FileNotFoundError(f"no notebooks of lessons in {str(source)!r}; give the folder notebooks/")
    return found


def _prose(notebook: nbformat.NotebookNode) -> list[nbformat.NotebookNode]:
    """The Markdown up to the exercises."""
    cells = []
    for cell in notebook.cells:
        if cell.cell_type != "markdown":
            continue
        before, *exercises = END.split(cell.source)
        cells.append(nbformat.v4.new_markdown_cell(before))
        if exercises:
            break
    return cells
