"""The first panel: pick a network and a photo (or bring one), see what the network says and why."""

import html
from collections.abc import Iterator
from typing import Any

import ipywidgets as widgets

from .. import maps, targets
from ..gradient_based.gradients import sensitivity
from ..languages import option
from ..networks import Network, load_network
from .kit.panel import Frame
from .kit.photo import WIDE, PhotoPanel

NETWORKS = ("alexnet64", "inception64", "inception64_robust", "alexnet", "googlenet", "resnet18", "vgg16")


class Start(PhotoPanel):
    """Controls: ``network``, ``photo``, ``upload`` and ``rank`` (which of the five best classes is explained).

    Attributes:
        network, photo: those on screen; the photo is ``(1, 3, H, W)`` at the network's size.
    """

    name = "start"

    def __init__(self, network: str = "alexnet64", photo: str = "cat", size: int = 280):
        super().__init__(None, photo)
        self._networks: dict[str, Network] = {}
        self.controls = {
            "network": widgets.Dropdown(options=NETWORKS, value=network, layout=WIDE),
            **self.photo_controls(),
            "rank": widgets.IntSlider(1, 1, 5, layout=WIDE),
        }
        guesses = self.view.text("guesses", width=f"{size}px", height=f"{size}px")
        pictures = [self.view.picture("photo", size), self.view.picture("gradient", size)]
        self.assemble(self.columns(2), self.view.text("status"), self.view.row(*pictures, guesses))

    def presets(self, values: dict[str, Any]) -> dict[str, dict[str, Any]]:
        first = {"network": "alexnet64", "photo": "cat", "rank": 1}
        return {
            "cat": first,
            "second": first | {"rank": 2},
            "coffee": first | {"photo": "coffee"},
            "astronaut": first | {"photo": "astronaut"},
            "robust": first | {"network": "inception64_robust", "photo": "coffee"},
        }

    def _load(self, name: str) -> Iterator[Frame]:
        """Load a network once, and say so: a download takes its time."""
        if name in self._networks:
            return
        yield Frame({"status": self.say("loading", name=name)}, self.code())
        try:
            self._networks[name] = load_network(name)
        except Exception:
            yield Frame({"status": ""}, self.code())
            raise

    def draw(self, values: dict[str, Any]) -> Iterator[Frame]:
        name = values["network"]
        yield from self._load(name)
        network = self._networks[name]
        photo = self.load(values["photo"], network.input_size)
        best = network.top(photo, 5)
        label = best[values["rank"] - 1][0]
        target = targets.logit(label)
        gradient = sensitivity(network, photo, target, "guided").gradient
        bars = "".join(
            f"<tr><td>{'<b>' * (guess == label)}{html.escape(guess)}{'</b>' * (guess == label)}</td>"
            f'<td><div class="lv-bar" style="width:{110 * p:.0f}px"></div></td><td>{p:.0%}</td></tr>'
            for guess, p in best
        )
        self.network, self._photo = network, photo
        yield Frame(
            {
                "photo": photo,
                "photo caption": self.say(
                    "photo caption", photo=option(values["photo"]), network=name, size=network.input_size
                ),
                "gradient": maps.show_signed(gradient),
                "gradient caption": self.say("gradient caption", label=label),
                "status": "",
                "guesses": f"<b>{self.say('guesses')}</b><table class='lv-guesses'>{bars}</table>",
            },
            f"net = lv.load_network({name!r})\n"
            f"photo = {self.load_code(values['photo'], network.input_size)}\n"
            f"lv.gradient(net, photo, {target}, rule='guided')",
        )
