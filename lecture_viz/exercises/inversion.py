"""The exercises of notebook 07."""

from functools import cache
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from ..figures import Figure, row
from ..languages import say
from ..networks import load_network
from ..optimization_based.inversion import invert, ssim
from ..optimization_based.optimization import last
from ..optimization_based.regularizers import total_variation
from ..photos import load_image
from .answers import Exercise, Said, not_yet, of, right
from .riddles import Riddle, Shown


def _feature_error(answer: Any) -> Said:
    outputs, activations = torch.rand(2, 1, 4, 5, 5, generator=torch.Generator().manual_seed(0))
    difference = (outputs - activations).square().sum()
    slips = {
        "this is not normalised: divide by ‖y‖²": difference,
        "divide by ‖y‖², the sum of the squares of y": difference / activations.abs().sum(),
        "these are lengths; the formula has their squares": difference.sqrt() / activations.norm(),
        "divide by what is looked for, y, not by what is there": difference / outputs.square().sum(),
    }
    praise = "0 is the same, 1 as bad as nothing at all"
    return of(answer, (outputs, activations), difference / activations.square().sum(), praise, slips)


def _soft_threshold(answer: Any) -> Said:
    c = torch.tensor([-3.0, -1, -0.5, 0, 0.2, 1, 2.5])
    slips = {
        "this is the hard threshold: what is left moves towards 0 by t as well": c * (c.abs() > 1),
        "keep the sign": (c.abs() - 1).clamp(min=0),
        "what is smaller than t becomes 0, not negative": c.sign() * (c.abs() - 1),
    }
    return of(answer, (c, 1.0), c.sign() * (c.abs() - 1).clamp(min=0), "small details go, edges stay", slips)


def _errors(feature_error: Any) -> Figure:
    network = load_network("alexnet64", device="cpu")
    photos = {name: load_image(name, 64) for name in ("cat", "coffee")}
    with torch.no_grad():
        y, *others = (network.activations(photo, "relu4") for photo in (photos["cat"], *photos.values()))
    errors = {f"{say(name)}: {feature_error(other, y):.2f}": x for (name, x), other in zip(photos.items(), others)}
    return row(errors, alt=say("the cat and the coffee, with their errors from the cat's activations in relu4"))


def _denoised(soft_threshold: Any) -> Figure:
    photo, random = load_image("cat", 64), torch.Generator().manual_seed(0)
    noisy = photo + 0.1 * torch.randn(photo.shape, generator=random)
    coarse = F.avg_pool2d(F.pad(noisy, (1, 1, 1, 1), mode="replicate"), 3, stride=1)
    smooth = coarse + soft_threshold(noisy - coarse, 0.15)
    return row({say("noisy"): noisy, say("small details gone"): smooth}, alt=say("two cats"))


@cache
def _inverted(weight: float) -> Tensor:
    """The cat, from `relu3` of `alexnet64`, by 48 steps of Adam."""
    network, photo = load_network("alexnet64", device="cpu"), load_image("cat", 64)
    with torch.no_grad():
        y = network.activations(photo, "relu3")
    return last(invert(network, y, "relu3", 48, recipe="adam", penalties=[total_variation(weight)])).image


def _smoothest() -> list[Shown]:
    shown = []
    for weight in (0.1, 3, 30):
        image = _inverted(weight)
        variation = total_variation(1)(image).item()
        shown.append(Shown(say("weight {weight:g}", weight=weight), image, 1000 * variation))
    return shown


def _better(answer: Any) -> Said:
    if not isinstance(answer, int | float) or not 1 < answer < 1000:
        return not_yet("a weight between 1 and 1000 is expected")
    low, found, high = (ssim(_inverted(weight), load_image("cat", 64)) for weight in (1, answer, 1000))
    figures = say(
        "SSIM {low:.2f} with 1, {found:.2f} with {answer:g}, {high:.2f} with 1000",
        low=low,
        found=found,
        answer=answer,
        high=high,
    )
    if found < max(low, high) + 0.1:
        return not_yet("{figures}; by 0.1 better than both is asked", figures=figures)
    return right("{figures}: too little leaves noise, too much smooths the cat away", figures=figures)


EXERCISES: dict[str, Exercise | Riddle] = {
    "07.1": Exercise(_feature_error, _errors),
    "07.2": Exercise(_soft_threshold, _denoised),
    "07.3": Riddle(_smoothest, "total variation, times 1000", "a large weight leaves smooth surfaces", least=True),
    "07.4": Exercise(
        _better,
        lambda weight: row({say("weight {weight:g}", weight=weight): _inverted(weight)}, alt=say("a cat, inverted")),
    ),
}
