"""Is a stored layer anonymous? Photos of a gallery, stored layer by layer, and stored with defences.

    python -m benchmarks.reidentification

Takes five minutes on two cores, and writes ``benchmarks/REIDENTIFICATION.md``.
"""

from pathlib import Path

import torch
from tqdm import tqdm

import lecture_viz as lv
from lecture_viz.optimization_based.reidentification import Rates, rates
from lecture_viz.photos import BUNDLED_PHOTOS, Pictures

from .compare import percent

NETWORK, JUDGE = "alexnet64", "inception64"
STORED = 32  # photos of the gallery
STEPS = 96
LAYERS = ("conv1", "relu2", "relu3", "relu4", "relu5", "pool5", "relu6", "relu7", "fc8")
DEFENDED = "relu5"
DEFENCES = {
    "16 bits": {"bits": 16},
    "8 bits": {"bits": 8},
    "2 bits": {"bits": 2},
    "means of 2×2 places": {"average": 2},
    "means of 8×8 places": {"average": 8},
    "half of them 0": {"dropout": 0.5},
    "means of 8×8 places, 2 bits, half of them 0": {"bits": 2, "average": 8, "dropout": 0.5},
}


def main() -> None:
    network, judge = (lv.load_network(name, device="cpu") for name in (NETWORK, JUDGE))
    crops = Pictures("bundled", network.input_size)
    numbers = [n for n in range(len(crops)) if crops.name(n) in BUNDLED_PHOTOS]  # textures look all alike
    gallery = torch.cat([crops[n] for n in numbers])
    right = [round(n * (len(gallery) - 1) / (STORED - 1)) for n in range(STORED)]

    def row(what: str, found: Rates) -> str:
        return f"| {what} | {percent(found.by_picture.numpy())} | {percent(found.by_numbers.numpy())} |\n"

    table = "| stored | by the picture | by the stored numbers |\n| :-- | --: | --: |\n"
    for layer in tqdm(LAYERS):
        table += row(layer, rates(network, judge, gallery, right, layer, STEPS))
    for what, spoilt in tqdm(DEFENCES.items()):
        table += row(f"{DEFENDED}, {what}", rates(network, judge, gallery, right, DEFENDED, STEPS, **spoilt))
    head = f"""# Is a stored layer anonymous?

Written by `python -m benchmarks.reidentification`. {STORED} of {len(gallery)} crops of the bundled photos are stored as
activations of {NETWORK}. A thief inverts them in {STEPS} steps and looks in the gallery for the photo most like the
picture, by {JUDGE}; or compares the stored numbers with those of the gallery's photos. Percent found, with 95 %
confidence intervals; by chance {100 / len(gallery):.1f} %.

"""
    (Path(__file__).parent / "REIDENTIFICATION.md").write_text(head + table)
    print(table)


if __name__ == "__main__":
    main()
