"""Do maps find the object? Pointing game and boxes on Tiny ImageNet's validation images, against blind guesses.

    python -m benchmarks.localization path/to/tiny-imagenet-200

Takes an hour or two on two cores, shows its progress, and writes ``benchmarks/LOCALIZATION.md``. The first 1,000 images
choose thresholds and seeds, the others give the figures. Each map is asked for the class that the image has.
"""

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
from torch import Tensor
from tqdm import tqdm

import lecture_viz as lv
from lecture_viz.gradient_based import localization
from lecture_viz.networks import Network
from lecture_viz.photos import Box
from lecture_viz.training.tiny_imagenet import read_boxes, read_split

from .compare import percent

NETWORKS = ("alexnet64", "inception64", "inception64_robust")
TUNING = 1000  # images that choose thresholds and seeds
THRESHOLDS = (0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.5)
SEEDS = ((0.3, 0.95), (0.3, 0.8), (0.3, 0.7), (0.3, 0.6), (0.1, 0.9), (0.1, 0.7), (0.5, 0.8))  # the paper's come first
SAMPLES = 16  # of SmoothGrad, and only on every
SMOOTHED = 5  # fifth image
SMALL = 0.25  # a small object's box covers less than this part of the photo
BATCH = 64

Maps = list[Tensor]  # each (1, 1, 64, 64)


class Photos(NamedTuple):
    images: Tensor  # (N, 3, 64, 64) uint8
    classes: Tensor  # (N,)
    boxes: list[Box]

    def every(self, step: int) -> "Photos":
        return Photos(self.images[::step], self.classes[::step], self.boxes[::step])


def brighter(gradient: Tensor) -> Tensor:
    """Where more light would raise the score."""
    return gradient.mean(dim=1, keepdim=True).clamp(min=0)


# each map, from the network, images, and target; the paper's saliency is the magnitude of the gradient
MAPS: dict[str, Callable] = {
    "gradient, where brighter is better": lambda *asked: brighter(lv.gradient(*asked)),
    "saliency": lambda *asked: lv.magnitude(lv.gradient(*asked)),
    "Deconvnet, magnitude": lambda *asked: lv.magnitude(lv.gradient(*asked, "deconvnet")),
    "guided backprop, magnitude": lambda *asked: lv.magnitude(lv.gradient(*asked, "guided")),
    f"SmoothGrad ({SAMPLES}), saliency": lambda *asked: lv.magnitude(lv.smoothgrad(*asked, SAMPLES)),
}


def maps(network: Network, photos: Photos, method: Callable, description: str) -> Maps:
    """One for each photo, asked for the photo's own class."""
    found: Maps = []
    batch = BATCH // 4 if "SmoothGrad" in description else BATCH
    for start in tqdm(range(0, len(photos.classes), batch), description, leave=False):
        classes = photos.classes[start : start + batch].view(-1, 1)

        def score(network: Network, image: Tensor, classes: Tensor = classes) -> Tensor:
            copies = len(image) // len(classes)
            return network(image).gather(1, classes.repeat(copies, 1).to(network.device))[:, 0]

        found += method(network, photos.images[start : start + batch] / 255, score).split(1)
    return found


def found(boxes: list[Box], truth: list[Box]) -> np.ndarray:
    shared = map(localization.intersection_over_union, boxes, truth)
    return np.array([iou >= localization.FOUND for iou in shared])


def boxes_by(mask: Callable[..., Tensor], *arguments) -> list[Box]:
    """The box of each mask; a map of zeros gives the whole photo."""
    whole = Box(0, 0, 64, 64)
    return [localization.box(mask(*one)) if one[0].any() else whole for one in zip(*arguments)]


def row(name: str, points: np.ndarray, boxes: np.ndarray, by_colour: str, truth: list[Box], note: str = "") -> str:
    small = np.array([box.area < SMALL * 64 * 64 for box in truth])
    cells = [name, percent(points), percent(points[small]), percent(boxes), by_colour, note]
    return f"| {' | '.join(cells)} |"


def blind(tuning: list[Box], truth: list[Box]) -> list[str]:
    """Guesses that never look: at random, and in the middle."""
    random = np.random.default_rng(0)
    points = random.integers(0, 64, (len(truth), 2))
    corners = np.sort(random.integers(0, 65, (len(truth), 2, 2)), axis=2)
    guesses = [Box(*corner[:, 0].tolist(), *corner[:, 1].tolist()) for corner in corners]
    side = max(range(32, 65, 2), key=lambda s: found([middle(s)] * len(tuning), tuning).sum())
    return [
        row("random guess", hits(points, truth), found(guesses, truth), "", truth),
        row(
            "centre guess",
            hits([(32, 32)] * len(truth), truth),
            found([middle(side)] * len(truth), truth),
            "",
            truth,
            f"the centred square that is best for the other images: {side}×{side}",
        ),
    ]


def middle(side: int) -> Box:
    start = (64 - side) // 2
    return Box(start, start, start + side, start + side)


def hits(points, truth: list[Box]) -> np.ndarray:
    return np.array([box.holds(*point) for point, box in zip(points, truth, strict=True)])


def rows(name: str, tuning: Photos, photos: Photos) -> list[str]:
    network = lv.load_network(name)
    lines = []
    for title, method in MAPS.items():
        step = SMOOTHED if "SmoothGrad" in title else 1
        described = f"{name}, {title}"
        choosing, tested = tuning.every(step), photos.every(step)
        before, after = maps(network, choosing, method, described), maps(network, tested, method, described)

        def at(threshold: float) -> Callable[..., Tensor]:
            return lambda saliency: localization.foreground(saliency, threshold)

        share = {t: found(boxes_by(at(t), before), choosing.boxes).mean() for t in THRESHOLDS}
        threshold = max(share, key=share.get)
        print(described, "thresholds", {t: f"{s:.3f}" for t, s in share.items()}, flush=True)

        def seeded(seeds: tuple[float, float]) -> Callable[..., Tensor]:
            return lambda saliency, image: localization.foreground_by_colour(saliency, image / 255, seeds)

        images = choosing.images.split(1)
        share = {s: found(boxes_by(seeded(s), before, images), choosing.boxes).mean() for s in SEEDS}
        seeds = max(share, key=share.get)
        print(described, "seeds", {s: f"{v:.3f}" for s, v in share.items()}, flush=True)
        lines.append(
            row(
                title,
                localization.pointing_game(after, tested.boxes).numpy(),
                found(boxes_by(at(threshold), after), tested.boxes),
                percent(found(boxes_by(seeded(seeds), after, tested.images.split(1)), tested.boxes)),
                tested.boxes,
                f"threshold {threshold:g}; seeds {seeds[0]:g}, {seeds[1]:g}; {len(after):,} images",
            )
        )
        print(lines[-1], flush=True)
    return lines


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("folder", type=Path, help="tiny-imagenet-200, as downloaded")
    parser.add_argument("--images", type=int, default=10_000, help=f"how many, with the {TUNING} for tuning")
    parser.add_argument("--networks", nargs="*", default=NETWORKS)
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "LOCALIZATION.md")
    asked = parser.parse_args()
    split = read_split(asked.folder, "val")
    every = Photos(split.images, split.classes, read_boxes(asked.folder))
    tuning = Photos(*(part[:TUNING] for part in every))
    photos = Photos(*(part[TUNING : asked.images] for part in every))
    small = np.mean([box.area < SMALL * 64 * 64 for box in photos.boxes])
    lines = [
        "# Do maps find the object?\n",
        f"Written by `python -m benchmarks.localization FOLDER --images {asked.images}`. "
        f"{len(photos.boxes):,} validation images of Tiny ImageNet, 64×64 pixels, one box each; {small:.0%} of the "
        f"objects are small: their box covers less than {SMALL:.0%} of the photo. "
        "All figures in percent, with 95 % confidence intervals.\n",
        "- *points*: the strongest pixel lies inside the object's box (pointing game);",
        "- *small*: the same, for small objects only;",
        f"- *box*: intersection over union of at least {localization.FOUND}, from the foreground above a threshold;",
        "- *by colour*: the same, from seeds and the colours of the photo.\n",
        f"Thresholds and seeds were chosen with {TUNING:,} other images, for each map anew.",
        f"SmoothGrad was asked for every {SMOOTHED}th image only.",
    ]
    head = "\n| map | points | small | box | by colour | |\n| :-- | --: | --: | --: | --: | :-- |"
    lines += ["\n## No network", head, *blind(tuning.boxes, photos.boxes)]
    for name in asked.networks:
        lines += [f"\n## {name}", head, *rows(name, tuning, photos)]
        asked.out.write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
