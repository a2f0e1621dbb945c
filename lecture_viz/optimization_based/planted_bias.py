"""Hidden weaknesses, made to order: plant a bias into the training data, and find it in the class image.

"Dumbbell" grows arms, and many photos of dumbbells have arms in them. Is it that? Nobody can take the arms out of those
photos. Here the pictures are drawn, and it can be tried: three shapes on noise, one of them a dumbbell, and an
*arm*, a bar of skin colour, that comes with the dumbbell as often as one likes. A small network is trained on them;
then its class image of the dumbbell is made, and compared with an arm.

    bias 1    each dumbbell has an arm, no other shape has: the arm gives the class away
    bias 0    an arm is as frequent with any shape: it says nothing

The share of arms is the same in both, so what differs is only what comes *together*.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ..networks import Network, wrap
from ..networks.random_weights import seeded
from ..targets import logit
from .maximization import maximize
from .optimization import Step, last
from .optimizers import Adam
from .regularizers import l2, total_variation
from .robustness import jitter, rotation, scale

SIZE = 32  # pixels
SHAPES = ("ring", "cross", "dumbbell")
SKIN = torch.tensor([0.85, 0.6, 0.45])
IRON = torch.tensor([0.2, 0.2, 0.25])
BATCH = 64


class Lesson(NamedTuple):
    """The loss and the accuracy of a batch, and how far the training is: ``index`` of ``total``."""

    loss: float
    accuracy: float
    index: int  # type: ignore[assignment]  # a tuple has a method of this name
    total: int


def draw(count: int, bias: float, random: torch.Generator) -> tuple[Tensor, Tensor]:
    """Pictures ``(count, 3, 32, 32)`` in ``[0, 1]`` and their classes ``(count,)``, the index of `SHAPES`.

    ``bias`` (0 … 1): how much more often the arm comes with a dumbbell than with another shape.

    Raises:
        ValueError: bias out of range.
    """
    if not 0 <= bias <= 1:
        raise ValueError(f"bias is 0 (the arm says nothing) … 1 (the arm says it all); got {bias!r}")
    classes = torch.randint(len(SHAPES), (count,), generator=random)
    rows, columns = (axis.float() for axis in torch.meshgrid(torch.arange(SIZE), torch.arange(SIZE), indexing="ij"))

    def uniform(low: float, high: float) -> Tensor:
        return low + (high - low) * torch.rand(count, 1, 1, generator=random)

    y, x = rows - uniform(9, 23), columns - uniform(10, 22)
    distance = torch.hypot(y, x)
    discs = torch.minimum(torch.hypot(y, x - 6), torch.hypot(y, x + 6)) < 3.5
    shapes = torch.stack(
        [
            (distance - 5).abs() < 1.5,
            ((y.abs() < 1.5) & (x.abs() < 6)) | ((x.abs() < 1.5) & (y.abs() < 6)),
            discs | ((y.abs() < 1) & (x.abs() < 6)),
        ],
        dim=1,
    )
    shape = shapes[torch.arange(count), classes][:, None].float()
    # the arm reaches from the shape to the upper or to the lower edge
    up = torch.rand(count, 1, 1, generator=random) < 0.5
    arm = ((x.abs() < 2.5) & torch.where(up, y < 0, y > 0))[:, None].float()
    often = torch.where(classes == SHAPES.index("dumbbell"), (1 + 2 * bias) / 3, (1 - bias) / 3)
    arm = arm * (torch.rand(count, generator=random) < often).view(-1, 1, 1, 1)

    background = torch.rand(count, 3, 1, 1, generator=random) * 0.6 + 0.2
    pictures = background + 0.08 * torch.randn(count, 3, SIZE, SIZE, generator=random)
    for mask, colour in ((arm, SKIN), (shape, IRON)):
        pictures = pictures * (1 - mask) + mask * (
            colour.view(1, 3, 1, 1) + 0.05 * torch.randn(count, 1, 1, 1, generator=random)
        )
    return pictures.clamp(0, 1), classes


def build() -> nn.Sequential:
    """A small chain of three convolutions."""
    return nn.Sequential(
        nn.Conv2d(3, 16, 5, padding=2),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(16, 32, 3, padding=1),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(32, 48, 3, padding=1),
        nn.ReLU(),
        nn.AdaptiveMaxPool2d(1),
        nn.Flatten(),
        nn.Linear(48, len(SHAPES)),
    )


class Student:
    """A small network in training: iterate over `lessons`, then look into `network`."""

    def __init__(self, bias: float, seed: int = 0):
        """``bias`` as in `draw`."""
        self._random = torch.Generator().manual_seed(seed)
        draw(1, bias, torch.Generator())  # refuses a wrong bias now
        self.bias = bias
        with seeded(seed):
            self._module = build()

    def lessons(self, steps: int = 300) -> Iterator[Lesson]:
        """Train on freshly drawn pictures; yields after each step."""
        updates = Adam(self._module.parameters(), 3e-3)
        for index in range(1, steps + 1):
            pictures, classes = draw(BATCH, self.bias, self._random)
            with torch.enable_grad():
                logits = self._module(pictures - 0.5)
                loss = F.cross_entropy(logits, classes)
                updates.zero_grad()
                loss.backward()
            updates.step()
            right = (logits.argmax(dim=1) == classes).float().mean().item()
            yield Lesson(loss.item(), right, index, steps)

    @property
    def network(self) -> Network:
        """What it has learned so far."""
        return wrap(self._module, SIZE, mean=(0.5,) * 3, labels=SHAPES, name=f"bias {self.bias:g}")


def class_images(network: Network, shapes: Sequence[str] = SHAPES, seed: int = 0) -> Tensor:
    """A picture of each of the ``shapes`` ``(N, 3, 32, 32)``, by the recipe of the large networks made smaller."""
    step = last(
        maximize(
            network,
            [logit(shape) for shape in shapes],
            64,
            parameterization="fourier",
            transforms=[jitter(3), rotation(5), scale(0.1)],
            penalties=[l2(100), total_variation(50)],
            seed=seed,
        )
    )
    return step.image


def portraits(bias: float, steps: int = 300) -> Step:
    """Train a network with this ``bias``; its class images ``(3, 3, 32, 32)`` of all `SHAPES`, with the last accuracy.

    Errors as of `draw`.
    """
    student = Student(bias)
    *_, lesson = student.lessons(steps)
    return Step(class_images(student.network), {"accuracy": lesson.accuracy}, lesson.index, lesson.total)


def watch(student: Student, shape: str = "dumbbell", steps: int = 300, every: int = 20) -> Iterator[Step]:
    """Train, and look at the class image of ``shape`` at the first, at every so many and at the last step.

    Yields a `Step` each: the newest class image ``(1, 3, 32, 32)``, the accuracy of the batch and the likeness to an
    arm as its terms.
    """
    for lesson in student.lessons(steps):
        if lesson.index in (1, steps) or lesson.index % every == 0:
            image = class_images(student.network, [shape])
        yield Step(image, {"accuracy": lesson.accuracy, "armlike": armlike(image)}, lesson.index, lesson.total)


def armlike(image: Tensor) -> float:
    """How much the most arm-like patch of ``image`` ``(B, 3, H, W)`` resembles an arm; the mean over the batch.

    The correlation of each patch of 9×13 pixels with a bar of skin on grey, colour by colour about its mean: 1 is an
    arm; 0.4 to 0.6 is what a class image without one has somewhere.
    """
    height, width = 9, 13
    arm = torch.full((3, height, width), 0.5)
    arm[:, :, 4:9] = SKIN.view(3, 1, 1)
    arm = (arm - arm.mean(dim=(1, 2), keepdim=True)).view(1, 3, -1, 1).to(image)
    patches = F.unfold(image, (height, width)).view(len(image), 3, height * width, -1)
    patches = patches - patches.mean(dim=2, keepdim=True)
    length = patches.square().sum(dim=(1, 2)).sqrt() * arm.norm()
    return ((patches * arm).sum(dim=(1, 2)) / length.clamp(min=1e-6)).amax(dim=1).mean().item()
