"""From a notebook to a lesson: the cells that make its panels, and its prose to be folded away."""

import re
import runpy
import shutil
from pathlib import Path
from typing import NamedTuple

import nbformat

from .. import languages, live, photos
from ..networks import Network

TAG = "present"
END = re.compile(r"^## \d+ · Exercises", re.MULTILINE)  # what follows is for students


class Lesson(NamedTuple):
    """``file`` is the name of its notebook, ``title`` what the lecturer sees."""

    file: str
    title: str


def lessons(source: Path, target: Path, photo: str | None = None, network: str | None = None) -> list[Lesson]:
    """Write a notebook for each lesson in ``source`` into ``target``; in the lecture's order.

    Args:
        photo: a bundled name or a path, instead of the photo in the notebooks.
        network: as `load_network` takes it, or a file for `own_network`; instead of the network in the notebooks.

    Raises:
        FileNotFoundError: there are no notebooks with cells to present.
    """
    found = []
    for path in sorted(source.glob("[0-9]*.ipynb")):
        notebook = nbformat.read(path, as_version=4)
        panels = [cell.source for cell in notebook.cells if TAG in cell.metadata.get("tags", [])]
        if not panels:
            continue
        names = re.findall(r"lv\.live\.(\w+)\(", "\n".join(panels))
        notebook.cells = [*_prose(notebook), *map(nbformat.v4.new_code_cell, _with_own(panels, photo, network))]
        notebook.metadata["panels"] = len(names)
        nbformat.write(notebook, target / path.name)
        title = languages.of_panel(getattr(live, names[0]).name)["title"]
        found.append(Lesson(path.name, f"{int(path.name[:2])} · {title}"))
    for picture in source.glob("*.png"):  # of the prose
        shutil.copy(picture, target)
    if not found:
        raise FileNotFoundError(
            f"no notebooks with cells tagged {TAG!r} in {str(source)!r}; give the folder notebooks/"
        )
    return found


def own_network(file: str) -> Network:
    """The network ``net`` that a Python file makes, for example with `wrap`.

    Raises:
        FileNotFoundError: no such file.
        ValueError: it makes no ``net``.
    """
    if not Path(file).is_file():
        raise FileNotFoundError(f"no file {file!r}; it is to make a network: net = lv.wrap(…)")
    net = runpy.run_path(file).get("net")
    if not isinstance(net, Network):
        raise ValueError(f"{file} makes no network; let it end with: net = lv.wrap(…)")
    return net


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


def _with_own(panels: list[str], photo: str | None, network: str | None) -> list[str]:
    """The cells, with the lecturer's own photo and network after the one that loads those of the notebook."""
    cells, load = [], f"net = lv.load_network({network!r})"
    if network and network.endswith(".py"):
        load = f"from {__name__} import own_network\n\nnet = own_network({str(Path(network).resolve())!r})"
    for source in panels:
        if network or photo:  # panels explain what the network takes the photo for
            source = re.sub(r', (label|other)="[\w ]+"', "", source)
        if network:  # it has other layers, and may be slow: its panels begin where they like, and wait
            source = re.sub(r', (layer="\w+"|channel=\d+)', "", source).replace(".start().wait()", "")
        if photo:
            source = re.sub(r'(lv\.live\.\w+\(net, )"\w+"', r"\1photo", source)
        cells.append(source)
        if network and re.search(r"^net = ", source, re.MULTILINE):
            cells.append(load)
        if photo and re.search(r"^photo = ", source, re.MULTILINE):
            where = photo if photo in photos.BUNDLED_PHOTOS else str(Path(photo).resolve())
            cells.append(f"photo = lv.load_image({where!r}, size=net.input_size)")
    return cells
