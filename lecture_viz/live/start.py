"""The first panel: pick a network and a photo (or bring one), see what the network says and why."""

import html
from typing import Any

import ipywidgets as widgets
from torch import Tensor

from .. import maps, targets
from ..gradient_based.gradients import sensitivity
from ..languages import option
from ..networks import Network, load_network
from .kit.call import Call, Named, Values
from .kit.photo import WIDE, PhotoPanel
from .kit.resolved import Made, Resolved
from .kit.view import Shown, bars

NETWORKS = ("alexnet64", "inception64", "inception64_robust", "alexnet", "googlenet", "resnet18", "vgg16")
GUESSES = 5


class Start(PhotoPanel):
    """Controls: ``network``, ``photo``, ``upload`` and ``rank`` (which of the five best classes is explained).

    Attributes:
        network, photo: those on screen; the photo is ``(1, 3, H, W)`` at the network's size.
    """

    name = "start"

    def __init__(self, network: str = "alexnet64", photo: str = "cat", size: int = 280):
        super().__init__(None, photo)
        self._networks: dict[str, Network] = {}
        self._guesses: tuple[Any, list[tuple[str, float]]] | None = None  # the last ones, and what was looked at
        self.controls = {
            "network": widgets.Dropdown(options=NETWORKS, value=network, layout=WIDE),
            **self.photo_controls(),
            "rank": widgets.IntSlider(1, 1, GUESSES, layout=WIDE),
        }
        guesses = self.view.text("guesses", width=f"{size}px", height=f"{size}px")
        pictures = [self.view.picture("photo", size), self.view.picture("gradient", size)]
        self.assemble(self.columns(2), self.view.text("status"), self.view.row(*pictures, guesses))

    def presets(self, values: Values) -> dict[str, Values]:
        first = {"network": "alexnet64", "photo": "cat", "rank": 1}
        return {
            "cat": first,
            "second": first | {"rank": 2},
            "coffee": first | {"photo": "coffee"},
            "astronaut": first | {"photo": "astronaut"},
            "robust": first | {"network": "inception64_robust", "photo": "coffee"},
        }

    def _load(self, name: str) -> Network:
        """Load a network once, and say so: a download takes its time."""
        if name not in self._networks:
            self.view.show({"status": self.say("loading", name=name)}, self.code())
            try:
                self._networks[name] = load_network(name)
            finally:
                self.view.show({"status": ""}, self.code())
        return self._networks[name]

    def _best(self, name: str, network: Network, source: Any, photo: Tensor) -> list[tuple[str, float]]:
        if self._guesses is None or self._guesses[0] != (name, source):
            self._guesses = (name, source), network.top(photo, GUESSES)
        return self._guesses[1]

    def resolve(self, values: Values) -> Resolved:
        name, source = values["network"], self._sources[values["photo"]]
        network = self._load(name)
        photo, size = self.load(values["photo"], network.input_size), network.input_size
        label = self._best(name, network, source, photo)[values["rank"] - 1][0]
        net = Named("net", network, Call.of(load_network, name))
        shown = Named("photo", photo, self.loaded(values["photo"], size))
        return Resolved(Call.of(sensitivity, net, shown, targets.logit(label), rule="guided"), values)

    def show(self, made: Made) -> dict[str, Shown]:
        self.network, self._photo = (argument.value for argument in made.call.arguments[:2])
        best = self._best(made.values["network"], self.network, self._sources[made.values["photo"]], self.photo)
        label = best[made.values["rank"] - 1][0]
        said = {"photo": option(made.values["photo"]), "network": made.values["network"]}
        named = {f"<b>{html.escape(guess)}</b>" if guess == label else html.escape(guess): p for guess, p in best}
        return {
            "photo": self.photo,
            "photo caption": self.say("photo caption", size=self.network.input_size, **said),
            "gradient": maps.show_signed(made.result.gradient),
            "gradient caption": self.say("gradient caption", label=label),
            "guesses": f"<b>{self.say('guesses')}</b>{bars(named, '.0%', 110)}",
        }
