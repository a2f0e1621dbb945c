"""Many photos, one at a time."""

from collections.abc import Sequence
from functools import cache
from os import PathLike
from pathlib import Path

from torch import Tensor

from .loading import BUNDLED_PHOTOS, SUFFIXES, TEXTURES, load_image

CROPS = (64, 128, 256)  # sides in pixels; crops of one size do not overlap, so that nine of them show nine things


class Pictures:
    """Squares of ``size`` pixels, read when asked for: they need not all fit into memory.

    ``pictures[n]`` is an image ``(1, 3, size, size)``; it raises what `load_image` raises where the file is unreadable.
    """

    def __init__(self, source, size: int):
        """``source`` is ``"bundled"``, a folder (searched with its subfolders), a list of what `load_image` takes, or
        a data set such as torchvision's (pairs of a picture and a class).

        Raises:
            FileNotFoundError: no such folder.
            ValueError: there are no pictures.
            TypeError: a source without a length.
        """
        self.size = size
        self.folder: Path | None = None
        self.bundled = isinstance(source, str) and source == "bundled"
        if self.bundled:
            source = _bundled_crops()
        elif isinstance(source, (str, PathLike)):
            self.folder = Path(source).expanduser()
            if not self.folder.is_dir():
                raise FileNotFoundError(
                    f"there is no folder {str(self.folder)!r}; give the path of one with pictures in it"
                )
            source = sorted(path for path in self.folder.rglob("*") if path.suffix.lower() in SUFFIXES)
            if not source:
                raise ValueError(f"the folder {str(self.folder)!r} holds no pictures ({', '.join(SUFFIXES)})")
        if not (hasattr(source, "__len__") and hasattr(source, "__getitem__")):
            raise TypeError(f"pictures are a folder, a list or a data set with a length; got {type(source).__name__}")
        if len(source) == 0:
            raise ValueError("there are no pictures in the list; give at least one")
        self._items: Sequence = source

    def __len__(self) -> int:
        return len(self._items)

    def __getitem__(self, n: int) -> Tensor:
        item = self._items[n]
        if self.bundled:
            name, top, left, side = item
            return load_image(_photo(name)[:, :, top : top + side, left : left + side], self.size)
        return load_image(item[0] if isinstance(item, tuple) else item, self.size)

    def name(self, n: int) -> str:
        """What to call a picture in a caption or a message."""
        if self.bundled:
            return self._items[n][0]
        return str(self._items[n].relative_to(self.folder)) if self.folder else f"picture {n}"

    def fingerprint(self) -> str | None:
        """Changes when the pictures do; ``None`` where that cannot be known without looking at them all."""
        if self.bundled:
            return repr(self._items)
        if self.folder is None:
            return None
        return repr([(str(path), path.stat().st_size, path.stat().st_mtime_ns) for path in self._items])


_photo = cache(load_image)


def _bundled_crops() -> list[tuple[str, int, int, int]]:
    """(photo, top, left, side) of squares at three scales."""
    crops = []
    for name in (*BUNDLED_PHOTOS, *TEXTURES):
        height, width = _photo(name).shape[2:]
        for side in CROPS:
            rows, columns = range(0, height - side + 1, side), range(0, width - side + 1, side)
            crops += [(name, top, left, side) for top in rows for left in columns]
    return crops
