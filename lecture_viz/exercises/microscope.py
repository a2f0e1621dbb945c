"""The exercises of notebook 10."""

from typing import Any

import torch
from torch import Tensor

from ..figures import Figure, row
from ..gradient_based.attribution import effects, feeders
from ..languages import say
from ..maps import show_magnitude, show_signed
from ..networks import Network, load_network
from ..networks.activation_maps import arranged, selectivity, sorted_by
from ..optimization_based import atlas
from ..photos import load_image
from ..targets import neuron
from .answers import Exercise, Said, not_yet, right, same
from .riddles import Riddle, Shown

LOUD = 10  # so many channels of a layer count as loud
SCORES = {"cat": "Egyptian cat", "coffee": "espresso"}  # what alexnet64 says of two photos


def _filters(answer: Any) -> Said:
    weight = load_network("alexnet64", device="cpu").module.conv1.weight.detach()
    shape = 1, 3, 20, 40
    rows_first, columns_first = weight.view(4, 8, 3, 5, 5), weight.view(8, 4, 3, 5, 5)
    swapped = rows_first.permute(2, 0, 4, 1, 3).reshape(shape)
    below = columns_first.permute(2, 1, 3, 0, 4).reshape(shape)
    slips = {
        "the filters are cut into strips: permute before you reshape": weight.reshape(shape),
        "rows and columns of each filter are swapped": swapped,
        "filter 1 stands below filter 0; it belongs right of it: view 4 rows of 8": below,
    }
    return same(answer, rows_first.permute(2, 0, 3, 1, 4).reshape(shape), "edges, dots and colours", slips)


def _contributions(answer: Any) -> Said:
    network, photo = load_network("alexnet64", device="cpu"), load_image("cat", 64)
    a = network.activations(photo, "relu4").detach().requires_grad_()
    unit = network.module.conv5(a)[0, 30]
    (slope,) = torch.autograd.grad(unit.max(), a)
    y, x = divmod(unit.argmax().item(), unit.shape[1])
    slips = {
        "this is the slope alone; multiply it by the activations": slope.sum(dim=(2, 3))[0],
        "keep the signs: what holds the unit back counts, too": (a * slope).abs().sum(dim=(2, 3))[0],
        "this is the mean over the places; all of them add up": (a * slope).mean(dim=(2, 3))[0],
        "multiply place by place, and then sum": (a.sum(dim=(2, 3)) * slope.sum(dim=(2, 3)))[0],
    }
    praise = "together with the bias they are the neuron itself"
    return same(answer, feeders(network, photo, neuron("conv5", 30, y=y, x=x)).contributions, praise, slips)


def _fed(contributions: Tensor) -> Figure:
    pictures = atlas.read(load_network("alexnet64", device="cpu"), "relu4")
    order = contributions.argsort(descending=True).tolist()
    shown = {f"{n}: {contributions[n]:+.2f}": pictures[n][None] for n in (*order[:3], order[-1])}
    alt = say("what the three channels look for that feed the unit most, and the one that holds it back")
    return row(shown, alt=alt)


def _orders() -> list[Shown]:
    network, shown = load_network("alexnet64", device="cpu"), []
    a = network.activations(load_image("cat", 64), "relu3")[0]
    for caption, order in (("by strength", "strength"), ("by selectivity", "selectivity"), ("by number", "index")):
        first = a[sorted_by(a, order)[:16]]
        shown.append(Shown(say(caption), arranged(first).image, selectivity(first).mean().item()))
    return shown


def _activations(network: Network, name: str) -> Tensor:
    return network.activations(load_image(name, 64), "relu5")[0]


def _weighed_twice(answer: Any) -> Said:
    if not isinstance(answer, int) or not 0 <= answer < 128:
        return not_yet("the number of a channel of relu5 is expected, 0 … 127")
    network, speaks = load_network("alexnet64", device="cpu"), {}
    for name, label in SCORES.items():
        place = sorted_by(_activations(network, name), "strength").tolist().index(answer) + 1
        if place > LOUD:
            return not_yet(
                "on the {name} it is number {place} by strength; it has to be among the first {loud}",
                name=say(name),
                place=place,
                loud=LOUD,
            )
        effect = effects(network, load_image(name, 64), "relu5", answer)
        speaks[name] = effect[network.label_index(label)].item()
    moved = say("Egyptian cat by {cat:+.2f} and espresso by {coffee:+.2f}", **speaks)
    if not speaks["coffee"] > 0 > speaks["cat"]:
        return not_yet("it is loud on both, and moves {moved}; the first has to fall, the second to rise", moved=moved)
    return right("it moves {moved}: loud on both, but the layers behind it make different things of it", moved=moved)


def _on_both(channel: int) -> Figure:
    network, pictures = load_network("alexnet64", device="cpu"), {}
    for name in SCORES:
        fires = say("where it fires on the {name}", name=say(name))
        pictures[say(name)] = load_image(name, 64)
        pictures[fires] = show_magnitude(_activations(network, name)[None, None, channel])
    pictures[say("what it looks for")] = atlas.read(network, "relu5")[channel][None]
    return row(pictures, alt=say("channel {channel} of relu5", channel=channel), size=180)


EXERCISES: dict[str, Exercise | Riddle] = {
    "10.1": Exercise(
        _filters,
        lambda image: row({say("all filters of conv1"): show_signed(image.detach())}, alt=say("32 small filters")),
    ),
    "10.2": Exercise(_contributions, _fed),
    "10.3": Riddle(_orders, "mean selectivity", "selective is a map that fires at few places, and nowhere else"),
    "10.4": Exercise(_weighed_twice, _on_both),
}
