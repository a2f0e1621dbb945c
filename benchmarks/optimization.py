"""The one loop against the bare loop and against Lucent, and how it grows with the picture and with octaves."""

import copy
import warnings
from collections.abc import Callable, Iterator
from functools import partial
from importlib.metadata import version

import numpy as np
import torch

import lecture_viz as lv
from lecture_viz.optimization_based.optimization import Step
from lecture_viz.optimization_based.robustness import jitter, rotation, scale

with warnings.catch_warnings():  # its kornia is of 2020
    warnings.simplefilter("ignore")
    from lucent.optvis import param, render
    from lucent.optvis.param import spatial

from .compare import Result, ratio, seconds

STEPS = 8
LUCENT = version("torch-lucent")


def results() -> Iterator[Result]:
    robust = [jitter(6), rotation(8), scale(0.1)]

    def ours(**choices) -> Callable[[], object]:
        return lambda: lv.last(lv.maximize(network, lv.logit(tabby), STEPS, start="grey", **choices))

    def bare() -> torch.Tensor:
        random = torch.Generator().manual_seed(0)
        x = torch.full((1, 3, network.input_size, network.input_size), 0.5, requires_grad=True)
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

    for name, limit in (("efficientnet_lite0", 1.05), ("inception64", 1.1)):
        network = lv.load_network(name, device="cpu")
        tabby = network.label_index("tabby")
        assert torch.equal(ours(transforms=robust)().image, bare())
        what = f"maximize, {name} logit, 8 steps: against the bare loop with the same transforms"
        yield ratio(what, ours(transforms=robust), bare, limit, rounds=15)

    plain = ours()
    yield ratio("the same in Fourier coefficients: against pixels", ours(parameterization="fourier"), plain, None, 10)
    yield ratio("the same at 128×128 pixels: against 64×64", ours(size=128), plain, None, 10)
    octaves = "the same in 4 octaves, small to large: against the whole size throughout"
    yield ratio(octaves, ours(octaves=4), plain, None, 10)

    yield from against_lucent()

    panel = lv.live.maximization(network, lv.load_image("cat", 64), label=tabby).set(steps=STEPS)
    run, natural = lambda: panel.start().wait(), ours(parameterization="fourier", transforms=robust)
    yield ratio("a run of the maximization panel: against its bare steps", run, natural, None, 10)

    panel.set(steps=128)
    times = {preset: seconds(partial(panel.set, preset=preset)) for preset in panel.presets(panel.values)}
    slowest = max(times, key=times.get)
    yield Result("the slowest preset of the maximization panel, 128 steps", times[slowest], 15, " s", f"“{slowest}”")


def against_lucent() -> Iterator[Result]:
    """GoogLeNet, the mean of one activation map, Adam 0.05, no transforms: the same on both sides."""
    spatial.device = "cpu"
    network, size = lv.load_network("googlenet", weights=None, device="cpu"), 128
    frozen = network.module
    as_given = copy.deepcopy(frozen).requires_grad_()  # as torchvision gives it, and Lucent's guide takes it

    def ours(layer: str, parameterization: str) -> Step:
        adam = partial(torch.optim.Adam, lr=0.05)
        choices = {"start": "grey", "size": size, "parameterization": parameterization, "optimizer": adam}
        return lv.last(lv.maximize(network, lv.channel(layer, 3), STEPS, **choices))

    def theirs(module: torch.nn.Module, layer: str, parameterization: str) -> np.ndarray:
        def grey():
            x = torch.full((1, 3, size, size), 0.5, requires_grad=True)
            return [x], lambda: x

        start = grey if parameterization == "pixels" else lambda: param.image(size)
        choices = {"transforms": [], "thresholds": (STEPS,), "fixed_image_size": size}
        quiet = {"progress": False, "show_image": False}
        return render.render_vis(module, f"{layer}:3", start, **choices, **quiet)[0]

    for layer, parameterization, module, limit in (
        ("inception4a", "pixels", as_given, 1 / 1.5),
        ("inception4c", "pixels", as_given, 1 / 1.5),
        ("inception4c", "fourier", as_given, 1 / 1.5),
        ("inception5b", "pixels", as_given, None),
        ("inception4c", "pixels", frozen, None),
    ):
        one, other = partial(ours, layer, parameterization), partial(theirs, module, layer, parameterization)
        if parameterization == "pixels":
            assert torch.allclose(one().image.movedim(1, 3), torch.from_numpy(other()), atol=1e-3)
        what = f"maximize, GoogLeNet {layer}, {parameterization}, 128×128 pixels: against torch-lucent {LUCENT}"
        yield ratio(what + ", its weights frozen by hand" * (module is frozen), one, other, limit, 10)
