"""Run all benchmarks, print the table, write ``benchmarks/RESULTS.md``."""

import os
import platform
from importlib import import_module
from pathlib import Path

import torch

from lecture_viz.machine import places

ROOMS = "gradient busy deconvnet saliency optimization inversion startup kernels panels microscope live lessons"

HEAD = """# Results

Written by `make bench`. Ratios are medians over medians, both sides measured in turn in one run; below 1 we are faster.
Times depend on the machine and on what else it does; ratios less so.
"""


def main() -> None:
    places.find_room()
    machine = f"{platform.machine()}, {os.cpu_count()} cores, {torch.get_num_threads()} threads"
    lines = [HEAD, f"Machine: {machine}; Python {platform.python_version()}, torch {torch.__version__}.\n"]
    lines += ["| what | figure | at most | met | measured |", "| :-- | --: | --: | :-- | :-- |"]
    for room in ROOMS.split():
        for r in import_module(f"benchmarks.{room}").results():
            limit = "" if r.limit is None else f"{r.limit:g}{r.unit}"
            lines.append(f"| {r.what} | {r.figure:.2f}{r.unit} | {limit} | {r.met} | {r.note} |")
            print(lines[-1], flush=True)
    (Path(__file__).parent / "RESULTS.md").write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
