"""Live panels, one per lesson, on one foundation (`panel`)."""

from .deconvnet import Deconvnet
from .distribution import Distribution
from .dreaming import Dreaming
from .gradients import Gradients
from .inversion import Inversion
from .kit.panel import Frame, Panel
from .layers import Layers
from .localization import Localization
from .maximization import Maximization
from .planted_bias import PlantedBias
from .priors import Priors
from .reidentification import Reidentification
from .relu_rules import ReluRules
from .saliency import Saliency
from .start import Start

# called like functions: lv.live.gradients(net, photo)
start, gradients, relu_rules = Start, Gradients, ReluRules
deconvnet, saliency, localization = Deconvnet, Saliency, Localization
maximization, planted_bias, dreaming = Maximization, PlantedBias, Dreaming
inversion, layers, reidentification = Inversion, Layers, Reidentification
priors, distribution = Priors, Distribution

__all__ = [
    "Frame",
    "Panel",
    "deconvnet",
    "distribution",
    "dreaming",
    "gradients",
    "inversion",
    "layers",
    "localization",
    "maximization",
    "planted_bias",
    "priors",
    "reidentification",
    "relu_rules",
    "saliency",
    "start",
]
