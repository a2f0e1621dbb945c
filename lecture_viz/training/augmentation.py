"""Random views of a photo, in random colours."""

import math

import torch
from torch import Tensor
from torch.nn import functional as F


def views(count: int, smallest_crop: float, generator: torch.Generator) -> Tensor:
    """Random zoom, place, shape and mirror of ``count`` photos: affine maps ``(count, 2, 3)`` for `crop`.

    A view shows at least the share ``smallest_crop`` of the photo's area.
    """

    def uniform(low: float, high: float) -> Tensor:
        return torch.rand(count, generator=generator) * (high - low) + low

    area = uniform(smallest_crop, 1)
    stretch = uniform(math.log(3 / 4), math.log(4 / 3)).mul(0.5).exp()
    width, height = (area.sqrt() * stretch).clamp(max=1), (area.sqrt() / stretch).clamp(max=1)
    theta = torch.zeros(count, 2, 3)
    theta[:, 0, 0] = width * uniform(-1, 1).sign()  # a negative width mirrors
    theta[:, 1, 1] = height
    theta[:, 0, 2] = uniform(-1, 1) * (1 - width)
    theta[:, 1, 2] = uniform(-1, 1) * (1 - height)
    return theta


def crop(images: Tensor, theta: Tensor, pixels: int) -> Tensor:
    """The view ``theta`` ``(B, 2, 3)`` of each picture; uint8 ``(B, 3, H, W)`` to float ``(B, 3, pixels, pixels)``."""
    grid = F.affine_grid(theta.to(images.device), [len(images), 3, pixels, pixels], align_corners=False)
    return F.grid_sample(images.float() / 255, grid, padding_mode="reflection", align_corners=False)


def recolour(x: Tensor, colour: float, generator: torch.Generator) -> Tensor:
    """Brightness, contrast and saturation of each picture in ``[0, 1]`` changed at random by ± ``colour``."""

    def factor() -> Tensor:
        return ((torch.rand(len(x), generator=generator) * 2 - 1) * colour + 1).view(-1, 1, 1, 1).to(x.device)

    x = x * factor()
    mean = x.mean(dim=(1, 2, 3), keepdim=True)
    x = mean + (x - mean) * factor()
    grey = x.mean(dim=1, keepdim=True)
    return (grey + (x - grey) * factor()).clamp(0, 1)
