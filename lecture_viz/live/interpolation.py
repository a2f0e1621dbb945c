"""Lesson 5, between two neurons: turn from one target to another, and see what the two paint together."""

from contextlib import suppress

import ipywidgets as widgets
import torch
from torch import Tensor

from .. import figures, targets
from ..networks import Network
from ..networks.responses import Response, responses
from ..optimization_based.interpolation import DEGREES, interpolate
from ..optimization_based.maximization import maximize, start_image
from ..optimization_based.optimization import Step, last, resized
from .kit import worth_seeing
from .kit.call import Call, Item, Named, Part, Values
from .kit.film import Film
from .kit.neuron import slider
from .kit.photo import WIDE, PhotoPanel
from .kit.picture import Marked
from .kit.prediction import Question, Verdict
from .kit.resolved import Resolved
from .kit.run import Run, RunPanel
from .kit.strengths import strengths
from .kit.view import Shown
from .maximization import recipe

COLUMNS = 3  # of the pictures: in the middle row both targets count plus
CLASSES = {
    "mixed": ("golden retriever", "Egyptian cat"),
    "cup": ("espresso", "tabby"),
    "alike": ("golden retriever", "Labrador retriever"),
}
# two feature maps of a middle layer that see something in common
CHANNELS = {
    "alexnet64": (39, 33),
    "inception64": (2, 17),
    "inception64_robust": (17, 2),
    "efficientnet_lite0": (11, 24),
}


class Interpolation(RunPanel, PhotoPanel):
    """A picture for each of nine angles between two targets, all at once; one of them large.

    Controls: ``network``, ``layer``, ``first`` and ``second`` (channels; at the last layer classes), ``steps``;
    ``angle`` says which picture is large, while it runs and afterwards; a hand may choose one of the nine, too.
    """

    name = "interpolation"
    question = Question("alike", ("both", "one", "less"))

    def __init__(self, network: Network | str, size: int = 280):
        """``network`` may be a name; ``size`` in screen pixels."""
        super().__init__(network, "cat")
        self._seen: dict[str, dict[str, Response]] = {}  # what the photo causes, by network
        self._fired: tuple[Step, list[list[float]]] | None = None  # what both targets are in each picture of a step
        pair = {"first": 0, "second": 1} | next(iter(self.presets({}).values()))
        highest = len(self.network.labels) - 1
        self.controls = {
            "network": self.photo_controls()["network"],
            "layer": widgets.SelectionSlider(options=self.layer_names, value=self.layer_names[-1], layout=WIDE),
            "first": slider(highest, pair["first"]),
            "second": slider(highest, pair["second"]),
            "steps": widgets.IntSlider(64, 8, 256, step=8, layout=WIDE),
            "angle": widgets.SelectionSlider(options=DEGREES, value=45, layout=WIDE),
        }
        self.assemble_run(self.columns(3), self.view.text("pair"), size=size)

    def presets(self, values: Values) -> dict[str, Values]:
        presets = {}
        for name, labels in CLASSES.items():
            with suppress(ValueError):  # a network that does not know them
                first, second = map(self.network.label_index, labels)
                presets[name] = {"layer": self.network.layers[-1], "first": first, "second": second}
        first, second = CHANNELS.get(self.network.name, (0, 1))
        _, middle, _ = worth_seeing.layers(self.network, self.layer_names)
        return presets | {"channels": {"layer": middle, "first": first, "second": second}}

    def verdict(self) -> Verdict:
        alone = (DEGREES.index(degrees) for degrees in (0, 90))
        kept = [fires[DEGREES.index(45)] / fires[n] for fires, n in zip(self._fires(), alone)]
        right = "both" if min(kept) > 0.8 else "one" if max(kept) > 0.8 else "less"
        return right, dict(zip(("first", "second"), kept))

    def receive(self, values: Values) -> Values:
        """Nobody brings a photo; but another network may have been chosen."""
        return values if values["network"] == self.network.name else self.new_network(values)

    def point(self, values: Values, picture: str, row: int, column: int) -> Values:
        return values | {"angle": DEGREES[COLUMNS * row + column]}

    def resolve(self, values: Values) -> Resolved:
        highest = self._response(values["layer"]).shape[0] - 1
        values = values | {name: min(values[name], highest) for name in ("first", "second")}
        net, made = self.net(), recipe(self.network)
        first, second = (self._target(values["layer"], values[name]) for name in ("first", "second"))
        start = Call.of(start_image, net, "noise", 1, self.network.input_size, made["parameterization"])
        choices = {"start": Named("start", made_by=start), "parameterization": made["parameterization"]}
        choices |= {"octaves": made["octaves"]} if made["octaves"] > 1 else {}
        mixed = Call.of(interpolate, first, second)
        search = Call.of(maximize, net, mixed, values["steps"], **choices, **strengths(made))
        limits, options = {"first": highest, "second": highest}, {"layer": self.layer_names}
        return Resolved(search, values, limits, options=options, fixed=(self.network, first, second))

    def _target(self, layer: str, number: int) -> targets.Target:
        response = self._response(layer)
        if layer == self.network.layers[-1] and response.shape == (len(self.network.labels),):
            return targets.logit(self.network.labels[number])
        return (targets.channel if response.spatial else targets.neuron)(layer, number)

    def _response(self, layer: str) -> Response:
        """How many channels a layer has, and whether it has places, says what it makes of any photo."""
        if self.network.name not in self._seen:
            self._seen[self.network.name] = responses(self.network, self.photo)[0]
        return self._seen[self.network.name][layer]

    def going_on(self, values: Values, search: Call, image: Tensor, steps: int) -> Call:
        image = resized(image, 2 * [self.network.input_size])  # pictures that go on, go on at their whole size
        return super().going_on(values, search.but(octaves=None), image, steps)

    def picture(self, search: Call, values: Values) -> Item:
        images = Part(Call.of(last, Named("steps", made_by=search)), "image")
        return Item(images, DEGREES.index(values["angle"]))

    def outputs_of_controls(self, values: Values) -> dict[str, Shown]:
        _, first, second = self.resolve(values).fixed
        outputs: dict[str, Shown] = {"pair": self.say("pair", first=first.name, second=second.name)}
        return outputs | (self._chosen(self.step) if self.step is not None else {})

    def outputs_of_run(self, run: Run, step: Step) -> dict[str, Shown]:
        return super().outputs_of_run(run, step) | self._chosen(step)

    def _chosen(self, step: Step) -> dict[str, Shown]:
        """The picture of one angle among all of them and, once they are done, how much both targets fire."""
        pictures, at = step.image.split(1), DEGREES.index(self.controls["angle"].value)
        tiles = figures.mosaic([*pictures], COLUMNS, cell=step.image.shape[-1], chosen=at)
        outputs: dict[str, Shown] = {
            "image": pictures[at],
            "film": Marked(tiles, grid=(len(pictures) // COLUMNS, COLUMNS), alone=True),
            "film caption": self.say("angles"),
        }
        if self.running:
            return outputs
        film = Film()  # from angle to angle
        for picture in pictures:
            film.keep(picture)
        first, second = (fires[at] for fires in self._fires())
        return outputs | {
            "image caption": self.say("fires", angle=DEGREES[at], first=first, second=second),
            "curves": self._table(at),
            "save": self._links(film, pictures[at]),
        }

    def _fires(self) -> list[list[float]]:
        """How much each of the two targets fires in each picture of the run."""
        assert self.run is not None and self.step is not None
        if self._fired is None or self._fired[0] is not self.step:
            network, *both = self.run.fixed
            with torch.no_grad():
                self._fired = self.step, [target(network, self.step.image).tolist() for target in both]
        return self._fired[1]

    def _table(self, at: int) -> str:
        """The same as bars, the angle ``at`` in bold."""
        rows = "<tr><td></td><th colspan='2'>A</th><th colspan='2'>B</th></tr>"
        for n, angle in enumerate(DEGREES):
            row = f"<td>{angle:g}°</td>"
            for fires in self._fires():
                length = 100 * max(0, fires[n]) / max(*fires, 1e-9)
                row += f'<td style="width:90px"><div class="lv-bar" style="width:{length:.0f}%"></div></td>'
                row += f"<td>{fires[n]:.1f}</td>"
            weight = "bold" if n == at else "normal"
            rows += f'<tr style="font-weight:{weight}">{row}</tr>'
        return f"<table class='lv-guesses'>{rows}</table>"

    def first_picture(self, values: Values) -> Tensor:
        return start_image(self.network, "noise", 1, self.network.input_size, recipe(self.network)["parameterization"])
