"""A teacher's answers, stored: its logits for a few views of every training photo."""

import json
from pathlib import Path

import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor

from .augmentation import views


class SoftLabels:
    """The file of soft labels, 40 MB a view.

    ``logits`` are one ``(N, n_labels)`` a view, in half precision, for the training photos in the order in which they
    are read; ``teacher`` says in words who gave them. Which part of a photo a view shows is not stored: it follows from
    the view's number. Of the photos only every ``every``-th is used.
    """

    SMALLEST_CROP = 0.4

    def __init__(self, logits: list[Tensor], teacher: str, every: int = 1):
        self.logits, self.teacher, self.every = logits, teacher, every

    def __len__(self) -> int:
        """How many photos are used."""
        return len(self.logits[0][:: self.every])

    @classmethod
    def read(cls, file: Path) -> "SoftLabels":
        """
        Raises:
            FileNotFoundError: there is no such file.
        """
        if not file.exists():
            raise FileNotFoundError(f"no soft labels at {file}: python -m lecture_viz.training teach --data DIR")
        with safe_open(file, framework="pt") as stored:
            logits = [stored.get_tensor(str(number)) for number in range(len(stored.keys()))]
            return cls(logits, json.loads(stored.metadata()["teacher"]))

    def write(self, file: Path) -> None:
        part = file.with_suffix(".part")
        named = {str(number): logits for number, logits in enumerate(self.logits)}
        save_file(named, part, metadata={"teacher": json.dumps(self.teacher)})
        part.replace(file)  # never a half-written file

    @classmethod
    def view(cls, number: int, photos: int) -> Tensor:
        """What view ``number`` shows of each photo: ``(photos, 2, 3)`` for `augmentation.crop`."""
        return views(photos, cls.SMALLEST_CROP, torch.Generator().manual_seed(number))

    def of_epoch(self, epoch: int) -> tuple[Tensor, Tensor]:
        """The views ``(N, 2, 3)`` of that epoch, and what the teacher said to them ``(N, n_labels)``.

        Every second time round they are mirrored, which makes no difference to the teacher.
        """
        time, number = divmod(epoch, len(self.logits))
        theta = self.view(number, len(self.logits[number]))
        theta[:, 0, 0] *= -1 if time % 2 else 1
        return theta[:: self.every], self.logits[number][:: self.every]
