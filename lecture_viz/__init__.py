"""Touch the lecture: gradient-based and optimisation-based visualisation of neural networks.

A photo flows one way: photo → network → target → gradient or optimisation → picture → panel.

    import lecture_viz as lv

    net = lv.load_network("alexnet64")
    photo = lv.load_image("cat", size=64)
    lv.gradient(net, photo, lv.logit("tabby"), rule="guided")
    lv.live.gradients(net, photo)
"""

import os

# PyTorch's threads wait for one another by counting. When other programs have the cores, counting to 300,000, as usual,
# takes many times longer than the sums themselves; counting to 2,000 costs an idle machine a tenth to a quarter, and a
# panel in a browser nothing (benchmarks/RESULTS.md, "busy"). It is read once, when PyTorch is first imported: so this
# line comes first.
os.environ.setdefault("GOMP_SPINCOUNT", "2000")

from importlib import import_module
from types import ModuleType, SimpleNamespace
from typing import TYPE_CHECKING, Any

from .gradient_based.dataset_examples import dataset_examples
from .gradient_based.deconvnet import NoChain, deconvnet
from .gradient_based.gradients import Sensitivity, gradient, magnitude, saliency, sensitivity
from .gradient_based.relu_rules import RULES, relu_backward, relu_rule, two_relus, way_back
from .gradient_based.sanity_checks import cascade, randomized, similarity
from .gradient_based.smoothgrad import smoothgrad
from .gradient_based.top_patches import top_patches
from .languages import use_language
from .networks import Network, WeightsUnavailable, load_network, wrap
from .networks.activation_maps import activation_maps, flow
from .networks.decoder import load_decoder
from .networks.receptive_fields import receptive_field
from .networks.weighted_sum import WeightedSum, weighted_sum
from .photos import Pictures, load_image
from .targets import Target, channel, distribution, layer, likeness, logit, neuron, probability

if TYPE_CHECKING:  # imported at first use, see below: a script needs no widgets, and a gradient no filters
    from . import exercises, live, machine
    from . import figures as plots
    from .gradient_based import attribution, localization, occlusion
    from .optimization_based import atlas, planted_bias, regularizers, reidentification, robustness
    from .optimization_based.diversity import diverse, diversity
    from .optimization_based.dreaming import dream
    from .optimization_based.interpolation import interpolate, mixture
    from .optimization_based.inversion import invert, invert_all, quality
    from .optimization_based.maximization import maximize, start_image
    from .optimization_based.optimization import Diverged, last
    from .optimization_based.priors import decode, decoder_prior, deep_image_prior, spectral_slope
    from .optimization_based.reidentification import store
    from .optimization_based.results import stored

    images: Any

_ROOMS = {
    "atlas": ("optimization_based.atlas",),
    "attribution": ("gradient_based.attribution",),
    "exercises": ("exercises",),
    "images": ("photos", "maps"),
    "live": ("live",),
    "localization": ("gradient_based.localization",),
    "occlusion": ("gradient_based.occlusion",),
    "machine": ("machine",),
    "planted_bias": ("optimization_based.planted_bias",),
    "plots": ("figures",),
    "regularizers": ("optimization_based.regularizers",),
    "reidentification": ("optimization_based.reidentification",),
    "robustness": ("optimization_based.robustness",),
}
_LATER = {
    "Diverged": "optimization_based.optimization",
    "decode": "optimization_based.priors",
    "decoder_prior": "optimization_based.priors",
    "deep_image_prior": "optimization_based.priors",
    "diverse": "optimization_based.diversity",
    "diversity": "optimization_based.diversity",
    "dream": "optimization_based.dreaming",
    "interpolate": "optimization_based.interpolation",
    "invert": "optimization_based.inversion",
    "invert_all": "optimization_based.inversion",
    "last": "optimization_based.optimization",
    "maximize": "optimization_based.maximization",
    "mixture": "optimization_based.interpolation",
    "quality": "optimization_based.inversion",
    "spectral_slope": "optimization_based.priors",
    "start_image": "optimization_based.maximization",
    "store": "optimization_based.reidentification",
    "stored": "optimization_based.results",
}

__all__ = [
    "RULES",
    "Diverged",
    "Network",
    "NoChain",
    "Pictures",
    "Sensitivity",
    "Target",
    "WeightedSum",
    "WeightsUnavailable",
    "activation_maps",
    "atlas",
    "attribution",
    "cascade",
    "channel",
    "dataset_examples",
    "decode",
    "decoder_prior",
    "deconvnet",
    "deep_image_prior",
    "distribution",
    "diverse",
    "diversity",
    "dream",
    "exercises",
    "flow",
    "gradient",
    "images",
    "interpolate",
    "invert",
    "invert_all",
    "last",
    "layer",
    "likeness",
    "live",
    "load_decoder",
    "load_image",
    "load_network",
    "localization",
    "logit",
    "machine",
    "magnitude",
    "maximize",
    "mixture",
    "neuron",
    "occlusion",
    "planted_bias",
    "plots",
    "probability",
    "quality",
    "randomized",
    "receptive_field",
    "regularizers",
    "reidentification",
    "relu_backward",
    "relu_rule",
    "robustness",
    "saliency",
    "sensitivity",
    "similarity",
    "smoothgrad",
    "spectral_slope",
    "start_image",
    "store",
    "stored",
    "top_patches",
    "two_relus",
    "use_language",
    "way_back",
    "weighted_sum",
    "wrap",
]


def __getattr__(name: str) -> Any:
    if name in _ROOMS:
        return _joined([import_module(f".{room}", __name__) for room in _ROOMS[name]])
    if name in _LATER:
        return getattr(import_module(f".{_LATER[name]}", __name__), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)  # also what comes at first use


def _joined(rooms: list[ModuleType]) -> ModuleType | SimpleNamespace:
    """One room as it is; several as one, with the public names of all."""
    if len(rooms) == 1:
        return rooms[0]
    return SimpleNamespace(**{name: value for room in rooms for name, value in vars(room).items() if name[0] != "_"})
