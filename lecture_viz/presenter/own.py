"""A lecturer's own network and photo in the lessons: read from the environment, in one cell before the others.

The first network and the first photo that a lesson loads become those of the lecturer; what a panel is told about the
old ones (a class, a layer) is left out, and it begins where it likes. The notebooks stay as they are.
"""

import functools
import inspect
import os
import runpy
from pathlib import Path
from types import ModuleType
from typing import Any

from .. import live
from ..networks import Network, load_network
from ..photos import BUNDLED_PHOTOS, load_image

NETWORK, PHOTO = "LECTURE_VIZ_NETWORK", "LECTURE_VIZ_PHOTO"


def choose(network: str | None, photo: str | None) -> dict[str, str]:
    """The environment for lessons with these.

    Args:
        network: as `load_network` takes it, or a Python file, see `own_network`.
        photo: a bundled name or a path.

    Raises:
        FileNotFoundError, ValueError: there is no such network or photo; see `load_image`, `load_network`.
    """
    chosen = {}
    if photo:
        load_image(photo)  # say now what is wrong with it, not in front of the class
        chosen[PHOTO] = photo if photo in BUNDLED_PHOTOS else str(Path(photo).resolve())
    if network:
        _load(network)
        chosen[NETWORK] = str(Path(network).resolve()) if network.endswith(".py") else network
    return chosen


def use_own(face: ModuleType) -> None:
    """In the package's public ``face``, put what the environment names in the place of what the next cells load."""
    network, photo = os.environ.get(NETWORK), os.environ.get(PHOTO)
    own: dict[str, Any] = {}

    def first_network(name: str = "alexnet64", *arguments: Any, **choices: Any) -> Network:
        face.load_network = load_network
        own["network"] = _load(network) if network else load_network(name, *arguments, **choices)
        return own["network"]

    def first_photo(source: Any, size: int | None = None) -> Any:
        face.load_image = load_image
        own["photo"] = load_image(photo, own["network"].input_size)
        return own["photo"]

    if network or photo:
        face.load_network = first_network
        for name, panel in live.panels().items():
            setattr(live, name, _begin_anywhere(panel, own, bool(network), bool(photo)))
    if photo:
        face.load_image = first_photo


def own_network(file: str) -> Network:
    """The network ``net`` that a Python file makes, for example with `wrap`.

    Raises:
        FileNotFoundError: no such file.
        ValueError: it makes no ``net``.
    """
    if not Path(file).is_file():
        raise FileNotFoundError(f"no file {file!r}; it is to make a network: net = lv.wrap(…)")
    net = runpy.run_path(file).get("net")
    if not isinstance(net, Network):
        raise ValueError(f"{file} makes no network; let it end with: net = lv.wrap(…)")
    return net


def _load(name: str) -> Network:
    return own_network(name) if name.endswith(".py") else load_network(name)


def _begin_anywhere(panel: type[live.Panel], own: dict[str, Any], network: bool, photo: bool) -> Any:
    """The panel without what only fits the network and the photo of the notebook."""

    @functools.wraps(panel, updated=())
    def made(*arguments: Any, **choices: Any) -> live.Panel:
        given = inspect.signature(panel).bind(*arguments, **choices).arguments
        for name in ("label", "other", *(("layer", "channel") if network else ())):
            given.pop(name, None)
        if photo and isinstance(given.get("photo"), str):
            given["photo"] = own["photo"]
        return panel(**given)

    return made
