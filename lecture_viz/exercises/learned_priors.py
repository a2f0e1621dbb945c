"""The exercises of notebook 09."""

from typing import Any

import torch

from ..networks import load_network
from ..optimization_based.priors import decode
from ..photos import load_image
from .answers import Check, of, same


def _moments(answer: Any) -> str:
    a = torch.rand(1, 4, 5, 6, generator=torch.Generator().manual_seed(0))
    mean, spread = a.mean(dim=(2, 3)), a.std(dim=(2, 3), correction=0)
    slips = {
        "first the means, then the standard deviations": torch.cat([spread, mean], dim=1),
        "the second half holds variances; take their root": torch.cat([mean, spread**2], dim=1),
        "divide by the number of places: correction=0": torch.cat([mean, a.std(dim=(2, 3))], dim=1),
    }
    return of(answer, (a,), torch.cat([mean, spread], dim=1), "where things are, it does not say", slips)


def _halfway(answer: Any) -> str:
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


EXERCISES: dict[str, Check] = {"09.1": _moments, "09.2": _halfway}
