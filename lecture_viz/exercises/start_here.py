"""The exercises of notebook 00."""

from typing import Any

import torch
from torch import Tensor

from ..figures import Figure, row
from ..languages import say
from ..networks import load_network
from ..photos import load_image
from .answers import Exercise, Said, class_index, not_yet, right, same
from .riddles import Riddle, Shown


def _best_guess(answer: Any) -> Said:
    network = load_network("alexnet64")
    best = network.top(load_image("coffee", 64), 1)[0][0]
    if class_index(network, answer) == network.label_index(best):
        return right("the network takes the cup for: {best}", best=best)
    if isinstance(answer, (list, tuple)):
        return not_yet("top returns a list of (label, probability) pairs; take the label of the first pair")
    return not_yet("{answer!r} is not its best guess; is the photo the coffee, at size=64?", answer=answer)


def _mirror(answer: Any) -> Said:
    photo = load_image("cat", 64)
    slips = {
        "this is the photo as it was": photo,
        "this one stands on its head: columns are the last dimension": photo.flip(2),
        "this one has its colours swapped: dimension 1 holds red, green, blue": photo.flip(1),
    }
    return same(answer, photo.flip(3), "same cat, other way round", slips)


def _unsure() -> list[Shown]:
    network, shown = load_network("alexnet64", device="cpu"), []
    for name in ("coffee", "astronaut", "cat"):
        photo = load_image(name, 64)
        label, p = network.top(photo, 1)[0]
        shown.append(Shown(f"{label} {p:.0%}", photo, p))
    return shown


def _filters() -> Tensor:
    """The first layer's, ``(32, 3, 5, 5)``."""
    return load_network("alexnet64", device="cpu").module.conv1.weight.detach()


def _colourless(answer: Any) -> Said:
    filters = _filters()
    if not isinstance(answer, int) or not 0 <= answer < len(filters):
        return not_yet("a number of a filter is expected, 0 … {last}", last=len(filters) - 1)
    alike = torch.corrcoef(filters[answer].flatten(1))[torch.triu(torch.ones(3, 3), 1) > 0].min().item()
    if alike < 0.9:
        return not_yet("this one looks at colour: of red, green and blue two correlate with {r:.2f} only", r=alike)
    return right("its red, green and blue correlate with {r:.2f} and more: it looks at light and dark", r=alike)


def _filter(number: int) -> Figure:
    weights = _filters()[number : number + 1]
    shown = 0.5 + 0.5 * weights / weights.abs().max()
    return row({say("filter {number}", number=number): shown}, alt=say("a filter of the first layer; grey is 0"))


EXERCISES: dict[str, Exercise | Riddle] = {
    "00.1": Exercise(_best_guess, lambda label: row({label: load_image("coffee", 64)}, alt=say("a cup of coffee"))),
    "00.2": Exercise(
        _mirror,
        lambda mirrored: row(
            {say("the cat"): load_image("cat", 64), say("mirrored"): mirrored}, alt=say("a cat twice")
        ),
    ),
    "00.3": Riddle(_unsure, "the probability of its best guess", "of which photo has it no class?", least=True),
    "00.4": Exercise(_colourless, _filter),
}
