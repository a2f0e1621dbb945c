"""The exercises of notebook 08."""

from functools import cache
from typing import Any

import torch
from torch import Tensor

from ..figures import Figure, row
from ..languages import say
from ..networks import load_network
from ..optimization_based.inversion import invert, ssim
from ..optimization_based.optimization import last
from ..photos import load_image
from .answers import Exercise, Said, not_yet, of, right
from .riddles import Riddle, Shown


def _psnr(answer: Any) -> Said:
    photo, image = torch.rand(2, 1, 3, 8, 8, generator=torch.Generator().manual_seed(0))
    error = (photo - image).square().mean()
    slips = {
        "the sign is the wrong way round: less error is more dB": 10 * error.log10(),
        "take the logarithm to the base 10": -10 * error.log(),
        "the error is the mean of the squares": -10 * (photo - image).square().sum().log10(),
        "10 times for squares; 20 times would be for their root": -20 * error.log10(),
    }
    return of(answer, (photo, image), -10 * error.log10(), "every 6 dB more halve the difference", slips)


def _quantized(answer: Any) -> Said:
    a = torch.rand(4, 5, 5, generator=torch.Generator().manual_seed(0)) * 6
    low, steps = a.min(), (a.max() - a.min()) / 15
    slips = {
        "4 bits number 16 values, so there are 15 steps between the least and the greatest": low
        + ((a - low) / (a.max() - low) * 16).round() * (a.max() - low) / 16,
        "these are the numbers of the steps; turn them back into activations": ((a - low) / steps).round(),
        "add the least value again": ((a - low) / steps).round() * steps,
    }
    return of(answer, (a,), low + ((a - low) / steps).round() * steps, "an eighth of the memory", slips)


def _ratios(psnr: Any) -> Figure:
    photo, random = load_image("coffee", 64), torch.Generator().manual_seed(0)
    pictures = {noise: photo + noise * torch.randn(photo.shape, generator=random) for noise in (0.01, 0.05, 0.2)}
    return row(
        {f"{float(psnr(photo, x)):.0f} dB": x for x in pictures.values()}, alt=say("a cup with more and more noise")
    )


def _stored(four_bits: Any) -> Figure:
    network, photo = load_network("alexnet64", device="cpu"), load_image("coffee", 64)
    with torch.no_grad():
        y = four_bits(network.activations(photo, "relu3"))
    image = last(invert(network, y, "relu3", 48)).image
    return row({say("from 4 bits of relu3"): image}, alt=say("a cup, from four bits"))


@cache
def _inverted(name: str, layer: str) -> Tensor:
    """A photo from a layer of `alexnet64`."""
    network = load_network("alexnet64", device="cpu")
    with torch.no_grad():
        y = network.activations(load_image(name, 64), layer)
    return last(invert(network, y, layer, 48)).image


def _deepest() -> list[Shown]:
    photo, shown = load_image("rocket", 64), []
    for layer in ("fc6", "pool2", "relu4"):
        image = _inverted("rocket", layer)
        shown.append(Shown(layer, image, ssim(image, photo)))
    return shown


def _last_layer(answer: Any) -> Said:
    layers, photo = load_network("alexnet64", device="cpu").layers, load_image("cat", 64)
    if answer not in layers[:-1]:
        known = ", ".join(layers[:-1])
        return not_yet("the name of a layer of alexnet64 is expected, of any but the last: {layers}", layers=known)
    after = layers[layers.index(answer) + 1]
    here, there = (ssim(_inverted("cat", layer), photo) for layer in (answer, after))
    figures = say(
        "SSIM {here:.2f} at {answer}, {there:.2f} at {after}", here=here, answer=answer, there=there, after=after
    )
    if not there < 0.2 <= here:
        return not_yet("{figures}; the cat is lost where it falls below 0.2", figures=figures)
    return right("{figures}: between the two the places are mixed", figures=figures)


def _both_sides(layer: str) -> Figure:
    layers = load_network("alexnet64", device="cpu").layers
    pair = layer, layers[layers.index(layer) + 1]
    pictures = {name: _inverted("cat", name) for name in pair}
    return row(pictures, alt=say("a cat, and what is left of it a layer later"))


EXERCISES: dict[str, Exercise | Riddle] = {
    "08.1": Exercise(_psnr, _ratios),
    "08.2": Exercise(_quantized, _stored),
    "08.3": Riddle(_deepest, "SSIM to the photo", "the deeper the layer, the less is left of the photo", least=True),
    "08.4": Exercise(_last_layer, _both_sides),
}
