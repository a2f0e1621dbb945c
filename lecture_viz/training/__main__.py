"""Train an embedded network: ``python -m lecture_viz.training alexnet64 --data tiny-imagenet-200``.

First from the labels alone; then on, with a teacher: ``teach`` in place of a network's name fits one and stores its
soft answers to the training photos (`lecture_viz.training.teacher`), and ``--teacher`` names their file. With an
accelerator the teacher learns more, and the networks begin again with it. ``atlas NETWORK`` draws what each of its
channels looks for (`lecture_viz.training.atlas`).

Writes the log and a checkpoint after each epoch to ``--out``; the same command resumes. At the end the weights, their
checksum, the log and the model card replace those in ``lecture_viz/networks/weights``.
"""

import argparse
import json
import sys
from dataclasses import asdict, replace
from pathlib import Path

import torch

from ..networks import embedded
from . import atlas
from .card import model_card
from .export import about, export, unfold
from .soft_labels import SoftLabels
from .teacher import teach
from .tiny_imagenet import read_labels, read_split
from .train import ACCELERATED, RECIPES, TAUGHT, Recipe, fit_to_time, normalise, train


def main() -> None:
    if sys.argv[1:2] == ["atlas"]:
        return atlas.main(sys.argv[2:])
    parser = argparse.ArgumentParser(prog="python -m lecture_viz.training", description=__doc__)
    parser.add_argument("network", choices=[*sorted(RECIPES), "teach"])
    parser.add_argument("--data", type=Path, required=True, help="the folder tiny-imagenet-200")
    parser.add_argument("--out", type=Path, default=Path("training-run"), help="log, checkpoint (default: %(default)s)")
    parser.add_argument("--weights", type=Path, default=embedded.WEIGHTS, help="for the result (default: the package)")
    parser.add_argument("--teacher", type=Path, help="soft labels, made by teach: go on with a teacher")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--minutes", type=float, help="a time budget: fewer or more epochs than the recipe's")
    parser.add_argument("--card-only", action="store_true", help="measure the shipped weights again, without training")
    options = parser.parse_args()
    name, weights = options.network, options.weights
    log = weights / f"{name}.jsonl"

    if name == "teach" and options.card_only:
        parser.error("the teacher has no card; leave --card-only out")
    print("reading the images …", flush=True)
    validation = read_split(options.data, "val")
    if not options.card_only:
        training = read_split(options.data, "train")
        _, labels = read_labels(options.data)
        if name == "teach":
            teach(training, validation, len(labels), options.out, options.seed)
            return
        teacher = SoftLabels.read(options.teacher) if options.teacher else None
        device = torch.accelerator.current_accelerator(check_available=True) or torch.device("cpu")
        recipes = RECIPES if not teacher else TAUGHT if device.type == "cpu" else ACCELERATED
        recipe = replace(recipes[name], seed=options.seed)
        torch.manual_seed(recipe.seed)
        inputs = normalise(validation.images[:200])
        model = embedded.ARCHITECTURES[name](len(labels), batch_norm=recipe.batch_norm)
        if recipe.start:
            before = embedded.load_embedded(recipe.start, folder=weights).module
            if recipe.batch_norm:
                model = unfold(before, model, normalise(training.images[:: len(training.images) // 1000 + 1]))
            else:
                model.load_state_dict(before.state_dict())
        model = model.to(device)
        if options.minutes:
            fitted = options.out / "recipe.json"  # speed differs from start to start: a resumed run keeps its epochs
            if not fitted.exists():
                recipe = fit_to_time(model, recipe, len(training.images), options.minutes)
                options.out.mkdir(parents=True, exist_ok=True)
                fitted.write_text(json.dumps(asdict(recipe)))
            recipe = Recipe(**json.loads(fitted.read_text()))
            print(f"in {options.minutes:g} minutes: {recipe.stages}", flush=True)
        model = train(model, training, validation, recipe, options.out, teacher=teacher)
        weights.mkdir(parents=True, exist_ok=True)
        export(model.cpu().float(), about(labels), inputs, weights / f"{name}.safetensors")
        earlier = log.read_text() if recipe.start == name and log.exists() else ""
        settings = asdict(recipe) | ({"taught_by": teacher.teacher} if teacher else {})
        this = json.dumps(settings) + "\n" + (options.out / "log.jsonl").read_text()
        log.write_text(earlier.removesuffix(this) + this)  # the same command once more adds nothing

    network = embedded.load_embedded(name, folder=weights)
    card = weights / f"{name}.md"
    card.write_text(model_card(network, validation, log, weights / f"{name}.safetensors"), encoding="utf-8")
    print(f"wrote {card}")


if __name__ == "__main__":
    main()
