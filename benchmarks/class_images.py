"""Does another network recognise the class images? All 200 classes, one regulariser set after another.

    python -m benchmarks.class_images

Takes about half an hour on two cores, shows its progress, and writes ``benchmarks/CLASS_IMAGES.md``.
"""

import argparse
import re
from pathlib import Path
from typing import Any

import torch
from tqdm import tqdm

import lecture_viz as lv
from lecture_viz.networks import Network
from lecture_viz.regularizers import l2, low_pass, median, total_variation, wavelet_threshold
from lecture_viz.robustness import jitter, rotation, scale

from .compare import percent

NETWORK, JUDGE = "inception64", "alexnet64"
BATCH = 20
FOURIER = {"parameterization": "fourier"}
ROBUST = {"transforms": [jitter(6), rotation(8), scale(0.1)]}
SETS: dict[str, dict[str, Any]] = {
    "no regulariser": {},
    "L2": {"penalties": [l2(40)]},
    "total variation": {"penalties": [total_variation(100)]},
    "low-pass": {"filters": [low_pass(0.5)]},
    "median": {"filters": [median(1)]},
    "wavelet threshold": {"filters": [wavelet_threshold(0.02)]},
    "jitter": {"transforms": [jitter(6)]},
    "jitter, rotation, scale": ROBUST,
    "jitter, rotation, scale + total variation": ROBUST | {"penalties": [total_variation(50)]},
    "jitter, rotation, scale + low-pass": ROBUST | {"filters": [low_pass(0.4)]},
    "Fourier": FOURIER,
    "Fourier + jitter, rotation, scale": FOURIER | ROBUST,
    "Fourier + jitter, rotation, scale + total variation": FOURIER | ROBUST | {"penalties": [total_variation(20)]},
}


def recognised(network: Network, judge: Network, choices: dict[str, Any], steps: int, name: str) -> torch.Tensor:
    """For each class, at which rank (from 0) the judge names it for its class image: ``(200,)``."""
    ranks = []
    for start in tqdm(range(0, len(network.labels), BATCH), name, leave=False):
        labels = network.labels[start : start + BATCH]
        images = lv.last(lv.maximize(network, [lv.logit(label) for label in labels], steps, **choices)).image
        with torch.no_grad():
            logits = judge(images)
        right = torch.tensor([judge.label_index(label) for label in labels])[:, None]
        ranks.append((logits > logits.gather(1, right)).sum(dim=1))
    return torch.cat(ranks)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--steps", type=int, default=64)
    parser.add_argument("--sets", nargs="*", default=list(SETS), help="names of regulariser sets")
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "CLASS_IMAGES.md")
    asked = parser.parse_args()
    network, judge = lv.load_network(NETWORK, device="cpu"), lv.load_network(JUDGE, device="cpu")
    top1, top5 = re.search(r"([\d.]+) % top-1, ([\d.]+) % top-5", judge.card()).groups()
    head = f"""# Are class images recognised?

Written by `python -m benchmarks.class_images`. Class images of all {len(network.labels)} classes, made with {NETWORK}
in {asked.steps} steps from noise, and shown to {JUDGE}, which had no part in them. Percent named right, with 95 %
confidence intervals.

| regulariser set | top-1 | top-5 |
| :-- | --: | --: |"""
    lines = [head]
    for name in asked.sets:
        ranks = recognised(network, judge, SETS[name], asked.steps, name)
        lines.append(f"| {name} | {percent((ranks < 1).numpy())} | {percent((ranks < 5).numpy())} |")
        print(lines[-1], flush=True)
        photos = f"| *real photos ({JUDGE}'s accuracy)* | {top1} | {top5} |"
        asked.out.write_text("\n".join([*lines, photos]) + "\n")


if __name__ == "__main__":
    main()
