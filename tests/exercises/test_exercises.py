"""The checks of the exercises: the usual slips get their hint, and nothing a student writes raises."""

import pytest
import torch

import lecture_viz as lv
from lecture_viz import exercises
from lecture_viz.exercises import answers
from lecture_viz.exercises.riddles import Riddle

S = torch.tensor([[[[10.0, 20], [30, 40]]]])


@pytest.fixture
def in_language():
    yield lv.use_language
    lv.use_language("en")


def stamp():
    """One activation of conv1, and the filters, as a convolution would take them."""
    s = torch.zeros(1, 32, 64, 64)
    s[0, 12, 32, 32] = 1
    return s, lv.load_network("alexnet64", device="cpu").module.conv1.weight.transpose(0, 1)


def neighbours():
    """The gradients of eight noisy cats."""
    network, random = lv.load_network("efficientnet_lite0", device="cpu"), torch.Generator().manual_seed(0)
    epsilon = 0.15 * torch.randn(8, 3, 224, 224, generator=random)
    x = (lv.load_image("cat", 224) + epsilon).requires_grad_()
    network(x)[:, network.label_index("tabby")].sum().backward()
    return x.grad


def slope():
    network = lv.load_network("inception64", device="cpu")
    return lv.gradient(network, lv.load_image("cat", 64), lv.layer("inception4c"))


def filters():
    return lv.load_network("alexnet64", device="cpu").module.conv1.weight


def tiles(images):
    """In 4 rows of 8, filter by filter."""
    return torch.cat([torch.cat([*line], dim=2) for line in images.split(8)], dim=1)[None]


def fed():
    """The activations of relu4, and what the strongest neuron of channel 30 of conv5 sends back to them."""
    network = lv.load_network("alexnet64", device="cpu")
    a = network.activations(lv.load_image("cat", 64), "relu4").detach().requires_grad_()
    network.module.conv5(a)[0, 30].max().backward()
    return a.detach(), a.grad


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
        ("04.2", lambda: neighbours().mean(0), "the shape is (3, 224, 224)"),
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
        ("06.1", lambda: lv.neuron("inception4b", 60), "a single neuron"),
        ("06.1", lambda: lv.channel("inception4b", 59), "channel 60 of inception4b"),
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
        ("00.4", 0, "this one looks at colour"),
        ("00.4", 99, "0 … 31"),
        ("00.4", 2, "it looks at light and dark"),
        ("01.3", "D", "answer with a letter: A, B, C"),
        ("01.3", 2, "answer with a letter"),
        ("01.3", "a", "look again: a robust network"),
        ("01.3", " c", "✓ right: likeness to the gradient under faint noise: A 0."),
        ("01.4", "goldfish", "another class with more"),
        ("01.4", "tabby", "another one than tabby"),
        ("02.4", (1, 1), "this passes through backprop, deconvnet, guided"),
        ("02.4", (-1, -1), "this passes through none of them"),
        ("02.4", 1, "two numbers are expected"),
        ("03.4", "27", "the number of a feature map"),
        ("03.4", 17, "its nine patches come from 1 photos"),
        ("04.4", (0.5, 0.5, 0.4), "lies on the cat"),
        ("04.4", (0.5, 0.5, 0.01), "0.1 is small enough"),
        ("04.4", "cat", "three numbers are expected"),
        ("05.4", "goldfish", "alexnet64 takes it for goldfish, too"),
        ("05.4", "unicorn", "a label of the networks"),
        ("06.4", "inception5a", "of the photo's structure stays"),
        ("06.4", "fc9", "the name of a layer of inception64"),
        ("07.4", 1.5, "better than both is asked"),
        ("07.4", 0, "between 1 and 1000"),
        ("08.4", "fc7", "where it falls below 0.2"),
        ("08.4", "fc8", "of any but the last"),
        ("09.4", 0.9, "as it does of the coffee painted"),
        ("09.4", 1, "between 0 (the cat) and 1 (the coffee)"),
        ("10.1", lambda: filters().reshape(1, 3, 20, 40), "cut into strips"),
        (
            "10.1",
            lambda: torch.cat([torch.cat([*filters()[n::4]], dim=2) for n in range(4)], dim=1)[None],
            "below filter 0",
        ),
        ("10.1", lambda: tiles(filters())[0], "the shape is (3, 20, 40)"),
        ("10.1", lambda: tiles(filters().mT), "rows and columns of each filter are swapped"),
        ("10.1", lambda: tiles(filters()), "✓ right"),
        ("10.2", lambda: fed()[1].sum(dim=(2, 3))[0], "the slope alone"),
        ("10.2", lambda: torch.mul(*fed()).abs().sum(dim=(2, 3))[0], "keep the signs"),
        ("10.2", lambda: torch.mul(*fed()).mean(dim=(2, 3))[0], "the mean over the places"),
        ("10.2", lambda: torch.mul(*(one.sum(dim=(2, 3)) for one in fed()))[0], "place by place"),
        ("10.2", lambda: torch.mul(*fed()).sum(dim=(2, 3)), "the shape is (1, 192), it should be (192,)"),
        ("10.2", lambda: torch.einsum("bcyx,bcyx->c", *fed()), "✓ right: together with the bias"),
        ("10.3", "A", "fires at few places"),
        ("10.4", 3, "✓ right: it moves Egyptian cat by -1.16 and espresso by +0.22"),
        ("10.4", 113, "moves Egyptian cat by +0.01 and espresso by +0.48; the first has to fall"),
        ("10.4", 25, "moves Egyptian cat by -0.35 and espresso by -0.65; the first has to fall, the second to rise"),
        ("10.4", 10, "on the coffee it is number 27 by strength"),
        ("10.4", 35, "on the cat it is number"),
        ("10.4", 128, "the number of a channel of relu5"),
        ("10.4", "82", "the number of a channel of relu5"),
        ("01.2", ..., "replace the three dots"),
        ("99.9", 1, "there is no exercise '99.9'; there are 00.1"),
        (["01.2"], 1, "there is no exercise ['01.2']; there are 00.1"),
    ],
)
def test_what_is_said(capsys, exercise, answer, said):
    shown = exercises.check(exercise, answer() if callable(answer) else answer)
    assert said in (told := capsys.readouterr().out)
    assert ("<img" in shown._repr_html_()) if told.startswith("✓ right") else shown is None


@pytest.mark.long
@pytest.mark.parametrize(
    "language, exercise, answer, said, picture",
    [
        ("zh", "00.2", lambda: lv.load_image("cat", 64).flip(2), "还不对：这张上下颠倒了：列是最后一维\n", None),
        ("zh", "00.2", lambda: lv.load_image("cat", 64).flip(3), "✓ 正确：同一只猫，左右相反\n", ">镜像<"),
        ("zh", "00.1", "espresso", "✓ 正确：网络把杯子认作：浓缩咖啡\n", "一杯咖啡"),
        ("zh", "00.1", "浓缩咖啡", "✓ 正确：网络把杯子认作：浓缩咖啡\n", "一杯咖啡"),
        ("zh", "01.3", "a", "还不对：请再看一看：鲁棒的网络看的是形状\n", None),
        ("zh", "01.4", "tabby", "但不是“虎斑猫”；给出的是 'tabby'\n", None),
        ("zh", "01.4", "虎斑猫", "但不是“虎斑猫”；给出的是 '虎斑猫'\n", None),
        ("zh", "01.4", "goldfish", "还不对：“虎斑猫”与“金鱼”的梯度的相关系数为", None),
        ("zh", "01.4", "Egyptian cat", "✓ 正确：两者的相关系数为", "“虎斑猫”与“埃及猫”的梯度"),
        ("zh", "02.1", lambda: lambda x, s: s * (x > 0), "还不对：这是 backprop\n", None),
        ("zh", "02.2", lambda: lambda x, s: {}["s"], "还不对：代码因 KeyError 而中止：'s'\n", None),
        ("zh", "05.4", "金鱼", "还不对：alexnet64 也把它认作金鱼（", None),
        ("zh", "10.4", 3, "✓ 正确：它使得分改变：埃及猫 -1.16", "在猫的照片上何处激活"),
        ("zh", "01.2", ..., "还不对：请把三个点 ... 换成一行代码\n", None),
        ("zh", "99.9", 1, "没有练习 '99.9'；现有的练习是 00.1, ", None),
        ("de", "00.2", lambda: lv.load_image("cat", 64)[0], "noch nicht: die Form ist (3, 64, 64), sie sollte", None),
        (
            "de",
            "01.3",
            "c",
            "✓ richtig: Ähnlichkeit mit dem Gradienten unter schwachem Rauschen: ",
            "dieselben Bilder, benannt",
        ),
        ("de", "99.9", 1, "es gibt keine Aufgabe '99.9'; es gibt 00.1, ", None),
    ],
)
def test_what_is_said_in_another_language(capsys, in_language, language, exercise, answer, said, picture):
    in_language(language)
    shown = exercises.check(exercise, answer() if callable(answer) else answer)
    assert said in capsys.readouterr().out
    assert shown is None if picture is None else picture in shown._repr_html_()


def test_captions_of_a_riddle_follow_the_language(in_language):
    for language, caption in (("en", "C: Egyptian cat"), ("zh", "C: 埃及猫"), ("en", "C: Egyptian cat")):
        in_language(language)
        assert caption in exercises.check("00.3", "b")._repr_html_()


RIDDLES = {number: one for number, one in exercises.EXERCISES.items() if isinstance(one, Riddle)}
OF_TENSORS = sorted(
    number for number in exercises.EXERCISES if number[3] in "12" and number not in ("00.1", "04.1", "06.1")
)


@pytest.mark.long
@pytest.mark.parametrize("number", RIDDLES)
def test_a_riddle_is_told_apart_by_its_measure_and_by_nothing_else(capsys, number):
    riddle = RIDDLES[number]
    shown, named = exercises.look(number)._repr_html_(), exercises.check(number, riddle.letter)._repr_html_()
    numbers = sorted((picture.number for picture in riddle.shown), reverse=not riddle._least)
    assert abs(numbers[0] - numbers[1]) > 0.1 * abs(numbers[1]), "too close to call"
    assert len(numbers) == shown.count("<img") == 3
    for picture in riddle.shown:
        assert picture.caption not in shown and picture.caption in named
    assert capsys.readouterr().out.startswith("✓ right: ")


@pytest.mark.long
def test_the_right_letter_is_not_always_the_same():
    assert {riddle.letter for riddle in RIDDLES.values()} == {"A", "B", "C"}


def test_each_notebook_has_exercises_of_three_kinds():
    for number in range(11):
        own = {name[3:]: one for name, one in exercises.EXERCISES.items() if name.startswith(f"{number:02}.")}
        assert [*own] == ["1", "2", "3", "4"] and [name for name, one in own.items() if isinstance(one, Riddle)] == [
            "3"
        ]


def test_only_a_riddle_has_pictures_to_look_at(capsys):
    for asked in ("01.1", "99.9", ["01.3"]):
        assert exercises.look(asked) is None
        assert "there are pictures to look at for 00.3, 01.3" in capsys.readouterr().out


@pytest.mark.parametrize("exercise", OF_TENSORS)
def test_rounding_is_forgiven_and_each_slip_is_told_apart(monkeypatch, exercise):
    asked = []
    with monkeypatch.context() as patch:
        for room in (answers, *exercises.NOTEBOOKS):
            patch.setattr(room, "same", lambda answer, *others, **kind: asked.append((*others, kind)), raising=False)
        exercises.EXERCISES[exercise].said(lambda *arguments: torch.zeros(()))
    ((expected, praise, slips, kind),) = asked
    said = {answers.right(praise): expected}
    said |= {answers.not_yet(hint): slip for hint, slip in slips.items() if not torch.equal(slip, expected)}
    random = torch.Generator().manual_seed(0)
    for text, answer in said.items():
        noise = 1e-5 * answer.abs().max() * (2 * torch.rand(answer.shape, generator=random) - 1)
        assert answers.same(answer + noise, expected, praise, slips, **kind) == text
