"""The exercises of notebook 05."""

from functools import cache
from numbers import Real
from typing import Any

import torch
from torch import Tensor

from ..figures import Figure, row
from ..gradient_based.gradients import gradient
from ..languages import say
from ..networks import load_network
from ..optimization_based.maximization import maximize
from ..optimization_based.optimization import last
from ..optimization_based.priors import spectral_slope
from ..optimization_based.regularizers import total_variation
from ..photos import load_image
from ..targets import logit
from .answers import DOTS, Exercise, Said, class_index, not_yet, right, same
from .riddles import Riddle, Shown


def _total_variation(answer: Any) -> Said:
    if not callable(answer):
        return not_yet("write a function of a picture that returns a number")
    x = torch.rand(1, 3, 6, 9, generator=torch.Generator().manual_seed(0))
    result = answer(x)
    if result is ...:
        return not_yet(DOTS)
    if isinstance(result, Real):
        result = torch.tensor(float(result))
    if isinstance(result, Tensor) and result.numel() == 1:  # a number, or one for each picture
        result = result.reshape(())
    here = x[:, :, :-1, :-1]
    down, across = (x[:, :, 1:, :-1] - here).square(), (x[:, :, :-1, 1:] - here).square()
    slips = {
        "these are only the differences to the pixel below": down.mean(),
        "these are only the differences to the pixel on the right": across.mean(),
        "take the mean over pixels and colours, not the sum": (down + across).sum(),
        "this is the root; the exercise is |∇x|², β = 2": (down + across).sqrt().mean(),
    }
    expected = total_variation(1, epsilon=0)(x)[0]
    return same(result, expected, "smooth pictures cost little, each edge costs", slips)


def _ascent(answer: Any) -> Said:
    network, x = load_network("inception64", device="cpu"), load_image("coffee", 64)
    step = 0.2 * gradient(network, x, logit("tabby"))
    slips = {
        "this goes down: ascent adds the gradient": (x - step).clamp(0, 1),
        "some pixels left [0, 1]: clamp them": x + step,
        "this is the step alone; add it to the picture": step,
    }
    return same(answer, (x + step).clamp(0, 1), "a step uphill, and still a picture", slips)


def _variations(measure: Any) -> Figure:
    photos = {name: load_image(name, 64) for name in ("cat", "galaxies", "bricks")}
    noise = torch.rand(1, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    measured = {f"{say(name)}: {float(measure(x)):.4f}": x for name, x in {**photos, "noise": noise}.items()}
    return row(measured, alt=say("three photos and noise, with their total variation"))


def _unregularised() -> list[Shown]:
    network, shown = load_network("inception64", device="cpu"), []
    recipes: dict[str, dict[str, Any]] = {
        "total variation": {"parameterization": "pixels", "penalties": [total_variation(800)]},
        "frequencies": {"parameterization": "fourier"},
        "no regulariser": {"parameterization": "pixels"},
    }
    for name, choices in recipes.items():
        image = last(maximize(network, logit("goldfish"), 24, **choices)).image
        shown.append(Shown(say(name), image, spectral_slope(image)))
    return shown


@cache
def _class_image(label: str) -> Tensor:
    return last(maximize(load_network("inception64", device="cpu"), logit(label), 64, parameterization="fourier")).image


def _not_recognised(answer: Any) -> Said:
    judge = load_network("alexnet64", device="cpu")
    asked = class_index(judge, answer)
    if asked is None:
        return not_yet("a label of the networks is expected; got {answer!r}", answer=answer)
    (best, p), *_ = judge.top(_class_image(answer), 1)
    if judge.label_index(best) == asked:
        return not_yet(
            "alexnet64 takes it for {best}, too ({p:.0%}); try a class with few colours and shapes of its own",
            best=best,
            p=p,
        )
    return right(
        "alexnet64 takes it for {best} ({p:.0%}): a class image is about the network that it was made with",
        best=best,
        p=p,
    )


EXERCISES: dict[str, Exercise | Riddle] = {
    "05.1": Exercise(_total_variation, _variations),
    "05.2": Exercise(
        _ascent,
        lambda x: row({say("coffee"): load_image("coffee", 64), say("a step later"): x}, alt=say("two cups")),
    ),
    "05.3": Riddle(
        _unregularised,
        "the spectral slope (0 is noise, photos have 2 to 3)",
        "what is there to hold pixels together?",
        least=True,
    ),
    "05.4": Exercise(
        _not_recognised,
        lambda label: row({say("{label}, to inception64", label=label): _class_image(label)}, alt=label),
    ),
}
