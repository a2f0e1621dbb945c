"""The reversed network against backprop by the rule, and the search for the strongest pictures against a bare pass."""

import resource
from collections import deque
from collections.abc import Iterator
from itertools import cycle

import torch

import lecture_viz as lv
from lecture_viz.gradient_based.top_patches import BATCH, scan
from lecture_viz.photos import Pictures

from .compare import Result, ratio


class Noise:
    """A data set of any length that needs no memory."""

    def __init__(self, length: int):
        self.length = length

    def __len__(self) -> int:
        return self.length

    def __getitem__(self, n: int) -> torch.Tensor:
        return torch.rand(1, 3, 64, 64, generator=torch.Generator().manual_seed(n))


def search(network: lv.Network, pictures: Pictures) -> None:
    deque(scan(network, pictures, ["relu3"]), maxlen=0)  # keeps nothing of what it yields


def results() -> Iterator[Result]:
    network, photo = lv.load_network("alexnet64", device="cpu"), lv.load_image("cat", 64)
    target = lv.logit("tabby")
    ours, theirs = (
        lambda: lv.deconvnet(network, photo, target, "sum"),
        lambda: lv.gradient(network, photo, target, "deconvnet"),
    )
    assert torch.equal(ours(), theirs())
    yield ratio("deconvnet, alexnet64 output: against the gradient by its rule", ours, theirs, None, rounds=100)

    pictures = Pictures([Noise(1)[0]] * 512, 64)

    def bare() -> None:
        for start in range(0, len(pictures), BATCH):
            with torch.no_grad():
                network.activations(torch.cat([pictures[n] for n in range(start, start + BATCH)]), "relu3")

    ours = lambda: search(network, pictures)  # noqa: E731
    yield ratio("strongest of 512 pictures, alexnet64 relu3: against the bare pass", ours, bare, 1 / 0.9, rounds=8)

    def memory_after(length: int) -> int:
        search(network, Pictures(Noise(length), 64))
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

    growth = (-memory_after(1_000) + memory_after(10_000)) / 1024
    yield Result("growth of peak memory from 1,000 to 10,000 pictures", growth, 10, " MB")

    panel = lv.live.deconvnet(network, [photo, lv.load_image("coffee", 64)], layer="relu5", channel=30)
    turn = cycle((1, 2))
    neuron = lv.neuron("relu5", 30, y=8, x=8)
    frame, compute = lambda: panel.set(which=next(turn)), lambda: lv.deconvnet(network, photo, neuron)
    yield ratio("a frame of the deconvnet panel: against its bare reconstruction", frame, compute, None, rounds=60)
