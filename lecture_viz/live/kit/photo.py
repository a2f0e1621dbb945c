"""What panels about a photo share: menus of networks and of photos, a button to upload a photo, and the camera."""

from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import ipywidgets as widgets
from torch import Tensor

from ... import photos
from ...networks import Network, load_network
from . import controls
from .call import Call, Named, Values
from .camera import Camera
from .coarse import SMALL, coarse
from .panel import Panel
from .teams import alone
from .upload import Upload

WIDE = {"width": "440px"}
GIVEN = "given"  # the photo that the panel was made with
UPLOADED = "your photo"
CAMERA = "camera"
IN_CODE = {UPLOADED: "your_file", CAMERA: "frame"}  # variables that hold a file
NETWORKS = ("efficientnet_lite0", "alexnet64", "inception64", "inception64_robust")  # those that need no download


class PhotoPanel(Panel):
    """Has the controls ``network``, and ``photo``, ``upload`` and ``camera``, which share a line.

    Attributes:
        network: the one chosen in the menu; at first the one the panel was made with.
    """

    menus: tuple[str, ...] = ("photo",)  # where an uploaded photo can be chosen
    networks: tuple[str, ...] = NETWORKS  # offered beside the notebook's own
    further: tuple[str, ...] = ()  # photos, beside the bundled ones

    def __init__(self, network: Network | str, photo: Tensor | str):
        """``photo`` is an image ``(1, 3, H, W)`` in ``[0, 1]``, a bundled name or a path; ``network`` may be a name."""
        super().__init__()
        self._given = network if isinstance(network, Network) else None
        self._loaded: dict[str, Network] = {}
        self.network = self._given or self.load_network(str(network))
        self._loaded[self.network.name] = self.network
        # by name, as `load_image` takes them
        self._sources: Values = {name: name for name in (*photos.BUNDLED_PHOTOS, *self.further)}
        self._brought: dict[str, Tensor] = {}  # the pixels of files that a hand has brought
        self._first = self._photo_name = photo if isinstance(photo, str) else GIVEN
        if self._photo_name not in self._sources:
            loaded = photos.load_image(photo)  # says now what is wrong with it
            self._sources = {self._photo_name: photo if isinstance(photo, str) else loaded} | self._sources
        self._photo: Tensor | None = None
        self._framed = False  # whether the camera waits for the answer to a frame
        self._stood: Values | None = None  # the values when it was first said that something is wrong with the camera

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
            read = source if as_given else photos.load_image(self._brought.get(self._photo_name, source), self._side)
            self._photo = self.network.check(read)
        return self._photo

    @property
    def _side(self) -> int:
        """Of photos, in pixels: as large as the given one, so that a larger one can be looked at."""
        given = self._sources.get(GIVEN) if self.network is self._given else None
        return self.network.input_size if given is None else min(given.shape[2:])

    def photo_controls(self, *others: str) -> dict[str, widgets.Widget]:
        """``network``; ``photo``, a menu of ``others`` (such as noise) and all photos; two buttons for one's own."""
        options = [*others, *self._sources]
        networks = [*dict.fromkeys((self.network.name, *self.networks))]
        chosen = {"network": widgets.Dropdown(options=networks, layout=WIDE)} if len(networks) > 1 else {}
        camera = Camera(description=self.say("camera"), freeze=self.say("camera freeze"))
        camera.observe(lambda change: self.worker.ask() if change["new"] else None, "problem")
        return chosen | {
            "photo": widgets.Dropdown(options=options, value=self._photo_name, layout={"width": "250px"}),
            "upload": Upload(description=self.say("upload")),
            "camera": camera,
        }

    def shown_control(self, name: str) -> widgets.Widget | None:
        if name == "photo":
            return widgets.HBox([self.controls[one] for one in ("photo", "upload", "camera")])
        return None if name in ("upload", "camera") else super().shown_control(name)

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
        file = Named(IN_CODE[name], self._sources[name]) if name in IN_CODE else name
        return Call.of(photos.load_image, file, size)

    def loaded(self, name: str, size: int) -> Call:
        """The call that makes the photo of this name in a menu ``size`` pixels wide and high."""
        return self.loading(name, size) or Call.of(photos.load_image, Named("photo", self._sources[name]), size)

    def coarse(self, call: Any, known: Values) -> Iterator[Any]:
        if not self._framed and min(self.photo.shape[2:]) > SMALL:  # the camera's next frame waits for the whole answer
            with suppress(ValueError, RuntimeError), alone():  # a network may take photos of its own size only
                if (rough := coarse(call)) != call:
                    yield next(rough.results(known))

    def _go(self, preset: str | None) -> None:
        if self.is_asking and "camera" in self.controls:
            self.controls["camera"].live = False
        super()._go(preset)

    def new_photo(self, values: Values) -> Values:
        """Another photo was chosen: forget what was found in the last one; returns the values."""
        return values

    def receive(self, values: Values) -> Values:
        camera = self.controls["camera"]
        if camera.problem:
            camera.value, stand = b"", values | {"camera": b""}  # a last frame would hide what is said
            self._stood = self._stood or stand
            if stand == self._stood:
                raise ValueError(self.say(f"camera {camera.problem[0]}"))
            camera.problem = []  # a hand has gone on
        self._stood = None
        for control, name in ((self.controls["upload"], UPLOADED), (camera, CAMERA)):
            if waiting := control.value:
                control.value = b""  # taken, or refused by the next line
                self._framed = self._framed or name == CAMERA
                self.view.kept = self.view.kept and name != CAMERA
                self._take(name, bytes(waiting))
                values["photo"] = name
        if self._photo_name == CAMERA != values["photo"]:  # a hand has chosen another, and the next frame would undo it
            camera.live = False
        values = values | {"upload": self._sources.get(UPLOADED), "camera": self._sources.get(CAMERA)}
        if values.get("network", self.network.name) != self.network.name:
            values = self.new_network(values)
        if values["photo"] in self._sources and values["photo"] != self._photo_name:
            self._photo_name, self._photo = values["photo"], None
            values = self.new_photo(values)
        return values

    def _take(self, name: str, content: bytes) -> None:
        """A file that a hand has brought."""
        self._brought[name] = photos.load_image(content)
        for menu in (self.controls[menu] for menu in self.menus if name not in self._sources):
            controls.offer(menu, [*menu.options, *controls.options([name])])
        self._sources[name] = content
        self._photo_name = ""  # another photo, though its name may be the same

    def _answer(self) -> None:
        super()._answer()
        if self._framed:
            self.controls["camera"].answered += 1  # the next frame may come
            self._framed = False

    def _repr_mimebundle_(self, **options: Any) -> Values:
        """Without a still of what the camera saw: it would stand in the notebook's file."""
        bundle = super()._repr_mimebundle_(**options)
        return bundle if self.view.kept else bundle | {"text/html": bundle["text/plain"]}
