"""What panels about a photo share: menus of networks and of photos, and a button to upload a photo."""

from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import ipywidgets as widgets
from torch import Tensor

from ... import photos
from ...networks import Network, load_network
from .call import Call, Named, Values
from .coarse import SMALL, coarse
from .panel import Panel
from .upload import Upload

WIDE = {"width": "440px"}
GIVEN = "given"  # the photo that the panel was made with
UPLOADED = "your photo"
NETWORKS = ("efficientnet_lite0", "alexnet64", "inception64", "inception64_robust")  # those that need no download


class PhotoPanel(Panel):
    """Has the controls ``network``, and ``photo`` and ``upload``, which share a line.

    Attributes:
        network: the one chosen in the menu; at first the one the panel was made with.
    """

    menus: tuple[str, ...] = ("photo",)  # where an uploaded photo can be chosen
    networks: tuple[str, ...] = NETWORKS  # offered beside the notebook's own

    def __init__(self, network: Network | str, photo: Tensor | str):
        """``photo`` is an image ``(1, 3, H, W)`` in ``[0, 1]``, a bundled name or a path; ``network`` may be a name."""
        super().__init__()
        self._given = network if isinstance(network, Network) else None
        self._loaded: dict[str, Network] = {}
        self.network = self._given or self.load_network(str(network))
        self._loaded[self.network.name] = self.network
        self._sources: Values = {name: name for name in photos.BUNDLED_PHOTOS}  # as `load_image` takes them
        self._first = self._photo_name = photo if isinstance(photo, str) else GIVEN
        if self._photo_name not in self._sources:
            loaded = photos.load_image(photo)  # says now what is wrong with it
            self._sources = {self._photo_name: photo if isinstance(photo, str) else loaded} | self._sources
        self._photo: Tensor | None = None

    # --- the network ----------------------------------------------------------------------------------------------

    def load_network(self, name: str) -> Network:
        """The network of this name, loaded once."""
        if name not in self._loaded:
            self._loaded[name] = load_network(name, device=self._given.device if self._given else None)
        return self._loaded[name]

    def net(self) -> Named:
        """The network chosen, as the code names it."""
        given = self.network is self._given
        return Named("net", self.network, None if given else Call.of(load_network, self.network.name))

    @property
    def layer_names(self) -> tuple[str, ...]:
        """What the control ``layer`` offers."""
        return self.network.layers

    def new_network(self, values: Values) -> Values:
        """Another network was chosen: its layers have other names, its classes other numbers; returns the values."""
        before, self.network = self.layer_names, self.load_network(values["network"])
        self._photo = None
        values = self.new_photo(values)
        if "layer" in values and values["layer"] in before:  # else it has been moved to
            deep = before.index(values["layer"]) / max(1, len(before) - 1)
            values["layer"] = self.layer_names[round(deep * (len(self.layer_names) - 1))]
        return values

    # --- the photo ------------------------------------------------------------------------------------------------

    @property
    def photo(self) -> Tensor:
        """The photo chosen, as the network takes it: ``(1, 3, H, W)``."""
        if self._photo is None:
            source = self._sources[self._photo_name]
            as_given = isinstance(source, Tensor) and self.network is self._given
            self._photo = self.network.check(source if as_given else photos.load_image(source, self._side))
        return self._photo

    @property
    def _side(self) -> int:
        """Of photos, in pixels: as large as the given one, so that a larger one can be looked at."""
        given = self._sources.get(GIVEN) if self.network is self._given else None
        return self.network.input_size if given is None else min(given.shape[2:])

    def photo_controls(self, *others: str) -> dict[str, widgets.Widget]:
        """``network``; ``photo``, a menu of ``others`` (such as noise) and all photos; ``upload``, a button."""
        options = [*others, *self._sources]
        networks = [*dict.fromkeys((self.network.name, *self.networks))]
        chosen = {"network": widgets.Dropdown(options=networks, layout=WIDE)} if len(networks) > 1 else {}
        return chosen | {
            "photo": widgets.Dropdown(options=options, value=self._photo_name, layout={"width": "308px"}),
            "upload": Upload(description=self.say("upload")),
        }

    def shown_control(self, name: str) -> widgets.Widget | None:
        if name == "photo":
            return widgets.HBox([self.controls["photo"], self.controls["upload"]])
        return None if name == "upload" else super().shown_control(name)

    def load(self, name: str, size: int) -> Tensor:
        """The photo of this name in a menu, ``size`` pixels wide and high."""
        return photos.load_image(self._sources[name], size)

    def photo_call(self) -> Named:
        """The photo chosen, as the code names it."""
        name = self._photo_name
        if self.network is self._given or name != GIVEN:
            return Named("photo", self.photo, self.loading(name, self._side))
        return Named("photo", self.photo, self.loaded(name, self._side))

    def loading(self, name: str, size: int) -> Call | None:
        """The call that loads it; none for the given one."""
        if name == GIVEN:
            return None
        return Call.of(photos.load_image, Named("your_file", self._sources[name]) if name == UPLOADED else name, size)

    def loaded(self, name: str, size: int) -> Call:
        """The call that makes the photo of this name in a menu ``size`` pixels wide and high."""
        return self.loading(name, size) or Call.of(photos.load_image, Named("photo", self._sources[name]), size)

    def coarse(self, call: Any, known: Values) -> Iterator[Any]:
        if min(self.photo.shape[2:]) > SMALL:
            with suppress(ValueError, RuntimeError):  # a network may take photos of its own size only
                yield next(coarse(call).results(known))

    def new_photo(self, values: Values) -> Values:
        """Another photo was chosen: forget what was found in the last one; returns the values."""
        return values

    def receive(self, values: Values) -> Values:
        if waiting := self.controls["upload"].value:
            content = bytes(waiting)
            self.controls["upload"].value = b""  # taken, or refused by the next line
            photos.load_image(content)
            for menu in (self.controls[name] for name in self.menus if UPLOADED not in self._sources):
                self.offer(menu, [*menu.options, *self.options([UPLOADED])])
            self._sources[UPLOADED] = content
            values["photo"] = UPLOADED
            self._photo_name = ""  # another photo, though its name may be the same
        values = values | {"upload": self._sources.get(UPLOADED)}
        if values.get("network", self.network.name) != self.network.name:
            values = self.new_network(values)
        if values["photo"] in self._sources and values["photo"] != self._photo_name:
            self._photo_name, self._photo = values["photo"], None
            values = self.new_photo(values)
        return values
