"""The first panel: pick a network and a photo (or bring one), see what the network says and why."""

import html
from collections.abc import Iterator
from typing import Any

import ipywidgets as widgets

from .. import images, targets
from ..gradients import sensitivity
from ..languages import option
from ..networks import Network, load_network
from .panel import Frame, Panel

NETWORKS = ("alexnet64", "inception64", "inception64_robust", "alexnet", "googlenet", "resnet18", "vgg16")
UPLOAD = "your photo"


class Start(Panel):
    """Controls: ``network``, ``photo``, ``upload`` and ``rank`` (which of the five best classes is explained).

    Attributes:
        network, photo: those on screen; the photo is ``(1, 3, H, W)`` at the network's size.
    """

    name = "start"

    def __init__(self, network: str = "alexnet64", photo: str = "cat", size: int = 280):
        super().__init__()
        self._networks: dict[str, Network] = {}
        self._upload: bytes | None = None
        wide = widgets.Layout(width="440px")
        self.controls = {
            "network": widgets.Dropdown(options=NETWORKS, value=network, layout=wide),
            "photo": widgets.Dropdown(options=list(images.BUNDLED_PHOTOS), value=photo, layout=wide),
            "upload": widgets.FileUpload(
                accept="image/*", description=self.say("upload"), layout=widgets.Layout(width="220px")
            ),
            "rank": widgets.IntSlider(1, 1, 5, layout=wide),
        }
        controls = self.controls
        guesses = self.text("guesses", width=f"{size}px", height=f"{size}px")
        pictures = [self.picture("photo", size), self.picture("gradient", size)]
        self.assemble(
            widgets.HBox(
                [
                    widgets.VBox([controls["network"], controls["photo"], controls["rank"]]),
                    widgets.VBox([controls["upload"], self.text("status")], layout=widgets.Layout(margin="0 0 0 24px")),
                ],
                layout=widgets.Layout(flex_flow="row wrap"),
            ),
            self.row(*pictures, guesses),
        )

    def presets(self, values: dict[str, Any]) -> dict[str, dict[str, Any]]:
        first = {"network": "alexnet64", "photo": "cat", "rank": 1}
        return {
            "cat": first,
            "second": first | {"rank": 2},
            "coffee": first | {"photo": "coffee"},
            "astronaut": first | {"photo": "astronaut"},
            "robust": first | {"network": "inception64_robust", "photo": "coffee"},
        }

    def adjust(self, values: dict[str, Any]) -> dict[str, Any]:
        if values["upload"]:
            content = bytes(values["upload"][0]["content"])
            self.controls["upload"].value = ()  # taken, or refused by the next line
            images.load_image(content, 64)
            self._upload = content
            menu = self.controls["photo"]
            menu.options = self.options([*images.BUNDLED_PHOTOS, UPLOAD])
            menu.value = values["photo"] = UPLOAD
        return values | {"upload": self._upload}

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
        source = self._upload if values["photo"] == UPLOAD else values["photo"]
        photo = images.load_image(source, network.input_size)
        best = network.top(photo, 5)
        label = best[values["rank"] - 1][0]
        target = targets.logit(label)
        gradient = sensitivity(network, photo, target, "guided").gradient
        bars = "".join(
            f"<tr><td>{'<b>' * (guess == label)}{html.escape(guess)}{'</b>' * (guess == label)}</td>"
            f'<td><div class="lv-bar" style="width:{110 * p:.0f}px"></div></td><td>{p:.0%}</td></tr>'
            for guess, p in best
        )
        self.network, self.photo = network, photo
        source = "your_file" if values["photo"] == UPLOAD else repr(values["photo"])
        yield Frame(
            {
                "photo": photo,
                "photo caption": self.say(
                    "photo caption", photo=option(values["photo"]), network=name, size=network.input_size
                ),
                "gradient": images.show_signed(gradient),
                "gradient caption": self.say("gradient caption", label=label),
                "status": "",
                "guesses": f"<b>{self.say('guesses')}</b><table class='lv-guesses'>{bars}</table>",
            },
            f"net = lv.load_network({name!r})\n"
            f"photo = lv.load_image({source}, size={network.input_size})\n"
            f"lv.gradient(net, photo, {target}, rule='guided')",
        )
