"""Every convolutional classifier of the library timm, behind the same face; timm is an optional dependency."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, suppress
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import getproxies

from safetensors import SafetensorError

from .. import languages
from .network import Network, WeightsUnavailable
from .random_weights import seeded

PREFIX = "timm:"


def load_timm(name: str, weights: str | None) -> Network:
    """A classifier of timm by its own name, such as ``"resnet18"`` or ``"resnet18.a1_in1k"``.

    ``weights`` is the path of a file that you have (``.safetensors`` or ``.pth``), or ``None`` for random ones (seed
    0); any other text takes the weights that timm has for this name, from its cache or by a download.

    Raises:
        ValueError: timm has no such network.
        WeightsUnavailable: timm is not installed, or the weights cannot be had.
    """
    try:
        import timm  # here: it is optional, and takes a second
    except ImportError as error:
        raise WeightsUnavailable(
            f'networks of timm take the package timm: pip install "timm>=1.0"; then load_network("{PREFIX}{name}")'
        ) from error
    if not timm.is_model(name.split(".")[0]):
        near = timm.list_models(f"*{name.split('.')[0]}*")[:5]
        hint = f"near are {', '.join(near)}" if near else "timm.list_models() lists them"
        raise ValueError(f"timm has no network {name!r}; {hint}")
    file = Path(weights) if weights and Path(weights).suffix else None
    theirs = weights is not None and file is None
    try:
        with seeded(), _no_vain_tries() if theirs else nullcontext():
            module = timm.create_model(name, pretrained=theirs, checkpoint_path=str(file) if file else "")
    except (OSError, RuntimeError, KeyError, SafetensorError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise WeightsUnavailable(
            f"the weights of {PREFIX}{name} cannot be had ({reason}). Give the path of a file that you have, "
            f'load_network("{PREFIX}{name}", weights="model.safetensors"), or use a network that needs no download: '
            'load_network("efficientnet_lite0")'
        ) from error
    about = module.pretrained_cfg
    classes = module.num_classes
    return Network(
        module,
        name=f"{PREFIX}{name}",
        input_size=about["input_size"][-1],
        mean=about["mean"],
        std=about["std"],
        labels=languages.imagenet() if classes == 1000 else [str(n) for n in range(classes)],
    )


@contextmanager
def _no_vain_tries() -> Iterator[None]:
    """Only the cache is asked where nobody knows the hub's name: its client would try again for most of a minute."""
    from huggingface_hub import constants  # comes with timm

    found = bool(getproxies())  # then the proxy looks it up
    with suppress(OSError):
        found = found or bool(socket.getaddrinfo(urlsplit(constants.ENDPOINT).hostname, None))
    asked, constants.HF_HUB_OFFLINE = constants.HF_HUB_OFFLINE, constants.HF_HUB_OFFLINE or not found
    try:
        yield
    finally:
        constants.HF_HUB_OFFLINE = asked
