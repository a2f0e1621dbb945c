"""From a training checkpoint to the file that ships: batch norm folded away, half precision, safetensors, checksum."""

import copy
import hashlib
import json
from functools import partial
from itertools import pairwise
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval, fuse_linear_bn_eval

from ..networks.embedded import CHECKSUMS, read_checksums
from .train import MEAN, STD

MOST_BYTES = 8_000_000


def about(labels: list[str]) -> dict[str, str]:
    """The metadata of a classifier's file."""
    return {"labels": json.dumps(labels), "mean": json.dumps(MEAN), "std": json.dumps(STD)}


def fold(model: nn.Sequential) -> nn.Sequential:
    """The same function without batch norm: each ``bn`` is folded into the layer before it, inside blocks too."""
    folded = copy.deepcopy(model).eval()
    for block in [part for part in folded.modules() if isinstance(part, nn.Sequential)]:
        names = list(block._modules)
        for before, name in pairwise(names):
            part = block.get_submodule(name)
            if isinstance(part, (nn.BatchNorm2d, nn.BatchNorm1d)):
                fuse = fuse_conv_bn_eval if isinstance(part, nn.BatchNorm2d) else fuse_linear_bn_eval
                block.set_submodule(before, fuse(block.get_submodule(before), part))
                del block._modules[name]
    return folded


def unfold(folded: nn.Sequential, model: nn.Sequential, inputs: torch.Tensor) -> nn.Sequential:
    """``model``, which has batch norm, made the same function as ``folded``, which has none: the inverse of `fold`.

    Training goes better with batch norm. Its statistics are those of ``inputs``, which the bare ``folded`` takes.
    """
    norms = {name: part for name, part in model.named_modules() if isinstance(part, (nn.BatchNorm2d, nn.BatchNorm1d))}
    seen: dict[str, torch.Tensor] = {}

    def keep(name: str, _: nn.Module, __: object, output: torch.Tensor) -> None:
        seen[name] = output.movedim(1, -1).flatten(0, -2)

    before = {name: _before(name, folded) for name in norms}
    hooks = [folded.get_submodule(part).register_forward_hook(partial(keep, name)) for name, part in before.items()]
    with torch.no_grad():
        folded(inputs)
        for hook in hooks:
            hook.remove()
        model.load_state_dict(folded.state_dict(), strict=False)
        for name, norm in norms.items():
            bias = folded.get_submodule(before[name]).bias
            norm.running_var.copy_(seen[name].var(dim=0))
            norm.running_mean.copy_(seen[name].mean(dim=0) - bias)
            norm.weight.copy_((norm.running_var + norm.eps).sqrt())
            norm.bias.copy_(seen[name].mean(dim=0))
    return model


def _before(norm: str, folded: nn.Sequential) -> str:
    """The layer that a batch norm follows: ``…bn3`` is behind ``…conv3``, or ``…fc3``."""
    return next(name for kind in ("conv", "fc") if (name := norm.replace("bn", kind)) in dict(folded.named_modules()))


def export(model: nn.Sequential, about: dict[str, str], inputs: torch.Tensor, path: Path) -> nn.Sequential:
    """Write ``path`` and its checksum; returns the network as shipped (weights rounded to half precision).

    ``about`` is the file's metadata; ``inputs`` are what the bare ``model`` takes.

    Raises:
        ValueError: folded and unfolded outputs differ on ``inputs``, or the file is over 8 MB.
    """
    folded = fold(model)
    with torch.no_grad():
        difference = (model.eval()(inputs) - folded(inputs)).abs().max().item()
        if not difference < 1e-3:
            raise ValueError(f"folding batch norm changed the outputs by {difference:.2g}")
    # a copy in half precision for the file, and what a reader of the file gets back
    weights = {name: tensor.half().contiguous() for name, tensor in folded.state_dict().items()}
    save_file(weights, path, metadata=about)
    if path.stat().st_size > MOST_BYTES:
        raise ValueError(f"{path} has {path.stat().st_size:,} bytes; the limit is {MOST_BYTES:,}")
    sums = read_checksums(path.parent) | {path.name: hashlib.sha256(path.read_bytes()).hexdigest()}
    (path.parent / CHECKSUMS).write_text("".join(f"{sums[name]}  {name}\n" for name in sorted(sums)))
    folded.load_state_dict({name: tensor.float() for name, tensor in weights.items()})
    return folded
