"""What a method says about an image, as a picture for the screen; and pictures as bytes of a file.

A *map* is signed (a gradient) or a magnitude (a saliency). How maps are shown, everywhere in the suite: the limit of
the scale is the 99.5th percentile of the absolute values (`stretch`), so that one wild pixel does not turn the rest
grey; what lies beyond is clipped.

* signed, three channels: each colour channel about mid-grey (0 is grey, +limit is full, −limit is none);
* signed, one channel: blue – white – red about 0;
* magnitude: black – magenta – yellow ("magma", perceptually uniform), 0 is black.
"""

import io
from functools import cache

import numpy as np
import torch
from PIL import Image
from torch import Tensor

PERCENTILE = 99.5
EXACT = 96  # pictures up to this many pixels are shown pixel by pixel; larger ones are smoothed and sent as JPEG


def to_array(image: Tensor) -> np.ndarray:
    """An image ``(1, 3, H, W)`` or ``(3, H, W)``, clipped to ``[0, 1]``, as ``(H, W, 3)`` uint8."""
    values = (image[0] if image.ndim == 4 else image).detach().cpu().numpy()
    # not in PyTorch, which shares it among threads; while another picture is being sent they wait for one another
    return np.rint(values.clip(0, 1) * 255).astype(np.uint8).transpose(1, 2, 0)


def to_pil(image: Tensor) -> Image.Image:
    """An image ``(1, 3, H, W)`` as a PIL image."""
    return Image.fromarray(to_array(image))


def encode(image: Tensor, format: str = "png", quality: int = 92) -> bytes:
    """An image ``(1, 3, H, W)`` as the bytes of a file: ``"png"`` is exact, ``"jpeg"`` six times faster at 224².

    ``quality`` is JPEG's, up to 100.
    """
    file = io.BytesIO()
    if format == "png":
        to_pil(image).save(file, "PNG", compress_level=1)
    else:
        to_pil(image).save(file, "JPEG", quality=quality)
    return file.getvalue()


def stretch(values: Tensor, percentile: float = PERCENTILE) -> float:
    """The limit of a map's scale: a percentile of ``|values|``; 1 for a map of zeros."""
    magnitudes = np.abs(values.detach().float().cpu().numpy()).ravel()
    position = max(1, round(percentile / 100 * len(magnitudes))) - 1
    limit = float(np.partition(magnitudes, position)[position])
    return limit or float(magnitudes.max()) or 1.0


def show_signed(values: Tensor, limit: float | None = None) -> Tensor:
    """A signed map ``(1, 1 | 3, H, W)`` as an image about 0, scaled by ``limit`` (default: `stretch`)."""
    scaled = (values.detach() / (limit or stretch(values))).clamp(-1, 1)
    if values.shape[1] == 3:
        return (1 + scaled) / 2
    return _colour((1 + scaled) / 2, SCALES["signed"])


def show_magnitude(values: Tensor, limit: float | None = None) -> Tensor:
    """A map of magnitudes ``(1, 1, H, W)``, ≥ 0, as an image, scaled by ``limit`` (default: `stretch`)."""
    return _colour((values.detach() / (limit or stretch(values))).clamp(0, 1), SCALES["magnitude"])


SCALES = {"signed": "RdBu_r", "magnitude": "magma"}


def scale_colours(scale: str) -> list[list[int]]:
    """The colours of a scale, red, green and blue in 0 … 255, from the least to the greatest value.

    ``"signed"`` goes from −limit to +limit, ``"magnitude"`` from 0 to limit; ``"colours"``, a signed map with three
    channels, has a scale in each of them, and so no table.
    """
    return (_table(SCALES[scale]) * 255).round().int().tolist() if scale in SCALES else []


def _colour(scaled: Tensor, colours: str) -> Tensor:
    index = (scaled.cpu() * 255).round().long()[:, 0]
    return _table(colours)[index].permute(0, 3, 1, 2)


@cache
def _table(colours: str) -> Tensor:
    from matplotlib import colormaps  # here, because it takes longer to import than all the rest of this file

    return torch.from_numpy(colormaps[colours](np.arange(256))[:, :3]).float()
