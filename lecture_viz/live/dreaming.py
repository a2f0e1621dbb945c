"""Lesson 6: DeepDream: more of whatever a layer sees, in a photo or in noise."""

import ipywidgets as widgets
from torch import Tensor

from .. import targets
from ..networks import Network
from ..optimization_based import robustness
from ..optimization_based.dreaming import RATE, dream
from ..optimization_based.inversion import ssim
from ..optimization_based.maximization import start_image
from ..optimization_based.optimization import resized
from .kit import worth_seeing
from .kit.call import Call, Named, Values
from .kit.photo import WIDE, PhotoPanel
from .kit.prediction import Question, Verdict
from .kit.resolved import Resolved
from .kit.run import RunPanel
from .kit.strengths import Strengths

SIZES = (64, 128, 192, 256, 320, 384)


class Dreaming(RunPanel, PhotoPanel):
    """A dream grows while one watches.

    Controls: ``layer``, ``photo`` (or ``noise``), ``guide`` (a second photo, or ``none``), ``pixels`` (height and
    width), ``octaves``, ``steps``, ``rate`` (how far the average pixel moves in a step), ``jitter``, which acts on a
    running dream.
    """

    name = "dreaming"
    question = Question("animals", ("much", "some", "little"), before="strokes")
    menus = ("photo", "guide")

    def __init__(self, network: Network, photo: Tensor | str = "cat", layer: str | None = None, size: int = 320):
        """``photo`` is an image, a bundled name or a path; ``size`` in screen pixels."""
        super().__init__(network, photo)
        layers = self.layer_names
        first = layer or layers[len(layers) // 2]
        self.controls = {
            "layer": widgets.SelectionSlider(options=layers, value=first, layout=WIDE),
            **self.photo_controls("noise"),
            "guide": widgets.Dropdown(options=["none", *self._sources], layout=WIDE),
            "pixels": widgets.SelectionSlider(options=SIZES, value=192, layout=WIDE),
            "octaves": widgets.IntSlider(4, 1, 6, layout=WIDE),
            "steps": widgets.IntSlider(40, 8, 200, step=4, layout=WIDE),
            "rate": widgets.FloatSlider(value=RATE, min=0.002, max=0.04, step=0.002, readout_format=".3f", layout=WIDE),
            "jitter": widgets.IntSlider(8, 0, 32, layout=WIDE),
        }
        self.assemble_run(self.columns(6), size=size)

    @property
    def layer_names(self) -> tuple[str, ...]:
        return tuple(name for name in self.network.layers if "pool" not in name)

    def presets(self, values: Values) -> dict[str, Values]:
        early, middle, deep = worth_seeing.layers(self.network, self.layer_names)
        size = {"pixels": 384, "jitter": 16} if self.network.full_size else {"pixels": 192, "jitter": 8}
        plain = {"photo": self._first, "guide": "none", "octaves": 4, "rate": RATE} | size
        return {
            "strokes": plain | {"layer": early},
            "patterns": plain | {"layer": middle},
            "animals": plain | {"layer": deep},
            "noise": plain | {"layer": deep, "photo": "noise"},
            "guided": plain | {"layer": deep, "guide": "coffee"},
        }

    def verdict(self) -> Verdict:
        stays = ssim(self.image("image"), self.load(self.values["photo"], self.values["pixels"]))
        return "much" if stays > 0.5 else "some" if stays > 0.2 else "little", {"ssim": stays}

    def resolve(self, values: Values) -> Resolved:
        pixels, photo, guide = values["pixels"], values["photo"], values["guide"]
        start = "noise" if photo == "noise" else Named("start", made_by=self.loaded(photo, pixels))
        choices = {"octaves": values["octaves"], "rate": values["rate"]}
        choices |= {"transforms": Strengths([robustness.jitter(values["jitter"])], always=True)}
        choices |= {"size": pixels} if photo == "noise" else {}
        if guide != "none":
            choices["guide"] = Named("guide", made_by=self.loaded(guide, self.network.input_size))
        net, target = self.net(), targets.layer(values["layer"])
        search = Call.of(dream, net, start, target, values["steps"], **choices)
        return Resolved(search, values, options={"layer": self.layer_names}, fixed=(target, guide, self.network))

    def going_on(self, values: Values, search: Call, image: Tensor, steps: int) -> Call:
        image = resized(image, 2 * [values["pixels"]])  # a dream that goes on, goes on at its whole size
        return search.but(Named("start", image), search.arguments[2], steps, octaves=1)

    def first_picture(self, values: Values) -> Tensor:
        photo = "noise" if values["photo"] == "noise" else self.load(values["photo"], values["pixels"])
        return start_image(self.network, photo, 1, values["pixels"])
