"""The training loop: one-cycle SGD, labels and a teacher's soft answers, progressive resizing, checkpoint and resume.

Everything random is drawn from generators seeded by (seed, epoch) and (seed, step), so a run that is stopped and
resumed gives the weights of a run that was not.
"""

import copy
import json
import math
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn
from tqdm import tqdm

from .adversarial import attack
from .augmentation import crop, recolour, views
from .mixed_precision import mixed_precision
from .soft_labels import SoftLabels
from .tiny_imagenet import Split

MEAN, STD = (0.480, 0.448, 0.398), (0.277, 0.269, 0.282)  # of Tiny ImageNet's training pixels, in [0, 1]


@dataclass(frozen=True)
class Recipe:
    """``stages`` are (pixels, epochs): small pictures first, because an epoch at 32² costs a quarter of one at 64²."""

    stages: tuple[tuple[int, int], ...]
    batch: int = 128
    peak_rate: float = 0.15
    momentum: float = 0.9
    weight_decay: float = 5e-4
    averaging: float = 0.0  # decay of an exponential moving average of the weights, which is then what ships; 0: none
    label_smoothing: float = 0.1
    smallest_crop: float = 0.25  # of the area; strong zoom, because students bring close-ups
    colour: float = 0.4  # brightness, contrast, saturation vary by ± this
    attack: float = 0.0  # radius of the change made to mislead the network, see `adversarial`; 0: pictures as they are
    start: str = ""  # the embedded network whose weights it goes on from; none: random ones
    batch_norm: bool = True
    teacher: float = 0.0  # share of the teacher's answers in the loss; the rest is the label's
    temperature: float = 1.0  # by which the teacher's and the student's logits are divided, Hinton et al. 2015, eq. 1
    seed: int = 0

    @property
    def epochs(self) -> list[int]:
        return [pixels for pixels, epochs in self.stages for _ in range(epochs)]


RECIPES = {
    "alexnet64": Recipe(stages=((32, 8), (48, 7), (64, 4))),
    # a batch of 64 stays in a CPU's cache at 64×64 pixels, and is a third faster there than one of 128
    "inception64": Recipe(stages=((32, 9), (48, 8), (64, 4)), batch=64, peak_rate=0.1, averaging=0.999),
    "inception64_robust": Recipe(
        stages=((48, 2), (64, 1)),
        batch=64,
        peak_rate=0.01,
        averaging=0.999,
        attack=0.5,
        start="inception64",
        batch_norm=False,
    ),
}
# with a teacher, on a CPU, the networks go on from what they learned from the labels
TAUGHT = {
    name: Recipe(
        stages=stages,
        batch=64,
        peak_rate=0.05,
        averaging=0.999,
        smallest_crop=SoftLabels.SMALLEST_CROP,
        colour=0.3,
        start=name,
        teacher=0.9,
        temperature=2,
    )
    for name, stages in (("alexnet64", ((48, 8), (64, 5))), ("inception64", ((48, 8), (64, 4))))
}
TAUGHT["inception64_robust"] = replace(RECIPES["inception64_robust"], teacher=0.9, temperature=2)
# with a teacher, on an accelerator, there is time to begin again; both GoogLeNets for as long as ten minutes of an H100
# allow, `inception64` still gained when they were over
_LONG = Recipe(
    stages=((48, 51), (64, 34)),
    batch=512,
    peak_rate=0.4,
    averaging=0.999,
    smallest_crop=SoftLabels.SMALLEST_CROP,
    colour=0.3,
    teacher=0.9,
    temperature=2,
)
ACCELERATED = {
    "alexnet64": _LONG,
    "inception64": replace(_LONG, stages=((48, 25), (64, 17))),
    "inception64_robust": replace(
        TAUGHT["inception64_robust"], stages=((64, 7),), batch=256, peak_rate=0.03, colour=0.3
    ),
}


def normalise(images: Tensor) -> Tensor:
    """uint8 or float pictures to what the bare network takes."""
    if images.dtype == torch.uint8:
        images = images.float() / 255
    return (images - images.new_tensor(MEAN)[:, None, None]) / images.new_tensor(STD)[:, None, None]


def original(x: Tensor) -> Tensor:
    """The pictures in ``[0, 1]`` that `normalise` made ``x`` of."""
    return x * x.new_tensor(STD)[:, None, None] + x.new_tensor(MEAN)[:, None, None]


def accuracy(model: nn.Module, split: Split, quick: bool = False, batch: int = 200) -> dict[str, float]:
    """Top-1 and top-5 accuracy in percent on the centre view; ``model`` takes normalised pictures.

    ``quick`` computes in `mixed_precision`, as training does.
    """
    model.eval()
    device = next(model.parameters()).device
    right = torch.zeros(2, device=device)
    with torch.no_grad(), mixed_precision(device, quick):
        for start in range(0, len(split.images), batch):
            logits = model(normalise(split.images[start : start + batch].to(device)))
            ranked = logits.topk(min(5, logits.shape[1])).indices
            hit = ranked == split.classes[start : start + batch, None].to(device)
            right += torch.stack([hit[:, 0].sum(), hit.any(dim=1).sum()])
    top1, top5 = (100 * right / len(split.images)).tolist()
    return {"top1": round(top1, 2), "top5": round(top5, 2)}


class Run:
    """A model in training: optimiser, rate schedule and averaged weights, all of them in the checkpoint."""

    parts: tuple[str, ...] = ("model", "optimiser", "schedule", "average")  # what `state_dict` keeps

    def __init__(self, model: nn.Module, recipe: Recipe, steps_per_epoch: int):
        self.model, self.recipe = model.to(memory_format=torch.channels_last), recipe
        self.device = next(model.parameters()).device
        decay = [p for p in model.parameters() if p.ndim > 1]
        rest = [p for p in model.parameters() if p.ndim <= 1]  # biases and batch norm: weight decay only harms them
        self.optimiser = self.make_optimiser(
            [{"params": decay, "weight_decay": recipe.weight_decay}, {"params": rest, "weight_decay": 0.0}]
        )
        self.schedule = torch.optim.lr_scheduler.OneCycleLR(
            self.optimiser,
            max_lr=[group["lr"] for group in self.optimiser.param_groups],
            total_steps=steps_per_epoch * len(recipe.epochs),
            pct_start=0.2,
            cycle_momentum=False,
            final_div_factor=1e3,
        )
        self.average = AveragedModel(model, multi_avg_fn=get_ema_multi_avg_fn(recipe.averaging), use_buffers=True)

    def make_optimiser(self, groups: list[dict]) -> torch.optim.Optimizer:
        rate, momentum = self.recipe.peak_rate, self.recipe.momentum
        return torch.optim.SGD(groups, lr=rate, momentum=momentum, nesterov=True)

    @property
    def result(self) -> nn.Module:
        """What would ship now."""
        return self.average.module if self.recipe.averaging else self.model

    def logits(self, pictures: Tensor) -> Tensor:
        with mixed_precision(self.device):
            return self.model(normalise(pictures).to(memory_format=torch.channels_last)).float()

    def loss(self, pictures: Tensor, classes: Tensor, taught: Tensor | None = None) -> Tensor:
        """The cross-entropy with the label; where ``taught``, the teacher's logits, are given, mixed with theirs.

        The teacher's part is T² KL(softmax(taught / T) ‖ softmax(logits / T)): Hinton et al. 2015, section 2.
        """
        logits, share, temperature = self.logits(pictures), self.recipe.teacher, self.recipe.temperature
        loss = F.cross_entropy(logits, classes, label_smoothing=self.recipe.label_smoothing)
        if taught is None:
            return loss
        said, wanted = (x.div(temperature).log_softmax(dim=1) for x in (logits, taught.float()))
        distance = F.kl_div(said, wanted, reduction="batchmean", log_target=True)
        return (1 - share) * loss + share * temperature**2 * distance

    def evaluate(self, split: Split) -> dict[str, float]:
        """What the log says after each epoch."""
        return accuracy(self.result, split, quick=True)

    def step(
        self, pictures: Tensor, classes: Tensor, generator: torch.Generator, taught: Tensor | None = None
    ) -> Tensor:
        """One step on ``pictures`` in ``[0, 1]``; returns the loss, where it was computed: reading it would wait."""
        if self.recipe.attack:
            pictures = attack(self.logits, pictures, classes, self.recipe.attack, generator)
        loss = self.loss(pictures, classes, taught)
        self.optimiser.zero_grad()
        loss.backward()
        self.optimiser.step()
        self.schedule.step()
        if self.recipe.averaging:
            self.average.update_parameters(self.model)
        return loss.detach()

    def state_dict(self) -> dict:
        return {part: getattr(self, part).state_dict() for part in self.parts}

    def load_state_dict(self, state: dict) -> None:
        for part in self.parts:
            getattr(self, part).load_state_dict(state[part])


def train(
    model: nn.Module,
    training: Split,
    validation: Split,
    recipe: Recipe,
    folder: Path,
    stop_after: int | None = None,
    kind: Callable[..., Run] = Run,
    teacher: SoftLabels | None = None,
) -> nn.Module:
    """Train ``model``; returns what ships. ``folder`` gets ``log.jsonl`` and ``checkpoint.pt`` after each epoch.

    Resumes from ``folder/checkpoint.pt`` when it is there. ``stop_after`` ends after so many epochs in all. Another
    ``kind`` of run has another loss. With a ``teacher`` the pictures are the views to which it has answered.

    Raises:
        ValueError: the checkpoint was made with another recipe, or the teacher has answered to other photos.
    """
    if teacher and len(teacher) != len(training.images):
        raise ValueError(f"soft labels of {len(teacher)} photos for {len(training.images)}: teach again")
    folder.mkdir(parents=True, exist_ok=True)
    steps_per_epoch = math.ceil(len(training.images) / recipe.batch)
    run = kind(model, recipe, steps_per_epoch)
    torch.backends.cudnn.benchmark = True  # the shapes repeat
    training, validation = training.to(run.device), validation.to(run.device)  # uint8, 1.2 GB
    checkpoint = folder / "checkpoint.pt"
    first_epoch = 0
    if checkpoint.exists():
        state = torch.load(checkpoint, weights_only=True, map_location=run.device)
        if state["recipe"] != json.dumps(asdict(recipe)):
            raise ValueError(f"{checkpoint} was made with another recipe; give another folder or delete it")
        run.load_state_dict(state["run"])
        first_epoch = state["epoch"]
    for epoch in range(first_epoch, min(stop_after or len(recipe.epochs), len(recipe.epochs))):
        pixels = recipe.epochs[epoch]
        order = torch.randperm(len(training.images), generator=torch.Generator().manual_seed(recipe.seed + epoch))
        order = order.to(run.device)
        theta, taught = (part.to(run.device) for part in teacher.of_epoch(epoch)) if teacher else (None, None)
        model.train()
        started, total_loss = time.monotonic(), torch.zeros((), device=run.device)
        bar = tqdm(
            range(steps_per_epoch),
            desc=f"epoch {epoch + 1}/{len(recipe.epochs)}, {pixels} pixels",
            mininterval=1 if sys.stderr.isatty() else 60,  # a log file needs no animation
        )
        for step in bar:
            chosen = order[step * recipe.batch : (step + 1) * recipe.batch]
            random = torch.Generator().manual_seed((recipe.seed + 1) * 1_000_003 + epoch * steps_per_epoch + step)
            images, classes = training.images[chosen], training.classes[chosen]
            seen = views(len(images), recipe.smallest_crop, random) if theta is None else theta[chosen]
            pictures = recolour(crop(images, seen, pixels), recipe.colour, random)
            total_loss += run.step(pictures, classes, random, None if taught is None else taught[chosen])
            if step % 50 == 0:
                bar.set_postfix(loss=f"{total_loss.item() / (step + 1):.3f}", refresh=False)
        row = {
            "epoch": epoch + 1,
            "pixels": pixels,
            "loss": round(total_loss.item() / steps_per_epoch, 4),
            **run.evaluate(validation),
            "seconds": round(time.monotonic() - started),
        }
        print(row, flush=True)
        with (folder / "log.jsonl").open("a") as log:
            log.write(json.dumps(row) + "\n")
        state = {"run": run.state_dict(), "epoch": epoch + 1, "recipe": json.dumps(asdict(recipe))}
        torch.save(state, checkpoint.with_suffix(".part"))
        checkpoint.with_suffix(".part").replace(checkpoint)  # never a half-written checkpoint
    return run.result


def fit_to_time(model: nn.Module, recipe: Recipe, images: int, minutes: float) -> Recipe:
    """``recipe`` with its epochs scaled so that training on so many ``images`` takes about ``minutes`` here."""
    device = next(model.parameters()).device
    run = Run(copy.deepcopy(model).train(), recipe, math.ceil(images / recipe.batch))
    seconds = {}
    for pixels, _ in recipe.stages:
        pictures = torch.randint(0, 256, (recipe.batch, 3, 64, 64), dtype=torch.uint8, device=device)
        classes = torch.zeros(recipe.batch, dtype=torch.int64, device=device)
        for trial in range(6):
            if trial == 1:  # the first is slower: memory is taken, kernels are chosen
                started = time.monotonic()
            random = torch.Generator()
            view = crop(pictures, views(len(pictures), recipe.smallest_crop, random), pixels)
            run.step(recolour(view, recipe.colour, random), classes, random).item()  # waits for an accelerator
        seconds[pixels] = (time.monotonic() - started) / 5 * images / recipe.batch
    scale = 60 * minutes / sum(seconds[pixels] * epochs for pixels, epochs in recipe.stages)
    return replace(recipe, stages=tuple((pixels, max(1, round(epochs * scale))) for pixels, epochs in recipe.stages))
