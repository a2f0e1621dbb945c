"""Static figures for notebooks, with a text alternative on each picture."""

import base64
import html
import io
import warnings

import torch
from torch import Tensor
from torch.nn import functional as F

from . import maps, photos

FONT = "14px/1.4 system-ui,sans-serif"
ENLARGED = 4  # screen pixels for each pixel of a framed photo
ORANGE = torch.tensor([1.0, 0.55, 0.0]).view(1, 3, 1, 1)  # frames what is chosen


class Figure:
    """A figure a notebook shows: HTML whose pictures carry alt text, on an opaque background."""

    def __init__(self, body: str, alt: str):
        self.alt = alt
        self._body = body

    def __repr__(self) -> str:
        return f"figure: {self.alt}"

    def _repr_html_(self) -> str:
        return f'<div role="group" aria-label="{html.escape(self.alt)}">{self._body}</div>'


def _img(content: bytes, alt: str, style: str, format: str = "png") -> str:
    source = f"data:image/{format};base64,{base64.b64encode(content).decode()}"
    return f'<img src="{source}" alt="{html.escape(alt)}" style="{style}">'


def _picture(image: Tensor, alt: str, size: int) -> str:
    """An image, ``size`` screen pixels high; small ones are enlarged pixel by pixel: a map is exact, not smooth."""
    format, rendering = ("png", "pixelated") if max(image.shape[-2:]) <= maps.EXACT else ("jpeg", "auto")
    content = maps.encode(image, format, quality=80)  # a notebook holds dozens of them
    return _img(content, alt, f"height:{size}px;image-rendering:{rendering};margin:0", format)


def row(pictures: dict[str, Tensor], alt: str, size: int = 210) -> Figure:
    """Image tensors ``(1, 3, H, W)`` side by side, ``size`` screen pixels high, each with its caption below.

    Args:
        pictures: caption to image; make images of maps with `maps.show_signed` and `maps.show_magnitude`.
        alt: what the row shows, for those who cannot see it.
    """
    cells = []
    for caption, image in pictures.items():
        text = f'<figcaption style="font:{FONT};margin-top:4px">{html.escape(caption)}</figcaption>'
        width = round(size * image.shape[-1] / image.shape[-2])
        cells.append(
            f'<figure style="display:inline-block;margin:0 12px 8px 0;width:{width}px;vertical-align:top">'
            f"{_picture(image, f'{caption}: {alt}', size)}{text}</figure>"
        )
    return Figure("".join(cells), alt)


def grid(rows: dict[str, dict[str, Tensor]], alt: str, size: int = 120) -> Figure:
    """Rows of image tensors ``(1, 3, H, W)`` below each other, ``size`` screen pixels high.

    Args:
        rows: the row's caption, which stands left of it, to its pictures: column's caption to image, the same columns
            in each row.
        alt: what the grid shows, for those who cannot see it.
    """
    head = "".join(
        f'<th scope="col" style="text-align:center">{html.escape(column)}</th>' for column in next(iter(rows.values()))
    )
    body = ""
    for caption, pictures in rows.items():
        shown = (_picture(image, f"{caption}, {column}: {alt}", size) for column, image in pictures.items())
        cells = "".join(f'<td style="padding:2px 4px">{picture}</td>' for picture in shown)
        left = f'<th scope="row" style="text-align:left;width:190px">{html.escape(caption)}</th>'
        body += f'<tr style="background:none">{left}{cells}</tr>'
    return Figure(f'<table style="font:{FONT}"><tr><th></th>{head}</tr>{body}</table>', alt)


def mosaic(pictures: list[Tensor], columns: int = 3, cell: int = 64, chosen: int | None = None) -> Tensor:
    """Images of any size as one, row by row: each enlarged to ``cell`` pixels, the ``chosen`` one framed in orange."""
    cells = []
    for n, picture in enumerate(pictures):
        frame = ORANGE if n == chosen else torch.ones(1, 3, 1, 1)
        framed = frame.expand(1, 3, cell + 4, cell + 4).clone()
        framed[:, :, 2:-2, 2:-2] = F.interpolate(picture.cpu(), (cell, cell), mode="nearest")
        cells.append(framed)
    blank = torch.ones(1, 3, cell + 4, cell + 4)
    cells += [blank] * (-len(cells) % columns)
    rows = [torch.cat(cells[n : n + columns], dim=3) for n in range(0, len(cells), columns)]
    return torch.cat(rows, dim=2)


def framed(photo: Tensor, box: photos.Box) -> Tensor:
    """A photo ``(1, 3, H, W)``, a small one enlarged fourfold, with an orange frame just inside ``box``."""
    factor, width = (ENLARGED, 2) if max(photo.shape[2:]) <= maps.EXACT else (1, 3)
    shown = photo.cpu().repeat_interleave(factor, dim=2).repeat_interleave(factor, dim=3)
    inside = photos.Box(*(factor * side for side in box)).crop(shown)
    for edge in (inside[:, :, :width], inside[:, :, -width:], inside[:, :, :, :width], inside[:, :, :, -width:]):
        edge[:] = ORANGE
    return shown


def figure(drawing, alt: str) -> Figure:
    """A matplotlib figure (``matplotlib.figure.Figure``) with alt text.

    Its words are drawn by the browser, whose fonts have all of the world's letters.
    """
    from matplotlib import rc_context

    file = io.BytesIO()
    with rc_context({"svg.fonttype": "none", "svg.hashsalt": "0"}), warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph .* missing from font")  # here they are only measured
        drawing.savefig(file, format="svg", facecolor="white", bbox_inches="tight", metadata={"Date": None})
    return Figure(_img(file.getvalue(), alt, "max-width:100%", "svg+xml"), alt)
