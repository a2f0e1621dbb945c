"""What panels about a photo share: a menu of photos, and a button to upload one."""

import ipywidgets as widgets
from torch import Tensor

from ... import photos
from ...networks import Network
from .call import Call, Named, Values
from .panel import Panel

WIDE = {"width": "440px"}
GIVEN = "given"  # the photo that the panel was made with
UPLOADED = "your photo"


class PhotoPanel(Panel):
    """Has the controls ``photo`` and ``upload``, which share a line."""

    menus: tuple[str, ...] = ("photo",)  # where an uploaded photo can be chosen

    network: Network

    def __init__(self, network: Network | None, photo: Tensor | str):
        """``photo`` is an image ``(1, 3, H, W)`` in ``[0, 1]``, a bundled name, or a path.

        A panel that finds its network later gives none.
        """
        super().__init__()
        if network is not None:
            self.network = network
        self._sources: Values = {name: name for name in photos.BUNDLED_PHOTOS}  # as `load_image` takes them
        self._first = self._photo_name = photo if isinstance(photo, str) else GIVEN
        if self._photo_name not in self._sources:
            loaded = photos.load_image(photo)  # says now what is wrong with it
            self._sources = {self._photo_name: photo if isinstance(photo, str) else loaded} | self._sources
        self._photo: Tensor | None = None

    @property
    def photo(self) -> Tensor:
        """The photo chosen, as the network takes it: ``(1, 3, H, W)``."""
        if self._photo is None:
            source = self._sources[self._photo_name]
            source = source if isinstance(source, Tensor) else photos.load_image(source, self._side)
            self._photo = self.network.check(source)
        return self._photo

    @property
    def _side(self) -> int:
        """Of photos, in pixels: as large as the given one, so that a larger one can be looked at."""
        return min(self._sources[GIVEN].shape[2:]) if GIVEN in self._sources else self.network.input_size

    def photo_controls(self, *others: str) -> dict[str, widgets.Widget]:
        """``photo``, a menu of ``others`` (such as noise) and all photos; ``upload``, a button."""
        options, button = [*others, *self._sources], {"width": "126px", "margin": "2px 2px 2px 4px"}
        return {
            "photo": widgets.Dropdown(options=options, value=self._photo_name, layout={"width": "308px"}),
            "upload": widgets.FileUpload(accept="image/*", description=self.say("upload"), layout=button),
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
        return Named("photo", self.photo, self.loading(self._photo_name, self._side))

    def loading(self, name: str, size: int) -> Call | None:
        """The call that loads it; none for the given one."""
        if name == GIVEN:
            return None
        return Call.of(photos.load_image, Named("your_file", self._sources[name]) if name == UPLOADED else name, size)

    def loaded(self, name: str, size: int) -> Call:
        """The call that makes the photo of this name in a menu ``size`` pixels wide and high."""
        return self.loading(name, size) or Call.of(photos.load_image, Named("photo", self._sources[name]), size)

    def new_photo(self, values: Values) -> Values:
        """Another photo was chosen: forget what was found in the last one; returns the values."""
        return values

    def receive(self, values: Values) -> Values:
        if waiting := self.controls["upload"].value:
            content = bytes(waiting[0]["content"])
            self.controls["upload"].value = ()  # taken, or refused by the next line
            photos.load_image(content)
            for menu in (self.controls[name] for name in self.menus if UPLOADED not in self._sources):
                self.offer(menu, [*menu.options, *self.options([UPLOADED])])
            self._sources[UPLOADED] = content
            self.controls["photo"].value = values["photo"] = UPLOADED
            self._photo_name = ""  # another photo, though its name may be the same
        values = values | {"upload": self._sources.get(UPLOADED)}
        if values["photo"] in self._sources and values["photo"] != self._photo_name:
            self._photo_name, self._photo = values["photo"], None
            values = self.new_photo(values)
        return values
