"""Does another network recognise the class images? All 200 classes, one set of regularisers after another.

    python -m benchmarks.class_images
    python -m benchmarks.class_images --full-size

The first takes two hours on one core, shows its progress, and writes ``benchmarks/CLASS_IMAGES.md``; the second asks
every tenth class of the network at full size, takes ten minutes, and writes ``benchmarks/FULL_SIZE.md``.
"""

import argparse
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from tqdm import tqdm

import lecture_viz as lv
from lecture_viz.networks import Network
from lecture_viz.optimization_based.maximization import class_images
from lecture_viz.optimization_based.optimization import resized
from lecture_viz.optimization_based.regularizers import (
    alpha_norm,
    bilateral,
    clip_small,
    clip_small_contribution,
    l1,
    l2,
    low_pass,
    median,
    total_variation,
    wavelet_threshold,
)
from lecture_viz.optimization_based.robustness import jitter, rotation, scale

from .compare import percent

NETWORK, JUDGE = "inception64", "alexnet64"
BATCH = 20
STEPS = 64
FULL_SIZE_STEPS = 192
TRIED = slice(None, None, 10)  # the classes on which strengths are chosen: every tenth

# a regulariser alone, and the strengths to choose from
PENALTIES = {"L2": (l2, 40, 160, 640), "6-norm": (alpha_norm, 200, 800, 3200), "L1": (l1, 20, 80, 320)}
PENALTIES |= {"total variation": (total_variation, 50, 200, 800)}
FILTERS = {
    "low-pass": (low_pass, 0.3, 0.5, 0.8),
    "median": (median, 1),
    "bilateral": (bilateral, 0.05, 0.1, 0.2),
    "wavelet threshold": (wavelet_threshold, 0.01, 0.02, 0.05),
    "clip small": (clip_small, 5, 20, 50),
    "clip small contribution": (clip_small_contribution, 5, 20, 50),
}
ROBUST = {"jitter": jitter(6), "rotation": rotation(8), "scale": scale(0.1)}
FOURIER: dict[str, Any] = {"parameterization": "fourier"}

Choices = dict[str, Any]


def robust(*without: str) -> Choices:
    return {"transforms": [transform for name, transform in ROBUST.items() if name not in without]}


def alone() -> dict[str, dict[float, Choices]]:
    """For each penalty and filter, what `maximize` takes for each strength."""
    kinds = {"penalties": PENALTIES, "filters": FILTERS}
    return {
        name: {strength: {kind: [make(strength)]} for strength in strengths}
        for kind, made in kinds.items()
        for name, (make, *strengths) in made.items()
    }


def together() -> dict[str, Choices]:
    """Sets of several; the last is the best, and those before it lack one part of it."""
    yosinski = {"penalties": [l2(10)], "filters": [low_pass(0.4), clip_small(5), clip_small_contribution(5)]}
    all_of_it = FOURIER | robust() | {"penalties": [total_variation(20)]}
    return {
        "four octaves, small to large": {"octaves": 4},
        "L2, low-pass, both clippings (Yosinski [25])": yosinski,
        **{name: {"transforms": [transform]} for name, transform in ROBUST.items()},
        "jitter, rotation, scale + total variation": robust() | {"penalties": [total_variation(50)]},
        "jitter, rotation, scale + low-pass": robust() | {"filters": [low_pass(0.4)]},
        "all of it: Fourier + jitter, rotation, scale + total variation": all_of_it,
        "jitter, rotation, scale": robust(),
        "Fourier": FOURIER,
        **{f"Fourier + {' and '.join(n for n in ROBUST if n != name)}": FOURIER | robust(name) for name in ROBUST},
        "Fourier + jitter, rotation, scale": FOURIER | robust(),
    }


def recognised(network: Network, judge: Network, labels: Sequence[str], choices: Choices, name: str) -> torch.Tensor:
    """For each class, at which rank (from 0) the judge names it for its class image: ``(N,)``."""
    ranks = []
    for start in tqdm(range(0, len(labels), BATCH), name, leave=False):
        batch = labels[start : start + BATCH]
        images = lv.last(lv.maximize(network, [lv.logit(label) for label in batch], STEPS, **choices)).image
        with torch.no_grad():
            logits = judge(images)
        right = torch.tensor([judge.label_index(label) for label in batch])[:, None]
        ranks.append((logits > logits.gather(1, right)).sum(dim=1))
    return torch.cat(ranks)


def one_at_a_time(network: Network, judge: Network) -> Iterator[tuple[str, Choices]]:
    """Each penalty and filter alone, at the strength that does best on some of the classes."""
    yield "no regulariser", {}
    for name, choices in alone().items():
        right = {}
        for strength, choice in choices.items():
            ranks = recognised(network, judge, network.labels[TRIED], choice, f"{name} {strength:g}")
            right[strength] = ((ranks < 1).sum().item(), (ranks < 5).sum().item())
        print(name, right, flush=True)
        best = max(right, key=right.get)
        yield f"{name} {best:g}", choices[best]


def full_size(out: Path) -> None:
    """The recipe of the network at full size, judged by the next larger one of its family."""
    network, judge = (lv.load_network(f"efficientnet_lite{n}", device="cpu") for n in (0, 2))
    labels, ranks = range(0, len(network.labels), 10), []
    for label in tqdm(labels, network.name, leave=False):
        with torch.no_grad():
            image = class_images(network, [label], FULL_SIZE_STEPS, seed=label)
            logits = judge(resized(image, 2 * [judge.input_size]))[0]
        ranks.append(int((logits > logits[label]).sum()))
    first, five = (percent(np.array(ranks) < n) for n in (1, 5))
    text = f"""# Are class images at full size recognised?

Written by `python -m benchmarks.class_images --full-size`. Class images of every tenth class, made with {network.name}
in {FULL_SIZE_STEPS} steps by the recipe of `class_images`, each with a seed of its own, and shown to {judge.name},
which had no part in them and is trained on the same photos. Percent named right, with 95 % confidence intervals.

| | top-1 | top-5 |
| :-- | --: | --: |
| class images | {first} | {five} |
| *1,000 real photos, one of each class ({judge.name}, see `benchmarks.accuracy`)* | 89.7 | 98.3 |
"""
    out.write_text(text, encoding="utf-8")
    print(text)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--part", choices=["alone", "together"], help="half of the sets; default: all")
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "CLASS_IMAGES.md")
    parser.add_argument("--full-size", action="store_true", help="only the network at full size")
    asked = parser.parse_args()
    if asked.full_size:
        full_size(Path(__file__).parent / "FULL_SIZE.md")
        return
    network, judge = lv.load_network(NETWORK, device="cpu"), lv.load_network(JUDGE, device="cpu")
    top1, top5 = re.search(r"([\d.]+) % top-1, ([\d.]+) % top-5", judge.card()).groups()
    head = f"""# Are class images recognised?

Written by `python -m benchmarks.class_images`. Class images of all {len(network.labels)} classes, made with {NETWORK}
in {STEPS} steps from noise, and shown to {JUDGE}, which had no part in them. Percent named right, with 95 % confidence
intervals, from the least to the most. Penalties and filters alone have the strength, of up to three, that did best on
every tenth class.

| regularisers | top-1 | top-5 |
| :-- | --: | --: |
"""
    rows = [(float(top1), f"| *real photos ({JUDGE}'s accuracy)* | {top1} | {top5} |\n")]
    parts = {"alone": one_at_a_time(network, judge), "together": iter(together().items())}
    for part in [asked.part] if asked.part else parts:
        for name, choices in parts[part]:
            ranks = recognised(network, judge, network.labels, choices, name)
            first, five = ((ranks < n).numpy() for n in (1, 5))
            rows.append((100 * first.mean(), f"| {name} | {percent(first)} | {percent(five)} |\n"))
            print(rows[-1][1], end="", flush=True)
            asked.out.write_text(head + "".join(row for _, row in sorted(rows)))


if __name__ == "__main__":
    main()
