"""The one loop against the bare loop with the same transforms, and how it grows with the picture and with octaves."""

from collections.abc import Callable, Iterator

import torch

import lecture_viz as lv
from lecture_viz.robustness import jitter, rotation, scale

from .compare import Result, ratio

STEPS = 8


def results() -> Iterator[Result]:
    network = lv.load_network("inception64", device="cpu")
    tabby = network.label_index("tabby")
    robust = [jitter(6), rotation(8), scale(0.1)]

    def ours(**choices) -> Callable[[], object]:
        return lambda: lv.last(lv.maximize(network, lv.logit(tabby), STEPS, start="grey", **choices))

    def bare() -> torch.Tensor:
        random = torch.Generator().manual_seed(0)
        x = torch.full((1, 3, 64, 64), 0.5, requires_grad=True)
        adam = torch.optim.Adam([x], 0.05)
        for _ in range(STEPS):
            seen = x
            for transform in robust:
                seen = transform(seen, random)
            adam.zero_grad()
            (-network(seen)[0, tabby]).backward()
            adam.step()
            with torch.no_grad():
                x.clamp_(0, 1)
        return x.detach()

    assert torch.equal(ours(transforms=robust)().image, bare())
    what = "maximize, inception64 logit, 8 steps: against the bare loop with the same transforms"
    yield ratio(what, ours(transforms=robust), bare, 1.1, rounds=15)

    plain = ours()
    yield ratio("the same in Fourier coefficients: against pixels", ours(parameterization="fourier"), plain, None, 10)
    yield ratio("the same at 128×128 pixels: against 64×64", ours(size=128), plain, None, 10)
    octaves = "the same in 4 octaves, small to large: against the whole size throughout"
    yield ratio(octaves, ours(octaves=4), plain, None, 10)

    panel = lv.live.maximization(network, lv.load_image("cat", 64), label=tabby).set(steps=STEPS)
    run, natural = lambda: panel.start().wait(), ours(parameterization="fourier", transforms=robust)
    yield ratio("a run of the maximization panel: against its bare steps", run, natural, None, 10)
