"""Adversarial training: the network learns from pictures that were changed a little so as to mislead it.

    min over θ of E[ max over ‖δ‖₂ ≤ ε of L(θ, x + δ, y) ]        (Madry et al. 2018, equation 2.1)

The inner maximum is searched by projected gradient ascent on the picture. While training, one step from a random start
is enough (Wong et al. 2020); to measure how well a network withstands it, take ten. Gradients of networks trained in
this way follow the shapes that people see (Tsipras et al. 2019).
"""

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional as F


def _length(x: Tensor) -> Tensor:
    return x.flatten(1).norm(dim=1).clamp(min=1e-12).view(-1, 1, 1, 1)


def attack(
    logits: Callable[[Tensor], Tensor],
    pictures: Tensor,
    classes: Tensor,
    radius: float,
    generator: torch.Generator,
    steps: int = 1,
) -> Tensor:
    """``pictures`` ``(B, 3, H, W)`` in ``[0, 1]``, each changed so that ``logits`` of it say ``classes`` least.

    ``radius`` is the longest change allowed, as Euclidean length over the pixels of a 64×64 picture; other sizes are
    changed as much per pixel.
    """
    radius = radius * pictures.shape[-1] / 64
    step = min(1, 2.5 / steps) * radius
    device, here = pictures.device, generator
    if device.type != "cpu":  # millions of numbers: an accelerator draws its own
        here = torch.Generator(device).manual_seed(int(torch.randint(2**62, (), generator=generator)))
    change = torch.randn(pictures.shape, generator=here, device=device)
    change *= radius * torch.rand(len(pictures), 1, 1, 1, generator=here, device=device) / _length(change)
    for _ in range(steps):
        change.requires_grad_()
        loss = F.cross_entropy(logits((pictures + change).clamp(0, 1)).float(), classes, reduction="sum")
        (slope,) = torch.autograd.grad(loss, change)
        change = change.detach() + step * slope / _length(slope)
        change = change * (radius / _length(change)).clamp(max=1)
    return (pictures + change).clamp(0, 1)
