"""From a training checkpoint to the file that ships: batch norm folded away, half precision, safetensors."""

import json
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval, fuse_linear_bn_eval

from .train import MEAN, STD, normalise

MOST_BYTES = 8_000_000


def fold(chain: nn.Sequential) -> nn.Sequential:
    """The same function without batch norm: each ``bn`` is folded into the layer before it."""
    folded: dict[str, nn.Module] = {}
    last = ""
    for name, part in chain.eval().named_children():
        if isinstance(part, nn.BatchNorm2d):
            folded[last] = fuse_conv_bn_eval(folded[last], part)
        elif isinstance(part, nn.BatchNorm1d):
            folded[last] = fuse_linear_bn_eval(folded[last], part)
        else:
            folded[name], last = part, name
    result = nn.Sequential()
    for name, part in folded.items():
        result.add_module(name, part)
    return result.eval()


def export(chain: nn.Sequential, labels: list[str], images: torch.Tensor, path: Path) -> nn.Sequential:
    """Write ``path``; returns the network as shipped (weights rounded to half precision).

    Raises:
        ValueError: folded and unfolded logits differ on ``images``, or the file is over 8 MB.
    """
    folded = fold(chain)
    with torch.no_grad():
        pictures = normalise(images)
        difference = (chain(pictures) - folded(pictures)).abs().max().item()
        if not difference < 1e-3:
            raise ValueError(f"folding batch norm changed the logits by {difference:.2g}")
    # a copy in half precision for the file, and what a reader of the file gets back
    weights = {name: tensor.half().contiguous() for name, tensor in folded.state_dict().items()}
    about = {"labels": json.dumps(labels), "mean": json.dumps(MEAN), "std": json.dumps(STD)}
    save_file(weights, path, metadata=about)
    if path.stat().st_size > MOST_BYTES:
        raise ValueError(f"{path} has {path.stat().st_size:,} bytes; the limit is {MOST_BYTES:,}")
    folded.load_state_dict({name: tensor.float() for name, tensor in weights.items()})
    return folded


def model_card(name: str, shipped: dict[str, float], log: Path, recipe: dict, parameters: int, size: int) -> str:
    """The model card in Markdown; ``shipped`` is the accuracy of the half-precision file."""
    rows = [json.loads(line) for line in log.read_text().splitlines()]
    table = "\n".join(
        f"| {r['epoch']} | {r['pixels']} | {r['loss']:.3f} | {r['top1']:.1f} | {r['top5']:.1f} | {r['seconds']} |"
        for r in rows
    )
    settings = "\n".join(f"- {key.replace('_', ' ')}: {value}" for key, value in recipe.items())
    return f"""# {name}

A small network for looking into, not for classifying: {parameters:,} parameters, {size / 1e6:.1f} MB in half
precision, 64×64 pixels, 200 classes. Batch norm was used in training and is folded into the convolutions here.

**Accuracy of the shipped file** on the 10,000 validation images of Tiny ImageNet, centre view:
**{shipped["top1"]:.1f} % top-1, {shipped["top5"]:.1f} % top-5**.

**Data.** Trained on the training split of Tiny ImageNet (100,000 images of 200 ImageNet classes) alone. Tiny ImageNet
is a subset of ImageNet, whose images are for non-commercial research and education; none is shipped.

**Reproduce.** `python -m lecture_viz.training {name} --data path/to/tiny-imagenet-200`

## Recipe

{settings}

## Log

Accuracy is measured at 64 pixels after every epoch, also while the training pictures are smaller. Losses include
label smoothing and strong augmentation. Seconds are wall-clock on a shared two-core CPU.

| epoch | pixels | training loss | top-1 % | top-5 % | seconds |
| --- | --- | --- | --- | --- | --- |
{table}

## Known failures

Fine differences between breeds and between indoor objects are often missed. People are not a class: the bundled
astronaut is taken for other things, with little confidence. Close-ups are harder than whole objects.
"""
