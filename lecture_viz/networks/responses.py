"""What a photo causes in every layer of a network, looked at in one pass."""

from typing import NamedTuple

import torch
from torch import Tensor

from .network import Network


class Response(NamedTuple):
    """Of one layer: the ``shape`` of its activations (``(C, h, w)`` or ``(C,)``), and where it fires most.

    ``strongest`` has for each channel the place of its largest activation, counted row by row ``(C,)``; ``loudest`` is
    the channel with the largest of them all, and ``loudest_at`` that at each place ``(h, w)``. Layers without rows and
    columns have no places.
    """

    shape: tuple[int, ...]
    strongest: Tensor | None
    loudest: int
    loudest_at: Tensor | None

    @property
    def spatial(self) -> bool:
        """Whether the layer has rows and columns."""
        return self.strongest is not None

    def place(self, channel: int) -> tuple[int, int]:
        """Row and column where a channel fires most."""
        if self.strongest is None:
            raise ValueError("this layer has no rows and columns")
        return divmod(int(self.strongest[channel]), self.shape[2])


def responses(network: Network, photo: Tensor) -> tuple[dict[str, Response], int]:
    """Those of all layers to one photo ``(1, 3, H, W)``, and its most probable class."""
    with torch.no_grad():
        outputs = network.run(network.check(photo), [*network.layers, None])
    best = outputs.pop(None)[0].argmax().item()
    return {layer: _response(output[0]) for layer, output in outputs.items()}, best


def _response(activations: Tensor) -> Response:
    values, places = activations.reshape(len(activations), -1).max(dim=1)
    spatial = activations.ndim == 3
    loudest_at = activations.argmax(dim=0).cpu() if spatial else None
    return Response(tuple(activations.shape), places.cpu() if spatial else None, values.argmax().item(), loudest_at)
