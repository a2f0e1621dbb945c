"""The one loop: it is the plain loop spelled out, stops and goes on, grows in octaves, and needs no memory."""

import gc
import itertools
import math
from functools import partial

import psutil
import pytest
import torch

import lecture_viz as lv
from lecture_viz.optimization_based import regularizers, robustness
from lecture_viz.optimization_based.optimization import optimize

GREY = torch.full((1, 3, 32, 32), 0.5)


def distance(image):
    """A loss with a known answer: each colour its own value."""
    goal = torch.tensor([0.2, 0.5, 0.8]).view(1, 3, 1, 1)
    return {"distance": (image - goal).square().flatten(1).mean(dim=1)}


@pytest.mark.parametrize("parameterization", ["pixels", "fourier"])
def test_finds_a_known_minimum(parameterization):
    step = lv.last(optimize(distance, GREY, 800, parameterization=parameterization))
    assert step.value < 1e-4
    assert step.image.mean(dim=(0, 2, 3)).tolist() == pytest.approx([0.2, 0.5, 0.8], abs=0.02)
    assert (step.index, step.total) == (800, 800)


def test_is_the_plain_loop():
    x = GREY.clone().requires_grad_()
    adam = torch.optim.Adam([x], 0.05)
    penalty = regularizers.l2(0.3)
    for step in optimize(distance, GREY, 20, penalties=[penalty]):
        terms = distance(x)["distance"].item(), penalty(x).item()
        adam.zero_grad()
        (distance(x)["distance"] + penalty(x)).sum().backward()
        adam.step()
        with torch.no_grad():
            x.clamp_(0, 1)
        assert torch.equal(step.image, x)
        assert step.terms == pytest.approx({"distance": terms[0], "L2": terms[1]})
        assert step.value == pytest.approx(sum(terms))


def test_normalized_steps_have_the_same_length_whatever_the_gradient():
    def tiny(image):
        return {"tiny": 1e-6 * distance(image)["distance"]}

    sgd = partial(torch.optim.SGD, lr=0.01)
    one, other = (lv.last(optimize(loss, GREY, 3, optimizer=sgd, normalized=True)) for loss in (distance, tiny))
    torch.testing.assert_close(one.image, other.image)
    assert abs(next(optimize(distance, GREY, 3, optimizer=sgd, normalized=True)).image - GREY).mean() == pytest.approx(
        0.01
    )


def test_rates_and_filters_follow_the_schedule():
    """Half the rate moves half as far; a filter goes half its way."""
    sgd, half = partial(torch.optim.SGD, lr=1.0), {"schedule": lambda taken: 0.5}
    whole, slower = (next(optimize(distance, GREY, optimizer=sgd, **choices)).image for choices in ({}, half))
    torch.testing.assert_close(slower - GREY, (whole - GREY) / 2)
    taken = []
    list(optimize(distance, GREY, 4, schedule=lambda part: taken.append(part) or 1))
    assert taken == [0, 0.25, 0.5, 0.75]
    to_black = regularizers.Filter("to black", 1, lambda image, gradient, strength: torch.zeros_like(image))
    still = partial(torch.optim.SGD, lr=0.0)
    darker = next(optimize(distance, GREY, optimizer=still, filters=[to_black], **half)).image
    torch.testing.assert_close(darker, GREY / 2)


def test_stopped_and_resumed_it_ends_where_an_uninterrupted_run_ends(network):
    def run():
        return lv.maximize(network, lv.logit("tabby"), 12, transforms=[robustness.jitter(4)], octaves=2)

    paused = run()
    head = list(itertools.islice(paused, 5))
    torch.rand(7)  # meanwhile, somebody else
    tail = list(paused)
    whole = list(run())
    assert len(head) == 5 and len(tail) == 7
    assert all(torch.equal(a.image, b.image) for a, b in zip(head + tail, whole, strict=True))


def test_a_seed_is_a_picture(network):
    def picture(seed):
        return lv.last(lv.maximize(network, lv.logit("tabby"), 3, seed=seed)).image

    assert torch.equal(picture(1), picture(1)) and not torch.equal(picture(1), picture(2))


@pytest.mark.long
def test_five_hundred_steps_need_the_memory_of_ten(network):
    """With all one can choose; what the process holds now, not its peak, which other tests may have set."""
    run = lv.maximize(
        network,
        lv.neuron("conv1", 3),
        500,
        parameterization="fourier",
        penalties=[regularizers.total_variation(1)],
        filters=[regularizers.clip_small(1)],
        transforms=[robustness.jitter(3), robustness.rotation(5)],
    )
    held = {}
    for step in run:
        if step.index in (10, 500):
            gc.collect()
            held[step.index] = psutil.Process().memory_info().rss / 1e6
    assert held[500] - held[10] < 12  # MB; keeping the pictures would take 25, the graphs far more


def test_strengths_may_change_while_it_runs():
    penalty, jitter = regularizers.l2(0), robustness.jitter(0)
    run = optimize(distance, GREY, 200, penalties=[penalty], transforms=[jitter])
    assert next(run).terms["L2"] == 0
    penalty.strength, jitter.strength = 100, 3
    assert next(run).terms["L2"] > 0
    final = lv.last(run)
    assert abs(final.image - 0.5).max() < 0.05  # the penalty has won


@pytest.mark.parametrize("parameterization", ["pixels", "fourier"])
def test_what_is_switched_off_changes_nothing(network, parameterization):
    off = {
        "penalties": [regularizers.l2(0), regularizers.total_variation(0)],
        "filters": [regularizers.low_pass(0), regularizers.clip_small(0)],
        "transforms": [robustness.rotation(0)],
    }
    one, other = (
        lv.last(lv.maximize(network, lv.logit(3), 5, parameterization=parameterization, **choices))
        for choices in ({}, off)
    )
    assert torch.equal(one.image, other.image)


def test_octaves_grow_to_the_size_of_the_start(network):
    shapes = [
        tuple(step.image.shape[2:]) for step in optimize(distance, torch.rand(1, 3, 60, 80), 9, octaves=3, ratio=2)
    ]
    assert shapes == [(15, 20)] * 3 + [(30, 40)] * 3 + [(60, 80)] * 3


def test_octaves_keep_the_details_of_the_start():
    photo = lv.load_image("cat", 64)
    step = lv.last(optimize(lambda image: {"nothing": 0 * image.flatten(1).sum(dim=1)}, photo, 3, octaves=3))
    torch.testing.assert_close(step.image, photo)


@pytest.mark.parametrize(
    "loss",
    [
        lambda image: {"root": (image - 0.5).flatten(1).sum(dim=1).sqrt()},  # infinite slope at the start
        lambda image: {"root": (image.flatten(1).mean(dim=1) - 0.49).log()},
    ],
)
def test_what_is_not_finite_stops_it_and_keeps_the_last_good_picture(loss):
    shown = None
    with pytest.raises(
        lv.Diverged, match=r"became NaN or infinite at step \d+; the last good .* smaller rate"
    ) as caught:
        for step in optimize(loss, GREY, 100):
            shown = step
    assert caught.value.last is shown
    assert shown is None or shown.image.isfinite().all()


def backwards(parameters):
    """An optimiser that goes uphill; PyTorch looks at a rate only when it makes one."""
    optimizer = torch.optim.SGD(parameters, lr=0.1)
    optimizer.param_groups[0]["lr"] = -0.1
    return optimizer


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"steps": 0}, "steps is a whole number from 1; got 0"),
        ({"steps": 2.5}, "whole number"),
        ({"parameterization": "wavelets"}, "there are pixels, fourier"),
        ({"octaves": 0}, "octaves are 1"),
        ({"steps": 3, "octaves": 4}, r"octaves are 1 … 3 \(the steps\)"),
        ({"octaves": 2, "ratio": 1}, "ratio is above 1"),
        ({"optimizer": partial(torch.optim.SGD, lr=math.inf)}, "optimizer's rate is 0 or more and finite, .* got inf"),
        ({"optimizer": partial(torch.optim.SGD, lr=math.nan)}, "optimizer's rate is 0 or more and finite, .* got nan"),
        ({"optimizer": partial(torch.optim.SGD, lr=-0.1)}, "rate: -0.1"),  # PyTorch's own words
        ({"optimizer": backwards}, "optimizer's rate is 0 or more and finite, such as 0.05; got -0.1"),
        ({"schedule": lambda taken: math.inf}, "schedule's factor for step 1 is 0 or more and finite, .* got inf"),
        ({"schedule": lambda taken: math.nan}, "schedule's factor for step 1 is 0 or more and finite, .* got nan"),
        ({"schedule": lambda taken: -1}, "schedule's factor for step 1 is 0 or more and finite, such as 0.5; got -1"),
    ],
)
def test_bad_input_says_the_mend(arguments, message):
    with pytest.raises(ValueError, match=message):
        next(optimize(distance, GREY, **arguments))


def test_a_schedule_that_fails_later_stops_it_then():
    run = optimize(distance, GREY, 4, schedule=lambda taken: 0.5 - taken)
    assert [next(run).index for _ in range(3)] == [1, 2, 3]  # the third with 0: it stands still
    with pytest.raises(ValueError, match="for step 4 .* got -0.25"):
        next(run)


def test_last_needs_a_step():
    with pytest.raises(ValueError, match="no step"):
        lv.last([])
