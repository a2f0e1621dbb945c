"""The first panel: pick a network and a photo (or bring one), see what the network says and why."""

import html
from typing import Any

import ipywidgets as widgets

from .. import targets
from ..gradient_based.gradients import gradient, sensitivity
from ..gradient_based.sanity_checks import similarity
from ..languages import option
from ..networks import Network
from .kit.call import Call, Values
from .kit.photo import NETWORKS, WIDE, PhotoPanel
from .kit.picture import Marked, signed
from .kit.prediction import Question, Verdict
from .kit.resolved import Made, Resolved
from .kit.view import Shown, bars

DOWNLOADED = ("alexnet", "googlenet", "resnet18", "vgg16")
GUESSES = 5


class Start(PhotoPanel):
    """Controls: ``network``, ``photo``, ``upload`` and ``rank`` (which of the five best classes is explained)."""

    name = "start"
    question = Question("second", ("same", "other"), before="cat")
    networks = (*NETWORKS, *DOWNLOADED)

    def __init__(self, network: str = NETWORKS[0], photo: str = "cat", size: int = 280):
        super().__init__(network, photo)
        self._guesses: tuple[Any, list[tuple[str, float]]] | None = None  # the last ones, and what was looked at
        self.controls = {**self.photo_controls(), "rank": widgets.IntSlider(1, 1, GUESSES, layout=WIDE)}
        guesses = self.view.text("guesses", min_height=f"{size}px")
        pictures = [self.view.picture("photo", size), self.view.picture("gradient", size)]
        self.assemble(self.columns(2), self.view.text("status"), self.view.row(*pictures, guesses, main=1))

    def presets(self, values: Values) -> dict[str, Values]:
        first = {"network": NETWORKS[0], "photo": "cat", "rank": 1}
        return {
            "cat": first,
            "second": first | {"rank": 2},
            "coffee": first | {"photo": "coffee"},
            "astronaut": first | {"photo": "astronaut"},
            "robust": first | {"network": "inception64_robust", "photo": "coffee"},
        }

    def verdict(self) -> Verdict:
        first = gradient(self.network, self.photo, targets.logit(self._best()[0][0]), "guided")
        alike = similarity(first, self.made.result.gradient)
        return "same" if alike > 0.5 else "other", {"similarity": alike}

    def load_network(self, name: str) -> Network:
        """Says so: a download takes its time."""
        if "status" not in self.outputs:  # the first one, before there is anything on screen
            return super().load_network(name)
        self.view.show({"status": self.say("loading", name=name)}, self.code())
        try:
            return super().load_network(name)
        finally:
            self.view.show({"status": ""}, self.code())

    def _best(self) -> list[tuple[str, float]]:
        looked = self.network, self.photo
        if self._guesses is None or any(one is not other for one, other in zip(self._guesses[0], looked)):
            self._guesses = looked, self.network.top(self.photo, GUESSES)
        return self._guesses[1]

    def resolve(self, values: Values) -> Resolved:
        label = self._best()[values["rank"] - 1][0]
        return Resolved(
            Call.of(sensitivity, self.net(), self.photo_call(), targets.logit(label), rule="guided"), values
        )

    def show(self, made: Made) -> dict[str, Shown]:
        best = self._best()
        label = best[made.values["rank"] - 1][0]
        said = {"photo": option(made.values["photo"]), "network": made.values["network"]}
        named = {f"<b>{html.escape(guess)}</b>" if guess == label else html.escape(guess): p for guess, p in best}
        return {
            "photo": Marked(self.photo),
            "photo caption": self.say("photo caption", size=self.network.input_size, **said),
            "gradient": signed(made.result.gradient),
            "gradient caption": self.say("gradient caption", label=label),
            "guesses": f"<b>{self.say('guesses')}</b>{bars(named, '.0%', 110)}",
        }
