"""The teacher: EfficientNet-Lite0, fitted to Tiny ImageNet's classes, and its soft answers to the training photos.

A network learns more from a teacher's probabilities than from the label alone, because they also say what else a photo
looks like (Hinton et al. 2015). It learns most when it sees the very view that the teacher saw, and has patience (Beyer
et al. 2022, "Knowledge distillation: A good teacher is patient and consistent"). So a few random views of every photo
are fixed once, the teacher's logits for each are stored (`SoftLabels`), and a student sees one of them in each epoch.

The teacher keeps what ImageNet taught it and gets a new last layer. With an accelerator all of it goes on learning,
without one only that layer. Tiny ImageNet is a part of ImageNet: it may remember the validation images, too.
"""

import sys
from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from tqdm import tqdm

from ..networks import load_network
from .augmentation import crop
from .mixed_precision import mixed_precision
from .soft_labels import SoftLabels
from .tiny_imagenet import Split
from .train import Recipe, Run, accuracy, normalise, original, train

TEACHER = "efficientnet_lite0"
# photos are enlarged: of 2,000 validation images a new last layer, fitted to an eighth of the photos, knows 53 % at 128
# pixels, 61 at 160 and 62 at 192; fitted whole to all photos at 160, on an H100, it knows 75 % of all 10,000
PIXELS = 160
VIEWS, MORE_VIEWS = 4, 12  # the second with an accelerator

LAST_RATE = 1e-3  # of the new last layer; what the others know already would be lost at such a rate
WHOLE = Recipe(
    stages=((PIXELS, 3),),
    batch=256,
    peak_rate=1e-4,
    weight_decay=0.02,
    averaging=0.99,
    label_smoothing=0.0,  # a teacher that was trained with it says less about what else a photo looks like
    smallest_crop=SoftLabels.SMALLEST_CROP,
    colour=0.3,
    batch_norm=False,
)
LAST_LAYER = replace(WHOLE, stages=((PIXELS, 4),), batch=32, peak_rate=0.0)


class Teacher(nn.Module):
    """Takes what its students take, normalised pictures ``(B, 3, H, W)``, and enlarges them."""

    def __init__(self, n_labels: int):
        super().__init__()
        self.network = load_network(TEACHER, device="cpu")
        last = nn.Linear(self.network.module.fc.in_features, n_labels)
        nn.init.zeros_(last.weight)  # so that its first errors do not shake what is there
        self.network.module.fc = last

    def forward(self, x: Tensor) -> Tensor:
        x = original(x)
        if x.shape[-1] < PIXELS:
            x = F.interpolate(x, size=PIXELS, mode="bilinear")
        return self.network(x)


class Fitting(Run):
    """A teacher in training."""

    def make_optimiser(self, groups: list[dict]) -> torch.optim.Optimizer:
        last = {*self.model.network.module.fc.parameters()}
        old = [{**group, "params": [p for p in group["params"] if p not in last]} for group in groups]
        return torch.optim.AdamW([*old, {"params": [*last], "lr": LAST_RATE}], lr=self.recipe.peak_rate)


def ask(teacher: nn.Module, images: Tensor, number: int, batch: int) -> Tensor:
    """The logits ``(N, n_labels)``, in half precision, for view ``number`` of each of ``images``."""
    device = next(teacher.parameters()).device
    theta = SoftLabels.view(number, len(images))
    said = []
    with torch.no_grad(), mixed_precision(device):
        for start in tqdm(
            range(0, len(images), batch), desc=f"view {number + 1}", mininterval=1 if sys.stderr.isatty() else 60
        ):
            part = slice(start, start + batch)
            said.append(teacher(normalise(crop(images[part].to(device), theta[part], PIXELS))).half())
    return torch.cat(said).cpu()


def teach(training: Split, validation: Split, n_labels: int, folder: Path, seed: int = 0) -> Path:
    """Fit the teacher, ask it, and write ``teacher.safetensors`` into ``folder``; goes on where it was stopped."""
    device = torch.accelerator.current_accelerator(check_available=True) or torch.device("cpu")
    torch.manual_seed(seed)
    teacher = Teacher(n_labels).to(device)
    recipe = replace(LAST_LAYER if device.type == "cpu" else WHOLE, seed=seed)
    if recipe.peak_rate:
        teacher.requires_grad_(True)
    teacher = train(teacher, training, validation, recipe, folder, kind=Fitting).eval()
    right = accuracy(teacher, validation)
    about = (
        f"{TEACHER} at {PIXELS} pixels, right for {right['top1']:.1f} / {right['top5']:.1f} % of the validation images"
    )
    file = folder / "teacher.safetensors"
    logits = SoftLabels.read(file).logits if file.exists() else []
    for number in range(len(logits), VIEWS if device.type == "cpu" else MORE_VIEWS):
        logits.append(ask(teacher, training.images, number, recipe.batch))
        SoftLabels(logits, about).write(file)
    print(f"{about}; {file}: {file.stat().st_size / 1e6:.0f} MB", flush=True)
    return file
