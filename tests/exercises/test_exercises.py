"""The checks of the exercises: the usual slips get their hint, and nothing a student writes raises."""

import pytest
import torch

import lecture_viz as lv
from lecture_viz import exercises
from lecture_viz.exercises import answers

S = torch.tensor([[[[10.0, 20], [30, 40]]]])


def stamp():
    """One activation of conv1, and the filters, as a convolution would take them."""
    s = torch.zeros(1, 32, 64, 64)
    s[0, 12, 32, 32] = 1
    return s, lv.load_network("alexnet64", device="cpu").module.conv1.weight.transpose(0, 1)


def neighbours():
    """The gradients of eight noisy cats."""
    network, random = lv.load_network("alexnet64", device="cpu"), torch.Generator().manual_seed(0)
    epsilon = 0.15 * torch.randn(8, 3, 64, 64, generator=random)
    x = (lv.load_image("cat", 64) + epsilon).requires_grad_()
    network(x)[:, network.label_index("tabby")].sum().backward()
    return x.grad


def slope():
    network = lv.load_network("inception64", device="cpu")
    return lv.gradient(network, lv.load_image("cat", 64), lv.layer("inception4c"))


def unclamped(a, b):
    shared = (min(a[2], b[2]) - max(a[0], b[0])) * (min(a[3], b[3]) - max(a[1], b[1]))
    return shared / ((a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - shared)


def counted_twice(a, b):
    shared = max(0, min(a[2], b[2]) - max(a[0], b[0])) * max(0, min(a[3], b[3]) - max(a[1], b[1]))
    return shared / ((a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]))


def variation(x):
    here = x[:, :, :-1, :-1]
    return ((x[:, :, 1:, :-1] - here).square() + (x[:, :, :-1, 1:] - here).square()).mean()


def intersection_over_union(a, b):
    shared = max(0, min(a[2], b[2]) - max(a[0], b[0])) * max(0, min(a[3], b[3]) - max(a[1], b[1]))
    return shared / ((a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - shared)


@pytest.mark.parametrize(
    "exercise, answer, said",
    [
        ("00.1", "espresso", "✓ right"),
        ("00.1", "teapot", "not its best guess"),
        ("00.1", [("espresso", 0.9)], "label of the first pair"),
        ("00.2", lambda: lv.load_image("cat", 64).flip(3), "✓ right"),
        ("00.2", lambda: lv.load_image("cat", 64).flip(2), "stands on its head"),
        ("00.2", lambda: lv.load_image("cat", 64)[0], "the shape is (3, 64, 64), it should be (1, 3, 64, 64)"),
        ("00.2", "cat", "a tensor is expected, this is a str"),
        ("00.2", lambda: torch.zeros(1, 3, 64, 64), "values differ by up to"),
        ("02.1", lambda: lambda x, s: s * (s > 0), "✓ right"),
        ("02.1", lambda: lambda x, s: s * (x > 0), "this is backprop"),
        ("02.1", lambda: lambda x, s: ..., "replace the three dots"),
        ("02.2", lambda: lambda x, s: s * (x >= 0) * (s > 0), "exactly 0"),
        ("02.2", lambda: lambda x, s: s / "2", "your code stops with TypeError"),
        ("02.2", lambda: lambda x, s: {}["01.2"], "your code stops with KeyError: '01.2'"),
        ("02.2", 3, "write a function"),
        ("03.1", lambda: torch.nn.functional.interpolate(S, scale_factor=2), "spreads each number"),
        ("03.1", lambda: S, "it should be (1, 1, 4, 4)"),
        ("03.2", lambda: torch.nn.functional.conv2d(*stamp(), padding=2), "turned by 180°"),
        ("04.1", lambda: lambda a, b: 0.5, "for (0, 0, 4, 4) and (0, 0, 4, 4) it is 1, you get 0.5"),
        ("04.1", lambda: lambda a, b: intersection_over_union(a, b) * (1 + 1e-5), "✓ right"),
        ("04.1", lambda: unclamped, "they do not overlap: no height or width is negative"),
        ("04.1", lambda: counted_twice, "counted twice below the line"),
        ("04.1", lambda: lambda a, b: ..., "replace the three dots"),
        ("04.1", 1, "write a function"),
        ("04.2", lambda: neighbours().sum(0, keepdim=True), "divide by the number"),
        ("04.2", lambda: neighbours().abs().mean(0, keepdim=True), "take the mean with signs"),
        ("04.2", lambda: neighbours().mean(0), "the shape is (3, 64, 64)"),
        ("05.1", lambda: lambda x: (x[:, :, 1:] - x[:, :, :-1]).square().mean(), "values differ by up to"),
        ("05.1", lambda: lambda x: (x[:, :, 1:, :-1] - x[:, :, :-1, :-1]).square().mean(), "only the differences to"),
        ("05.1", lambda: lambda x: variation(x), "✓ right"),
        ("05.1", lambda: lambda x: variation(x)[None], "✓ right"),
        ("05.1", lambda: lambda x: variation(x).item(), "✓ right"),
        ("05.1", lambda: lambda x: variation(x.double()), "✓ right"),
        ("05.1", lambda: lambda x: 0.5, "values differ by up to"),
        ("05.1", lambda: lambda x: x.mean(dim=(2, 3)), "the shape is (1, 3), it should be ()"),
        ("05.1", lambda: lambda x: None, "a tensor is expected, this is a NoneType"),
        ("05.1", lambda: lambda x: ..., "replace the three dots"),
        ("05.1", lambda: 1, "write a function"),
        ("05.2", lambda: torch.full((1, 3, 64, 64), 0.5), "values differ"),
        ("06.1", lambda: lv.neuron("inception4b", 29), "a single neuron"),
        ("06.1", lambda: lv.channel("inception4b", 28), "channel 29 of inception4b"),
        ("06.1", "inception4b", "a target is expected"),
        ("06.2", lambda: 0.01 * slope(), "keeps the length"),
        ("06.2", lambda: slope() / slope().abs().mean(), "black to white"),
        ("07.1", lambda: lambda f, y: (f - y).square().sum(), "not normalised"),
        ("07.1", lambda: lambda f, y: (f - y).norm() / y.norm(), "the formula has their squares"),
        ("07.1", lambda: lambda f, y: ..., "replace the three dots"),
        ("07.1", 1, "write a function"),
        ("07.2", lambda: lambda c, t: c * (c.abs() > t), "hard threshold"),
        ("07.2", lambda: lambda c, t: (c.abs() - t).clamp(min=0), "keep the sign"),
        ("08.1", lambda: lambda x, y: 10 * (x - y).square().mean().log10(), "the wrong way round"),
        ("08.1", lambda: lambda x, y: 1.0, "a tensor is expected"),
        ("08.2", lambda: lambda a: ((a - a.min()) / (a.max() - a.min()) * 15).round(), "turn them back"),
        ("09.1", lambda: lambda a: a.mean(dim=(2, 3)), "it should be (1, 8)"),
        ("09.1", lambda: lambda a: torch.cat([a.mean(dim=(2, 3)), a.std(dim=(2, 3))], dim=1), "correction=0"),
        ("09.2", lambda: (lv.load_image("cat", 64) + lv.load_image("coffee", 64)) / 2, "the mean of their codes"),
        ("01.2", ..., "replace the three dots"),
        ("99.9", 1, "there is no exercise '99.9'; there are 00.1"),
        (["01.2"], 1, "there is no exercise ['01.2']; there are 00.1"),
    ],
)
def test_what_is_said(capsys, exercise, answer, said):
    exercises.check(exercise, answer() if callable(answer) else answer)
    assert said in capsys.readouterr().out


@pytest.mark.parametrize("exercise", sorted(exercises.CHECKS.keys() - {"00.1", "04.1", "06.1"}))  # those of tensors
def test_rounding_is_forgiven_and_each_slip_is_told_apart(monkeypatch, exercise):
    asked = []
    with monkeypatch.context() as patch:
        for room in (answers, *exercises.NOTEBOOKS):
            patch.setattr(room, "same", lambda answer, *others: asked.append(others), raising=False)
        exercises.CHECKS[exercise](lambda *arguments: torch.zeros(()))
    ((expected, praise, slips),) = asked
    said = {answers.RIGHT + praise: expected}
    said |= {answers.OPEN + hint: slip for hint, slip in slips.items() if not torch.equal(slip, expected)}
    random = torch.Generator().manual_seed(0)
    for text, answer in said.items():
        noise = 1e-5 * answer.abs().max() * (2 * torch.rand(answer.shape, generator=random) - 1)
        assert answers.same(answer + noise, expected, praise, slips) == text
