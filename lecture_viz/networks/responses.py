"""What a photo causes in every layer of a network, looked at in one pass."""

from functools import cached_property

import torch
from torch import Tensor

from .network import Network


class Response:
    """The ``activations`` ``(C, h, w)`` or ``(C,)`` of one layer, and where it fires most, found when it is asked for.

    Layers without rows and columns have no places.
    """

    def __init__(self, activations: Tensor):
        self.activations, self.shape = activations, tuple(activations.shape)

    @property
    def spatial(self) -> bool:
        """Whether the layer has rows and columns."""
        return len(self.shape) == 3

    @cached_property
    def strongest(self) -> Tensor:
        """For each channel the place of its largest activation, counted row by row ``(C,)``."""
        return self.activations.flatten(1).argmax(dim=1).cpu()

    @cached_property
    def loudest(self) -> int:
        """The channel with the largest activation of all."""
        return self.activations.reshape(len(self.activations), -1).amax(dim=1).argmax().item()

    @cached_property
    def saturated(self) -> bool:
        """Whether several neurons share the largest activation, as behind a ReLU6: nothing comes back from them."""
        return (self.activations == self.activations.max()).sum().item() > 1

    @cached_property
    def loudest_at(self) -> Tensor:
        """The channel that fires most at each place ``(h, w)``."""
        return self.activations.argmax(dim=0).cpu()

    def place(self, channel: int) -> tuple[int, int]:
        """Row and column where a channel fires most."""
        if not self.spatial:
            raise ValueError("this layer has no rows and columns")
        return divmod(int(self.strongest[channel]), self.shape[2])


def responses(network: Network, photo: Tensor) -> tuple[dict[str, Response], int]:
    """Those of all layers to one photo ``(1, 3, H, W)``, and its most probable class."""
    with torch.no_grad():
        outputs = network.run(network.check(photo), [*network.layers, None])
    best = outputs.pop(None)[0].argmax().item()
    return {layer: Response(output[0]) for layer, output in outputs.items()}, best
