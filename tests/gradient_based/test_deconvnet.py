"""The reversed network against a plain NumPy twin, and against backprop with another ReLU."""

import numpy as np
import pytest
import torch
from torch import nn

import lecture_viz as lv
from lecture_viz.gradient_based.deconvnet import UNPOOLINGS, turns_round


class Twin:
    """A chain of layers in plain NumPy, walked forward and back as the paper says. Nothing here knows PyTorch."""

    def __init__(self, unpooling: str):
        self.unpooling = unpooling
        self.way_back = []

    def convolution(self, x, weight, bias, stride, padding):
        outgoing, kernel = weight.shape[0], weight.shape[2]
        padded = np.pad(x, ((0, 0), (padding, padding), (padding, padding)))
        height, width = ((n - kernel) // stride + 1 for n in padded.shape[1:])
        y = np.zeros((outgoing, height, width))
        for o, r, c in np.ndindex(y.shape):
            window = padded[:, r * stride : r * stride + kernel, c * stride : c * stride + kernel]
            y[o, r, c] = (weight[o] * window).sum() + bias[o]

        def back(s):
            painted = np.zeros_like(padded)
            for o, r, c in np.ndindex(s.shape):  # each number stamps its filter
                painted[:, r * stride : r * stride + kernel, c * stride : c * stride + kernel] += s[o, r, c] * weight[o]
            return painted[:, padding : padding + x.shape[1], padding : padding + x.shape[2]]

        self.way_back.append(back)
        return y

    def relu(self, x):
        self.way_back.append(lambda s: np.maximum(s, 0))
        return np.maximum(x, 0)

    def pool(self, x):
        """3×3, stride 2, padding 1: windows overlap."""
        height, width = ((n - 1) // 2 + 1 for n in x.shape[1:])
        y, switches = np.zeros((len(x), height, width)), {}
        for c, r, k in np.ndindex(y.shape):
            places = [
                (c, i, j)
                for i in range(2 * r - 1, 2 * r + 2)
                for j in range(2 * k - 1, 2 * k + 2)
                if 0 <= i < x.shape[1] and 0 <= j < x.shape[2]
            ]
            switches[c, r, k] = max(places, key=lambda place: x[place])  # the first of equals
            y[c, r, k] = x[switches[c, r, k]]

        def back(s):
            painted = np.zeros_like(x)
            for window, switch in switches.items():
                painted[switch] = s[window] + (painted[switch] if self.unpooling == "sum" else 0)
            return painted

        self.way_back.append(back)
        return y

    def linear(self, x, weight, bias):
        self.way_back.append(lambda s: (weight.T @ s).reshape(x.shape))
        return weight @ x.ravel() + bias

    def back(self, s):
        for step in reversed(self.way_back):
            s = step(s)
        return s


@pytest.mark.parametrize("unpooling", UNPOOLINGS)
def test_equals_the_twin_in_numpy(unpooling):
    torch.manual_seed(0)
    module = nn.Sequential(
        nn.Conv2d(3, 4, 4, stride=2, padding=1),  # 15 columns: the stride does not reach the last one
        nn.ReLU(),
        nn.MaxPool2d(3, 2, 1),
        nn.Conv2d(4, 5, 3),
        nn.ReLU(inplace=True),
        nn.MaxPool2d(3, 2, 1),
        nn.Dropout(),
        nn.Flatten(),
        nn.Linear(5, 6),
    )
    network = lv.wrap(module, 15, mean=(0.4, 0.5, 0.6), std=(0.2, 0.3, 0.4)).double()
    photo = torch.rand(1, 3, 15, 15, dtype=torch.float64)
    w = {name: p.numpy() for name, p in network.module.named_parameters()}
    mean, std = (np.array(n).reshape(3, 1, 1) for n in ((0.4, 0.5, 0.6), (0.2, 0.3, 0.4)))

    twin = Twin(unpooling)
    x = (photo[0].numpy() - mean) / std
    x = twin.convolution(x, w["0.weight"], w["0.bias"], 2, 1)
    x = twin.pool(twin.relu(x))
    x = twin.convolution(x, w["3.weight"], w["3.bias"], 1, 0)
    feature_map = twin.relu(x)
    keep_one = np.zeros_like(feature_map)
    keep_one[2, 1, 0] = 1
    painted = lv.deconvnet(network, photo, lv.neuron("4", 2, y=1, x=0), unpooling)
    np.testing.assert_allclose(painted[0].numpy(), twin.back(keep_one) / std, atol=1e-6)

    logits = twin.linear(twin.pool(feature_map), w["8.weight"], w["8.bias"])
    np.testing.assert_allclose(network(photo)[0].detach().numpy(), logits, atol=1e-6)
    painted = lv.deconvnet(network, photo, lv.logit(3) - 2 * lv.logit(1), unpooling)
    np.testing.assert_allclose(painted[0].numpy(), twin.back(np.array([0, -2, 0, 1, 0, 0])) / std, atol=1e-6)
    assert painted.any()


@pytest.mark.parametrize(
    "name, size",
    [
        ("alexnet64", 64),
        ("alexnet", 80),
        pytest.param("vgg11", 32, marks=pytest.mark.sweep),
        pytest.param("vgg11_bn", 32, marks=pytest.mark.long),
    ],
)
def test_is_backprop_with_another_relu(network, at_random, name, size):
    """The lecture's claim, layer by layer: summing, always; writing, where pools do not overlap."""
    network = network if name == "alexnet64" else at_random(name)
    photo = lv.load_image("cat", size)
    differ = []
    for layer in network.layers:
        target = lv.neuron(layer, 2)
        by_rule = lv.gradient(network, photo, target, "deconvnet")
        summed, written = (lv.deconvnet(network, photo, target, unpooling) for unpooling in ("sum", "write"))
        torch.testing.assert_close(summed, by_rule, rtol=1e-4, atol=1e-5 * by_rule.abs().max().item())
        if not torch.equal(summed, written):
            differ.append(layer)
    assert (len(differ) >= 15 and "conv1" not in differ) if name.startswith("alexnet") else differ == []


def test_a_convolution_may_pad_as_it_likes():
    torch.manual_seed(0)
    for options in ({"padding": "same"}, {"padding": 1, "padding_mode": "reflect"}):
        network = lv.wrap(nn.Sequential(nn.Conv2d(3, 4, 3, **options), nn.ReLU(), nn.Flatten(), nn.Linear(256, 2)), 8)
        photo = torch.rand(1, 3, 8, 8)
        by_rule = lv.gradient(network, photo, lv.logit(1), "deconvnet")
        torch.testing.assert_close(lv.deconvnet(network, photo, lv.logit(1)), by_rule)


def test_a_batch_is_its_photos_one_by_one(network):
    photos = [lv.load_image(name, 64) for name in ("cat", "coffee")]
    for target in (lv.logit("tabby"), lv.probability("tabby"), lv.channel("conv4", 3)):
        both = lv.deconvnet(network, torch.cat(photos), target)
        for photo, painted in zip(photos, both):
            alone = lv.deconvnet(network, photo, target)[0]
            torch.testing.assert_close(painted, alone, rtol=1e-3, atol=1e-4 * alone.abs().max().item())


def test_leaves_the_network_as_it_was(network, cat):
    before = lv.gradient(network, cat, lv.logit("tabby"))
    lv.deconvnet(network, cat, lv.logit("tabby"))
    with pytest.raises(ValueError):
        lv.deconvnet(network, cat, lv.neuron("conv3", 1000))
    assert not any(part._forward_hooks for part in network.modules())
    assert torch.equal(lv.gradient(network, cat, lv.logit("tabby")), before)


@pytest.mark.parametrize("name", ["inception64", "googlenet", "resnet18"])
def test_a_network_that_branches_is_refused(name, cat):
    weights = None if name != "inception64" else "IMAGENET1K_V1"
    network = lv.load_network(name, weights=weights, device="cpu")
    with pytest.raises(lv.NoChain, match=r'rule="deconvnet"'):
        lv.deconvnet(network, cat, lv.logit(0))
    first = lv.neuron("conv1", 0, y=9, x=9)  # up to here it is a chain
    if name != "googlenet":
        assert lv.deconvnet(network, cat, first).any()


@pytest.fixture(scope="module")
def full_size():
    network = lv.load_network("efficientnet_lite0", device="cpu")
    return network, lv.load_image("cat", network.input_size)


@pytest.mark.parametrize("layer", ["relu1", "block1a", "block2a"])
def test_a_relu6_rectifies_what_arrives_and_what_pads_unevenly_is_transposed(full_size, layer):
    network, photo = full_size
    target = lv.neuron(layer, 3)
    rule = lv.gradient(network, photo, target, rule="deconvnet")
    torch.testing.assert_close(
        lv.deconvnet(network, photo, target), rule, rtol=1e-3, atol=1e-4 * rule.abs().max().item()
    )


def test_a_block_that_adds_its_input_is_no_chain(full_size):
    network, photo = full_size
    with pytest.raises(lv.NoChain, match="'block2b' gives something else than its last part"):
        lv.deconvnet(network, photo, lv.neuron("block2b", 3))
    assert lv.top_patches(network, [photo], "block2b", 3, progress=False).reconstructions[0].any()


def test_a_relu_that_cannot_be_seen_is_not_forgotten():
    class Hidden(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv, self.fc = nn.Conv2d(3, 4, 3), nn.Linear(4 * 36, 2)

        def forward(self, x):
            return self.fc(self.conv(x).relu_().flatten(1))  # in place: the same tensor, other numbers

    with pytest.raises(lv.NoChain, match="'fc' is not what came out"):
        lv.deconvnet(lv.wrap(Hidden(), 8), torch.rand(1, 3, 8, 8), lv.logit(0))


def test_bad_requests_say_the_mend(network, cat):
    with pytest.raises(ValueError, match="write, sum"):
        lv.deconvnet(network, cat, lv.logit(0), "add")
    with pytest.raises(ValueError, match="starts at one layer"):
        lv.deconvnet(network, cat, lv.logit(0) + lv.channel("conv3", 1))
    with pytest.raises(ValueError, match="NaN"):
        lv.deconvnet(network, cat * float("nan"), lv.logit(0))
    with pytest.raises(ValueError, match="no layer 'conv9'"):
        lv.deconvnet(network, cat, lv.layer("conv9"))
    gelu = lv.wrap(nn.Sequential(nn.Conv2d(3, 4, 3), nn.GELU(), nn.Flatten(), nn.Linear(144, 2)), 8)
    with pytest.raises(ValueError, match="has a GELU"):
        lv.deconvnet(gelu, torch.rand(1, 3, 8, 8), lv.logit(0))


def test_a_chain_turns_round_and_a_network_that_branches_only_before_its_first_branch(network, cat):
    inception = lv.load_network("inception64", device="cpu")
    assert all(turns_round(network, cat, layer) for layer in ("conv1", "relu5", "fc8", None))
    assert turns_round(inception, cat, "pool2")
    assert not turns_round(inception, cat, "inception3a") and not turns_round(inception, cat, None)
