"""Lesson 5, hidden weaknesses: plant a bias into the training data, and watch it come up in the class image."""

import ipywidgets as widgets
import torch
from torch import Tensor

from .. import figures
from ..optimization_based.optimization import Step
from ..optimization_based.planted_bias import SHAPES, Student, draw, watch
from .kit.call import Call, Named, Values
from .kit.photo import WIDE
from .kit.resolved import Resolved
from .kit.run import Run, RunPanel
from .kit.view import Shown


class PlantedBias(RunPanel):
    """A small network learns three shapes, and its class image is looked at again and again.

    Controls: ``bias`` (moving it trains a new network), ``shape`` (whose class image), ``steps`` of training.
    """

    name = "planted bias"

    def __init__(self, bias: float = 1.0, size: int = 220):
        """``bias`` (0 … 1) to begin with; ``size`` in screen pixels."""
        super().__init__()
        self._bias = bias
        self.controls = {
            "bias": widgets.FloatSlider(value=bias, min=0, max=1, step=0.1, readout_format=".1f", layout=WIDE),
            "shape": widgets.Dropdown(options=SHAPES, value="dumbbell", layout=WIDE),
            "steps": widgets.IntSlider(300, 20, 600, step=20, layout=WIDE),
        }
        self.assemble_run(self.columns(2), size=size, first=[self.view.picture("lesson", size)])

    def presets(self, values: Values) -> dict[str, Values]:
        names = {"always": 1.0, "never": 0.0, "sometimes": 0.3}
        return {name: {"bias": bias, "shape": "dumbbell"} for name, bias in names.items()}

    def adjust(self, values: Values) -> Values:
        if values["bias"] != self._bias:
            self._bias = values["bias"]
            self.begin_anew()
        return super().adjust(values)

    def outputs_of_controls(self, values: Values) -> dict[str, Shown]:
        return {"lesson": dumbbells(values["bias"]), "lesson caption": self.say("lesson caption")}

    def resolve(self, values: Values) -> Resolved:
        student = Named("student", made_by=Call.of(Student, bias=values["bias"]))
        return Resolved(Call.of(watch, student, values["shape"], values["steps"]), values, fixed=values["shape"])

    def going_on(self, values: Values, search: Call, image: Tensor, steps: int) -> Call:
        return search.but(Named("student", self.student), values["shape"], steps)  # the same network learns on

    @property
    def student(self) -> Student:
        """The one that learns, or learned last."""
        assert self.run is not None, "nobody has learned yet"
        return self.run.known.get("student", self.run.search.arguments[0].value)

    def followed(self, step: Step) -> dict[str, float]:
        return step.terms

    def caption(self, run: Run, step: Step) -> str:
        return self.say("learned", step=run.taken, **step.terms)

    def first_picture(self, values: Values) -> Tensor:
        return torch.full((1, 3, 32, 32), 0.5)


def dumbbells(bias: float) -> Tensor:
    """Nine of them, as drawn with this bias."""
    pictures, classes = draw(120, bias, torch.Generator().manual_seed(1))
    chosen = pictures[classes == SHAPES.index("dumbbell")][:9]
    return figures.mosaic(list(chosen.split(1)), columns=3, cell=64)
