"""The ReLU rules against a NumPy twin, against Captum, and what they must leave alone."""

import threading

import captum.attr
import numpy as np
import pytest
import torch
from numpy_twin import Tape
from torch import nn
from torch.nn import functional as F

import lecture_viz as lv

SIDE = 4  # pixels of the toy photos
PIXELS = 3 * SIDE * SIDE


# Each topology once in PyTorch (with one of the ways to write a ReLU) and once on the NumPy tape.
class Chain(nn.Module):
    def __init__(self):
        super().__init__()
        self.parts = nn.Sequential(
            nn.Conv2d(3, 2, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(2, 5), nn.ReLU(), nn.Linear(5, 3)
        )

    def forward(self, x):
        return self.parts(x)

    def twin(self, tape, x, w):
        a = tape.max_pool(tape.relu(tape.convolution(x, w["parts.0.weight"], w["parts.0.bias"])))
        a = tape.relu(tape.linear(tape.flatten(a), w["parts.4.weight"], w["parts.4.bias"]))
        return tape.linear(a, w["parts.6.weight"], w["parts.6.bias"])


class Linear4(nn.Module):
    """Four linear layers to wire up: photo → 6 → 6 → 6 → 3."""

    def __init__(self):
        super().__init__()
        self.a, self.b, self.c, self.d = nn.Linear(PIXELS, 6), nn.Linear(6, 6), nn.Linear(6, 6), nn.Linear(6, 3)

    @staticmethod
    def layer(tape, x, w, name):
        return tape.linear(x, w[f"{name}.weight"], w[f"{name}.bias"])


class Residual(Linear4):
    """Functional ReLUs."""

    def forward(self, x):
        y = F.relu(self.a(x.flatten(1)))
        return self.d(torch.relu(y + self.c(self.b(y).relu())))

    def twin(self, tape, x, w):
        y = tape.relu(self.layer(tape, tape.flatten(x), w, "a"))
        inner = self.layer(tape, tape.relu(self.layer(tape, y, w, "b")), w, "c")
        return self.layer(tape, tape.relu(tape.add(y, inner)), w, "d")


class Branches(nn.Module):
    """Two branches joined; ReLUs as modules."""

    def __init__(self):
        super().__init__()
        self.a, self.b, self.c = nn.Linear(PIXELS, 4), nn.Linear(PIXELS, 4), nn.Linear(8, 3)
        self.relu_a, self.relu_b = nn.ReLU(), nn.ReLU()

    def forward(self, x):
        x = x.flatten(1)
        return self.c(torch.cat([self.relu_a(self.a(x)), self.relu_b(self.b(x))], dim=1))

    def twin(self, tape, x, w):
        x = tape.flatten(x)
        a, b = (tape.relu(Linear4.layer(tape, x, w, name)) for name in "ab")
        return Linear4.layer(tape, tape.join(a, b), w, "c")


class Reused(Linear4):
    """One ReLU module in three places."""

    def __init__(self):
        super().__init__()
        self.relu = nn.ReLU()

    def forward(self, x):
        x = x.flatten(1)
        for linear in (self.a, self.b, self.c):
            x = self.relu(linear(x))
        return self.d(x)

    def twin(self, tape, x, w):
        x = tape.flatten(x)
        for name in "abc":
            x = tape.relu(self.layer(tape, x, w, name))
        return self.layer(tape, x, w, "d")


class InPlace(Reused):
    """The same chain with in-place ReLUs, whose return value is not always used."""

    def __init__(self):
        super().__init__()
        self.relu = nn.ReLU(inplace=True)

    def forward(self, x):
        x = self.relu(self.a(x.flatten(1)))
        x = self.b(x)
        torch.relu_(x)
        x = self.c(x)
        F.relu(x, inplace=True)
        return self.d(x)


class TwoConsumers(Linear4):
    """A pre-activation that feeds a ReLU and, unrectified, a linear layer."""

    def forward(self, x):
        z = self.a(x.flatten(1))
        return self.d(F.relu(z) + self.c(z))

    def twin(self, tape, x, w):
        z = self.layer(tape, tape.flatten(x), w, "a")
        return self.layer(tape, tape.add(tape.relu(z), self.layer(tape, z, w, "c")), w, "d")


class Ceiling(Linear4):
    """ReLU6 in three of its spellings, one of them in place."""

    def __init__(self):
        super().__init__()
        self.relu6, self.hardtanh = nn.ReLU6(), nn.Hardtanh(0, 6, inplace=True)

    def forward(self, x):
        x = self.relu6(self.a(x.flatten(1)))
        x = x + self.hardtanh(self.b(x))
        return self.d(x + F.relu6(self.c(x)))

    def twin(self, tape, x, w):
        x = tape.relu(self.layer(tape, tape.flatten(x), w, "a"), 6)
        for name in "bc":
            x = tape.add(x, tape.relu(self.layer(tape, x, w, name), 6))
        return self.layer(tape, x, w, "d")


RELUS = {Chain: 2, Residual: 3, Branches: 2, Reused: 3, InPlace: 3, TwoConsumers: 1, Ceiling: 3}


def toy(topology: type[nn.Module], seed: int) -> tuple[nn.Module, torch.Tensor]:
    """A module and a photo made of few small numbers: float32 is exact on them, and exact zeros are frequent."""
    random = torch.Generator().manual_seed(seed)
    module = topology()
    for parameter in module.parameters():
        parameter.data = torch.randint(-1, 2, parameter.shape, generator=random).float()
    return module, torch.randint(0, 3, (1, 3, SIDE, SIDE), generator=random) / 2


@pytest.mark.parametrize("rule", lv.RULES)
@pytest.mark.parametrize("topology", RELUS)
def test_rules_equal_the_numpy_twin(topology, rule):
    zeros, at_the_ceiling, different = 0, 0, False
    for seed in range(8):
        module, photo = toy(topology, seed)
        tape = Tape(rule)
        x = tape.value(photo[0].numpy())
        weights = {name: p.detach().numpy().astype(np.float64) for name, p in module.named_parameters()}
        output = module.twin(tape, x, weights)
        tape.send_back(output, 1)

        found = lv.sensitivity(lv.wrap(module, SIDE), photo, lv.logit(1), rule)
        assert found.relus == RELUS[topology]
        assert found.value.item() == output.data[1]
        np.testing.assert_array_equal(found.gradient[0].numpy(), x.sensitivity)
        zeros += sum((value.data == 0).sum() for value in tape.values)
        at_the_ceiling += sum((value.data == 6).sum() for value in tape.values)
        different |= bool(x.sensitivity.any())
    assert zeros and different  # the toy really covered exact zeros, and was not all dead
    assert at_the_ceiling or topology is not Ceiling


@pytest.mark.parametrize("rule", lv.RULES)
def test_relu_backward_is_the_lectures_figure(rule):
    x = torch.tensor([[1.0, -1, 5], [2, -5, -7], [-3, 2, 4]])
    s = torch.tensor([[-2.0, 3, -1], [6, -3, 1], [2, -1, 3]])
    figure = {
        "backprop": [[-2, 0, -1], [6, 0, 0], [0, -1, 3]],
        "deconvnet": [[0, 3, 0], [6, 0, 1], [2, 0, 3]],
        "guided": [[0, 0, 0], [6, 0, 0], [0, 0, 3]],
    }
    assert lv.relu_backward(rule, x, s).tolist() == figure[rule]
    assert lv.way_back(torch.relu, x, s, rule).tolist() == figure[rule]
    assert not lv.relu_backward(rule, x, s).signbit().logical_and(lv.relu_backward(rule, x, s) == 0).any()  # no "-0."


@pytest.mark.parametrize(
    "relu",
    [torch.relu, F.relu, torch.Tensor.relu, nn.ReLU(), lambda x: torch.relu_(x * 1), lambda x: (x * 1).relu_()]
    + [lambda x: F.relu_(x * 1), nn.Sequential(nn.Identity(), nn.ReLU()), lambda x: F.relu(input=x)],
)
def test_every_way_to_write_a_relu_is_seen(relu):
    x = torch.tensor([-1.0, 0.0, 2.0, 3.0])
    s = torch.tensor([1.0, 1.0, -1.0, 1.0])
    assert lv.way_back(relu, x, s, "guided").tolist() == [0, 0, 0, 1]
    assert lv.way_back(relu, x, s, "deconvnet").tolist() == [1, 1, 0, 1]
    assert lv.way_back(relu, x, s, "backprop").tolist() == [0, 0, -1, 1]


@pytest.mark.parametrize(
    "relu6",
    [nn.ReLU6(), F.relu6, nn.Hardtanh(0, 6), lambda x: F.hardtanh(x, 0.0, 6.0), lambda x: F.relu6(input=x)]
    + [lambda x: F.hardtanh_(x * 1, 0.0, 6.0), lambda x: F.hardtanh(x * 1, 0, 6, True), nn.ReLU6(inplace=False)]
    + [lambda x: nn.ReLU6(inplace=True)(x * 1), lambda x: F.hardtanh(x, min_val=0, max_val=6)],
)
def test_every_way_to_write_a_relu6_is_seen(relu6):
    x = torch.tensor([-1.0, 0.0, 2.0, 3.0, 6.0, 7.0])
    s = torch.tensor([1.0, 1.0, -1.0, 1.0, 1.0, 1.0])
    assert lv.way_back(relu6, x, s, "guided").tolist() == [0, 0, 0, 1, 0, 0]
    assert lv.way_back(relu6, x, s, "deconvnet").tolist() == [1, 1, 0, 1, 1, 1]
    assert lv.way_back(relu6, x, s, "backprop").tolist() == [0, 0, -1, 1, 0, 0]
    for rule in lv.RULES:
        assert torch.equal(lv.relu_backward(rule, x, s, 6), lv.way_back(relu6, x, s, rule))


def test_between_the_two_relus_each_row_is_compared_with_the_next():
    x = torch.rand(3, 5)
    expected = torch.stack([(x[n] - x[(n + 1) % 3]).clamp(min=0) for n in range(3)])
    torch.testing.assert_close(lv.two_relus(x), expected)
    assert not lv.two_relus(-x).any()


def test_a_ceiling_of_one_is_no_call_in_place():
    x = torch.tensor([-1.0, 0.5, 2.0])
    assert lv.way_back(lambda x: F.hardtanh(x, 0.0, 1.0), x, torch.ones(3), "guided").tolist() == [0, 1, 0]
    assert x.tolist() == [-1, 0.5, 2]


@pytest.mark.parametrize(
    "function, name",
    [(nn.SiLU(), "SiLU"), (nn.GELU(), "GELU"), (nn.Hardswish(), "Hardswish"), (nn.Mish(), "Mish"), (nn.ELU(), "ELU")]
    + [(nn.LeakyReLU(), "LeakyReLU"), (nn.PReLU(), "PReLU"), (nn.Softplus(), "Softplus"), (nn.Hardtanh(), "Hardtanh")]
    + [(nn.SELU(), "SELU"), (nn.CELU(), "CELU"), (nn.RReLU(), "RReLU"), (nn.SiLU(inplace=True), "SiLU")],
)
def test_other_functions_are_refused_by_name(function, name):
    both = nn.Sequential(nn.Linear(3, 3), function, nn.Linear(3, 3), nn.ReLU())  # a ReLU elsewhere does not help
    x, s = torch.randn(3), torch.ones(3)
    for rule in ("deconvnet", "guided"):
        with pytest.raises(ValueError, match=f"made for ReLUs, and this network has {name} in their place.*'backprop'"):
            lv.way_back(both, x, s, rule)
    assert lv.way_back(both, x, s, "backprop").shape == (3,)


@pytest.mark.parametrize("name", ["alexnet", "vgg11", "resnet18", "inception64"])
@pytest.mark.parametrize("rule, method", [("guided", "GuidedBackprop"), ("deconvnet", "Deconvolution")])
@pytest.mark.filterwarnings("ignore:Setting backward hooks")
def test_equals_captum_where_captum_is_right(at_random, name, rule, method):
    network = at_random(name)
    photo = lv.load_image("cat", 64)
    theirs = getattr(captum.attr, method)(network).attribute(photo.clone().requires_grad_(), target=30)
    ours = lv.gradient(network, photo, lv.logit(30), rule)
    assert torch.equal(ours, theirs.detach())


@pytest.mark.filterwarnings("ignore:Setting backward hooks")
def test_captum_is_silently_the_plain_gradient_on_googlenet():
    """Why we look at functions, not modules. If this fails, Captum has learned it, and the notebook should say so."""
    network = lv.load_network("googlenet", weights=None, device="cpu")
    photo = lv.load_image("cat", 64)
    plain = lv.gradient(network, photo, lv.logit(281))
    theirs = captum.attr.GuidedBackprop(network).attribute(photo.clone().requires_grad_(), target=281)
    ours = lv.sensitivity(network, photo, lv.logit(281), "guided")
    assert torch.equal(theirs.detach(), plain)
    assert ours.relus == 57
    assert not torch.allclose(ours.gradient, plain)


def test_a_network_without_relu_is_refused():
    module = nn.Sequential(nn.Flatten(), nn.Linear(PIXELS, 4), nn.Tanh(), nn.Linear(4, 2))
    network, photo = lv.wrap(module, SIDE), torch.rand(1, 3, SIDE, SIDE)
    assert lv.sensitivity(network, photo, lv.logit(0)).relus == 0
    for rule in ("deconvnet", "guided"):
        with pytest.raises(ValueError, match="no ReLU ran forward here.*rule='backprop'"):
            lv.gradient(network, photo, lv.logit(0), rule)


def test_before_the_first_relu_the_three_rules_agree(network, cat):
    target = lv.neuron("conv1", 3, y=10, x=10)
    maps = [lv.gradient(network, cat, target, rule) for rule in lv.RULES]
    assert maps[0].any() and torch.equal(maps[0], maps[1]) and torch.equal(maps[0], maps[2])


def test_a_forward_pass_outside_the_block_is_refused(network, cat):
    with pytest.raises(ValueError, match="put the forward pass inside"), lv.relu_rule("guided"):
        torch.ones(1, requires_grad=True).sum().backward()
    with pytest.raises(ValueError, match="no ReLU"), torch.no_grad(), lv.relu_rule("guided"):
        network(cat)  # nothing could come back


def test_unknown_rule(network, cat):
    with pytest.raises(ValueError, match="'guidde'; the rules are backprop, deconvnet, guided"):
        lv.gradient(network, cat, lv.logit(0), "guidde")


def test_nothing_is_left_behind(network, cat):
    """After a call, and after an exception inside one, the network is as before and holds no hook."""
    before = network(cat)
    plain = lv.gradient(network, cat, lv.logit(0))
    for rule in lv.RULES:
        lv.gradient(network, cat, lv.logit(0), rule)
        with pytest.raises(ZeroDivisionError), lv.relu_rule(rule):
            network.activations(cat, "conv3")
            raise ZeroDivisionError
        with pytest.raises(ValueError, match="channel"):
            lv.gradient(network, cat, lv.channel("conv3", 10_000), rule)
    assert torch.equal(network(cat), before)
    assert torch.equal(lv.gradient(network, cat, lv.logit(0)), plain)
    for module in network.modules():
        assert not (module._forward_hooks or module._forward_pre_hooks or module._backward_hooks)


def test_a_rule_holds_for_its_own_thread_only(network, cat):
    plain, found = lv.gradient(network, cat, lv.logit(0)), []
    with lv.relu_rule("guided") as rule:
        thread = threading.Thread(target=lambda: found.append(lv.gradient(network, cat, lv.logit(0))))
        thread.start()
        thread.join()
        assert rule.count == 0
        network(cat.clone().requires_grad_())
    assert torch.equal(found[0], plain)


@pytest.mark.parametrize("rule", ["relu", "", None])
def test_an_unknown_rule_is_refused_at_once(rule, network, cat):
    x = torch.ones(3)
    for use in (lambda: lv.relu_rule(rule), lambda: lv.relu_backward(rule, x, x)):
        with pytest.raises(ValueError, match="the rules are backprop, deconvnet, guided"):
            use()
    with pytest.raises(ValueError, match="the rules are backprop"):
        lv.gradient(network, cat, lv.logit("tabby"), rule)


def test_only_relus_that_something_comes_back_through_count():
    x = torch.ones(3, requires_grad=True)
    with lv.relu_rule("guided", refuse_none=False) as rule:
        with torch.no_grad():
            torch.relu(x)
        torch.relu(x.detach())
        assert rule.count == 0
        torch.relu(x)
    assert rule.count == 1
