"""How a picture is kept while it is optimised: as pixels, or as Fourier coefficients of decorrelated colours.

The same pictures can be written down in both ways, but a step of the optimiser goes elsewhere: along single pixels, it
draws fine noise as easily as shapes. Kept as

    x = sigmoid(C · F⁻¹(a · z))        Olah et al. 2017 [17], section "Preconditioning and Parameterization"

with coefficients z, amplitudes a = 1/frequency as in natural photos, and C the colour directions of natural photos, a
step along one coefficient changes a whole wave, slow waves most, and red, green and blue together.

At 224 pixels there are so many fast waves that they win all the same: the picture is a carpet of fine, hard patterns.
With amplitudes 1/frequency^1.6 (``"smooth fourier"``) shapes come first, and the fast waves later, softly.

Where it misleads: the nicer picture owes something to this choice, not only to the network.
"""

from typing import Protocol

import torch
from torch import Tensor

# Columns: light, blue–yellow, green–magenta; the principal axes of the colours of natural photos times their standard
# deviations, measured on the pixels of Tiny ImageNet
COLOURS = torch.tensor([[0.254, -0.098, 0.023], [0.260, 0.002, -0.048], [0.261, 0.093, 0.025]])
CONTRAST = 4.0  # the sigmoid's slope is 1/4: so colours keep their spread about mid-grey
EDGE = 1e-3  # pixels of exactly 0 or 1 have no finite logit


class Parameterization(Protocol):
    """A way to keep a picture; made from an image ``(B, 3, H, W)`` to begin with."""

    RATE: float  # of Adam, at first
    parameters: list[Tensor]  # what the optimiser changes

    def image(self) -> Tensor:
        """The picture ``(B, 3, H, W)`` in ``[0, 1]``, differentiable in the `parameters`."""

    def put(self, image: Tensor) -> None:
        """Replace the picture."""

    def settle(self) -> None:
        """After a step of the optimiser: back to where pictures are."""


class Pixels:
    """The picture itself, ``(B, 3, H, W)``, kept in ``[0, 1]``."""

    RATE = 0.05  # of Adam

    def __init__(self, image: Tensor):
        self.parameters = [image.detach().clone().requires_grad_()]

    def image(self) -> Tensor:
        return self.parameters[0]

    def put(self, image: Tensor) -> None:
        with torch.no_grad():
            self.parameters[0].copy_(image)
        self.settle()

    def settle(self) -> None:
        """After a step of the optimiser: back into ``[0, 1]``."""
        with torch.no_grad():
            self.parameters[0].clamp_(0, 1)

    @staticmethod
    def noise(count: int, size: int, random: torch.Generator) -> Tensor:
        """Faint grains about mid-grey."""
        return (0.5 + 0.05 * torch.randn(count, 3, size, size, generator=random)).clamp(0, 1)


class Fourier:
    """Coefficients of the waves that make the picture, in decorrelated colours."""

    RATE = 0.02
    DECAY = 1.0  # an amplitude is 1 / frequency to this power

    def __init__(self, image: Tensor):
        height, width = image.shape[2:]
        self._size = (height, width)
        frequency = torch.hypot(torch.fft.fftfreq(height)[:, None], torch.fft.rfftfreq(width)[None, :])
        frequency = frequency.clamp(min=1 / max(height, width))
        waves = frequency * max(height, width)  # across the picture
        self._amplitude = (max(height, width) / frequency * waves ** (1 - self.DECAY)).to(image.device)
        self._colours = COLOURS.to(image)
        self.parameters = [self._coefficients(image).requires_grad_()]

    def _coefficients(self, image: Tensor) -> Tensor:
        logits = image.detach().clamp(EDGE, 1 - EDGE).logit() / CONTRAST
        components = torch.einsum("cr,nrhw->nchw", torch.linalg.inv(self._colours), logits)
        return torch.view_as_real(torch.fft.rfft2(components) / self._amplitude).contiguous()

    def image(self) -> Tensor:
        components = torch.fft.irfft2(torch.view_as_complex(self.parameters[0]) * self._amplitude, s=self._size)
        return torch.einsum("rc,nchw->nrhw", self._colours, components).mul(CONTRAST).sigmoid()

    def put(self, image: Tensor) -> None:
        with torch.no_grad():
            self.parameters[0].copy_(self._coefficients(image))

    def settle(self) -> None:
        """Nothing to do: the sigmoid stays within ``[0, 1]``."""

    @classmethod
    def noise(cls, count: int, size: int, random: torch.Generator) -> Tensor:
        """Faint clouds about mid-grey: all waves, the slow ones strongest."""
        clouds = cls(torch.full((count, 3, size, size), 0.5))
        with torch.no_grad():
            coefficients = clouds.parameters[0]
            coefficients.copy_(0.01 * torch.randn(coefficients.shape, generator=random))
            return clouds.image()


class SmoothFourier(Fourier):
    """The same with fainter fast waves: for large pictures."""

    RATE = 0.02  # faster, and the pictures are over-contrasty
    CALMER = True  # the rate falls to 0 along half a cosine wave, unless one says otherwise
    DECAY = 1.6


PARAMETERIZATIONS: dict[str, type[Pixels] | type[Fourier]] = {
    "pixels": Pixels,
    "fourier": Fourier,
    "smooth fourier": SmoothFourier,
}
