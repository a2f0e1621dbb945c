"""Reads the standard Tiny ImageNet folder: 200 classes, 64×64, 500 training and 50 validation images each.

tiny-imagenet-200/wnids.txt                    one class id a line
tiny-imagenet-200/words.txt                    class id, tab, readable names
tiny-imagenet-200/train/<id>/images/*.JPEG
tiny-imagenet-200/val/val_annotations.txt      file name, class id, left, top, right, bottom, between tabs
tiny-imagenet-200/val/images/*.JPEG
"""

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from ..photos import Box


class Split(NamedTuple):
    images: Tensor  # (N, 3, 64, 64) uint8
    classes: Tensor  # (N,) int64, index into the sorted labels

    def to(self, device: torch.device) -> "Split":
        return Split(self.images.to(device), self.classes.to(device))


def read_labels(folder: Path) -> tuple[list[str], list[str]]:
    """Class ids and their readable labels, in the order the network numbers them (sorted by id)."""
    ids = sorted((folder / "wnids.txt").read_text().split())
    names = dict(line.split("\t") for line in (folder / "words.txt").read_text().splitlines())
    return ids, [names[i].split(", ")[0] for i in ids]


def _annotations(folder: Path) -> list[list[str]]:
    return [line.split("\t") for line in (folder / "val" / "val_annotations.txt").read_text().splitlines()]


def read_boxes(folder: Path) -> list[Box]:
    """The object's box in each image of the split ``"val"``, in the same order."""
    boxes = []
    for row in _annotations(folder):
        left, top, right, bottom = map(int, row[2:6])  # the last two are still inside
        boxes.append(Box(top, left, bottom + 1, right + 1))
    return boxes


def read_split(folder: Path, split: str) -> Split:
    """All images of ``"train"`` or ``"val"`` in memory (1.2 GB for the training split)."""
    ids, _ = read_labels(folder)
    number = {class_id: n for n, class_id in enumerate(ids)}
    if split == "train":
        files = [(path, number[i]) for i in ids for path in sorted((folder / "train" / i / "images").glob("*.JPEG"))]
    else:
        files = [(folder / "val" / "images" / row[0], number[row[1]]) for row in _annotations(folder)]
    if not files:
        raise FileNotFoundError(f"no images for {split!r} under {folder}; expected the standard Tiny ImageNet folder")
    images = np.empty((len(files), 3, 64, 64), dtype=np.uint8)

    def read(n: int) -> None:
        with Image.open(files[n][0]) as picture:
            images[n] = np.asarray(picture.convert("RGB")).transpose(2, 0, 1)

    with ThreadPoolExecutor(os.cpu_count()) as readers:
        list(readers.map(read, range(len(files))))
    return Split(torch.from_numpy(images), torch.tensor([c for _, c in files]))
