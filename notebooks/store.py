"""Run every notebook and store its outputs without widget state, and make the README's pictures: ``make notebooks``."""

from pathlib import Path

import nbformat
import torch
from matplotlib.figure import Figure
from nbclient import NotebookClient

import lecture_viz as lv
from lecture_viz.maximization import class_images
from lecture_viz.networks.embedded import ARCHITECTURES

HERE = Path(__file__).parent
WIDGET = "application/vnd.jupyter.widget-view+json"


def store(path: Path) -> None:
    """Execute ``path`` in place; an error in a cell is raised and nothing is written."""
    notebook = nbformat.read(path, as_version=4)
    where = {"metadata": {"path": path.parent}}
    NotebookClient(notebook, timeout=300, kernel_name="python3", resources=where).execute()
    notebook.metadata.pop("widgets", None)
    notebook.metadata["language_info"] = {"name": "python"}  # not the version of whoever ran it last
    for cell in notebook.cells:
        cell.metadata.pop("execution", None)  # times change with every run
        for output in [*cell.get("outputs", [])]:
            live = output.get("data", {}).pop(WIDGET, None)  # a live view without its kernel is an error message
            if live and "text/html" not in output.data:
                cell.outputs.remove(output)  # a progress bar has no still of its own
    nbformat.write(notebook, path)


def three_rules(path: Path) -> None:
    """Photo, backprop, Deconvnet and guided backprop side by side, each pixel 5×5."""
    net, photo = lv.load_network("alexnet64"), lv.load_image("cat", size=64)
    maps = [lv.images.show_signed(lv.gradient(net, photo, lv.logit("tabby"), rule)) for rule in lv.RULES]
    white = torch.ones(1, 3, 64, 2)
    strip = torch.cat([photo, *(part for shown in maps for part in (white, shown))], dim=3)
    path.write_bytes(lv.images.encode(strip.repeat_interleave(5, dim=2).repeat_interleave(5, dim=3)))


def ten_classes(path: Path) -> None:
    """What each embedded network imagines for ten classes."""
    labels = ["tabby", "golden retriever", "king penguin", "goldfish", "ladybug"]
    labels += ["monarch", "school bus", "dumbbell", "espresso", "pizza"]
    figure = Figure(figsize=(15, 1.65 * len(ARCHITECTURES)), layout="constrained")
    for row, name in zip(figure.subplots(len(ARCHITECTURES), len(labels)), ARCHITECTURES):
        for axes, label, picture in zip(row, labels, class_images(lv.load_network(name), labels)):
            axes.imshow(picture.movedim(0, -1).cpu(), interpolation="nearest")
            axes.set(xticks=[], yticks=[], title=label if name == "alexnet64" else None)
        row[0].set_ylabel(name)
    figure.savefig(path, dpi=100, facecolor="white")


if __name__ == "__main__":
    three_rules(HERE / "three_rules.png")
    ten_classes(HERE / "ten_classes.png")
    for path in sorted(HERE.glob("[0-9]*.ipynb")):
        print(path.name)
        store(path)
