"""Pictures that take long to make come with the suite: the very call that made each is written beside it.

    lv.stored(lv.dream, net, photo, lv.layer("conv1"), 32)

is ``lv.last(lv.dream(net, photo, lv.layer("conv1"), 32))``. If the pictures that come with the suite hold the result of
just this call, it is read; change anything (the photo, a strength, one weight of the network) and it is computed.

``make results`` makes them all anew, by running the notebooks. Pictures have 256 steps of brightness, as in any file;
one that is computed is rounded to the same, so that both are alike.
"""

import hashlib
import json
import os
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from ..maps import to_pil
from ..networks.fingerprint import fingerprint
from ..photos import load_image
from ..targets import Target
from .optimization import Step, last
from .regularizers import Choice

FOLDER = Path(__file__).parent / "pictures"
INDEX = "index.json"
OURS = __package__.partition(".")[0]
MAKE = "LECTURE_VIZ_MAKE_RESULTS"  # set by `make results`: compute all, and store it
SAME = 1e-4  # how far numbers of a picture may be apart, relative to its norm, and still be that picture's


class _Unknown(Exception):
    """An argument that cannot be told from another one, such as a function of one's own."""


def stored(function: Callable[..., Iterator[Step] | Step], *arguments: Any, **choices: Any) -> Step:
    """The last `Step` of ``function(*arguments, **choices)``: read if it is stored, else computed.

    Args:
        function: one of the package that yields steps, such as `maximize`, `dream`, `invert`.
        arguments, choices: its own.

    Raises:
        Whatever ``function`` raises.
    """
    try:
        call, tensors = _described(function, arguments, choices)
    except _Unknown:
        call, tensors = "", []
    make = bool(os.environ.get(MAKE))
    for entry in [] if make else _index(FOLDER).get(call, []):
        if all(map(_alike, entry["tensors"], tensors)):
            with suppress(OSError, ValueError):  # a file that is lost or damaged is made again
                return _read(FOLDER, entry)
    made = function(*arguments, **choices)
    step = made if isinstance(made, Step) else last(made)
    step = step._replace(image=(step.image * 255).round() / 255)
    if call and make:
        _keep(FOLDER, call, tensors, step)
    return step


# --- what a call is told by ----------------------------------------------------------------------------------------


def _described(
    function: Callable[..., Any], arguments: tuple[Any, ...], choices: dict[str, Any]
) -> tuple[str, list[list[float]]]:
    """The call as text, and the numbers that tell its tensors."""
    tensors: list[list[float]] = []

    def told(value: Any) -> str:
        match value:
            case None | bool() | int() | float() | str():
                return repr(value)
            case list() | tuple():
                return f"[{', '.join(map(told, value))}]"
            case dict():
                return f"{{{', '.join(f'{key}: {told(item)}' for key, item in value.items())}}}"
            case nn.Module():
                return f"{type(value).__name__} {fingerprint(value)}"
            case Tensor():
                tensors.append(_numbers(value))
                return f"tensor {tuple(value.shape)}"
            case Choice() if value.code:
                return repr(value)
            case Target() if not any(term.measure for _, term in value.terms):
                return repr(value)
            case partial():
                return f"{told(value.func)}{told(value.args)}{told(value.keywords)}"
        name = getattr(value, "__qualname__", "")  # of a function or a class
        package, _, room = getattr(value, "__module__", "").partition(".")
        if not name or package not in (OURS, "torch") or getattr(value, "__closure__", None):
            raise _Unknown
        room = room.rpartition(".")[2] if package == OURS else room  # a module may move
        return f"{room}.{name}{told(getattr(value, 'made_of', ()))}"

    return f"{told(function)}{told(arguments)}{told(choices)}", tensors


def _numbers(tensor: Tensor) -> list[float]:
    """Its norm, and eight sums with signs by chance: other pixels, other sums; other rounding, nearly the same."""
    values = tensor.detach().cpu().double().flatten()
    signs = torch.randint(2, (8, len(values)), generator=torch.Generator().manual_seed(0)) * 2.0 - 1
    return [values.norm().item(), *(signs.double() @ values).tolist()]


def _alike(kept: list[float], asked: list[float]) -> bool:
    return all(abs(a - b) <= SAME * max(kept[0], 1e-9) for a, b in zip(kept, asked, strict=True))


# --- files ---------------------------------------------------------------------------------------------------------


def _index(folder: Path) -> dict[str, list[dict[str, Any]]]:
    path = folder / INDEX
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}


def _read(folder: Path, entry: dict[str, Any]) -> Step:
    picture = load_image(folder / entry["file"])
    image = torch.cat(picture.chunk(entry["pictures"], dim=2))
    return Step(image, entry["terms"], entry["index"], entry["total"])


def _keep(folder: Path, call: str, tensors: list[list[float]], step: Step) -> None:
    """A batch is kept as one tall picture."""
    folder.mkdir(exist_ok=True)
    name = hashlib.sha256(f"{call}{tensors}".encode()).hexdigest()[:12] + ".webp"
    tall = to_pil(torch.cat(step.image.split(1), dim=2))
    tall.save(folder / name, lossless=True, quality=100)  # quality is how hard it tries; it stays exact
    index = _index(folder)
    others = [entry for entry in index.get(call, []) if entry["file"] != name]
    entry = {"file": name, "tensors": tensors, "pictures": len(step.image), "terms": step.terms}
    index[call] = [*others, entry | {"index": step.index, "total": step.total}]
    (folder / INDEX).write_text(json.dumps(dict(sorted(index.items())), indent=1) + "\n", encoding="utf-8")
