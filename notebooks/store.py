"""Run every notebook and store its outputs, without widget state: ``make notebooks``."""

from pathlib import Path

import nbformat
from nbclient import NotebookClient

WIDGET = "application/vnd.jupyter.widget-view+json"


def store(path: Path) -> None:
    """Execute ``path`` in place; an error in a cell is raised and nothing is written."""
    notebook = nbformat.read(path, as_version=4)
    NotebookClient(
        notebook, timeout=300, kernel_name="python3", resources={"metadata": {"path": path.parent}}
    ).execute()
    notebook.metadata.pop("widgets", None)
    notebook.metadata["language_info"] = {"name": "python"}  # not the version of whoever ran it last
    for cell in notebook.cells:
        cell.metadata.pop("execution", None)  # times change with every run
        for output in cell.get("outputs", []):
            output.get("data", {}).pop(WIDGET, None)  # a live view without its kernel is an error message
    nbformat.write(notebook, path)


if __name__ == "__main__":
    for path in sorted(Path(__file__).parent.glob("*.ipynb")):
        print(path.name)
        store(path)
