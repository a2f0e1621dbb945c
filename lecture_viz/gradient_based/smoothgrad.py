"""SmoothGrad: average the noise away (Smilkov et al. 2017, section 3).

The gradient of a trained network changes wildly from one photo to its nearest neighbours, which look the same to us.
So take many neighbours, each with other noise, and average:

    SmoothGrad = 1/n · Σᵢ ∂S/∂x (x + εᵢ),    εᵢ ~ N(0, σ²) for every pixel and colour

What it shows: what the gradients of all neighbours have in common. It is close to the gradient of a blurred score, the
mean of S over the neighbours. Where it misleads: the picture is calmer, but it explains the neighbours of the photo,
and how calm it is was chosen with σ.
"""

from collections import deque
from collections.abc import Iterator

import torch
from torch import Tensor

from ..networks.network import Network
from ..targets import Target, as_target
from .gradients import gradient
from .relu_rules import Rule

NOISE = 0.15  # the paper finds 10 % to 20 % of the pixels' range best; black is 0, white is 1
BATCH = 8  # neighbours at once: often enough for a picture that grows while one watches


def smoothgrad(
    network: Network,
    image: Tensor,
    target: Target,
    samples: int = 32,
    noise: float = NOISE,
    rule: Rule = "backprop",
    seed: int = 0,
) -> Tensor:
    """The mean gradient over ``samples`` noisy copies of ``image`` ``(B, 3, H, W)``: signed, same shape and device.

    Args:
        noise: σ, the standard deviation of the noise, in pixel values (0 … 1).
        seed: the same seed gives the same noise.

    Raises:
        ValueError: no samples or a negative σ; and whatever `gradient` raises.
    """
    return deque(means(network, image, target, samples, noise, rule, seed), maxlen=1)[0]


def means(
    network: Network,
    image: Tensor,
    target: Target,
    samples: int,
    noise: float = NOISE,
    rule: Rule = "backprop",
    seed: int = 0,
) -> Iterator[Tensor]:
    """`smoothgrad` while it grows: the mean so far, after every few samples."""
    if isinstance(samples, bool) or not isinstance(samples, int) or samples < 1:
        raise ValueError(f"samples is how many noisy copies to average, a whole number from 1; got {samples!r}")
    if not 0 <= noise < float("inf"):
        raise ValueError(f"noise is a standard deviation in pixel values, 0 or more, such as {NOISE}; got {noise!r}")
    image, target = network.check(image), as_target(target)
    random = torch.Generator().manual_seed(seed)
    total, done = torch.zeros_like(image), 0
    while done < samples:
        count = min(BATCH, samples - done)
        copies = image.repeat(count, 1, 1, 1)
        epsilon = noise * torch.randn(copies.shape, generator=random, dtype=copies.dtype).to(network.device)

        def near(network: Network, x: Tensor, epsilon: Tensor = epsilon) -> Tensor:
            return target(network, x.to(epsilon.device) + epsilon)

        total += gradient(network, copies, near, rule).view(count, *image.shape).sum(dim=0)
        done += count
        yield total / done


smoothgrad.grows = means  # type: ignore[attr-defined]  # a panel shows each mean
