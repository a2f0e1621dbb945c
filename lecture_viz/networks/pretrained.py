"""Every torchvision classifier, behind the same face as the embedded networks."""

import os
import pickle
from contextlib import contextmanager
from difflib import get_close_matches
from pathlib import Path
from urllib.parse import urlparse

import torch
from torch import nn

from .embedded import ARCHITECTURES
from .network import Network, WeightsUnavailable
from .random_weights import seeded


def names() -> list[str]:
    """Names of torchvision's ImageNet classifiers."""
    from torchvision import models  # here and below: torchvision takes a second to import

    return models.list_models(module=models)


def load_pretrained(name: str, weights: str | None = "IMAGENET1K_V1") -> Network:
    """A torchvision classifier with named weights, or random ones (``None``, seed 0).

    Raises:
        ValueError: no such network, or no such weights for it (those it has are named).
        WeightsUnavailable: the file is not in the cache and cannot be downloaded, or is damaged.
    """
    from torchvision import models

    if name not in names():
        near = get_close_matches(name, names(), n=3)
        raise ValueError(
            f"there is no network {name!r}; embedded: {', '.join(ARCHITECTURES)}; "
            + (f"torchvision has {', '.join(near)}" if near else "or any torchvision classifier, such as googlenet")
        )
    available = models.get_model_weights(name)
    about = available.DEFAULT
    if weights is None:
        # these two would draw their weights with SciPy, for minutes, and have heads for training only
        options = {"init_weights": False, "aux_logits": False} if name in ("googlenet", "inception_v3") else {}
        with seeded():
            module = models.get_model(name, weights=None, **options)
    else:
        if weights not in available.__members__:
            raise ValueError(f"{name} has no weights {weights!r}; it has {', '.join(available.__members__)}")
        about = available[weights]
        file = Path(torch.hub.get_dir()) / "checkpoints" / Path(urlparse(about.url).path).name
        try:
            with _no_pickled_code():
                module = models.get_model(name, weights=about)
        except (OSError, EOFError, RuntimeError, pickle.UnpicklingError) as error:
            reason = str(error).splitlines()[0] if str(error) else type(error).__name__
            raise WeightsUnavailable(
                f"the weights {weights} of {name} cannot be had ({reason}). Put the file {file.name} into "
                f"{file.parent} (delete it there first if it is damaged), or use an embedded network, which needs no "
                'download: load_network("alexnet64")'
            ) from error
    transform = about.transforms()
    return Network(
        module,
        name=name,
        input_size=getattr(module, "image_size", transform.crop_size[0]),  # vision transformers take one size only
        mean=transform.mean,
        std=transform.std,
        labels=about.meta["categories"],
        layers=lecture_names(module) if name.startswith(("alexnet", "vgg")) else None,
        card=_card(name, about, weights),
    )


def _card(name: str, about, weights: str | None) -> str:
    """What torchvision's registry knows of these weights."""
    if weights is None:
        return f"# {name}\n\ntorchvision's architecture with random weights: it has learned nothing."
    rows = [f"| {key} | {value} |" for metrics in about.meta["_metrics"].values() for key, value in metrics.items()]
    return (
        f"# {name}, {weights}\n\n{' '.join(about.meta['_docs'].split())}\n\n{about.meta['num_params']:,} parameters, "
        f"trained by torchvision on ImageNet-1k; [recipe]({about.meta['recipe']}).\n\n| accuracy | % |\n| --- | --- |\n"
        + "\n".join(rows)
    )


@contextmanager
def _no_pickled_code():
    """torchvision unpickles what it downloads; PyTorch's own switch restricts that to tensors."""
    switch = "TORCH_FORCE_WEIGHTS_ONLY_LOAD"
    before = os.environ.get(switch)
    os.environ[switch] = "1"
    try:
        yield
    finally:
        if before is None:
            del os.environ[switch]
        else:
            os.environ[switch] = before


def lecture_names(chain: nn.Module) -> dict[str, str]:
    """AlexNet's and VGG's layers as the papers call them: ``conv1 … fc8``; VGG's blocks are ``conv1_1, conv1_2 …``.

    VGG's variants with batch normalisation also get ``bn1_1 …``. A pool closes a block and carries its number.
    """
    convolutions = sum(isinstance(part, nn.Conv2d) for part in chain.modules())
    blocks = convolutions > 5
    found: dict[str, str] = {}
    block, within, full = 1, 0, 5
    for path, part in chain.named_modules():
        match part:
            case nn.Conv2d():
                within += 1
                number = f"{block}_{within}" if blocks else f"{within}"
                found[f"conv{number}"] = path
            case nn.BatchNorm2d():
                found[f"bn{number}"] = path
            case nn.ReLU():
                found[f"relu{number}"] = path
            case nn.MaxPool2d():
                found[f"pool{block if blocks else number}"] = path
                block += 1
                within = 0 if blocks else within
            case nn.Linear():
                full += 1
                number = str(full)
                found[f"fc{number}"] = path
    return found
