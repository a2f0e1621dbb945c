"""The exercises of notebook 06."""

from typing import Any

from ..gradient_based.gradients import gradient
from ..networks import load_network
from ..photos import load_image
from ..targets import Target, channel, layer, neuron
from .answers import OPEN, RIGHT, Check, same


def _feature_map(answer: Any) -> str:
    expected, round_things = channel("inception4b", 29), "the feature map that likes round things"
    if answer == expected:
        return f'{RIGHT}{round_things}; try lv.dream(lv.load_network("inception64"), photo, target)'
    if not isinstance(answer, Target):
        return f"{OPEN}a target is expected, this is a {type(answer).__name__}"
    if answer == neuron("inception4b", 29):
        return f"{OPEN}this is a single neuron, in the middle of the map"
    return f"{OPEN}{answer!r} is not {round_things}: channel 29 of inception4b"


def _even_step(answer: Any) -> str:
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


EXERCISES: dict[str, Check] = {"06.1": _feature_map, "06.2": _even_step}
