"""Pictures by which to judge a network while it is being trained: a class image for each of some labels.

A class image maximises one logit (activation maximisation, the lecture's ``argmax f(x)``) by the recipe of Olah et
al. 2017 [17]: the picture is kept as Fourier coefficients of decorrelated colours, and slightly moved, turned and
scaled at every step, so that only what survives such small changes is drawn.
"""

import math

import torch
from torch import Tensor
from torch.nn import functional as F

from ..networks import Network

# Columns: light, blue–yellow, green–magenta; the principal axes of the colours of natural photos times their standard
# deviations, measured on the pixels of Tiny ImageNet
COLOURS = torch.tensor([[0.254, -0.098, 0.023], [0.260, 0.002, -0.048], [0.261, 0.093, 0.025]])


def class_images(
    network: Network, labels: list[str | int], steps: int = 256, canvas: int = 72, rate: float = 0.02, seed: int = 0
) -> Tensor:
    """One picture ``(N, 3, size, size)`` in ``[0, 1]`` for each label, ``size`` being the network's.

    All are optimised in one batch, on a ``canvas`` a little larger than the picture so that it can be moved about.
    """
    random = torch.Generator().manual_seed(seed)
    count, size = len(labels), network.input_size
    wanted = torch.tensor([network.label_index(label) for label in labels], device=network.device)
    frequency = torch.hypot(torch.fft.fftfreq(canvas)[:, None], torch.fft.rfftfreq(canvas)[None, :])
    # natural pictures have amplitudes of 1/f: without this, fine noise would be as easy to draw as shapes
    amplitude = (canvas / frequency.clamp(min=1 / canvas)).to(network.device)
    start = torch.randn(count, 3, canvas, canvas // 2 + 1, 2, generator=random) * 0.01
    coefficients = start.to(network.device).requires_grad_()
    colours = COLOURS.to(network.device)
    optimiser = torch.optim.Adam([coefficients], lr=rate)

    def painted() -> Tensor:
        components = torch.fft.irfft2(torch.view_as_complex(coefficients) * amplitude, s=(canvas, canvas))
        return torch.einsum("rc,nchw->nrhw", colours, components).mul(4).sigmoid()

    def uniform(extent: float) -> Tensor:
        return (torch.rand(count, generator=random) * 2 - 1) * extent

    for _ in range(steps):
        angle, scale = uniform(math.radians(8)), (1 + uniform(0.1)) * size / canvas
        theta = torch.stack(
            [scale * angle.cos(), -scale * angle.sin(), uniform(2 * 6 / canvas)]
            + [scale * angle.sin(), scale * angle.cos(), uniform(2 * 6 / canvas)],
            dim=1,
        ).view(count, 2, 3)
        grid = F.affine_grid(theta, [count, 3, size, size], align_corners=False).to(network.device)
        seen = F.grid_sample(painted(), grid, padding_mode="reflection", align_corners=False)
        loss = -network(seen).gather(1, wanted[:, None]).sum()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    edge = (canvas - size) // 2
    return painted().detach()[..., edge : edge + size, edge : edge + size]
