"""Lesson 5, hidden weaknesses: plant a bias into the training data, watch it come up in the class image, and draw."""

import ipywidgets as widgets
import torch
from torch import Tensor

from .. import figures, languages
from ..optimization_based.optimization import Step
from ..optimization_based.planted_bias import SHAPES, SIZE, Student, draw, watch
from ..photos import SHEET, load_image, paint
from .kit.brush import Brush
from .kit.call import Call, Named, Values
from .kit.photo import WIDE
from .kit.picture import Marked
from .kit.prediction import Question, Verdict
from .kit.resolved import Resolved
from .kit.run import Run, RunPanel
from .kit.view import Shown

SKIN, IRON = "peru", "black"
ARM = ((SKIN, 0.15, ((0.0, 0.5), (0.6, 0.5))),)


class PlantedBias(RunPanel):
    """A small network learns three shapes; again and again its class image is made, and a drawing is shown to it.

    Controls: ``bias`` (moving it trains a new network), ``shape`` (whose class image), ``steps`` of training;
    ``strokes`` (the drawing), ``brush`` (its diameter), ``leaves`` (its colour).
    """

    name = "planted bias"
    question = Question("always", ("arm", "dumbbell"))

    def __init__(self, bias: float = 1.0, size: int = 220):
        """``bias`` (0 … 1) to begin with; ``size`` in screen pixels."""
        super().__init__()
        self._bias = bias
        self.controls = {
            "bias": widgets.FloatSlider(value=bias, min=0, max=1, step=0.1, readout_format=".1f", layout=WIDE),
            "shape": widgets.Dropdown(options=SHAPES, value="dumbbell", layout=WIDE),
            "steps": widgets.IntSlider(300, 20, 600, step=20, layout=WIDE),
            "strokes": Brush(self.say),
            "brush": widgets.FloatSlider(value=0.15, min=0.05, max=0.5, step=0.05, layout=WIDE),
            "leaves": widgets.Dropdown(options=[SKIN, IRON, "white"], layout=WIDE),
        }
        first = [self.view.picture(name, size) for name in ("lesson", "sheet")]
        self.assemble_run(self.columns(3), size=size, first=first)
        self.controls["strokes"].listen(self.outputs["sheet"], self.worker.ask)

    def presets(self, values: Values) -> dict[str, Values]:
        biases = {"always": 1.0, "never": 0.0, "sometimes": 0.3, "arm": 1.0, "fair": 0.0}
        drawn = {"arm": ARM, "fair": ARM}
        plain = {"shape": "dumbbell", "leaves": SKIN}
        return {name: plain | {"bias": bias, "strokes": drawn.get(name, ())} for name, bias in biases.items()}

    def verdict(self) -> Verdict:
        assert self.step is not None
        return "arm" if self.step.terms["armlike"] > 0.5 else "dumbbell", self.step.terms

    def receive(self, values: Values) -> Values:
        if values["bias"] != self._bias:
            self._bias = values["bias"]
            self.begin_anew()
        return self.controls["strokes"].heard(values, values["leaves"])

    def outputs_of_controls(self, values: Values) -> dict[str, Shown]:
        return {
            "lesson": dumbbells(values["bias"]),
            "lesson caption": self.say("lesson caption"),
            "sheet": Marked(self._sheet(), brush=(values["brush"], values["leaves"])),
            "sheet caption": self._answer_to_it(),
        }

    def outputs_of_run(self, run: Run, step: Step) -> dict[str, Shown]:
        return super().outputs_of_run(run, step) | {"sheet caption": self._answer_to_it()}

    def _sheet(self) -> Tensor:
        return paint(load_image(SHEET, SIZE), self.controls["strokes"].value)

    def _answer_to_it(self) -> str:
        """What the network that learns, or learned last, takes the drawing for."""
        if self.run is None or self.run.newest is None:
            return self.say("sheet caption")
        guesses = self.student.network.top(self._sheet(), len(SHAPES))
        return self.say("taken for", guesses=", ".join(f"{languages.option(name)} {p:.0%}" for name, p in guesses))

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
