"""Inversion: what does a layer still know of the photo? (Mahendran and Vedaldi 2015 [14])

Given only a layer's activations y, look for a picture x that causes the same:

    argmin over x of  ‖f(x) − y‖² / ‖y‖² + λ R(x)        [14], equation 1

The first term is the *normalised feature error*: 0 says that the layer cannot tell x from the photo, 1 is as bad as no
picture at all. Many pictures cause nearly the same activations, so the problem is unstable, and the regulariser R says
which of them we want.

Four recipes (`benchmarks/inversion.py` compares the first and the last). ``"lbfgs"`` is the best we found: L-BFGS (Liu
and Nocedal 1989) on Fourier coefficients from mid-grey, one look at the network each step, and a weak total variation
that grows with depth. It learns the curvature from its last ten steps, so each must be about the same: with filters,
transforms or several pictures at once it is lost. Then ``"adam"`` does better: Adam on pixels from mid-grey, its rate
falling to 0 along a cosine, and three times the total variation. In the last layers of a network at full size, both
stay grey; ``"clouds"`` begins with faint ones instead: Adam on smooth Fourier coefficients, shifted by up to 8 pixels
at each look, with a weak total variation and L2. ``"mahendran"`` is the paper's: gradient descent with momentum 0.9 in
three rates from noise, the 6-norm, and total variation with β = 2, ten and a hundred times stronger deeper down. The
paper's pixels are 0 … 255 about their mean, and its regularisers are sums over the picture, divided by σ² = 27098², the
mean squared length of a photo of 227×227 pixels; ours are 0 … 1 about ½, and means. With ρ² the mean squared pixel of
such a photo (`ENERGY`), the published λ = 1, 10, 100 of ½ λ Σ|∇x|²/σ² become λ/(2ρ²) = 6.9, 69, 690, and 8·10⁻¹⁰ of the
6-norm becomes 23. Pixels beyond 0 … 1 are clipped here; the paper trusts the 6-norm.

What it shows: what the layer keeps. Where it misleads: what R asks for, the picture has, whether the layer kept it or
not; and a failed search does not prove that the layer has forgotten.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any, NamedTuple, Unpack

import numpy as np
import skimage
import torch
from torch import Tensor, nn

from ..networks import Network
from .maximization import start_image
from .optimization import Search, Step, cosine, optimize, resized
from .optimizers import LBFGS, SGD, Adam
from .regularizers import GREY, alpha_norm, l2, not_negative, total_variation
from .robustness import jitter

DEPTHS = (0.25, 0.55)  # parts of all layers; the paper's λ of the total variation grows behind relu2 and behind relu4
GREY_FROM = 0.75  # in a network at full size: from such a depth on, a search from mid-grey stays grey
WEIGHTS = {  # of the total variation, by depth
    "lbfgs": (0.3, 1, 3),
    "adam": (1, 3, 10),
    "clouds": (0.1, 0.1, 0.1),
    "mahendran": (6.9, 69, 690),
}
CLOUDS = {"L2": 0.1, "jitter": 8}  # beside it
ENERGY = (27098.1157 / 255) ** 2 / (3 * 227 * 227)  # ρ², the mean squared pixel of the paper's photos about their mean


class Choices(Search, total=False):
    """What `invert` takes for every layer alike."""

    recipe: str | None
    strength: float | Callable[[], float]
    start: str | Tensor | None
    seed: int


def feature_error(outputs: Tensor, activations: Tensor) -> Tensor:
    """‖f(x) − y‖² / ‖y‖² for outputs f(x) and activations y ``(B, …)``: one number per picture ``(B,)``."""
    return (outputs - activations).flatten(1).square().sum(dim=1) / activations.flatten(1).square().sum(dim=1)


def invert(
    network: Network,
    activations: Tensor,
    layer: str,
    steps: int = 128,
    *,
    recipe: str | None = None,
    strength: float | Callable[[], float] = 1,
    start: str | Tensor | None = None,
    size: int | None = None,
    seed: int = 0,
    **choices: Unpack[Search],
) -> Iterator[Step]:
    """Look for pictures that cause ``activations`` in ``layer``; yields each `Step`.

    Args:
        activations: ``(B, C, h, w)`` or ``(B, C)``, as `Network.activations` gives them: a picture for each.
        layer: where they come from.
        recipe: ``"lbfgs"``, ``"adam"``, ``"clouds"`` or ``"mahendran"``; whatever follows replaces a part of it. By
            default the best for the layer (`best_recipe`), and instead of ``"lbfgs"`` for several pictures, or with
            filters or transforms, ``"adam"``.
        strength: a factor for the recipe's penalties; or what is asked for it before each step, such as a slider.
        start: ``"grey"``, ``"clouds"`` (faint), ``"noise"`` (as strong as the contrast of photos) or an image
            ``(B, 3, H, W)``.
        size: height and width of the picture (default: the network's), unless ``start`` is an image.
        choices: ``penalties``, ``filters``, ``transforms``, ``optimizer``, ``schedule`` …, see `optimize`.

    Raises:
        ValueError: no such recipe or layer; activations that cannot come from this layer, are not finite or all zero;
            or whatever `optimize` refuses.
        Diverged: NaN or infinity.
    """
    if recipe is None:
        recipe = best_recipe(network, layer)
        if recipe == "lbfgs" and (len(activations) > 1 or choices.get("filters") or choices.get("transforms")):
            recipe = "adam"
    if recipe not in RECIPES:
        raise ValueError(f"there is no recipe {recipe!r}; there are {', '.join(RECIPES)}")
    first, plan = RECIPES[recipe](network, layer)
    own = [(penalty, penalty.strength) for penalty in plan["penalties"]]

    def follow() -> None:
        factor = strength() if callable(strength) else strength
        not_negative("strength", factor)
        for penalty, weight in own:
            penalty.strength = weight * factor

    follow()
    start, size = first if start is None else start, size or network.input_size
    if isinstance(start, str) and start == "noise":
        noise = torch.randn(len(activations), 3, size, size, generator=torch.Generator().manual_seed(seed))
        start = (GREY + ENERGY**0.5 * noise).clamp(0, 1)
    image = start_image(network, start, len(activations), size, seed=seed)
    wanted = _checked(network, image[:1], activations, layer)

    def objective(image: Tensor) -> dict[str, Tensor]:
        follow()
        return {"feature error": feature_error(network.activations(image, layer), wanted)}

    yield from optimize(objective, image, steps, seed=seed, **plan | choices)


def invert_all(
    network: Network,
    photo: Tensor,
    steps: int = 128,
    *,
    layers: Sequence[str] | None = None,
    **choices: Unpack[Choices],
) -> Iterator[tuple[str, Step]]:
    """Invert one layer after another; yields each layer's name with each of its steps.

    ``photo`` is an image ``(1, 3, H, W)``; ``layers`` are by default all, from the first to the last. Each layer begins
    anew, so that it shows nothing which another one knew. Arguments and errors as of `invert`.
    """
    for layer in network.layers if layers is None else layers:
        with torch.no_grad():
            activations = network.activations(network.check(photo), layer)
        for step in invert(network, activations, layer, steps, size=photo.shape[-1], **choices):
            yield layer, step


class Quality(NamedTuple):
    """How near an inverted picture is to what was looked for, and to the photo."""

    feature_error: float  # normalised: 0 is the same, 1 as bad as nothing
    psnr: float  # peak signal-to-noise ratio to the photo, in dB: 20 is poor, 40 hard to tell apart
    ssim: float  # structural similarity to the photo


def quality(network: Network, image: Tensor, photo: Tensor, layer: str) -> Quality:
    """Of ``image``, inverted from ``layer`` for ``photo``; both ``(1, 3, H, W)``."""
    with torch.no_grad():
        outputs, activations = (network.activations(picture, layer) for picture in (image, photo))
    error = float(np.square(_array(photo) - _array(image)).mean())
    ratio = -10 * math.log10(error) if error else math.inf  # the peak of both is 1
    return Quality(feature_error(outputs, activations).item(), ratio, ssim(image, photo))


def ssim(image: Tensor, photo: Tensor) -> float:
    """Structural similarity of two images ``(1, 3, H, W)``: 1 is the same, 0 nothing in common (Wang et al. 2004)."""
    return float(skimage.metrics.structural_similarity(*map(_array, (photo, image)), data_range=1, channel_axis=-1))


def coarsely_alike(image: Tensor, photo: Tensor, side: int = 16) -> float:
    """The correlation of light and dark in two images ``(1, 3, H, W)``, at ``side`` × ``side`` places: 1 is the same.

    The eye finds a photo under noise and in wrong colours, where SSIM, which compares detail, finds nothing.
    """
    small = [resized(x.mean(dim=1, keepdim=True), (side, side)).flatten() for x in (image, photo)]
    return torch.corrcoef(torch.stack(small))[0, 1].item()


def _array(image: Tensor) -> np.ndarray:
    return image[0].detach().movedim(0, -1).cpu().numpy()


# --- recipes: where to start, and what `optimize` takes --------------------------------------------------------------


def best_recipe(network: Network, layer: str) -> str:
    """For one picture without filters and transforms of one's own."""
    return "clouds" if network.full_size and _depth(network, layer) >= GREY_FROM else "lbfgs"


def by_depth(network: Network, layer: str, recipe: str) -> float:
    """A recipe's weight of the total variation for a shallow, a middle or a deep layer."""
    depth = _depth(network, layer)
    return WEIGHTS[recipe][sum(depth >= end for end in DEPTHS)]


def _depth(network: Network, layer: str) -> float:
    """From 0 to 1, which is for parts of a network that are not among its layers, too."""
    return network.layers.index(layer) / len(network.layers) if layer in network.layers else 1


class CarefulLBFGS(LBFGS):
    """L-BFGS with one look each step. When a step overshoots, it goes back to the best point and learns anew.

    A line search would look several times each step, and is seldom needed.
    """

    OVERSHOT = 1.5  # times the best value

    def __init__(self, parameters: list[Tensor]):
        super().__init__(parameters, max_iter=1, history_size=10, tolerance_grad=0, tolerance_change=0)
        self._best = math.inf
        self._kept: list[tuple[Tensor, Tensor]] = []  # parameters at the best point, and their slopes

    def step(self, closure: Callable[[], Any]) -> Any:  # type: ignore[override]  # it always wants one
        value = closure()
        with torch.no_grad():
            parameters = self.param_groups[0]["params"]
            if value > self.OVERSHOT * self._best:
                for parameter, (best, slope) in zip(parameters, self._kept):
                    parameter.copy_(best)
                    parameter.grad.copy_(slope)
                self.state.clear()
                self._best = math.inf  # what is best may have changed with a regulariser's strength
            elif value < self._best:
                self._best = value.item()
                self._kept = [(parameter.clone(), parameter.grad.clone()) for parameter in parameters]
        return super().step(lambda: value)


def _lbfgs(network: Network, layer: str) -> tuple[str, Search]:
    return "grey", {
        "parameterization": "fourier",
        "optimizer": CarefulLBFGS,
        "penalties": [total_variation(by_depth(network, layer, "lbfgs"))],
    }


def _adam(network: Network, layer: str) -> tuple[str, Search]:
    return "grey", {
        "optimizer": partial(Adam, lr=0.1),
        "schedule": cosine,
        "penalties": [total_variation(by_depth(network, layer, "adam"))],
    }


def _clouds(network: Network, layer: str) -> tuple[str, Search]:
    return "clouds", {
        "parameterization": "smooth fourier",
        "penalties": [total_variation(by_depth(network, layer, "clouds")), l2(CLOUDS["L2"])],
        "transforms": [jitter(CLOUDS["jitter"])],
    }


def _mahendran(network: Network, layer: str) -> tuple[str, Search]:
    """[14], section 3, with the rates and constants of the authors' code, converted."""
    return "noise", {
        "optimizer": lambda x: SGD(x, lr=0.004 * ENERGY * x[0][0].numel(), momentum=0.9),
        "schedule": lambda taken: 1 if taken < 1 / 4 else 0.1 if taken < 3 / 4 else 0.01,
        "penalties": [total_variation(by_depth(network, layer, "mahendran")), alpha_norm(23, 6)],
    }


RECIPES = {"lbfgs": _lbfgs, "adam": _adam, "clouds": _clouds, "mahendran": _mahendran}


def _checked(network: Network, image: Tensor, activations: Tensor, layer: str) -> Tensor:
    """``activations``, or a ValueError that says why ``layer`` cannot have caused them."""
    with torch.no_grad():
        shape = network.activations(image, layer).shape[1:]
        if activations.shape[1:] != shape:
            outputs = network.run(image, network.layers)
            fitting = [name for name, output in outputs.items() if output.shape[1:] == activations.shape[1:]]
            raise ValueError(
                f"{layer} of {network.name} gives (B, {', '.join(map(str, shape))}) for {image.shape[3]}×"
                f"{image.shape[2]} pixels, and these activations are {tuple(activations.shape)}; "
                + (f"such gives {', '.join(fitting)}" if fitting else "they come from another network, or another size")
            )
    if not activations.isfinite().all():
        raise ValueError("the activations hold NaN or infinite values; replace them, for example with nan_to_num")
    if not activations.flatten(1).any(dim=1).all():
        raise ValueError(f"all activations of {layer} are zero: they say nothing of a photo; take another layer")
    if isinstance(network.part(layer), nn.ReLU) and activations.min() < 0:
        raise ValueError(f"{layer} is a ReLU and never negative, but these are; take those from behind the ReLU")
    return activations.detach().to(network.device)
