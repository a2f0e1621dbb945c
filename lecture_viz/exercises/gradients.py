"""The exercises of notebook 01."""

from functools import cache
from typing import Any

import torch

from ..figures import Figure, row
from ..gradient_based.gradients import gradient, saliency
from ..gradient_based.sanity_checks import similarity
from ..languages import say
from ..maps import show_magnitude, show_signed
from ..networks import load_network
from ..photos import load_image
from ..targets import logit
from .answers import Exercise, Said, class_index, not_yet, right, same
from .riddles import Riddle, Shown


def _two_classes(answer: Any) -> Said:
    network, photo = load_network("efficientnet_lite0"), load_image("cat", 224)
    cat, dog = (gradient(network, photo, logit(label)) for label in ("tabby", "golden retriever"))
    slips = {
        "this is tabby alone": cat,
        "this is golden retriever minus tabby; the sign is the wrong way round": dog - cat,
        "this is the sum; you want what tells the two apart": cat + dog,
    }
    return same(
        answer, cat - dog, "the gradient of a difference is the difference of the gradients", slips, full_size=True
    )


def _saliency(answer: Any) -> Said:
    network, photo = load_network("efficientnet_lite0"), load_image("cat", 224)
    signed = gradient(network, photo, logit("tabby"))
    slips = {
        "without the absolute value, a strong minus counts as nothing": signed.amax(1, keepdim=True),
        "this is the mean over the colours; the paper takes the maximum": signed.abs().mean(1, keepdim=True),
        "take the absolute value first, then the maximum": signed.amax(1, keepdim=True).abs(),
    }
    return same(
        answer, saliency(network, photo, logit("tabby")), "that is the paper's saliency map", slips, full_size=True
    )


def _calm() -> list[Shown]:
    photo, shown = load_image("cat", 64), []
    noise = 0.02 * torch.randn(photo.shape, generator=torch.Generator().manual_seed(0))
    for name in ("alexnet64", "inception64", "inception64_robust"):
        network = load_network(name, device="cpu")
        one, other = (gradient(network, x, logit("tabby")) for x in (photo, photo + noise))
        shown.append(Shown(name, show_signed(one), similarity(one, other)))
    return shown


@cache
def _alike() -> dict[int, float]:
    """How the gradient of the cat for each other class of `alexnet64` correlates with that for tabby."""
    network, photo = load_network("alexnet64", device="cpu"), load_image("cat", 64)
    tabby, photos = network.label_index("tabby"), photo.expand(len(network.labels), -1, -1, -1)
    gradients = gradient(network, photos, lambda net, x: net(x).diagonal())  # of each class one
    return {n: similarity(gradients[tabby], one) for n, one in enumerate(gradients) if n != tabby}


def _most_like_tabby(answer: Any) -> Said:
    network = load_network("alexnet64", device="cpu")
    asked, tabby = class_index(network, answer), network.label_index("tabby")
    if asked in (None, tabby):
        return not_yet("a label of alexnet64 is expected, another one than tabby; got {answer!r}", answer=answer)
    r = _alike()[asked]
    if r < max(_alike().values()):
        label = network.labels[asked]
        return not_yet(
            "the gradients of tabby and {label} correlate with {r:.2f}; another class with more", label=label, r=r
        )
    return right("they correlate with {r:.2f}: what speaks for the one speaks for the other", r=r)


def _two_gradients(*labels: str) -> Figure:
    network, photo = load_network("alexnet64", device="cpu"), load_image("cat", 64)
    one, other = (network.labels[network.label_index(label)] for label in labels)
    maps = {label: show_signed(gradient(network, photo, logit(label))) for label in (one, other)}
    return row(maps, alt=say("gradients of {one} and {other}", one=one, other=other))


EXERCISES: dict[str, Exercise | Riddle] = {
    "01.1": Exercise(
        _two_classes,
        lambda answer: row({say("tabby, not golden retriever"): show_signed(answer)}, alt=say("a gradient")),
    ),
    "01.2": Exercise(
        _saliency, lambda answer: row({say("saliency"): show_magnitude(answer)}, alt=say("a saliency map"))
    ),
    "01.3": Riddle(
        _calm,
        "likeness to the gradient under faint noise",
        "a robust network looks at shapes",
    ),
    "01.4": Exercise(_most_like_tabby, lambda label: _two_gradients("tabby", label)),
}
