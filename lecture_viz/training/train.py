"""The training loop: one-cycle SGD, label smoothing, progressive resizing, checkpoint and resume.

Everything random is drawn from generators seeded by (seed, epoch) and (seed, step), so a run that is stopped and
resumed gives the weights of a run that was not.
"""

import json
import math
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .tiny_imagenet import Split

MEAN, STD = (0.480, 0.448, 0.398), (0.277, 0.269, 0.282)  # of Tiny ImageNet's training pixels, in [0, 1]


@dataclass(frozen=True)
class Recipe:
    """``stages`` are (pixels, epochs): small pictures first, because an epoch at 32² costs a quarter of one at 64²."""

    stages: tuple[tuple[int, int], ...] = ((32, 8), (48, 7), (64, 4))
    batch: int = 128
    peak_rate: float = 0.15
    momentum: float = 0.9
    weight_decay: float = 5e-4
    label_smoothing: float = 0.1
    smallest_crop: float = 0.25  # of the area; strong zoom, because students bring close-ups
    colour: float = 0.4  # brightness, contrast, saturation vary by ± this
    seed: int = 0

    @property
    def epochs(self) -> list[int]:
        return [pixels for pixels, epochs in self.stages for _ in range(epochs)]


def normalise(images: Tensor) -> Tensor:
    """uint8 or float pictures to what the bare network takes."""
    if images.dtype == torch.uint8:
        images = images.float() / 255
    shape = (1, 3, 1, 1)
    return (images - images.new_tensor(MEAN).view(shape)) / images.new_tensor(STD).view(shape)


def augment(images: Tensor, pixels: int, recipe: Recipe, generator: torch.Generator) -> Tensor:
    """Random zoom, place, shape, mirror and colour; uint8 ``(B, 3, 64, 64)`` to float ``(B, 3, pixels, pixels)``."""

    def uniform(low: float, high: float) -> Tensor:
        return torch.rand(len(images), generator=generator) * (high - low) + low

    area = uniform(recipe.smallest_crop, 1)
    stretch = uniform(math.log(3 / 4), math.log(4 / 3)).mul(0.5).exp()
    width, height = (area.sqrt() * stretch).clamp(max=1), (area.sqrt() / stretch).clamp(max=1)
    theta = torch.zeros(len(images), 2, 3)
    theta[:, 0, 0] = width * uniform(-1, 1).sign()  # a negative width mirrors
    theta[:, 1, 1] = height
    theta[:, 0, 2] = uniform(-1, 1) * (1 - width)
    theta[:, 1, 2] = uniform(-1, 1) * (1 - height)
    grid = F.affine_grid(theta, [len(images), 3, pixels, pixels], align_corners=False).to(images.device)
    x = F.grid_sample(images.float() / 255, grid, padding_mode="reflection", align_corners=False)

    def factor() -> Tensor:
        return uniform(1 - recipe.colour, 1 + recipe.colour).view(-1, 1, 1, 1).to(x.device)

    x = x * factor()
    mean = x.mean(dim=(1, 2, 3), keepdim=True)
    x = mean + (x - mean) * factor()
    grey = x.mean(dim=1, keepdim=True)
    return (grey + (x - grey) * factor()).clamp(0, 1)


def accuracy(model: nn.Module, split: Split, batch: int = 500) -> dict[str, float]:
    """Top-1 and top-5 accuracy in percent on the centre view; ``model`` takes normalised pictures."""
    model.eval()
    device = next(model.parameters()).device
    right = torch.zeros(2)
    with torch.no_grad():
        for start in range(0, len(split.images), batch):
            logits = model(normalise(split.images[start : start + batch].to(device)))
            ranked = logits.topk(min(5, logits.shape[1])).indices.cpu()
            hit = ranked == split.classes[start : start + batch, None]
            right += torch.tensor([hit[:, 0].sum(), hit.any(dim=1).sum()])
    top1, top5 = (100 * right / len(split.images)).tolist()
    return {"top1": round(top1, 2), "top5": round(top5, 2)}


def train(
    model: nn.Module, training: Split, validation: Split, recipe: Recipe, folder: Path, stop_after: int | None = None
) -> nn.Module:
    """Train ``model`` in place; ``folder`` gets ``log.jsonl`` and ``checkpoint.pt`` after each epoch.

    Resumes from ``folder/checkpoint.pt`` when it is there. ``stop_after`` ends after so many epochs in all.
    """
    folder.mkdir(parents=True, exist_ok=True)
    device = next(model.parameters()).device
    model.to(memory_format=torch.channels_last)
    decay = [p for p in model.parameters() if p.ndim > 1]
    rest = [p for p in model.parameters() if p.ndim <= 1]  # biases and batch norm: weight decay only harms them
    optimiser = torch.optim.SGD(
        [{"params": decay, "weight_decay": recipe.weight_decay}, {"params": rest, "weight_decay": 0.0}],
        lr=recipe.peak_rate,
        momentum=recipe.momentum,
        nesterov=True,
    )
    steps_per_epoch = math.ceil(len(training.images) / recipe.batch)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimiser,
        max_lr=recipe.peak_rate,
        total_steps=steps_per_epoch * len(recipe.epochs),
        pct_start=0.2,
        cycle_momentum=False,
        final_div_factor=1e3,
    )
    checkpoint = folder / "checkpoint.pt"
    first_epoch = 0
    if checkpoint.exists():
        state = torch.load(checkpoint, weights_only=True, map_location=device)
        if state["recipe"] != json.dumps(asdict(recipe)):
            raise ValueError(f"{checkpoint} was made with another recipe; give another folder or delete it")
        model.load_state_dict(state["model"])
        optimiser.load_state_dict(state["optimiser"])
        schedule.load_state_dict(state["schedule"])
        first_epoch = state["epoch"]
    for epoch in range(first_epoch, min(stop_after or len(recipe.epochs), len(recipe.epochs))):
        pixels = recipe.epochs[epoch]
        order = torch.randperm(len(training.images), generator=torch.Generator().manual_seed(recipe.seed + epoch))
        model.train()
        started, total_loss = time.monotonic(), 0.0
        for step in range(steps_per_epoch):
            chosen = order[step * recipe.batch : (step + 1) * recipe.batch]
            random = torch.Generator().manual_seed((recipe.seed + 1) * 1_000_003 + epoch * steps_per_epoch + step)
            images = augment(training.images[chosen].to(device), pixels, recipe, random)
            images = normalise(images).to(memory_format=torch.channels_last)
            with torch.autocast(device.type, torch.bfloat16):
                logits = model(images)
            loss = F.cross_entropy(
                logits.float(), training.classes[chosen].to(device), label_smoothing=recipe.label_smoothing
            )
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            schedule.step()
            total_loss += loss.item()
            if step % 100 == 99:
                print(f"epoch {epoch + 1}, step {step + 1}/{steps_per_epoch}: loss {total_loss / (step + 1):.3f}")
        row = {
            "epoch": epoch + 1,
            "pixels": pixels,
            "loss": round(total_loss / steps_per_epoch, 4),
            **accuracy(model, validation),
            "seconds": round(time.monotonic() - started),
        }
        print(row, flush=True)
        with (folder / "log.jsonl").open("a") as log:
            log.write(json.dumps(row) + "\n")
        torch.save(
            {
                "model": model.state_dict(),
                "optimiser": optimiser.state_dict(),
                "schedule": schedule.state_dict(),
                "epoch": epoch + 1,
                "recipe": json.dumps(asdict(recipe)),
            },
            checkpoint.with_suffix(".part"),
        )
        checkpoint.with_suffix(".part").replace(checkpoint)  # never a half-written checkpoint
    return model
