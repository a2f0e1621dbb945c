"""The training recipe study: ``python -m lecture_viz.training.study --data tiny-imagenet-200``.

Short runs of alexnet64 on a fifth of the training images, each with one thing changed: what raises accuracy, and what
makes better pictures? Writes ``study.md`` beside the weights, where every model card takes it from (``--card-only``).
With ``--teacher FILE`` there are rows for what a teacher brings, too. A run that is stopped and started again keeps the
variants it has finished.
"""

import argparse
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor, nn

from ..networks import Network, embedded, load_network
from ..optimization_based.maximization import class_images
from .card import STUDY, table
from .export import fold
from .soft_labels import SoftLabels
from .tiny_imagenet import Split, read_labels, read_split
from .train import MEAN, RECIPES, STD, Recipe, accuracy, train

NETWORK, JUDGE = "alexnet64", "inception64"
BASELINE, ONE_VIEW = "the recipe", "a teacher who saw one view"
SHARE = 5  # every fifth training image, and class images of every fifth class
STEPS = 96  # of each class image

# what we made of the figures; to be read again when the study is
READING = """Batch norm and small pictures first raise accuracy most, and the pictures get better with it. A strided
first convolution is as accurate, but leaves a checkerboard in every gradient, so the first stride is 1. Strong zoom and
colour variation cost accuracy in runs as short as these; the shipped networks keep them, those with a teacher in a
milder form, because students bring close-ups in odd light, which the validation images are not."""


def unchanged(model: nn.Sequential) -> None:
    """The architecture as it is."""


def strided(model: nn.Sequential) -> None:
    """The first convolution moves two pixels at a time, as in AlexNet; the pool behind it is left out."""
    model.conv1.stride = (2, 2)
    model.pool1 = nn.Identity()


def without_batch_norm(model: nn.Sequential) -> None:
    for name, part in list(model.named_children()):
        if name.startswith("bn"):
            setattr(model, name, nn.Identity())
            before = model.get_submodule(name.replace("bn", "conv" if isinstance(part, nn.BatchNorm2d) else "fc"))
            before.bias = nn.Parameter(torch.zeros(part.num_features))


# Eight epochs at 32² and two at 64² cost as much as four at 64²
BASE = replace(RECIPES[NETWORK], stages=((32, 8), (64, 2)), batch=64, peak_rate=0.075, averaging=0.99)
VARIANTS: dict[str, tuple[Recipe, Callable[[nn.Sequential], None]]] = {
    BASELINE: (BASE, unchanged),
    "the recipe, another seed": (replace(BASE, seed=1), unchanged),
    "64 pixels from the start, same time": (replace(BASE, stages=((64, 4),)), unchanged),
    "no zoom": (replace(BASE, smallest_crop=1.0), unchanged),
    "no colour variation": (replace(BASE, colour=0.0), unchanged),
    "no label smoothing": (replace(BASE, label_smoothing=0.0), unchanged),
    "strided first convolution": (BASE, strided),
    "no batch norm, a tenth of the rate": (replace(BASE, peak_rate=0.0075), without_batch_norm),
}
# with a teacher, whose views are milder; the first row, of labels alone, is what the others are compared with
LABELS = replace(BASE, smallest_crop=SoftLabels.SMALLEST_CROP, colour=0.3)
TAUGHT = replace(LABELS, teacher=0.9, temperature=2)
PATIENT = tuple((pixels, 4 * epochs) for pixels, epochs in BASE.stages)
WITH_TEACHER = {
    "labels alone, milder views": LABELS,
    "a teacher": TAUGHT,
    "a teacher, another seed": replace(TAUGHT, seed=1),
    "a teacher, temperature 1": replace(TAUGHT, temperature=1),
    "a teacher, temperature 4": replace(TAUGHT, temperature=4),
    "a teacher for half of the loss": replace(TAUGHT, teacher=0.5),
    ONE_VIEW: TAUGHT,
    "labels alone, milder views, four times as long": replace(LABELS, stages=PATIENT),
    "a teacher, four times as long": replace(TAUGHT, stages=PATIENT),
}


def checkerboard(network: Network, photos: Tensor) -> float:
    """How unevenly the gradient falls on even and odd pixels: largest mean over smallest, 1 where it does not matter.

    ``photos`` are ``(N, 3, H, W)``; the mean is of |∂ best logit / ∂ pixel| over pixels of one parity in y and x.
    """
    photos = photos.clone().requires_grad_()
    (gradient,) = torch.autograd.grad(network(photos).amax(dim=1).sum(), photos)
    means = [gradient[..., y::2, x::2].abs().mean().item() for y in (0, 1) for x in (0, 1)]
    return max(means) / min(means)


def measure(model: nn.Sequential, labels: list[str], judge: Network, validation: Split) -> dict[str, float]:
    """Accuracy of ``model``, and what its pictures are worth; ``judge`` is on the same device."""
    network = Network(fold(model), name="variant", input_size=64, mean=MEAN, std=STD, labels=labels).to(judge.device)
    asked = list(range(0, len(labels), SHARE))
    pictures = class_images(network, asked, steps=STEPS)
    with torch.no_grad():
        seen = judge(pictures).topk(min(5, len(judge.labels))).indices
    right = seen.cpu() == torch.tensor([judge.label_index(labels[c]) for c in asked])[:, None]
    return {
        **accuracy(model, validation),
        "recognised1": round(100 * right[:, 0].float().mean().item(), 1),
        "recognised5": round(100 * right.any(dim=1).float().mean().item(), 1),
        "checkerboard": round(checkerboard(network, validation.images[:100].to(network.device) / 255), 2),
    }


def report(results: dict[str, dict[str, float]], images: int) -> str:
    """The study in Markdown."""
    base = results[BASELINE]
    noise = abs(base["top1"] - results["the recipe, another seed"]["top1"])
    rows = [
        [name, f"{r['top1']:.1f}", f"{r['top5']:.1f}", f"{r['top1'] - base['top1']:+.1f}"]
        + [f"{r['recognised1']:.0f}", f"{r['recognised5']:.0f}", f"{r['checkerboard']:.2f}"]
        for name, r in results.items()
    ]
    stages = ", then ".join(f"{epochs} at {pixels} pixels" for pixels, epochs in BASE.stages)
    head = "variant | top-1 % | top-5 % | top-1 gained | recognised, top-1 % | recognised, top-5 % | checkerboard"
    return f"""## Recipe study

Short runs of {NETWORK} on {images:,} training images (epochs: {stages}), from the labels
alone unless a teacher is named, one thing changed at a time; made by `python -m lecture_viz.training.study`.
*Recognised*: of the class images of every {SHARE}th class, made with the variant in {STEPS} steps, the
percentage for which {JUDGE}, which never saw them, names the class. *Checkerboard*: how unevenly the
gradient falls on even and odd pixels; 1 is even.

{table(head, rows)}

The second seed differs by {noise:.1f} points of top-1: differences of that size mean nothing, and short runs need not
agree with long ones. {READING}
"""


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m lecture_viz.training.study", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="the folder tiny-imagenet-200")
    parser.add_argument("--out", type=Path, default=Path("training-study"), help="runs (default: %(default)s)")
    parser.add_argument("--weights", type=Path, default=embedded.WEIGHTS, help="where study.md goes")
    parser.add_argument("--teacher", type=Path, help="soft labels, made by teach: variants with a teacher, too")
    options = parser.parse_args()

    _, labels = read_labels(options.data)
    validation = read_split(options.data, "val")
    whole = read_split(options.data, "train")
    training = Split(whole.images[::SHARE], whole.classes[::SHARE])
    watched = Split(validation.images[::10], validation.classes[::10])  # after every epoch, for the log
    soft = SoftLabels.read(options.teacher) if options.teacher else None
    variants = VARIANTS | ({name: (recipe, unchanged) for name, recipe in WITH_TEACHER.items()} if soft else {})
    device = torch.accelerator.current_accelerator(check_available=True) or torch.device("cpu")
    judge = load_network(JUDGE, device=str(device))
    options.out.mkdir(parents=True, exist_ok=True)
    results = {}
    for name, (recipe, change) in variants.items():
        folder = options.out / name.replace(" ", "-").replace(",", "")
        finished = folder / "result.json"
        if not finished.exists():
            torch.manual_seed(recipe.seed)
            model = embedded.ARCHITECTURES[NETWORK](len(labels), batch_norm=True)
            change(model)
            teacher = None
            if soft and recipe.teacher:
                teacher = SoftLabels(soft.logits[: 1 if name == ONE_VIEW else None], soft.teacher, every=SHARE)
            versions = {name: train(model.to(device), training, watched, recipe, folder, teacher=teacher)}
            if name == BASELINE:
                versions["no averaging of weights"] = model  # the last weights of the same run
            measured = {which: measure(m.float(), labels, judge, validation) for which, m in versions.items()}
            finished.write_text(json.dumps(measured))
        results |= json.loads(finished.read_text())
        print(results, flush=True)
    (options.weights / STUDY).write_text(report(results, len(training.images)), encoding="utf-8")


if __name__ == "__main__":
    main()
