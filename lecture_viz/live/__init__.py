"""Live panels, called like functions: ``lv.live.gradients(net, photo)``; `LESSONS` says which lesson shows which."""

from typing import NamedTuple

from .collage import Collage as collage
from .deconvnet import Deconvnet as deconvnet
from .distribution import Distribution as distribution
from .dreaming import Dreaming as dreaming
from .gradients import Gradients as gradients
from .interpolation import Interpolation as interpolation
from .inversion import Inversion as inversion
from .kit.panel import Panel as Panel
from .kit.resolved import Frame as Frame
from .layers import Layers as layers
from .localization import Localization as localization
from .maximization import Maximization as maximization
from .microscope import Microscope as microscope
from .occlusion import Occlusion as occlusion
from .planted_bias import PlantedBias as planted_bias
from .priors import Priors as priors
from .reidentification import Reidentification as reidentification
from .relu_rules import ReluRules as relu_rules
from .saliency import Saliency as saliency
from .start import Start as start
from .weighted_sum import WeightedSum as weighted_sum


class Lesson(NamedTuple):
    """A notebook's name, and its own panels; the first one gives the lesson its title."""

    notebook: str
    panels: tuple[type[Panel], ...]


# the one list of lessons, in the lecture's order: hall, tests, links of the notebooks and the README are held to it
LESSONS = (
    Lesson("00_start_here", (start,)),
    Lesson("01_gradients", (gradients,)),
    Lesson("02_relu_rules", (relu_rules,)),
    Lesson("03_deconvnet", (deconvnet,)),
    Lesson("04_saliency", (saliency, localization, collage, occlusion)),
    Lesson("05_activation_maximization", (maximization, planted_bias, interpolation)),
    Lesson("06_deepdream", (dreaming,)),
    Lesson("07_inversion", (inversion,)),
    Lesson("08_layer_by_layer", (layers, reidentification)),
    Lesson("09_learned_priors", (priors, distribution)),
    Lesson("10_microscope", (microscope, weighted_sum)),
)


class Stop(NamedTuple):
    """A preset of a panel (as one calls it), and the shortest route that comes by, in minutes."""

    panel: str
    preset: str
    minutes: int


# the routes through the suite, in the lecture's order: notebook 00 and the hall are held to it
STOPS = (
    Stop("start", "cat", 90),
    Stop("gradients", "class", 15),
    Stop("gradients", "deep", 45),
    Stop("gradients", "early", 90),
    Stop("relu_rules", "figure", 45),
    Stop("relu_rules", "two", 45),
    Stop("deconvnet", "early", 90),
    Stop("deconvnet", "deep", 90),
    Stop("saliency", "class", 15),
    Stop("saliency", "random", 15),
    Stop("localization", "box", 45),
    Stop("collage", "corner", 45),
    Stop("collage", "elsewhere", 45),
    Stop("occlusion", "most", 90),
    Stop("maximization", "noise, no regulariser", 15),
    Stop("maximization", "small to large", 15),
    Stop("maximization", "dumbbell", 15),
    Stop("planted_bias", "always", 90),
    Stop("dreaming", "strokes", 90),
    Stop("dreaming", "animals", 90),
    Stop("inversion", "no regulariser", 45),
    Stop("inversion", "best", 45),
    Stop("layers", "best", 45),
    Stop("reidentification", "middle", 90),
    Stop("priors", "decoder", 90),
    Stop("priors", "deep", 90),
    Stop("microscope", "middle", 45),
    Stop("microscope", "looks for", 90),
    Stop("weighted_sum", "deep", 90),
)
ROUTES = tuple(sorted({stop.minutes for stop in STOPS}))


def route(minutes: int) -> tuple[Stop, ...]:
    """The stops of a route."""
    return tuple(stop for stop in STOPS if stop.minutes <= minutes)


def panels() -> dict[str, type[Panel]]:
    """All panels by the name one calls, in the lecture's order."""
    return {panel.__module__.rpartition(".")[2]: panel for lesson in LESSONS for panel in lesson.panels}
