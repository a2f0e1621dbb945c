"""The table of sentences: which test measures what a preset says.

A measure takes the lesson's own panel, at the preset, and asserts what the sentence claims; its docstring says what the
claim rests on. What only asks or defines has no number: it stands among the `WITHOUT_NUMBER`, with the reason.
"""

from collections.abc import Callable, Sequence
from functools import lru_cache
from pathlib import Path

import nbformat
import pytest
import torch
from torch import Tensor

import lecture_viz as lv
from lecture_viz.live import LESSONS, Panel
from lecture_viz.live.kit.run import RunPanel
from lecture_viz.presenter.lessons import TAG

NOTEBOOKS = Path(__file__).parents[2] / "notebooks"
Key = tuple[str, str]  # the name of a panel in the files of languages, and of a preset
Measure = Callable[[Panel], None]
WITHOUT_NUMBER: dict[Key, str] = {}


class Sentences(dict[Key, Measure]):
    """Those that one file measures."""

    def of(self, panel: str, *presets: str) -> Callable[[Measure], Measure]:
        """A decorator: the function measures these presets' sentences."""

        def enter(measure: Measure) -> Measure:
            self.update({(panel, preset): measure for preset in presets})
            return measure

        return enter


def each(sentences: Sentences, rest: Sequence[pytest.MarkDecorator] = ()) -> pytest.MarkDecorator:
    """For a test with the arguments ``panel``, ``preset`` and ``measure``; ``rest`` marks all but one of each panel."""
    one = {panel: preset for panel, preset in reversed(sentences)}
    cases = [
        pytest.param(panel, preset, measure, marks=() if one[panel] == preset else rest)
        for (panel, preset), measure in sentences.items()
    ]
    return pytest.mark.parametrize("panel, preset, measure", cases)


def measured(name: str, preset: str, measure: Measure) -> None:
    """Set the lesson's panel to the preset, as a hand would, and measure."""
    panel = lessons(lesson_of(name))[name]
    run(panel, preset)
    assert panel.preset == preset
    measure(panel)


def run(panel: Panel, preset: str) -> None:
    """Set a preset, and search to the end if it is about a search."""
    panel.set(preset=preset)
    if isinstance(panel, RunPanel):
        if panel.step is None:  # the controls stood there already
            panel.start().wait()
        _found[panel.name, preset] = {"": panel.image("image")} | {
            layer: image for layer, (image, _) in getattr(panel, "_found", {}).items()
        }


def found_at(panel: Panel, preset: str, layer: str = "") -> Tensor:
    """The picture that a search ends with at another preset, of one layer among several.

    If need be it is run, on another such panel: the given one stays as it is.
    """
    if (panel.name, preset) not in _found:
        run(lessons.__wrapped__(lesson_of(panel.name))[panel.name], preset)
    return _found[panel.name, preset][layer]


_found: dict[Key, dict[str, Tensor]] = {}


def lesson_of(name: str) -> str:
    """The notebook with the panel of this name."""
    return next(lesson.notebook for lesson in LESSONS if name in [panel.name for panel in lesson.panels])


@lru_cache(maxsize=1)  # in their order; the networks and pictures of all at once would take gigabytes
def lessons(notebook: str) -> dict[str, Panel]:
    """The panels of a notebook by name, made by its own cells."""
    found, names = {}, {"lv": lv}
    for cell in nbformat.read(NOTEBOOKS / f"{notebook}.ipynb", as_version=4).cells:
        if TAG in cell.metadata.get("tags", []) and "%pip" not in cell.source:
            exec(cell.source, names)
            found |= {value.name: value for value in names.values() if isinstance(value, Panel)}
    return found


# --- what several sentences are measured by --------------------------------------------------------------------------


def concentration(values: Tensor, share: float = 0.05) -> float:
    """The part of a map's magnitude ``(1, C, H, W)`` that its strongest pixels hold: 1 is a single one, 0.05 none."""
    strengths = lv.magnitude(values).flatten().sort(descending=True).values
    return (strengths[: round(share * len(strengths))].sum() / strengths.sum()).item()


def frequency(change: Tensor) -> float:
    """The mean spatial frequency ``(1, C, H, W)``, weighted by its power, in waves per pixel (0 … ½)."""
    power = torch.fft.rfft2(change - change.mean(dim=(2, 3), keepdim=True)).abs().square().sum(dim=(0, 1))
    down, right = torch.fft.fftfreq(change.shape[2])[:, None], torch.fft.rfftfreq(change.shape[3])[None]
    return ((power * torch.hypot(down, right)).sum() / power.sum()).item()


def steps_between(image: Tensor) -> Tensor:
    """The length of the gradient at each pixel, ``(1, 3, H - 1, W - 1)``."""
    here = image[:, :, :-1, :-1]
    return ((image[:, :, 1:, :-1] - here) ** 2 + (image[:, :, :-1, 1:] - here) ** 2).sqrt()


def noisy(photo: Tensor, seed: int = 0) -> Tensor:
    """The photo with faint noise."""
    return photo + 0.02 * torch.randn(photo.shape, generator=torch.Generator().manual_seed(seed))


def calm(network: lv.Network, photo: Tensor, target: lv.Target, rule: str = "backprop") -> float:
    """How alike the maps of a photo and of the photo with faint noise are, sign and all (-1 … 1)."""
    one, other = (lv.gradient(network, image, target, rule).flatten() for image in (photo, noisy(photo)))
    return torch.nn.functional.cosine_similarity(one, other, dim=0).item()


def slopes(network: lv.Network, photo: Tensor, target: lv.Target, direction: Tensor) -> tuple[float, float]:
    """What one small step along ``direction`` changes, and what it would if that were the gradient; per length."""
    step = 0.005 * direction / direction.norm()
    with torch.no_grad():
        change = target(network, photo + step) - target(network, photo - step)
    return (change / 0.01).item(), direction.norm().item()
