"""Activation maximisation: which picture excites this number most? (Simonyan et al. 2014 [20], section 2)

    argmax over x of  S(x) − λ R(x)

The weights stay, the *input* changes: gradient ascent on the picture x. The target S may be a neuron, an activation
map, a layer, a logit or a probability. Without R, the answer is noise that the network takes for the class; a penalty,
a filter, or transformation robustness asks for pictures such as we know (Olah et al. 2017 [17]).

What it shows: what the network expects of the class. Arms with a dumbbell say that it often saw the two together.
Where it misleads: the regulariser paints along, and a class image is *more* typical than most photos.
"""

from collections.abc import Iterator, Sequence
from typing import Any, Unpack

import torch
from torch import Tensor

from ..networks import Network
from ..targets import Target, as_target, logit
from .optimization import Keep, Loop, Step, last, optimize
from .parameterization import PARAMETERIZATIONS, Pixels, SmoothFourier
from .regularizers import GREY, l2, total_variation
from .robustness import jitter, rotation, scale

# strengths that give natural pictures: in Fourier coefficients, and at full size in smooth ones
SMALL: dict[str, float] = {"jitter": 6, "rotation": 8, "scale": 0.1}
LARGE: dict[str, float] = {"total variation": 75, "L2": 50, "jitter": 16, "rotation": 8, "scale": 0.3}

CONTRAST = 0.05  # standard deviation of clouds to begin with


def maximize(
    network: Network,
    target: Target | Sequence[Target],
    steps: int = 256,
    *,
    start: str | Tensor = "noise",
    size: int | None = None,
    parameterization: str | Keep = "pixels",
    seed: int = 0,
    **choices: Unpack[Loop],
) -> Iterator[Step]:
    """Change a picture until ``target`` is as large as it gets; yields each `Step`.

    Args:
        target: one, or several: then a picture for each, in one batch.
        start: ``"noise"``, ``"grey"``, ``"clouds"`` (slow waves, faint) or an image ``(B, 3, H, W)``.
        size: height and width of the picture in pixels (default: the network's), unless ``start`` is an image.
        parameterization: ``"pixels"``, ``"fourier"``, or another, see `optimize`.
        choices: ``optimizer``, ``penalties``, ``filters``, ``transforms``, ``octaves`` …, see `optimize`.

    In the steps, the target counts plus and the penalties minus.

    Raises:
        ValueError: no target; unknown start, layer or label; a channel or place that the layer does not have; no
            picture to start with; or whatever `optimize` refuses.
        Diverged: NaN or infinity.
    """
    targets = [as_target(one) for one in (target if isinstance(target, (list, tuple)) else [target])]
    if not targets:
        raise ValueError("there is no target; give at least one")
    for one in targets:
        one.check(network)
    name = targets[0].name if len(targets) == 1 else f"{len(targets)} targets"
    layers = list(dict.fromkeys(layer for one in targets for layer in one.layers))

    def objective(image: Tensor) -> dict[str, Tensor]:
        outputs = network.run(image, layers)
        values = [one.read(network, outputs) for one in targets]
        if len(targets) > 1:
            values = [torch.stack([value[n] for n, value in enumerate(values)])]
        return {name: values[0]}

    image = start_image(network, start, len(targets), size or network.input_size, parameterization, seed)
    keep = parameterization
    yield from optimize(objective, image, steps, parameterization=keep, seed=seed, maximize=True, **choices)


def class_images(network: Network, labels: Sequence[str | int], steps: int = 256, seed: int = 0) -> Tensor:
    """A picture of each class ``(N, 3, size, size)``, all in one batch, by the recipe of Olah et al. [17].

    Fourier coefficients of decorrelated colours, jitter, rotation and scale; at full size smooth
    ones, gentle penalties, and from small to large. See `maximize` for errors.
    """
    targets = [logit(label) for label in labels]
    strengths = LARGE if network.full_size else SMALL
    choices: dict[str, Any] = {"parameterization": "fourier"}
    choices["transforms"] = [make(strengths[make.__name__]) for make in (jitter, rotation, scale)]
    if network.full_size:
        choices |= {"parameterization": "smooth fourier", "start": "grey", "octaves": 4}
        choices["penalties"] = [total_variation(strengths["total variation"]), l2(strengths["L2"])]
    return last(maximize(network, targets, steps, seed=seed, **choices)).image


def start_image(
    network: Network, start: str | Tensor, count: int, size: int, parameterization: str | Keep = "pixels", seed: int = 0
) -> Tensor:
    """``count`` images ``(count, 3, size, size)`` in ``[0, 1]`` to begin with; ``start``, errors as of `maximize`.

    ``parameterization`` says what noise is: in ``"fourier"`` it has all waves, the slow ones strongest.
    """
    if isinstance(start, Tensor):
        image = network.check(start)
        if len(image) not in (1, count):
            raise ValueError(f"there are {len(image)} pictures to start with for {count} targets")
        return image.expand(count, -1, -1, -1).to(network.device)
    if start == "grey":
        return torch.full((count, 3, size, size), GREY, device=network.device)
    random = torch.Generator().manual_seed(seed)
    if start == "clouds":
        clouds = SmoothFourier.noise(count, size, random) - GREY
        return (GREY + CONTRAST * clouds / clouds.std()).clamp(0, 1).to(network.device)
    if start == "noise":
        kept = PARAMETERIZATIONS.get(parameterization, Pixels) if isinstance(parameterization, str) else Pixels
        return kept.noise(count, size, random).to(network.device)
    raise ValueError(f"start is 'noise', 'grey', 'clouds' or an image; got {start!r}")
