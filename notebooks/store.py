"""Run every notebook, and make and run it in each other language, and store outputs without widget state.

``make notebooks`` does this, and makes the README's pictures; with names (``01_gradients``) those notebooks alone.

With ``--results`` (``make results``), first the pictures that take long are made anew, those of
`lecture_viz.optimization_based.results`.
"""

import copy
import json
import os
import shutil
import sys
from pathlib import Path

import nbformat
import translation
from matplotlib.figure import Figure
from nbclient import NotebookClient

import lecture_viz as lv
from lecture_viz.machine import places
from lecture_viz.optimization_based import results
from lecture_viz.optimization_based.maximization import class_images

HERE = Path(__file__).parent
WIDGET = "application/vnd.jupyter.widget-view+json"


# A panel opens with its start; who reads the file without running it shall see what comes of a run.
FINISHED = """
import json
panels = globals().get("panels", [])
for panel in panels:
    if hasattr(panel, "resume"):
        panel.start().wait(600)
print(json.dumps([panel._repr_mimebundle_()["text/html"] for panel in panels]))
"""


def store(path: Path) -> None:
    """Execute ``path`` in place; an error in a cell is raised and nothing is written."""
    notebook = nbformat.read(path, as_version=4)
    executed = copy.deepcopy(notebook)
    for cell in executed.cells:
        if cell.source.endswith("\npanel"):
            cell.source = cell.source.removesuffix("panel") + "panels = [*globals().get('panels', []), panel]\npanel"
    executed.cells.append(nbformat.v4.new_code_cell(FINISHED))
    where = {"metadata": {"path": path.parent}}
    NotebookClient(executed, timeout=900, kernel_name="python3", resources=where).execute()
    stills = json.loads("".join(output.text for output in executed.cells.pop().outputs))
    for cell, done in zip(notebook.cells, executed.cells, strict=True):
        if cell.cell_type != "code":
            continue
        cell.outputs, cell.execution_count = done.outputs, done.execution_count
        for output in [*cell.outputs]:
            live = output.get("data", {}).pop(WIDGET, None)  # a live view without its kernel is an error message
            if live and "text/html" not in output.data:
                cell.outputs.remove(output)  # a progress bar has no still of its own
            elif live and cell.source.endswith("\npanel"):
                output.data["text/html"] = stills.pop(0)
    notebook.metadata.pop("widgets", None)
    notebook.metadata["language_info"] = {"name": "python"}  # not the version of whoever ran it last
    nbformat.write(notebook, path)


def three_rules(path: Path) -> None:
    """Photo, backprop, Deconvnet and guided backprop side by side: the first two at full size."""
    net, photo = lv.load_network("efficientnet_lite0"), lv.load_image("cat", size=224)
    cat = lv.logit("Egyptian cat")
    maps = [lv.gradient(net, photo, cat, rule) for rule in ("backprop", "guided")]
    tiles = [photo, *map(lv.images.show_signed, maps), lv.images.show_magnitude(lv.magnitude(maps[0]))]
    path.write_bytes(lv.images.encode(lv.plots.mosaic(tiles, columns=4, cell=224)))


def ten_classes(path: Path) -> None:
    """What the network at full size imagines for ten classes."""
    labels = ["Egyptian cat", "golden retriever", "king penguin", "goldfish", "ladybug"]
    labels += ["monarch", "school bus", "dumbbell", "espresso", "flamingo"]
    figure = Figure(figsize=(15, 6.6), layout="constrained")
    pictures = class_images(lv.load_network("efficientnet_lite0"), labels, 192, seed=1)
    for axes, label, picture in zip(figure.subplots(2, 5).flat, labels, pictures):
        axes.imshow(picture.movedim(0, -1).cpu())
        axes.set(xticks=[], yticks=[], title=label)
    figure.savefig(path, dpi=80, facecolor="white")


if __name__ == "__main__":
    places.find_room()  # the kernels write, too
    if "--results" in sys.argv:
        shutil.rmtree(results.FOLDER, ignore_errors=True)
    names = [name for name in sys.argv[1:] if name[:1] != "-"]
    for path in sorted(HERE.glob("*.ipynb")):
        if not names or path.stem in names:
            print(path.name, flush=True)
            if "--results" in sys.argv:
                os.environ[results.MAKE] = "yes"  # the kernel reads it
            store(path)
            os.environ.pop(results.MAKE, None)  # the other languages show the same pictures
            for language in translation.LANGUAGES:
                there = HERE / language / path.name
                nbformat.write(translation.translate(path, language), there)
                store(there)
    if not names:
        three_rules(HERE / "three_rules.png")
        ten_classes(HERE / "ten_classes.png")
