"""Touch the lecture: gradient-based and optimisation-based visualisation of neural networks.

A photo flows one way: photo → network → target → gradient or optimisation → picture → panel.

    import lecture_viz as lv

    net = lv.load_network("alexnet64")
    photo = lv.load_image("cat", size=64)
    lv.gradient(net, photo, lv.logit("tabby"), rule="guided")
    lv.live.gradients(net, photo)
"""

from importlib import import_module

from .deconvnet import NoChain, deconvnet
from .gradients import Sensitivity, gradient, magnitude, saliency, sensitivity
from .images import load_image
from .languages import use_language
from .networks import Network, WeightsUnavailable, load_network, wrap
from .receptive_field import receptive_field
from .relu_rules import RULES, relu_backward, relu_rule, way_back
from .sanity_checks import cascade, randomized, similarity
from .smoothgrad import smoothgrad
from .targets import Target, channel, distribution, layer, likeness, logit, neuron, probability
from .top_patches import top_patches

# imported at first use: a script needs no widgets, and a gradient no filters
_ROOMS = (
    "images",
    "live",
    "plots",
    "localization",
    "regularizers",
    "robustness",
    "planted_bias",
    "reidentification",
    "exercises",
    "machine",
)
_LATER = {"maximize": "maximization", "dream": "dreaming", "last": "optimization", "Diverged": "optimization"}
_LATER |= dict.fromkeys(("invert", "invert_all", "quality"), "inversion")
_LATER |= {"store": "reidentification", "stored": "results"}
_LATER |= dict.fromkeys(("decode", "decoder_prior", "deep_image_prior", "spectral_slope"), "priors")

__all__ = [
    "RULES",
    "Network",
    "NoChain",
    "Sensitivity",
    "Target",
    "WeightsUnavailable",
    "cascade",
    "channel",
    "deconvnet",
    "distribution",
    "gradient",
    "layer",
    "likeness",
    "load_image",
    "load_network",
    "logit",
    "magnitude",
    "neuron",
    "probability",
    "randomized",
    "receptive_field",
    "relu_backward",
    "relu_rule",
    "saliency",
    "sensitivity",
    "similarity",
    "smoothgrad",
    "top_patches",
    "use_language",
    "way_back",
    "wrap",
    *_ROOMS,
    *_LATER,
]


def __getattr__(name: str):
    if name in _ROOMS:
        return import_module(f".{name}", __name__)
    if name in _LATER:
        return getattr(import_module(f".{_LATER[name]}", __name__), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
