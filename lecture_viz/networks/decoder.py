"""A decoder: from what a network has left of a photo in one layer, back to a photo.

Trained on pairs of the two (`lecture_viz.training.decoder`), it paints the photo that most likely caused these
activations (Dosovitskiy and Brox 2016, "Inverting visual representations with convolutional networks"). The shipped one
reads ``pool5`` of ``alexnet64``, the last layer with rows and columns. It is no part of the network it reads.
"""

from pathlib import Path

import torch
from torch import Tensor, nn

from .embedded import WEIGHTS, read_weights

NETWORK, LAYER, CODE = "alexnet64", "pool5", (128, 8, 8)  # what it reads, and the shape of that
NAME = "alexnet64_pool5_decoder"


def build(batch_norm: bool = False) -> nn.Sequential:
    """Convolutions and smooth enlargements from 8×8 to 64×64, untrained; its output is before the sigmoid.

    Enlarging first and convolving then leaves no checkerboard (Odena et al. 2016). ``batch_norm=True`` is for training.
    """
    layers = nn.Sequential()
    incoming = CODE[0]
    for number, (outgoing, enlarge) in enumerate(
        ((384, False), (256, False), (160, True), (128, False), (80, True), (64, False), (40, True)), start=1
    ):
        if enlarge:
            layers.add_module(f"enlarge{number}", nn.Upsample(scale_factor=2, mode="bilinear"))
        layers.add_module(f"conv{number}", nn.Conv2d(incoming, outgoing, 3, padding=1, bias=not batch_norm))
        if batch_norm:
            layers.add_module(f"bn{number}", nn.BatchNorm2d(outgoing))
        layers.add_module(f"relu{number}", nn.ReLU())
        incoming = outgoing
    layers.add_module("colours", nn.Conv2d(incoming, 3, 5, padding=2))
    return layers


class Decoder(nn.Module):
    """Takes codes ``(B, 128, 8, 8)``, the activations of `LAYER`; returns images ``(B, 3, 64, 64)`` in ``[0, 1]``."""

    def __init__(self, module: nn.Module):
        super().__init__()
        self.module = module.eval().requires_grad_(False)

    def forward(self, code: Tensor) -> Tensor:
        if code.ndim != 4 or code.shape[1:] != CODE:
            raise ValueError(
                f"this decoder reads {NETWORK}'s {LAYER}, (B, {', '.join(map(str, CODE))}); got {tuple(code.shape)}: "
                f"net.activations(photo, {LAYER!r})"
            )
        return self.module(code.to(next(self.parameters()))).sigmoid()


def load_decoder(folder: Path | None = None) -> Decoder:
    """The shipped decoder, or the one in ``folder``.

    Raises:
        WeightsUnavailable: the weights file is missing or damaged.
    """
    with torch.device("meta"):
        module = build()
    module.load_state_dict(read_weights((folder or WEIGHTS) / f"{NAME}.safetensors")[0], assign=True)
    return Decoder(module)
