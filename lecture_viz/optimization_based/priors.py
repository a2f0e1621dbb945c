"""Learned priors: look for the picture only among those that a network paints.

    x = G(z),    argmin over z of  ‖f(G(z)) − y‖² / ‖y‖²

instead of changing pixels. What G cannot paint, no picture can have; so G is the regulariser, and none else is needed.

    decoder_prior       z is a code, G a decoder trained to paint photos from codes     Dosovitskiy and Brox 2016
    deep_image_prior    z are the weights of an *untrained* network G, whose input is   Ulyanov et al. 2017 [22]
                        fixed noise: convolutions alone prefer smooth shapes

Where they mislead: part of the picture is the prior's, not the layer's. Ask a decoder for something it never saw, and
it paints photo-like shapes all the same, while the feature error says that all is well. The untrained network is the
control: what it shows too, no training has put there. `spectral_slope` says how photo-like a picture is.
"""

from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ..networks import Network
from ..networks.decoder import LAYER, NETWORK, Decoder, load_decoder
from ..networks.random_weights import seeded
from .optimization import Search, cosine
from .optimizers import Adam


def decode(network: Network, code: Tensor, decoder: Decoder | None = None) -> Tensor:
    """What the decoder paints from a code: images ``(B, 3, 64, 64)``.

    ``code`` is ``network.activations(photo, "pool5")``, ``(B, 128, 8, 8)``.

    Raises:
        ValueError: another network than the decoder reads, or another shape.
        WeightsUnavailable: the decoder's weights are missing or damaged.
    """
    with torch.no_grad():
        return (decoder or _decoder_for(network))(code)


def decoder_prior(network: Network, decoder: Decoder | None = None) -> Search:
    """Choices for `invert` and `maximize`: change the code of a decoder, not pixels.

    It begins with the code of the picture it is given. Errors as of `decode`.
    """
    paint = decoder or _decoder_for(network)

    class Painted:
        """The picture as a code ``(B, 128, 8, 8)``."""

        made_of = (network, paint)
        RATE = 0.1  # of Adam

        def __init__(self, image: Tensor):
            if image.shape[2:] != (64, 64):
                raise ValueError(f"the decoder paints 64×64 pixels; got {image.shape[3]}×{image.shape[2]}")
            self.parameters = [self._encode(image).requires_grad_()]

        def _encode(self, image: Tensor) -> Tensor:
            with torch.no_grad():
                return network.activations(image, LAYER).detach().clone()

        def image(self) -> Tensor:
            return paint(self.parameters[0])

        def put(self, image: Tensor) -> None:
            """The code of this picture, which the decoder paints as well as it can."""
            self.parameters[0].data.copy_(self._encode(image))

        def settle(self) -> None:
            """A code is behind a ReLU: never negative."""
            self.parameters[0].data.clamp_(min=0)

    return _choices(Painted)


def deep_image_prior(seed: int = 0) -> Search:
    """Choices for `invert` and `maximize`: change the weights of an untrained network that paints from fixed noise.

    One picture at a time, with sides that are multiples of 8; where it begins has no say, and filters cannot be used.
    """

    class Untrained:
        """The picture as the weights of an hourglass."""

        made_of = (seed,)
        RATE = 0.01  # of Adam, [22]

        def __init__(self, image: Tensor):
            if len(image) != 1 or image.shape[2] % 8 or image.shape[3] % 8:
                raise ValueError(
                    f"a Deep Image Prior is of one picture with sides that are multiples of 8; got {tuple(image.shape)}"
                )
            with seeded(seed):
                self._network = Hourglass().to(image.device)
                self._noise = 0.1 * torch.randn(1, Hourglass.DEPTH, *image.shape[2:]).to(image.device)
            self.parameters = [*self._network.parameters()]

        def image(self) -> Tensor:
            return self._network(self._noise)

        def put(self, image: Tensor) -> None:
            raise ValueError("a filter cannot change a Deep Image Prior, which has no pixels; leave the filters out")

        def settle(self) -> None:
            """Nothing to do: the sigmoid stays within ``[0, 1]``."""

    return _choices(Untrained)


class Hourglass(nn.Module):
    """Three times down and up again, with narrow bridges across ([22], supplementary, made smaller)."""

    DEPTH = 16  # channels of the noise

    def __init__(self, width: int = 48, bridge: int = 4):
        super().__init__()

        def block(incoming: int, outgoing: int, stride: int = 1, kernel: int = 3) -> nn.Sequential:
            convolution = nn.Conv2d(incoming, outgoing, kernel, stride, kernel // 2, padding_mode="reflect")
            return nn.Sequential(convolution, nn.BatchNorm2d(outgoing), nn.LeakyReLU(0.2))

        self.down = nn.ModuleList(block(width if n else self.DEPTH, width, stride=2) for n in range(3))
        self.across = nn.ModuleList(block(width if n else self.DEPTH, bridge, kernel=1) for n in range(3))
        self.up = nn.ModuleList(block(width + bridge, width) for _ in range(3))
        self.colours = nn.Conv2d(width, 3, 1)

    def forward(self, x: Tensor) -> Tensor:
        bridges = []
        for down, across in zip(self.down, self.across):
            bridges.append(across(x))
            x = down(x)
        for up in self.up:
            enlarged = F.interpolate(x, scale_factor=2, mode="bilinear")
            x = up(torch.cat([enlarged, bridges.pop()], dim=1))
        return self.colours(x).sigmoid()


def spectral_slope(image: Tensor) -> float:
    """How the power of an image ``(1, 3, H, W)`` falls with frequency f: the n of f⁻ⁿ.

    2 to 3 for photos (Field 1987), 0 for white noise, more for a blur: the slope of a line through the logarithms
    of the mean power of each whole frequency from 1 to half the side, in cycles per picture.
    """
    grey = image.detach().mean(dim=1)[0].cpu()
    window = torch.hann_window(len(grey), periodic=False)[:, None] * torch.hann_window(grey.shape[1], periodic=False)
    power = torch.fft.fft2((grey - grey.mean()) * window).abs().square()
    rows, columns = (len(grey) * torch.fft.fftfreq(side) for side in grey.shape)
    frequency = torch.hypot(rows[:, None], columns).round().long()
    whole = torch.arange(1, min(grey.shape) // 2)
    means = torch.stack([power[frequency == f].mean() for f in whole]).clamp(min=1e-12)
    x, y = whole.log(), means.log()
    return -(((x - x.mean()) * (y - y.mean())).sum() / (x - x.mean()).square().sum()).item()


def _choices(parameterization: Any) -> Search:
    adam = partial(Adam, lr=parameterization.RATE)
    return {"parameterization": parameterization, "optimizer": adam, "penalties": [], "schedule": cosine}


def _decoder_for(network: Network) -> Decoder:
    if network.name != NETWORK:
        raise ValueError(
            f"the decoder reads {LAYER} of {NETWORK}, not of {network.name}; or give a decoder of your own"
        )
    return load_decoder().to(network.device)
