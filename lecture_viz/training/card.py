"""The model card: everything in it is measured on the file that ships, or read from the training log."""

import json
from collections.abc import Iterable
from pathlib import Path

import torch

from ..networks import Network
from ..photos import BUNDLED_PHOTOS, load_image
from .adversarial import attack
from .filters import filter_reports
from .tiny_imagenet import Split

RADIUS = 0.5  # of the attack
# the end of a sentence
TAUGHT = """,
and from the answers of a teacher that had learned from all of ImageNet, perhaps from the validation images, too"""
STUDY = "study.md"  # written by `lecture_viz.training.study`; stands in every card

# Tiny ImageNet's classes as a lecturer would group them; the rest are things
GROUPS = {
    "cats": "tabby, Persian cat, Egyptian cat, cougar, lion",
    "dogs": "Chihuahua, Yorkshire terrier, golden retriever, Labrador retriever, German shepherd, standard poodle",
    "other mammals": "koala, dugong, brown bear, guinea pig, hog, ox, bison, bighorn, gazelle, Arabian camel, "
    "orangutan, chimpanzee, baboon, African elephant, lesser panda",
    "birds": "goose, black stork, king penguin, albatross",
    "fish, amphibians, reptiles": "goldfish, European fire salamander, bullfrog, tailed frog, American alligator, "
    "boa constrictor",
    "insects, spiders and kin": "trilobite, scorpion, black widow, tarantula, centipede, ladybug, fly, bee, "
    "grasshopper, walking stick, cockroach, mantis, dragonfly, monarch, sulphur butterfly",
    "life in the sea": "jellyfish, brain coral, snail, slug, sea slug, American lobster, spiny lobster, sea cucumber",
    "food and plants": "guacamole, ice cream, ice lolly, pretzel, mashed potato, cauliflower, bell pepper, mushroom, "
    "orange, lemon, banana, pomegranate, meat loaf, pizza, potpie, espresso, acorn",
    "landscapes": "alp, cliff, coral reef, lakeside, seashore",
    "vehicles": "beach wagon, bullet train, convertible, freight car, go-kart, gondola, jinrikisha, lifeboat, "
    "limousine, moving van, police van, school bus, sports car, tractor, trolleybus",
    "clothing": "academic gown, apron, bikini, bow tie, cardigan, Christmas stocking, fur coat, kimono, "
    "military uniform, miniskirt, poncho, sandal, sock, sombrero, swimming trunks, vestment",
    "buildings and places": "altar, bannister, barbershop, barn, butcher shop, cliff dwelling, confectionery, dam, "
    "fountain, obelisk, picket fence, steel arch bridge, suspension bridge, thatch, triumphal arch, viaduct, "
    "water tower",
}
THINGS = "tools and other things"


def group_of(label: str) -> str:
    return next((group for group, members in GROUPS.items() if label in members.split(", ")), THINGS)


def table(head: str, rows: list[list]) -> str:
    """A Markdown table; ``head`` names the columns, with | between them."""
    columns = head.count("|") + 1
    lines = [f"| {head} |", "|" + " --- |" * columns, *("| " + " | ".join(map(str, row)) + " |" for row in rows)]
    return "\n".join(lines)


def _ranked(network: Network, split: Split, batch: int = 100) -> torch.Tensor:
    """The five best classes of each image, ``(N, 5)``."""
    with torch.no_grad():
        parts = [network(part / 255).topk(min(5, len(network.labels))).indices for part in split.images.split(batch)]
    return torch.cat(parts)


def _under_attack(network: Network, split: Split, batch: int = 100) -> torch.Tensor:
    """For each image, whether the best class is still right after ten steps of an attack."""
    random, right = torch.Generator().manual_seed(0), []
    for pictures, classes in zip(split.images.split(batch), split.classes.split(batch)):
        changed = attack(network, pictures / 255, classes, RADIUS, random, steps=10)
        with torch.no_grad():
            right.append(network(changed).argmax(dim=1) == classes)
    return torch.cat(right)


def _listed(things: Iterable) -> str:
    return ", ".join(map(str, things)) or "none"


def _percent(hits: torch.Tensor) -> str:
    return f"{100 * hits.float().mean():.1f}"


def _training(name: str, recipe: dict) -> str:
    """How to repeat one training, and its settings."""
    taught = " --teacher path/to/teacher.safetensors" if recipe.get("teacher") else ""
    words = "From the labels"
    if taught:
        first = "Then on with" if recipe.get("start") == name else "With"
        words = f"{first} a teacher (`python -m lecture_viz.training teach --data …` makes its file)"
    settings = "\n".join(f"- {key.replace('_', ' ')}: {value}" for key, value in recipe.items() if value != "")
    return f"{words}: `python -m lecture_viz.training {name} --data path/to/tiny-imagenet-200{taught}`\n\n{settings}"


def model_card(network: Network, validation: Split, log: Path, file: Path) -> str:
    """The card in Markdown. ``log`` holds each training's recipe and a line per epoch; ``file`` is what ships."""
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    recipes, epochs = [r for r in lines if "stages" in r], [e for e in lines if "stages" not in e]
    ranked = _ranked(network, validation)
    hit = ranked == validation.classes[:, None]
    top1, top5 = hit[:, 0], hit.any(dim=1)

    group = [group_of(label) for label in network.labels]
    of_group = {name: torch.tensor([group[c] == name for c in validation.classes]) for name in [*GROUPS, THINGS]}
    groups = [
        [name, len({*validation.classes[chosen].tolist()}), _percent(top1[chosen]), _percent(top5[chosen])]
        for name, chosen in of_group.items()
        if chosen.any()
    ]
    hardest = []
    for right, c in sorted((top1[validation.classes == c].float().mean().item(), c) for c in range(len(group)))[:6]:
        guesses = ranked[validation.classes == c, 0]
        wrong = guesses[guesses != c]
        taken_for = network.labels[wrong.mode().values] if len(wrong) else "–"
        hardest.append([network.labels[c], f"{100 * right:.0f}", taken_for])
    photos = []
    for name in BUNDLED_PHOTOS:
        best = network.top(load_image(name, network.input_size), 5)
        photos.append([name, ", ".join(f"{label} {p:.0%}" for label, p in best)])
    attacked = _under_attack(network, Split(validation.images[::20], validation.classes[::20]))
    filters = [
        [r.layer, r.channels, _listed(r.dead), _listed(f"{a} = {b}" for a, b in r.duplicates)]
        for r in filter_reports(network, validation.images[:2000] / 255)
    ]
    trainings = "\n\n".join(_training(network.name, recipe) for recipe in recipes)
    taught = any(recipe.get("teacher") for recipe in recipes)
    rows = [[e["epoch"], e["pixels"], f"{e['loss']:.3f}", e["top1"], e["top5"], e["seconds"]] for e in epochs]
    study = file.parent / STUDY
    others = [start for recipe in recipes if (start := recipe.get("start")) not in (None, "", network.name)]
    first = f"{others[0]}'s" if others else "the"
    weights, side = sum(p.numel() for p in network.parameters()), network.input_size
    return f"""# {network.name}

A small network for looking into, not for classifying: {weights:,} parameters, {file.stat().st_size / 1e6:.1f} MB in
half precision, {side}×{side} pixels, {len(group)} classes. Batch norm was used in {first} training and is folded into
the convolutions.

**Accuracy of this file** on the {len(hit):,} validation images of Tiny ImageNet, centre view:
**{_percent(top1)} % top-1, {_percent(top5)} % top-5**.

**Under attack**, each of {len(attacked):,} of these images changed so as to mislead this network (by at most {RADIUS}
in Euclidean length, values in [0, 1], ten steps): {_percent(attacked)} % top-1.

## What it says about photos it has never seen

{table("photo | five best guesses", photos)}

People and galaxies are not among the classes: what it says about the astronaut and the galaxies is a guess without a
right answer.

## Where it is good, where it fails

{table("group | classes | top-1 % | top-5 %", groups)}

The hardest classes:

{table("class | top-1 % | often taken for", hardest)}

Close-ups are harder than whole objects, fine differences between kinds are often missed, and small things in a busy
room are lost at 64×64 pixels.

## Filters

On 2,000 validation images. A dead channel fires nowhere; two duplicates correlate above 0.99.

{table("layer | channels | dead | duplicates", filters)}

## Data

Trained on the training split of Tiny ImageNet (100,000 images of 200 ImageNet classes){TAUGHT if taught else " alone"}.
Tiny ImageNet is a subset of ImageNet, whose images may be used for non-commercial research and education; none is
shipped here.

## Recipe

{trainings}

{study.read_text() if study.exists() else ""}
<details><summary>Training log</summary>

Accuracy is measured at 64 pixels after every epoch, also while the training pictures are smaller, on a part of the
validation images: so its last line is not quite the accuracy above. Losses are on varied pictures (with an attack: on
attacked ones), and include label smoothing and, with a teacher, the distance to its answers. Seconds are wall-clock on
the machine that trained it.

{table("epoch | pixels | training loss | top-1 % | top-5 % | seconds", rows)}

</details>
"""
