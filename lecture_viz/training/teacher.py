"""The teacher: EfficientNet-Lite0, fitted to Tiny ImageNet's classes, and its soft answers to the training photos.

A network learns more from a teacher's probabilities than from the label alone, because they also say what else a photo
looks like (Hinton et al. 2015). It learns most when it sees the very view that the teacher saw, and has patience (Beyer
et al. 2022, "Knowledge distillation: A good teacher is patient and consistent"). So a few random views of every photo
are fixed once, the teacher's logits for each are stored (`SoftLabels`), and a student sees one of them in each epoch.

The teacher keeps what ImageNet taught it; only its last layer is new, fitted to its features of the same views. Tiny
ImageNet is a part of ImageNet: it may remember the validation images, too.
"""

import sys
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.nn import functional as F
from tqdm import tqdm

from ..networks import load_network
from .augmentation import crop
from .soft_labels import SoftLabels
from .tiny_imagenet import Split

TEACHER = "efficientnet_lite0"
# photos are enlarged: of 2,000 validation images a new last layer, fitted to an eighth of the photos, knows 53 % at 128
# pixels, 61 at 160 and 62 at 192
PIXELS = 160
VIEWS = 4
EPOCHS = 8  # of the new last layer, each on the features of another view


def features(images: Tensor, theta: Tensor, name: str, batch: int = 16) -> Tensor:
    """What the teacher's last layer reads ``(N, 1280)``, in half precision, of the views ``theta`` of ``images``."""
    network = load_network(TEACHER)
    device = network.device
    starts = range(0, len(images), batch)
    read = []
    with torch.no_grad(), torch.autocast(device.type, torch.bfloat16):
        for start in tqdm(starts, desc=name, mininterval=1 if sys.stderr.isatty() else 60):
            part = slice(start, start + batch)
            views = crop(images[part].to(device), theta[part], PIXELS)
            read.append(network.activations(views, "average").flatten(1).half().cpu())
    return torch.cat(read)


def fit(views: list[Tensor], classes: Tensor, n_labels: int, seed: int) -> nn.Linear:
    """A last layer for the features of each view ``(N, 1280)``: Adam, the rate falling along a cosine."""
    torch.manual_seed(seed)
    head = nn.Linear(views[0].shape[1], n_labels)
    optimiser = torch.optim.AdamW(head.parameters(), lr=2e-3, weight_decay=0.05)
    batch = 256
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, EPOCHS * -(-len(classes) // batch))
    for epoch in range(EPOCHS):
        seen = views[epoch % len(views)]
        for chosen in torch.randperm(len(classes)).split(batch):
            loss = F.cross_entropy(head(seen[chosen].float()), classes[chosen])
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            schedule.step()
    return head.requires_grad_(False)


def teach(training: Split, validation: Split, n_labels: int, folder: Path, seed: int = 0) -> Path:
    """Fit the teacher, ask it, and write ``teacher.safetensors`` into ``folder``; goes on where it was stopped.

    On the way ``folder`` keeps the features of each view, 256 MB for Tiny ImageNet.
    """
    folder.mkdir(parents=True, exist_ok=True)
    views = []
    for number in range(VIEWS):
        kept = folder / f"view{number}.safetensors"
        if not kept.exists():
            theta = SoftLabels.view(number, len(training.images))
            read = features(training.images, theta, f"view {number + 1} of {VIEWS}")
            save_file({"features": read}, kept.with_suffix(".part"))
            kept.with_suffix(".part").replace(kept)  # never a half-written file
        views.append(load_file(kept)["features"])
    head = fit(views, training.classes, n_labels, seed)
    whole = torch.eye(2, 3).expand(len(validation.images), 2, 3)
    best = head(features(validation.images, whole, "validation").float()).topk(min(5, n_labels)).indices
    right = best == validation.classes[:, None]
    top1, top5 = (f"{100 * hit.float().mean():.1f}" for hit in (right[:, 0], right.any(dim=1)))
    about = f"{TEACHER} at {PIXELS} pixels, right for {top1} / {top5} % of the validation images"
    file = folder / "teacher.safetensors"
    SoftLabels([head(view.float()).half() for view in views], about).write(file)
    print(f"{about}; {file}: {file.stat().st_size / 1e6:.0f} MB", flush=True)
    return file
