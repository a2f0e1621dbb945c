"""SmoothGrad against one neighbour after another, spelled out."""

import pytest
import torch

import lecture_viz as lv
from lecture_viz.gradient_based.smoothgrad import BATCH, means


@pytest.mark.parametrize("rule", lv.RULES)
@pytest.mark.parametrize("target", [lv.logit("tabby"), lv.neuron("conv3", 12, y=4, x=7)], ids=repr)
def test_equals_the_mean_over_neighbours_one_by_one(network, cat, target, rule):
    epsilon = 0.2 * torch.randn(BATCH, 3, 64, 64, generator=torch.Generator().manual_seed(5))
    total = torch.zeros_like(cat)
    for noise in epsilon:
        x = (cat + noise).requires_grad_()
        with lv.relu_rule(rule):
            value = target(network, x)
        total += torch.autograd.grad(value.sum(), x)[0]
    smooth = lv.smoothgrad(network, cat, target, samples=BATCH, noise=0.2, rule=rule, seed=5)
    torch.testing.assert_close(smooth, total / BATCH, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("rule", lv.RULES)
def test_without_noise_it_is_the_gradient(network, cat, rule):
    plain = lv.gradient(network, cat, lv.logit("tabby"), rule)
    assert torch.equal(lv.smoothgrad(network, cat, lv.logit("tabby"), samples=1, noise=0, rule=rule), plain)
    many = lv.smoothgrad(network, cat, lv.logit("tabby"), samples=3, noise=0, rule=rule)
    torch.testing.assert_close(many, plain, rtol=1e-4, atol=1e-6)


def test_grows_batch_by_batch_into_the_result(network, cat):
    grown = list(means(network, cat, lv.logit("tabby"), samples=2 * BATCH + 1))
    assert len(grown) == 3
    assert torch.equal(grown[0], lv.smoothgrad(network, cat, lv.logit("tabby"), samples=BATCH))
    assert torch.equal(grown[-1], lv.smoothgrad(network, cat, lv.logit("tabby"), samples=2 * BATCH + 1))
    unasked = lv.smoothgrad(network, cat, lv.logit("tabby"))
    assert torch.equal(unasked, lv.smoothgrad(network, cat, lv.logit("tabby"), samples=32))


def test_the_seed_decides_and_nobody_elses_random_numbers_are_touched(network, cat):
    torch.manual_seed(3)
    expected = torch.rand(1)
    torch.manual_seed(3)
    one, again, other = (lv.smoothgrad(network, cat, lv.logit("tabby"), 8, seed=seed) for seed in (0, 0, 1))
    assert torch.equal(torch.rand(1), expected)
    assert torch.equal(one, again) and not torch.equal(one, other)


@pytest.mark.long
def test_more_samples_agree_better(network, cat):
    def agreement(samples: int) -> float:
        one, other = (lv.smoothgrad(network, cat, lv.logit("tabby"), samples, seed=seed) for seed in (0, 1))
        return lv.similarity(one, other)

    few, some, many = map(agreement, (1, 8, 64))
    assert few < some < many and many > 0.5


def test_photos_of_a_batch_do_not_see_each_other(network, cat):
    both = torch.cat([cat, lv.load_image("coffee", 64)])
    smooth = lv.smoothgrad(network, both, lv.logit("tabby"), samples=8)
    assert smooth.shape == both.shape
    epsilon = 0.15 * torch.randn(8, 2, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    for n, photo in enumerate(both):
        x = (photo + epsilon[:, n]).requires_grad_()
        (gradients,) = torch.autograd.grad(network(x)[:, network.label_index("tabby")].sum(), x)
        torch.testing.assert_close(smooth[n], gradients.mean(dim=0), rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"samples": 0}, "whole number from 1; got 0"),
        ({"samples": 2.5}, "whole number from 1"),
        ({"noise": -0.1}, "0 or more, such as 0.15; got -0.1"),
        ({"noise": float("nan")}, "0 or more"),
        ({"noise": float("inf")}, "0 or more"),
        ({"rule": "guide"}, "the rules are"),
        ({"image": torch.full((1, 3, 64, 64), torch.nan)}, "NaN"),
        ({"image": "cat"}, "use load_image"),
        ({"target": lv.logit("no such label")}, "no label"),
    ],
)
def test_bad_input_says_the_mend(network, cat, arguments, message):
    with pytest.raises(ValueError, match=message):
        lv.smoothgrad(**{"network": network, "image": cat, "target": lv.logit("tabby")} | arguments)
