"""The exercises of notebook 06."""

from functools import cache
from typing import Any

from torch import Tensor

from ..figures import Figure, row
from ..gradient_based.gradients import gradient
from ..languages import say
from ..maps import show_signed
from ..networks import load_network
from ..optimization_based.dreaming import dream
from ..optimization_based.inversion import ssim
from ..optimization_based.optimization import last
from ..photos import load_image
from ..targets import Target, channel, layer, neuron
from .answers import Exercise, Said, not_yet, right, same
from .riddles import Riddle, Shown


def _feature_map(answer: Any) -> Said:
    if answer == channel("inception4b", 60):
        return right("the feature map that likes round things")
    if not isinstance(answer, Target):
        return not_yet("a target is expected, this is a {kind}", kind=type(answer).__name__)
    if answer == neuron("inception4b", 60):
        return not_yet("this is a single neuron, in the middle of the map")
    return not_yet(
        "{answer!r} is not the feature map that likes round things: channel 60 of inception4b", answer=answer
    )


def _even_step(answer: Any) -> Said:
    slope = gradient(load_network("inception64", device="cpu"), load_image("cat", 64), layer("inception4c"))
    even = slope / slope.abs().mean()
    slips = {
        "the average pixel moves by 1: that is black to white": even,
        "divide by the mean of the magnitudes: the mean of the signed gradient is nearly zero": 0.01
        * slope
        / slope.mean(),
        "this keeps the length of the gradient, which differs from layer to layer": 0.01 * slope,
    }
    return same(answer, 0.01 * even, "every step is as long, at every layer", slips)


@cache
def _dreamt(target: Target) -> Tensor:
    """By `inception64`, of the cat."""
    network = load_network("inception64", device="cpu")
    return last(dream(network, load_image("cat", 128), target, 24)).image


def _fineness() -> list[Shown]:
    photo, shown = load_image("cat", 128), []
    for name in ("inception4b", "inception3a", "inception4d"):
        image = _dreamt(layer(name))
        change = image - photo
        neighbours = (change[:, :, :, 1:] - change[:, :, :, :-1]).square().mean() / change.square().mean()
        shown.append(Shown(name, image, neighbours.item()))
    return shown


def _lost(answer: Any) -> Said:
    layers = load_network("inception64", device="cpu").layers
    if answer not in layers:
        return not_yet("the name of a layer of inception64 is expected: {layers}", layers=", ".join(layers))
    stays = ssim(_dreamt(layer(answer)), load_image("cat", 128))
    if stays >= 0.5:
        return not_yet("{stays:.0%} of the photo's structure stays; which layers paint everywhere?", stays=stays)
    return right("only {stays:.0%} of the photo's structure stays: this layer paints nearly everywhere", stays=stays)


def _dream_of(target: Target) -> Figure:
    return row({say("cat"): load_image("cat", 128), repr(target): _dreamt(target)}, alt=say("a cat, and a dream of it"))


EXERCISES: dict[str, Exercise | Riddle] = {
    "06.1": Exercise(_feature_map, _dream_of),
    "06.2": Exercise(_even_step, lambda step: row({say("step"): show_signed(step)}, alt=say("a normalised gradient"))),
    "06.3": Riddle(
        _fineness, "how much the change differs from pixel to pixel", "of these three the earliest paints finest"
    ),
    "06.4": Exercise(_lost, lambda name: _dream_of(layer(name))),
}
