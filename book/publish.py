"""The lessons as a book that needs no kernel and no network: ``make book``, a page for each, in each language.

    python book/publish.py                              into build/book
    python book/publish.py --films 02_relu_rules …      panels of these lessons alone as films, the others as one still

With ``BOOK_REPOSITORY`` (an address at GitHub) each page has links that open its notebook in Colab and on Binder.
"""

import argparse
import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

import check
import films
import nbformat

import lecture_viz as lv
from lecture_viz import live
from lecture_viz.presenter.lessons import TAG

HERE = Path(__file__).parent
ROOT = HERE.parent
NOTEBOOKS = ROOT / "notebooks"
LANGUAGES = {"en": NOTEBOOKS, "zh": NOTEBOOKS / "zh"}
MENU = re.compile(r"^\*\*(Language|语言)\*\* .*\n", re.MULTILINE)  # the book has its own
# the order of the lecture; what a photo passes, room by room
ROOMS = {
    "photos": "Photos",
    "networks": "Networks",
    "targets": "Targets",
    "gradient_based": "Gradient-based methods",
    "optimization_based": "Optimization-based methods",
    "maps": "Maps as pictures",
    "figures": "Figures",
    "exercises": "Exercises",
    "languages": "Languages",
}


def build(to: Path, cache: Path, filmed: set[str]) -> None:
    """Write the site into ``to``; ``cache`` keeps the films from one time to the next.

    Raises:
        subprocess.CalledProcessError: Sphinx has found a mistake, and said which.
    """
    shutil.rmtree(to, ignore_errors=True)
    for language, notebooks in LANGUAGES.items():
        pages = cache / "pages" / language
        shutil.rmtree(pages, ignore_errors=True)
        pages.mkdir(parents=True)
        for path in sorted(notebooks.glob("*.ipynb")):
            shown = films.of_lesson(path, language, cache / "films") if path.stem in filmed else []
            nbformat.write(page(path, shown), pages / path.name)
        for picture in NOTEBOOKS.glob("*.png"):
            shutil.copy(picture, pages)
        (pages / "index.md").write_text(index(language), encoding="utf-8")
        if language == "en":  # docstrings are English
            (pages / "api.md").write_text(api(), encoding="utf-8")
        sphinx(language, pages, to / language, cache / "trees" / language)
    shutil.copy(HERE / "index.html", to)
    (to / ".nojekyll").touch()  # for GitHub Pages, which would leave out folders that begin with _


def sphinx(language: str, pages: Path, to: Path, trees: Path) -> None:
    """Make a site of the pages of a folder; ``trees`` keeps what was read of them. A warning counts as a mistake."""
    command = [sys.executable, "-m", "sphinx", "-q", "-W", "--keep-going"]
    command += map(str, ["-c", HERE, "-d", trees, pages, to])
    settings = os.environ | {"BOOK_LANGUAGE": language, "PYTHONPATH": str(HERE)}
    subprocess.run(command, env=settings, check=True)


def page(path: Path, shown: list[str]) -> nbformat.NotebookNode:
    """A notebook as a page: films in place of its panels' stills, links and headings as a book wants them."""
    notebook, left = nbformat.read(path, as_version=4), [*shown]
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            cell.source = MENU.sub("", cell.source).replace("](../", "](")
            if path.stem == "glossary":
                cell.source = cell.source.replace("\n### ", "\n## ").replace("### ", "## ", cell.source[:4] == "### ")
        elif left and TAG in cell.metadata.get("tags", []) and "lv.live." in cell.source:
            html = nbformat.v4.new_output("display_data", {"text/html": left.pop(0)})
            cell.outputs = [*(one for one in cell.outputs if "text/html" not in one.get("data", {})), html]
    return notebook


def index(language: str) -> str:
    """The first page, with all lessons."""
    lessons = "\n".join(lesson.notebook for lesson in live.LESSONS)
    return (HERE / f"index_{language}.md").read_text(encoding="utf-8").replace("LESSONS", lessons)


def api() -> str:
    """What ``lv`` has, room by room, from the docstrings."""
    public = {name: getattr(lv, name) for name in lv.__all__}
    text = ["# The package", "Everything public is in `lv`: `import lecture_viz as lv`."]
    for room, title in ROOMS.items():
        ours = f"lecture_viz.{room}"
        text.append(f"## {title}")
        for name, value in public.items():
            home = getattr(value, "__module__", None) or getattr(value, "__name__", "")
            if not f"{home}.".startswith(f"{ours}."):
                continue
            kind = "autoclass" if isinstance(value, type) else "autofunction" if callable(value) else "automodule"
            of = home if kind == "automodule" else f"lecture_viz.{name}"
            options = "\n   :members:" if kind != "autofunction" else ""
            text.append(f"```{{eval-rst}}\n.. {kind}:: {of}{options}\n```")
    panels = {name: (panel.__doc__ or "").strip().splitlines()[0] for name, panel in live.panels().items()}
    text.append("## Live panels\n\n" + "\n".join(f"- `lv.live.{name}`: {first}" for name, first in panels.items()))
    return "\n\n".join(text) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    everything = [lesson.notebook for lesson in live.LESSONS]
    parser.add_argument("--films", nargs="*", default=everything, metavar="LESSON", help="default: all")
    parser.add_argument("--to", type=Path, default=ROOT / "build" / "book")
    asked, started = parser.parse_args(), time.monotonic()
    build(asked.to, ROOT / "build" / "book-cache", set(asked.films))
    found = check.complaints(asked.to)
    print(*found, sep="\n")
    sizes = {file: file.stat().st_size for file in asked.to.rglob("*") if file.is_file()}
    largest = max((file for file in sizes if file.suffix == ".html"), key=sizes.get)
    print(f"{asked.to / 'index.html'}: {time.monotonic() - started:.0f} s, {sum(sizes.values()) / 1e6:.0f} MB;")
    print(f"the largest page is {largest.relative_to(asked.to)}, {sizes[largest] / 1e6:.1f} MB")
    sys.exit(bool(found))


if __name__ == "__main__":
    main()
