"""What panels about one photo share: a slider for the layer, and one for a neuron of it."""

from typing import Any

import ipywidgets as widgets
import torch
from torch import Tensor

from ... import targets
from ...networks import Network
from .photo import WIDE, PhotoPanel

KEPT = 8  # layers whose activations a panel holds: as many as its presets and its sliders look at


def slider(high: int = 0, value: int = 0) -> widgets.IntSlider:
    """Numbers from 0."""
    return widgets.IntSlider(value, 0, high, layout=WIDE)


def samples_slider() -> widgets.SelectionSlider:
    """How many samples SmoothGrad averages."""
    return widgets.SelectionSlider(options=(0, 8, 16, 32, 64), layout=WIDE)


class NeuronPanel(PhotoPanel):
    """Begins with the controls ``photo``, ``layer`` and ``neuron`` (a channel, or a class at the last layer)."""

    def __init__(self, network: Network, photo: Tensor | str, label: str | int | None = None):
        """``label`` is the class to start with, by default the most probable one."""
        super().__init__(network, photo)
        self._seen: dict[str, Tensor] = {}  # what the photo causes in the layers asked for last
        self._spatial: list[str] = []  # layers with an activation map, not pools
        self.output = {"layer": network.layers[-1], "neuron": self._class(label)}  # for presets
        self._given_class = self.output["neuron"]
        self.controls = {
            **self.photo_controls(),
            "layer": widgets.SelectionSlider(options=network.layers, value=self.output["layer"], layout=WIDE),
            "neuron": slider(len(network.labels) - 1, self._given_class),
        }

    def _class(self, label: str | int | None = None) -> int:
        """The number of a class, by default of the most probable one."""
        return self.network.label_index(self.network.top(self.photo, 1)[0][0] if label is None else label)

    def new_photo(self, values: dict[str, Any]) -> dict[str, Any]:
        """Another photo has another class; a neuron that stood at the old one goes with it."""
        self._seen = {}
        old, neuron = self.output, self._given_class if self._photo_name == self._first else self._class()
        self.output = old | {"neuron": neuron}
        if old.items() <= values.items():
            self.controls["neuron"].value = values["neuron"] = neuron
        return values

    def activation(self, layer: str) -> Tensor:
        """What the photo causes in a layer: ``(C, h, w)`` or ``(C,)``."""
        if layer not in self._seen:
            if len(self._seen) == KEPT:
                self._seen.pop(next(iter(self._seen)))  # the oldest
            with torch.no_grad():
                self._seen[layer] = self.network.activations(self.photo, layer)[0]
        return self._seen[layer]

    def strongest(self, layer: str, neuron: int) -> tuple[int, int]:
        """Row and column where a channel fires most."""
        row, column = divmod(self.activation(layer)[neuron].argmax().item(), self.activation(layer).shape[2])
        return row, column

    def at_strongest(self, layer: str, neuron: int) -> targets.Target:
        """The pseudo-loss of a neuron where it fires most."""
        place = self.strongest(layer, neuron) if self.activation(layer).ndim == 3 else (0, 0)
        return self.target(layer, neuron, *place)

    def at_place(
        self, layer: str, neuron: int, strongest: bool, row: int, column: int
    ) -> tuple[targets.Target, dict[str, int], dict[str, bool], dict[str, int]]:
        """A neuron's pseudo-loss, the ends of its sliders, which of them no hand can move, and where they stand."""
        activation = self.activation(layer)
        limits = {"neuron": activation.shape[0] - 1}
        spatial = activation.ndim == 3
        if spatial:
            limits |= {"row": activation.shape[1] - 1, "column": activation.shape[2] - 1}
        given = {"neuron": neuron, "row": row, "column": column}
        values = given | {name: min(given[name], high) for name, high in limits.items()}
        if spatial and strongest:
            values["row"], values["column"] = self.strongest(layer, values["neuron"])
        fixed = not spatial or strongest
        disabled = {"strongest": not spatial, "row": fixed, "column": fixed}
        return self.target(layer, *(values[name] for name in given)), limits, disabled, values

    def depth(self, part: float) -> str:
        """The layer with an activation map, not a pool, at this part of the way (0 … 1)."""
        if not self._spatial:
            with torch.no_grad():
                outputs = self.network.run(self.photo, self.network.layers)
            self._spatial = [name for name, output in outputs.items() if "pool" not in name and output.ndim == 4]
        return self._spatial[round(part * (len(self._spatial) - 1))]

    def loudest(self, layer: str) -> int:
        """The channel with the largest activation on the photo."""
        return self.activation(layer).flatten(1).amax(dim=1).argmax().item()

    def is_output(self, layer: str) -> bool:
        """Whether the neurons of this layer are the classes."""
        return layer == self.network.layers[-1] and self.activation(layer).shape == (len(self.network.labels),)

    def target(self, layer: str, neuron: int, row: int, column: int) -> targets.Target:
        """The pseudo-loss of a neuron; ``row`` and ``column`` count where the layer has some."""
        if self.activation(layer).ndim == 3:
            return targets.neuron(layer, neuron, y=row, x=column)
        if self.is_output(layer):
            return targets.logit(self.network.labels[neuron])
        return targets.neuron(layer, neuron)
