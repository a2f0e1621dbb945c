"""SmoothGrad against the bare loop, and a frame of the panel of four maps against its bare compute."""

from collections.abc import Iterator
from itertools import cycle

import torch

import lecture_viz as lv
from lecture_viz.gradient_based.smoothgrad import BATCH, NOISE

from .compare import Result, ratio


def results() -> Iterator[Result]:
    network, photo = lv.load_network("alexnet64", device="cpu"), lv.load_image("cat", 64)
    tabby, bus = network.label_index("tabby"), network.label_index("school bus")

    def bare() -> torch.Tensor:
        random, total = torch.Generator().manual_seed(0), torch.zeros_like(photo)
        for _ in range(32 // BATCH):
            x = (photo + NOISE * torch.randn(BATCH, 3, 64, 64, generator=random)).requires_grad_()
            total += torch.autograd.grad(network(x)[:, tabby].sum(), x)[0].sum(dim=0)
        return total / 32

    ours = lambda: lv.smoothgrad(network, photo, lv.logit(tabby))  # noqa: E731
    assert torch.allclose(ours(), bare(), atol=1e-6)
    yield ratio("SmoothGrad, 32 samples, alexnet64 output: against the bare loop", ours, bare, 1.05, rounds=20)

    def gradients(*labels: int) -> list[torch.Tensor]:
        return [lv.gradient(network, photo, lv.logit(label), rule) for label in labels for rule in lv.RULES]

    panel = lv.live.saliency(network, photo, label=tabby, other=bus)
    turn = cycle((tabby + 1, tabby))
    frame, six = lambda: panel.set(neuron=next(turn)), lambda: gradients(tabby, bus)
    what = "a frame of the saliency panel: against its bare six gradients"
    yield ratio(what, frame, six, None, rounds=40, note="four maps, and how alike each is to that of another class")

    def first() -> object:
        panel._made = None  # else what is on screen is not computed again
        return next(panel.draw(panel.values))

    three = lambda: gradients(tabby)  # noqa: E731
    yield ratio("its first pictures: against their bare three gradients", first, three, None, rounds=40)
