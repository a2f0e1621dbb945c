"""The network at full size, judged by the next larger one of its family, which had no part in the pictures.

    python -m benchmarks.full_size classes
    python -m benchmarks.full_size layers [--photos DIR]

Whether its class images are recognised, and what each of its layers keeps of a photo: the bundled ones, and every
hundredth of those in DIR. Ten minutes each; they write ``benchmarks/FULL_SIZE_CLASSES.md`` and
``benchmarks/FULL_SIZE_LAYERS.md``. The judge is the extra ``bench``.
"""

import argparse
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from tqdm import tqdm

import lecture_viz as lv
from lecture_viz.networks import Network
from lecture_viz.optimization_based.maximization import class_images
from lecture_viz.optimization_based.optimization import resized
from lecture_viz.photos import BUNDLED_PHOTOS

from .compare import percent

NETWORK, JUDGE = "efficientnet_lite0", "efficientnet_lite2"
CLASS_STEPS, LAYER_STEPS = 192, 128
BLOCKS = ("block1a", "block2b", "block3b", "block4c", "block5c", "block6b", "block6d", "block7a")
LAYERS = ("conv1", *BLOCKS, "conv2", "fc")


def says(judge: Network, image: Tensor) -> Tensor:
    """The judge's logits for a picture of any size, ``(n_labels,)``."""
    with torch.no_grad():
        return judge(resized(image, 2 * [judge.input_size]))[0]


def classes(network: Network, judge: Network) -> str:
    labels, ranks = range(0, len(network.labels), 10), []
    for label in tqdm(labels, network.name):
        logits = says(judge, class_images(network, [label], CLASS_STEPS, seed=label))
        ranks.append(int((logits > logits[label]).sum()))
        print(network.labels[label], ranks[-1], flush=True)
    first, five = (percent(np.array(ranks) < n) for n in (1, 5))
    return f"""# Are class images at full size recognised?

Written by `python -m benchmarks.full_size classes`. Class images of every tenth class, made with {network.name}
in {CLASS_STEPS} steps by the recipe of `class_images`, each with a seed of its own, and shown to {judge.name},
which had no part in them and is trained on the same photos. Percent named right, with 95 % confidence intervals.

| | top-1 | top-5 |
| :-- | --: | --: |
| class images | {first} | {five} |
| *1,000 real photos, one of each class ({judge.name}, see `benchmarks.accuracy`)* | 89.7 | 98.3 |
"""


def layers(network: Network, judge: Network, folder: Path | None) -> str:
    photos = [lv.load_image(name, network.input_size) for name in BUNDLED_PHOTOS]
    files = sorted(file for file in folder.iterdir() if file.suffix.lower() in (".jpg", ".jpeg")) if folder else []
    photos += [lv.load_image(file, network.input_size) for file in files[::100]]
    rows = []
    for layer in LAYERS:
        measured, same = [], []
        for photo in tqdm(photos, layer):
            with torch.no_grad():
                activations = network.activations(photo, layer)
            image = lv.last(lv.invert(network, activations, layer, LAYER_STEPS)).image
            measured.append(lv.quality(network, image, photo, layer))
            same.append(bool(says(judge, image).argmax() == says(judge, photo).argmax()))
        error, ratio, similarity = np.mean(measured, axis=0)
        rows.append(f"| {layer} | {error:.3f} | {ratio:.1f} | {similarity:.2f} | {sum(same)} |")
        print(rows[-1], flush=True)
    table = "\n".join(rows)
    return f"""# What does each layer keep of a photo at full size?

Written by `python -m benchmarks.full_size layers --photos DIR`. {len(photos)} photos of 224 pixels (the bundled ones,
and every hundredth of a folder with one of each class), inverted from {network.name} in {LAYER_STEPS} steps.
Feature error, PSNR in dB and SSIM are means; the last column says for how many {judge.name}, which had no part in
them, says the same first word as for the photo itself.

| layer | feature error | PSNR | SSIM | same word, of {len(photos)} |
| :-- | --: | --: | --: | --: |
{table}
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("what", choices=["classes", "layers"])
    parser.add_argument("--photos", type=Path, help="a folder of photos, for the layers")
    asked = parser.parse_args()
    network, judge = (lv.load_network(name, device="cpu") for name in (NETWORK, JUDGE))
    text = classes(network, judge) if asked.what == "classes" else layers(network, judge, asked.photos)
    (Path(__file__).parent / f"FULL_SIZE_{asked.what.upper()}.md").write_text(text, encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
