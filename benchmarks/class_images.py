"""Does another network recognise the class images? One set of regularisers after another, 180 classes each.

    python -m benchmarks.class_images

It takes two hours on one core, shows its progress, and writes ``benchmarks/CLASS_IMAGES.md``. The network at full size
is asked by `benchmarks.full_size`.
"""

import argparse
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import torch
from tqdm import tqdm

import lecture_viz as lv
from lecture_viz.networks import Network
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
TENTH = 10  # strengths are chosen on every tenth class, and counted on the others

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
    """Sets of several, from the parts that do most alone."""
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


def one_at_a_time(network: Network, judge: Network, tried: Sequence[str]) -> Iterator[tuple[str, Choices]]:
    """Each penalty and filter alone, at the strength that does best on these classes."""
    yield "no regulariser", {}
    for name, choices in alone().items():
        right = {}
        for strength, choice in choices.items():
            ranks = recognised(network, judge, tried, choice, f"{name} {strength:g}")
            right[strength] = ((ranks < 1).sum().item(), (ranks < 5).sum().item())
        print(name, right, flush=True)
        best = max(right, key=right.get)
        yield f"{name} {best:g}", choices[best]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--part", choices=["alone", "together"], help="half of the sets; default: all")
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "CLASS_IMAGES.md")
    asked = parser.parse_args()
    network, judge = lv.load_network(NETWORK, device="cpu"), lv.load_network(JUDGE, device="cpu")
    tried = network.labels[::TENTH]
    counted = [label for label in network.labels if label not in tried]
    top1, top5 = re.search(r"([\d.]+) % top-1, ([\d.]+) % top-5", judge.card()).groups()
    head = f"""# Are class images recognised?

Written by `python -m benchmarks.class_images`. Class images of {len(counted)} classes, made with {NETWORK} in {STEPS}
steps from noise, and shown to {JUDGE}, which had no part in them. Percent named right, with 95 % confidence intervals,
from the least to the most. Penalties and filters alone have the strength, of up to three, that did best on the other
{len(tried)} classes, every tenth, which are not counted.

| regularisers | top-1 | top-5 |
| :-- | --: | --: |
"""
    rows = [(float(top1), f"| *real photos ({JUDGE}'s accuracy)* | {top1} | {top5} |\n")]
    parts = {"alone": one_at_a_time(network, judge, tried), "together": iter(together().items())}
    for part in [asked.part] if asked.part else parts:
        for name, choices in parts[part]:
            ranks = recognised(network, judge, counted, choices, name)
            first, five = ((ranks < n).numpy() for n in (1, 5))
            rows.append((100 * first.mean(), f"| {name} | {percent(first)} | {percent(five)} |\n"))
            print(rows[-1][1], end="", flush=True)
            asked.out.write_text(head + "".join(row for _, row in sorted(rows)))


if __name__ == "__main__":
    main()
