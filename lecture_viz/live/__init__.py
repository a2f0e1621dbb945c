"""Live panels, one per lesson, on one foundation (`panel`)."""

from .deconvnet import Deconvnet
from .gradients import Gradients
from .panel import Frame, Panel
from .relu_rules import ReluRules
from .start import Start

# called like functions: lv.live.gradients(net, photo)
start, gradients, relu_rules, deconvnet = Start, Gradients, ReluRules, Deconvnet

__all__ = ["Frame", "Panel", "deconvnet", "gradients", "relu_rules", "start"]
