"""Which layers of our networks are worth seeing: those that draw strokes, patterns, animals, and maps with a theme."""

from collections.abc import Sequence

from ...networks import Network

# an early, a middle and a deep layer
LAYERS = {
    "alexnet64": ("relu2", "relu3", "relu5"),
    "inception64": ("inception3a", "inception4b", "inception5a"),
    "efficientnet_lite0": ("block2b", "block4a", "block5c"),
}


def layers(network: Network, names: Sequence[str]) -> tuple[str, str, str]:
    """An early, a middle and a deep one; of a network that nobody has looked through, by their depth in ``names``."""
    known = LAYERS.get(network.name.removesuffix("_robust"))
    early, middle, deep = known or (names[round(part * (len(names) - 1))] for part in (0.2, 0.5, 0.7))
    return early, middle, deep
