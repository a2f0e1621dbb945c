"""Train an embedded network: ``python -m lecture_viz.training alexnet64 --data tiny-imagenet-200``.

Writes the log and a checkpoint after each epoch to ``--out``; the same command resumes. At the end the weights and the
model card replace those in ``lecture_viz/networks/weights``.
"""

import argparse
from dataclasses import asdict
from pathlib import Path

import torch

from ..networks.embedded import ARCHITECTURES, WEIGHTS
from .export import export, model_card
from .tiny_imagenet import read_labels, read_split
from .train import Recipe, accuracy, train


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m lecture_viz.training", description=__doc__)
    parser.add_argument("network", choices=sorted(ARCHITECTURES))
    parser.add_argument("--data", type=Path, required=True, help="the folder tiny-imagenet-200")
    parser.add_argument(
        "--out", type=Path, default=Path("training-run"), help="log and checkpoint (default: %(default)s)"
    )
    parser.add_argument("--weights", type=Path, default=WEIGHTS, help="where the result goes (default: the package)")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()

    recipe = Recipe(seed=options.seed)
    _, labels = read_labels(options.data)
    print("reading the images …", flush=True)
    training, validation = (read_split(options.data, split) for split in ("train", "val"))
    torch.manual_seed(recipe.seed)
    device = torch.accelerator.current_accelerator(check_available=True) or torch.device("cpu")
    model = ARCHITECTURES[options.network](len(labels), batch_norm=True).to(device)
    train(model, training, validation, recipe, options.out)

    path = options.weights / f"{options.network}.safetensors"
    shipped = export(model.cpu().float(), labels, validation.images[:200], path)
    card = model_card(
        options.network,
        accuracy(shipped, validation),
        options.out / "log.jsonl",
        asdict(recipe),
        sum(p.numel() for p in shipped.parameters()),
        path.stat().st_size,
    )
    path.with_suffix(".md").write_text(card)
    print(f"wrote {path} and its model card")


if __name__ == "__main__":
    main()
