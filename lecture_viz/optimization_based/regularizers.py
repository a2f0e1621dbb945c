"""What a picture should be like: penalties, added to the loss, and filters, applied to the picture after each step.

Penalties R(x) of a picture x, per pixel and colour, so that a weight means the same at every size:

    L2                 mean of (x − ½)²           small contrast                        Simonyan et al. 2014 [20]
    α-norm             mean of |x − ½|^α          α = 6 forbids only the extremes       Mahendran, Vedaldi 2015 [14]
    L1                 mean of |x − ½|            most pixels exactly grey
    total variation    mean of (|∇x|² + ε)^(β/2)  few edges; β = 1 keeps them sharp,    [14], section 2
                                                  β = 2 spreads them

Filters take the picture and give a calmer one: Gaussian low-pass; median and bilateral, which keep edges; a soft
threshold on wavelet coefficients; and clipping to grey the pixels that are small or contribute little (Yosinski et al.
2015 [25], section 4). Low-pass and median come from scikit-image, wavelets from PyWavelets.

Where they mislead: what they ask for, the picture will have, whether the network cares or not.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import pywt
import skimage  # loads its parts where they are used: at the start they would take half as long as PyTorch
import torch
from torch import Tensor
from torch.nn import functional as F

GREY = 0.5
EPSILON = 1e-8  # without it, the gradient of the total variation of a flat picture is NaN for β < 2


@dataclass(repr=False)
class Choice:
    """Something one may ask of a picture; its ``strength`` may be changed any time, and 0 switches it off."""

    name: str
    strength: float
    code: str = field(default="", kw_only=True)  # the call that makes it, with {} for the strength

    def __post_init__(self) -> None:
        not_negative(f"the strength of the {self.name}", self.strength)

    def __repr__(self) -> str:
        """The code that makes it, with the package as ``lv``; of one's own, its name."""
        return self.code.format(f"{self.strength:g}") or f"<{self.name}, {self.strength:g}>"


@dataclass(repr=False)
class Penalty(Choice):
    """``strength · R(x)`` for pictures ``(B, 3, H, W)``: one number each ``(B,)``; the strength is the formula's λ."""

    measure: Callable[[Tensor], Tensor]

    def __call__(self, image: Tensor) -> Tensor:
        return self.strength * self.measure(image)


@dataclass(repr=False)
class Filter(Choice):
    """Changes a picture ``(B, 3, H, W)``, given also its gradient; goes only ``part`` (0 … 1) of the way."""

    change: Callable[[Tensor, Tensor, float], Tensor]

    def __call__(self, image: Tensor, gradient: Tensor, part: float = 1) -> Tensor:
        if not self.strength:
            return image
        changed = self.change(image, gradient, self.strength)
        return changed if part == 1 else image + part * (changed - image)


def not_negative(what: str, number: float) -> None:
    """Raise a ValueError unless ``number`` is finite and at least 0."""
    if not 0 <= number < float("inf"):
        raise ValueError(f"{what} is 0 or more; got {number!r}")


# --- penalties -----------------------------------------------------------------------------------------------------


def alpha_norm(weight: float, alpha: float = 6) -> Penalty:
    """The mean of |x − ½|^α over pixels and colours."""
    if not 1 <= alpha < float("inf"):
        raise ValueError(f"alpha is 1 or more; got {alpha!r}")
    name = {1.0: "L1", 2.0: "L2"}.get(alpha, f"{alpha:g}-norm")
    code = {1.0: "l1({})", 2.0: "l2({})"}.get(alpha, f"alpha_norm({{}}, {alpha:g})")
    measure = lambda x: (x - GREY).abs().pow(alpha).flatten(1).mean(dim=1)  # noqa: E731
    return Penalty(name, weight, measure, code=f"lv.regularizers.{code}")


def l2(weight: float) -> Penalty:
    """The mean of (x − ½)²: small contrast."""
    return alpha_norm(weight, 2)


def l1(weight: float) -> Penalty:
    """The mean of |x − ½|: most pixels exactly grey."""
    return alpha_norm(weight, 1)


def total_variation(weight: float, beta: float = 2, epsilon: float = EPSILON) -> Penalty:
    """The mean of (|∇x|² + ε)^(β/2); ∇x are the differences to the pixel below and to the right."""
    if not 0 < beta < float("inf"):
        raise ValueError(f"beta is above 0; got {beta!r}")
    not_negative("epsilon", epsilon)

    def measure(x: Tensor) -> Tensor:
        down, right = x[:, :, 1:, :-1] - x[:, :, :-1, :-1], x[:, :, :-1, 1:] - x[:, :, :-1, :-1]
        return (down.square() + right.square() + epsilon).pow(beta / 2).flatten(1).mean(dim=1)

    more = f", beta={beta:g}" * (beta != 2) + f", epsilon={epsilon:g}" * (epsilon != EPSILON)
    return Penalty("total variation", weight, measure, code=f"lv.regularizers.total_variation({{}}{more})")


# --- filters -------------------------------------------------------------------------------------------------------


def _each(change: Callable[[np.ndarray, float], np.ndarray]) -> Callable[[Tensor, Tensor, float], Tensor]:
    """A change of arrays ``(H, W, 3)`` as one of images, whatever device they are on."""

    def changed(image: Tensor, gradient: Tensor, strength: float) -> Tensor:
        arrays = image.detach().cpu().permute(0, 2, 3, 1).numpy()
        results = [np.asarray(change(array, strength), dtype=arrays.dtype) for array in arrays]
        return torch.from_numpy(np.stack(results)).permute(0, 3, 1, 2).to(image.device)

    return changed


def low_pass(sigma: float) -> Filter:
    """Gaussian blur with this standard deviation in pixels."""
    return Filter(
        "low-pass",
        sigma,
        _each(lambda x, sigma: skimage.filters.gaussian(x, sigma, channel_axis=-1)),
        code="lv.regularizers.low_pass({})",
    )


def median(radius: float) -> Filter:
    """The median of the pixels within this many rows and columns: keeps edges."""

    def change(x: np.ndarray, radius: float) -> np.ndarray:
        window = np.ones((2 * int(radius) + 1, 2 * int(radius) + 1, 1))
        return skimage.filters.median(x, window)

    return Filter("median", radius, _each(change), code="lv.regularizers.median({})")


def bilateral(strength: float, reach: float = 1.5) -> Filter:
    """The mean of near pixels of similar colour: keeps edges of more than about ``strength`` (0 … 1).

    ``reach`` is the standard deviation of the distance in pixels; 5×5 pixels are near (Tomasi and Manduchi 1998). Our
    own, because scikit-image's (0.26) mixes up its table of distances, and each use would shift the picture.
    """
    offset = torch.arange(-2.0, 3.0).square()
    distance = (offset[:, None] + offset).view(1, 1, 25, 1, 1) / (2 * reach**2)

    def change(image: Tensor, gradient: Tensor, strength: float) -> Tensor:
        near = F.unfold(F.pad(image, (2, 2, 2, 2), mode="replicate"), 5).view(*image.shape[:2], 25, *image.shape[2:])
        difference = (near - image[:, :, None]).square().sum(dim=1, keepdim=True) / (2 * strength**2)
        weights = (-difference - distance.to(image)).exp()
        return (weights * near).sum(dim=2) / weights.sum(dim=2)

    more = "" if reach == 1.5 else f", {reach:g}"
    return Filter("bilateral", strength, change, code=f"lv.regularizers.bilateral({{}}{more})")


def wavelet_threshold(strength: float) -> Filter:
    """Soft threshold on the coefficients of Haar wavelets: what is smaller than ``strength`` (0 … 1) is gone."""

    def change(x: np.ndarray, strength: float) -> np.ndarray:
        coefficients = pywt.wavedec2(x, "haar", axes=(0, 1))
        soft = [
            coefficients[0],
            *(tuple(pywt.threshold(part, strength) for part in level) for level in coefficients[1:]),
        ]
        return pywt.waverec2(soft, "haar", axes=(0, 1))[: x.shape[0], : x.shape[1]]

    return Filter("wavelet threshold", strength, _each(change), code="lv.regularizers.wavelet_threshold({})")


def _clip(name: str, percent: float, size: Callable[[Tensor, Tensor], Tensor]) -> Filter:
    """Set to grey the ``percent`` of pixels for which ``size`` ``(B, 1, H, W)`` is the smallest."""

    def change(image: Tensor, gradient: Tensor, percent: float) -> Tensor:
        sizes = size(image, gradient)
        limit = sizes.flatten(1).quantile(min(percent, 100) / 100, dim=1).view(-1, 1, 1, 1)
        return torch.where(sizes < limit, torch.full_like(image, GREY), image)

    return Filter(name, percent, change, code=f"lv.regularizers.{name.replace(' ', '_')}({{}})")


def clip_small(percent: float) -> Filter:
    """Set to grey the pixels nearest to grey, this many percent of them (Yosinski: small norm)."""
    return _clip("clip small", percent, lambda x, gradient: (x - GREY).norm(dim=1, keepdim=True))


def clip_small_contribution(percent: float) -> Filter:
    """Set to grey the pixels that contribute least to the objective, |Σ over colours of (x − ½) · gradient|."""
    return _clip(
        "clip small contribution",
        percent,
        lambda x, gradient: ((x - GREY) * gradient).sum(dim=1, keepdim=True).abs(),
    )
