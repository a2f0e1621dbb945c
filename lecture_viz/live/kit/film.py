"""The film of a run: some of its pictures, as a strip and as a file."""

import base64
import io

import torch
from PIL import Image
from torch import Tensor

from ... import figures, maps

STILLS = 64  # kept; every second one is dropped when there are more
STRIP = 9  # of them in the strip


class Film:
    """Stills at equal distances, however long the run becomes."""

    def __init__(self) -> None:
        self.stills: list[Tensor] = []
        self._seen = 0  # pictures so far …
        self._every = 1  # … of which each of these was kept

    def keep(self, image: Tensor) -> None:
        """The next picture of the run ``(B, 3, H, W)``; of a batch the first."""
        if self._seen % self._every == 0:
            self.stills.append(image[:1].cpu())
            if len(self.stills) > STILLS:
                self.stills, self._every = self.stills[::2], 2 * self._every
        self._seen += 1

    def chosen(self) -> list[Tensor]:
        """Those of the strip: at most nine, from the first to the last."""
        places = torch.linspace(0, len(self.stills) - 1, min(STRIP, len(self.stills)))
        return [self.stills[round(n)] for n in places.tolist()]

    def strip(self) -> Tensor:
        """From left to right and down: an image ``(1, 3, H, W)``."""
        return figures.mosaic(self.chosen(), columns=3, cell=64)

    def gif(self, final: Tensor) -> bytes:
        """All stills and ``final`` ``(1, 3, H, W)`` as an animation."""
        stills = [maps.to_pil(image) for image in (*self.stills, final)]
        size, colours = stills[-1].size, Image.Quantize.FASTOCTREE  # a tenth of the time of the usual choice
        first, *more = (still.resize(size).quantize(method=colours) for still in stills)  # octaves begin small
        file = io.BytesIO()
        first.save(file, "GIF", save_all=True, append_images=more, duration=100, loop=0)
        return file.getvalue()

    def links(self, final: Tensor) -> str:
        """HTML: links that save ``final`` ``(1, 3, H, W)`` and the film, without a file on the server."""
        files = {
            "picture.png": ("image/png", maps.encode(final)),
            "film.gif": ("image/gif", self.gif(final)),
        }
        return " · ".join(
            f'<a download="{name}" href="data:{kind};base64,{base64.b64encode(content).decode()}">{name}</a>'
            for name, (kind, content) in files.items()
        )
