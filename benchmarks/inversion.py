"""Inversion: how soon a feature error of 0.1 is reached, against the paper's recipe and the usual tutorial's."""

from collections.abc import Callable, Iterator
from functools import partial

import torch

import lecture_viz as lv
from lecture_viz.optimization_based.inversion import feature_error
from lecture_viz.optimization_based.parameterization import Fourier
from lecture_viz.optimization_based.regularizers import total_variation

from .compare import Result, ratio

LAYER, ENOUGH = "relu3", 0.1
MOST = 1000  # steps of the tutorial's recipe
STEPS = 32


def results() -> Iterator[Result]:
    network, photo = lv.load_network("alexnet64", device="cpu"), lv.load_image("cat", 64)
    with torch.no_grad():
        wanted = network.activations(photo, LAYER)

    def reach(errors: Callable[[], Iterator[float]]) -> int:
        """How many steps until the error is small enough."""
        return next(step for step, error in enumerate(errors(), start=1) if error <= ENOUGH)

    def ours() -> Iterator[float]:
        return (step.terms["feature error"] for step in lv.invert(network, wanted, LAYER))

    def papers() -> Iterator[float]:
        return (step.terms["feature error"] for step in lv.invert(network, wanted, LAYER, 400, recipe="mahendran"))

    def tutorials() -> Iterator[float]:
        """The usual tutorial's: SGD with momentum from faint noise, 6-norm and total variation.

        Its constants are for normalised pixels of a 224×224 picture (rate 10⁴ on a tenth of the error, 10⁻⁷, 10⁻⁸, a
        tenth of the rate every 40 steps), converted to ours: with σ = 0.277 the rate is 10³ σ² per 3·224² pixels. Of
        the rates 1, 3, 6.3, 10 and 20 it needs the fewest steps with this one.
        """
        x = (0.5 + 0.028 * torch.randn(photo.shape, generator=torch.Generator().manual_seed(0))).requires_grad_()
        sgd = torch.optim.SGD([x], lr=1e3 * 0.277**2 * photo.numel() / (3 * 224**2), momentum=0.9)
        slower = torch.optim.lr_scheduler.StepLR(sgd, 40, 0.1)
        for _ in range(MOST):
            error = feature_error(network.activations(x, LAYER), wanted).sum()
            down, right = x[:, :, 1:] - x[:, :, :-1], x[:, :, :, 1:] - x[:, :, :, :-1]
            variation = down.square().sum() + right.square().sum()
            loss = error + 1e-6 * (x - 0.5).pow(6).sum() / 0.277**6 + 1e-7 * variation / 0.277**2
            sgd.zero_grad()
            loss.backward()
            sgd.step()
            slower.step()
            yield error.item()

    for who, other in (
        ("the paper's recipe", papers),
        ("the usual tutorial's (SGD, 6-norm, total variation)", tutorials),
    ):
        what = f"inversion of alexnet64 {LAYER} to a feature error of {ENOUGH}: against {who}"
        note = f"{reach(ours)} steps against {reach(other)}"
        yield ratio(what, partial(reach, ours), partial(reach, other), 1 / 3, rounds=15, note=note)

    def bare() -> torch.Tensor:
        kept, penalty = Fourier(torch.full((1, 3, 64, 64), 0.5)), total_variation(1)
        lbfgs = torch.optim.LBFGS(kept.parameters, max_iter=1, history_size=10, tolerance_grad=0, tolerance_change=0)

        def closure() -> torch.Tensor:
            lbfgs.zero_grad()
            image = kept.image()
            loss = (feature_error(network.activations(image, LAYER), wanted) + penalty(image)).sum()
            loss.backward()
            return loss

        for _ in range(STEPS):
            lbfgs.step(closure)
        return kept.image().detach()

    def loop() -> torch.Tensor:
        return lv.last(lv.invert(network, wanted, LAYER, STEPS)).image

    assert torch.allclose(loop(), bare(), atol=1e-4)
    yield ratio(f"invert, {LAYER}, {STEPS} steps: against the bare loop", loop, bare, 1.1, rounds=20)

    def at_once() -> None:
        """A step for all layers in one batch, each picture with its own layer."""
        x = torch.full((len(network.layers), 3, 64, 64), 0.5, requires_grad=True)
        outputs = network.run(x, network.layers)
        errors = [(outputs[layer][n] - all_wanted[layer][0]).square().sum() for n, layer in enumerate(network.layers)]
        sum(errors).backward()

    def one_after_another() -> None:
        for layer in network.layers:
            x = torch.full((1, 3, 64, 64), 0.5, requires_grad=True)
            (network.activations(x, layer) - all_wanted[layer]).square().sum().backward()

    with torch.no_grad():
        all_wanted = network.run(photo, network.layers)
    what = f"a step for each of {len(network.layers)} layers: one after another, as invert_all does, against one batch"
    yield ratio(what, one_after_another, at_once, None, rounds=15)
