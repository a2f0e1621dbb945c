"""What panels about one photo share: a slider for the layer, and one for a neuron of it."""

from contextlib import suppress
from dataclasses import replace

import ipywidgets as widgets
from torch import Tensor
from torch.nn import MaxPool2d

from ... import targets
from ...networks import Network
from ...networks.receptive_fields import ReceptiveField, receptive_fields
from ...networks.responses import Response, responses
from .call import Values
from .photo import WIDE, PhotoPanel
from .picture import Marked


def slider(high: int = 0, value: int = 0) -> widgets.IntSlider:
    """Numbers from 0."""
    return widgets.IntSlider(value, 0, high, layout=WIDE)


def samples_slider() -> widgets.SelectionSlider:
    """How many samples SmoothGrad averages."""
    return widgets.SelectionSlider(options=(0, 8, 16, 32, 64), layout=WIDE)


class NeuronPanel(PhotoPanel):
    """Begins with the controls ``network``, ``photo``, ``layer``, ``neuron`` (a channel; at the last layer a class)."""

    def __init__(self, network: Network, photo: Tensor | str, label: str | int | None = None):
        """``label`` is the class to start with, by default the most probable one."""
        super().__init__(network, photo)
        self._looked: tuple[dict[str, Response], int] | None = None  # what the photo causes, and its best class
        self._fields: tuple[tuple[Network, int], dict[str, ReceptiveField]] | None = None  # of all layers
        self._label = label if label is None else network.english[network.label_index(label)]
        self.output: Values = self._output()  # for presets
        self.controls = {
            **self.photo_controls(),
            "layer": widgets.SelectionSlider(options=network.layers, value=self.output["layer"], layout=WIDE),
            "neuron": slider(len(network.labels) - 1, self.output["neuron"]),
        }

    def _output(self) -> Values:
        """The neuron of the class: of the one that was given, for the photo that was given; else the most probable."""
        neuron = None
        if self._label is not None and self._photo_name == self._first:
            with suppress(ValueError):  # another network may not know it
                neuron = self.network.label_index(self._label)
        return {"layer": self.network.layers[-1], "neuron": self._look()[1] if neuron is None else neuron}

    def new_photo(self, values: Values) -> Values:
        """Another photo has another class; a neuron that stood at the old one goes with it."""
        self._looked = None
        old, self.output = self.output, self._output()
        return values | (self.output if old.items() <= values.items() else {})

    def response(self, layer: str) -> Response:
        """What the photo causes in a layer."""
        return self._look()[0][layer]

    def _look(self) -> tuple[dict[str, Response], int]:
        if self._looked is None:
            self._looked = responses(self.network, self.seen)
        return self._looked

    @property
    def seen(self) -> Tensor:
        """What the network looks at."""
        return self.photo

    def at_strongest(self, layer: str, neuron: int) -> targets.Target:
        """The pseudo-loss of a neuron where it fires most."""
        response = self.response(layer)
        return self.target(layer, neuron, *(response.place(neuron) if response.spatial else (0, 0)))

    def at_place(
        self, layer: str, neuron: int, strongest: bool, row: int, column: int
    ) -> tuple[targets.Target, dict[str, int], dict[str, bool], dict[str, int]]:
        """A neuron's pseudo-loss, the ends of its sliders, which of them no hand can move, and where they stand."""
        response = self.response(layer)
        sliders = ("neuron", "row", "column") if response.spatial else ("neuron",)
        limits = {name: side - 1 for name, side in zip(sliders, response.shape)}
        given = {"neuron": neuron, "row": row, "column": column}
        values = given | {name: min(given[name], high) for name, high in limits.items()}
        if response.spatial and strongest:
            values["row"], values["column"] = response.place(values["neuron"])
        fixed = not response.spatial or strongest
        disabled = {"strongest": not response.spatial, "row": fixed, "column": fixed}
        return self.target(layer, *(values[name] for name in given)), limits, disabled, values

    def point(self, values: Values, picture: str, row: int, column: int) -> Values:
        """The neuron at this place; of a layer without places, the one of the deepest that has some and fires most."""
        if not self.response(values["layer"]).spatial:
            layer = self.depth(1)
            values |= {"layer": layer, "neuron": self.response(layer).loudest_at[row, column].item()}
        return values | {"strongest": False, "row": row, "column": column}

    def marked(self, values: Values, shown: Marked) -> Marked:
        """A picture of the photo's size with the neuron's place in it; the photo with its receptive field, too."""
        layer, row, column = (values[name] for name in ("layer", "row", "column"))
        if not self.response(layer).spatial:
            return replace(shown, grid=self.response(self.depth(1)).shape[1:])
        (_, rows, columns), side = self.response(layer).shape, shown.image.shape[-1]
        place = (row + 0.5) / rows * side - 0.5, (column + 0.5) / columns * side - 0.5
        boxes = [] if shown.scale else [self.receptive_field(layer)[row, column]]
        return replace(shown, boxes=boxes, place=place, grid=(rows, columns))

    def receptive_field(self, layer: str) -> ReceptiveField:
        """Of the neurons of a layer; all layers are looked through at once."""
        asked = self.network, self.photo.shape[-1]
        if self._fields is None or self._fields[0] != asked:
            self._fields = asked, receptive_fields(self.network, [*self.layer_names], asked[1])
        return self._fields[1][layer]

    def depth(self, part: float) -> str:
        """The layer with an activation map, not a pool and not saturated, at this part of the way (0 … 1)."""
        looked = self._look()[0]
        spatial = [name for name in looked if "pool" not in name and max(looked[name].shape[1:], default=1) > 1]
        at = round(part * (len(spatial) - 1))
        while at and looked[spatial[at]].saturated:
            at -= 1
        return spatial[at]

    @property
    def has_switches(self) -> bool:
        """Whether the network has max pools; without any, Deconvnet's rule gives the same grid for every photo."""
        return any(isinstance(part, MaxPool2d) for part in self.network.modules())

    def is_output(self, layer: str) -> bool:
        """Whether the neurons of this layer are the classes."""
        return layer == self.network.layers[-1] and self.response(layer).shape == (len(self.network.labels),)

    def target(self, layer: str, neuron: int, row: int, column: int) -> targets.Target:
        """The pseudo-loss of a neuron; ``row`` and ``column`` count where the layer has some."""
        if self.response(layer).spatial:
            return targets.neuron(layer, neuron, y=row, x=column)
        if self.is_output(layer):
            return targets.logit(self.network.labels[neuron])
        return targets.neuron(layer, neuron)
