"""A photo in, a tensor out.

An *image* is a float tensor ``(B, 3, H, W)``, RGB, in ``[0, 1]``. Normalisation is the first step inside a
`Network`, so every method works in pixels.
"""

import io
import math
import os
import warnings
from importlib.resources import files
from os import PathLike
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from PIL import Image, ImageOps, UnidentifiedImageError
from torch import Tensor
from torch.nn import functional as F

# scikit-image's wheel carries these; all are in the public domain or CC0
BUNDLED_PHOTOS = {
    "cat": "chelsea.png",
    "astronaut": "astronaut.png",
    "coffee": "coffee.png",
    "rocket": "rocket.jpg",
    "galaxies": "hubble_deep_field.jpg",
}
SHEET = "sheet"  # empty, to draw on
SMALLEST_SIDE = 8  # pixels; below this there is nothing to see
MOST_PIXELS = 50_000_000  # a decoded photo above this would fill a laptop's memory

SUFFIXES = (".bmp", ".gif", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp")
# more photos in scikit-image's wheel, all CC0: too plain to look at, but patches of them are worth finding, and things
# stand out before them
TEXTURES = {"grass": "grass.png", "bricks": "brick.png", "gravel": "gravel.png", "photographer": "camera.png"}


class Box(NamedTuple):
    """A rectangle of pixels, ``top ≤ y < bottom``, ``left ≤ x < right``."""

    top: int
    left: int
    bottom: int
    right: int

    @property
    def area(self) -> int:
        """Pixels inside."""
        return (self.bottom - self.top) * (self.right - self.left)

    def holds(self, y: int, x: int) -> bool:
        """Whether the pixel in row y and column x is inside."""
        return self.top <= y < self.bottom and self.left <= x < self.right

    def crop(self, image: Tensor) -> Tensor:
        """The pixels of ``image`` ``(…, H, W)`` inside."""
        return image[..., self.top : self.bottom, self.left : self.right]


def load_image(source, size: int | None = None) -> Tensor:
    """Read a photo as a tensor ``(1, 3, H, W)``, RGB, float32 in ``[0, 1]``.

    Args:
        source: a bundled name (``"cat"``, ``"astronaut"``, ``"coffee"``, ``"rocket"``, ``"galaxies"``; ``"grass"``,
            ``"bricks"``, ``"gravel"``, ``"photographer"``; ``"sheet"``, empty and white), a path, the bytes of a file,
            a PIL image, a NumPy array ``(H, W)``, ``(H, W, 1 | 3 | 4)`` (uint8, uint16, or float in
            ``[0, 1]``), or an image tensor ``(3, H, W)`` / ``(1, 3, H, W)`` in ``[0, 1]``.
        size: side in pixels of a square result: the shorter side is resized to it (antialiased), the longer one
            cropped about the centre. ``None`` keeps the photo as it is.

    EXIF rotation is applied; transparency is laid over white; grey, palette, CMYK and 16-bit pictures are converted.

    Raises:
        FileNotFoundError: no such bundled name and no such file.
        ValueError: a web address, a folder, not a picture, truncated, narrower or lower than 8 pixels, over 50 million
            pixels, NaN, values out of range; a ``size`` that is no whole number, or whose square is as large.
        TypeError: a source of another type.
    """
    if size is not None and (isinstance(size, bool) or not isinstance(size, int) or size < 1):
        raise ValueError(f"size is the side of the square picture in pixels, a whole number from 1; got {size!r}")
    if size is not None and size > math.isqrt(MOST_PIXELS):
        raise ValueError(
            f"size is at most {math.isqrt(MOST_PIXELS)} (limit {MOST_PIXELS:,} pixels); got {size}: take a smaller one"
        )
    if isinstance(source, (str, PathLike, bytes, bytearray, memoryview)):
        source = _open(source)
    if isinstance(source, Image.Image):
        source = _pixels(source)
    if isinstance(source, np.ndarray):
        source = _from_array(source)
    if not isinstance(source, Tensor):
        raise TypeError(f"a photo is a name, path, bytes, PIL image, array or tensor; got {type(source).__name__}")
    image = _check_tensor(source)
    return image if size is None else _square(image, size)


def _open(source: str | PathLike | bytes | bytearray | memoryview) -> Image.Image:
    """Decode a file; every way in which that fails becomes one of the errors of `load_image`."""
    if source == SHEET:
        return Image.new("RGB", (512, 512), "white")
    bundled = BUNDLED_PHOTOS | TEXTURES
    if isinstance(source, str) and source in bundled:
        where = files("skimage") / "data" / bundled[source]
        name, file = f"the bundled photo {source!r}", io.BytesIO(where.read_bytes())
    elif isinstance(source, (str, PathLike)):
        if str(source).lower().startswith(("http:/", "https:/")):
            raise ValueError(f"{str(source)!r} is a web address: save the picture first, and give the path of the file")
        path = Path(os.path.expanduser(source))  # noqa: PTH111 – which leaves the name of an unknown user as it is
        if path.is_dir():
            raise ValueError(f"{str(path)!r} is a folder; give one picture in it{_example(path)}")
        if not path.is_file():
            raise FileNotFoundError(
                f"no photo at {str(path)!r}; bundled photos are {', '.join(BUNDLED_PHOTOS)}, "
                "anything else is the path of a file"
            )
        name, file = str(path), path
    else:
        name, file = f"the upload ({len(source):,} bytes)", io.BytesIO(source)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)  # our own, lower limit follows
            picture = Image.open(file)
        with picture:  # lets go of the file, whatever happens
            _check_size(picture.width, picture.height, name)
            picture.load()
    except Image.DecompressionBombError as error:
        raise ValueError(f"{name} has too many pixels (limit {MOST_PIXELS:,}); make it smaller first") from error
    except UnidentifiedImageError as error:
        raise ValueError(f"{name} is not a picture that can be read; save it as JPEG or PNG") from error
    except (OSError, SyntaxError) as error:  # SyntaxError: Pillow's word for a broken PNG
        raise ValueError(f"{name} is damaged or truncated ({error}); download or export it again") from error
    return picture


def _example(folder: Path) -> str:
    """The first picture in a folder, as the end of a sentence."""
    first = min((path for path in folder.iterdir() if path.suffix.lower() in SUFFIXES), default=None)
    return f", such as {str(first)!r}" if first else ""


def _check_size(width: int, height: int, name: str = "the picture") -> None:
    if min(width, height) < SMALLEST_SIDE:
        raise ValueError(f"{name} is {width}×{height} pixels; at least {SMALLEST_SIDE}×{SMALLEST_SIDE} are needed")
    if width * height > MOST_PIXELS:
        raise ValueError(f"{name} has {width * height:,} pixels (limit {MOST_PIXELS:,}); make it smaller first")


def _pixels(picture: Image.Image) -> np.ndarray:
    """Upright RGB (uint8), or grey (uint16 / float) where the file has more than 8 bits."""
    _check_size(*picture.size)
    try:
        picture = ImageOps.exif_transpose(picture)
    except (OSError, SyntaxError) as error:  # a PIL image that was opened but not yet decoded
        raise ValueError(f"the picture is damaged or truncated ({error}); download or export it again") from error
    if picture.mode.startswith("I"):  # 16-bit grey; Pillow holds it in 16 or in 32 bits
        return np.asarray(picture).clip(0, 65535).astype(np.uint16)
    if picture.mode == "F":
        return np.asarray(picture)
    if picture.has_transparency_data:
        white = Image.new("RGBA", picture.size, "white")
        picture = Image.alpha_composite(white, picture.convert("RGBA"))
    return np.asarray(picture.convert("RGB"))


def _from_array(array: np.ndarray) -> Tensor:
    if array.ndim == 2:
        array = array[:, :, None]
    if array.ndim != 3 or array.shape[2] not in (1, 3, 4):
        raise ValueError(
            f"an array's shape is (H, W), (H, W, 1), (H, W, 3) or (H, W, 4); got {array.shape}. "
            "Move the channels last, or give one picture at a time"
        )
    if array.dtype in (np.uint8, np.uint16):
        array = array / np.float32(np.iinfo(array.dtype).max)
    elif array.dtype == bool or np.issubdtype(array.dtype, np.floating):
        array = array.astype(np.float32)
    else:
        raise ValueError(f"an array holds uint8, uint16, or floats in [0, 1]; got {array.dtype}: convert it first")
    if array.shape[2] == 4:
        alpha = array[:, :, 3:]
        array = array[:, :, :3] * alpha + (1 - alpha)
    array = np.broadcast_to(array, (*array.shape[:2], 3))
    return torch.from_numpy(array.transpose(2, 0, 1).astype(np.float32, order="C"))


def _check_tensor(image: Tensor) -> Tensor:
    image = image.unsqueeze(0) if image.ndim == 3 else image
    if image.ndim != 4 or image.shape[:2] != (1, 3) or not image.is_floating_point():
        raise ValueError(
            f"an image is a float tensor (3, H, W) or (1, 3, H, W); got {image.dtype} {tuple(image.shape)}"
        )
    _check_size(image.shape[3], image.shape[2])
    if not image.isfinite().all():
        raise ValueError("the picture holds NaN or infinite values; replace them, for example with nan_to_num")
    low, high = image.min().item(), image.max().item()
    if low < 0 or high > 1:
        raise ValueError(f"pixels lie in [0, 1]; these span {low:.3g} … {high:.3g}: divide by 255, or clamp")
    return image.float()


def _square(image: Tensor, size: int) -> Tensor:
    height, width = image.shape[-2:]
    if width > 50 * height or height > 50 * width:
        raise ValueError(f"the picture is {width}×{height}: too narrow for a square; crop it first")
    scale = size / min(height, width)
    height, width = max(size, round(height * scale)), max(size, round(width * scale))
    image = F.interpolate(image, (height, width), mode="bilinear", antialias=True, align_corners=False)
    top, left = (height - size) // 2, (width - size) // 2
    return image[:, :, top : top + size, left : left + size].contiguous().clamp(0, 1)
