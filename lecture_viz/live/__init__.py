"""Live panels, called like functions: ``lv.live.gradients(net, photo)``; `LESSONS` says which lesson shows which."""

from typing import NamedTuple

from .collage import Collage as collage
from .deconvnet import Deconvnet as deconvnet
from .distribution import Distribution as distribution
from .dreaming import Dreaming as dreaming
from .gradients import Gradients as gradients
from .inversion import Inversion as inversion
from .kit.panel import Panel as Panel
from .kit.resolved import Frame as Frame
from .layers import Layers as layers
from .localization import Localization as localization
from .maximization import Maximization as maximization
from .occlusion import Occlusion as occlusion
from .planted_bias import PlantedBias as planted_bias
from .priors import Priors as priors
from .reidentification import Reidentification as reidentification
from .relu_rules import ReluRules as relu_rules
from .saliency import Saliency as saliency
from .start import Start as start


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
    Lesson("05_activation_maximization", (maximization, planted_bias)),
    Lesson("06_deepdream", (dreaming,)),
    Lesson("07_inversion", (inversion,)),
    Lesson("08_layer_by_layer", (layers, reidentification)),
    Lesson("09_learned_priors", (priors, distribution)),
)


def panels() -> dict[str, type[Panel]]:
    """All panels by the name one calls, in the lecture's order."""
    return {panel.__module__.rpartition(".")[2]: panel for lesson in LESSONS for panel in lesson.panels}
