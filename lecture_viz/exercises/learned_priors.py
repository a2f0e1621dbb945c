"""The exercises of notebook 09."""

from typing import Any

import torch
from torch import Tensor

from ..figures import Figure, row
from ..languages import say
from ..networks import load_network
from ..optimization_based.priors import decode
from ..photos import load_image
from .answers import Exercise, Said, not_yet, of, right, same
from .riddles import Riddle, Shown


def _moments(answer: Any) -> Said:
    a = torch.rand(1, 4, 5, 6, generator=torch.Generator().manual_seed(0))
    mean, spread = a.mean(dim=(2, 3)), a.std(dim=(2, 3), correction=0)
    slips = {
        "first the means, then the standard deviations": torch.cat([spread, mean], dim=1),
        "the second half holds variances; take their root": torch.cat([mean, spread**2], dim=1),
        "divide by the number of places: correction=0": torch.cat([mean, a.std(dim=(2, 3))], dim=1),
    }
    return of(answer, (a,), torch.cat([mean, spread], dim=1), "where things are, it does not say", slips)


def _halfway(answer: Any) -> Said:
    network = load_network("alexnet64", device="cpu")
    cat, coffee = (load_image(name, 64) for name in ("cat", "coffee"))
    one, other = (network.activations(photo, "pool5") for photo in (cat, coffee))
    slips = {
        "this is halfway between the photos; take the mean of their codes": (cat + coffee) / 2,
        "this is the sum of the codes; halve it": decode(network, one + other),
        "this is the mean of the two paintings; mix first, then paint": (decode(network, one) + decode(network, other))
        / 2,
    }
    praise = "a picture that neither photo is; the decoder has its say"
    return same(answer, decode(network, (one + other) / 2), praise, slips)


def _distances(moments: Any) -> Figure:
    network, photos = load_network("alexnet64", device="cpu"), {"cat": load_image("cat", 64)}
    photos |= {"mirrored": photos["cat"].flip(3), "coffee": load_image("coffee", 64)}
    with torch.no_grad():
        m, *others = (moments(network.activations(x, "relu4")) for x in (photos["cat"], *photos.values()))
    far = {f"{say(name)}: {(other - m).norm() / m.norm():.2f}": x for (name, x), other in zip(photos.items(), others)}
    return row(far, alt=say("a cat, the same mirrored, a cup: how far their moments in relu4 are from the cat's"))


def _painted(code: Tensor) -> Tensor:
    with torch.no_grad():
        return decode(load_network("alexnet64", device="cpu"), code)


def _code(photo: Tensor) -> Tensor:
    with torch.no_grad():
        return load_network("alexnet64", device="cpu").activations(photo, "pool5")


def _never_seen() -> list[Shown]:
    noise = torch.rand(1, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    given = {"the rocket": load_image("rocket", 64), "the coffee": load_image("coffee", 64), "noise": noise}
    shown = []
    for name, picture in given.items():
        painted = _painted(_code(picture))
        caption = say("painted from {name}", name=say(name))
        shown.append(Shown(caption, painted, (painted - picture).square().mean().sqrt().item()))
    return shown


def _neither(answer: Any) -> Said:
    if not isinstance(answer, int | float) or not 0 < answer < 1:
        return not_yet("a number between 0 (the cat) and 1 (the coffee) is expected")
    network = load_network("alexnet64", device="cpu")
    (cat, _), (label, p), (coffee, _) = (network.top(_mixed(t), 1)[0] for t in (0, answer, 1))
    if label in (cat, coffee):
        whose = say("cat" if label == cat else "coffee")
        return not_yet(
            "the network says {label} ({p:.0%}), as it does of the {whose} painted", label=label, p=p, whose=whose
        )
    return right(
        "of the cat painted it says {cat}, of the coffee {coffee}, and between them {label} ({p:.0%})",
        cat=cat,
        coffee=coffee,
        label=label,
        p=p,
    )


def _mixed(t: float) -> Tensor:
    cat, coffee = (_code(load_image(name, 64)) for name in ("cat", "coffee"))
    return _painted((1 - t) * cat + t * coffee)


EXERCISES: dict[str, Exercise | Riddle] = {
    "09.1": Exercise(_moments, _distances),
    "09.2": Exercise(
        _halfway, lambda image: row({say("halfway"): image}, alt=say("a painting between a cat and a cup"))
    ),
    "09.3": Riddle(
        _never_seen, "root mean square difference to what was given", "two of them have shapes you may know"
    ),
    "09.4": Exercise(
        _neither,
        lambda t: row({f"{n:g}": _mixed(n) for n in (0, t, 1)}, alt=say("cat, something else, cup: painted")),
    ),
}
