"""One neuron as a sum, against plain loops over what the layer before gives, and against the network itself."""

import pytest
import torch
from torch import nn

import lecture_viz as lv
from lecture_viz.networks.efficientnet import Same
from lecture_viz.networks.weighted_sum import summed


def places(shape: tuple[int, ...], count: int, seed: int) -> list[tuple[int, ...]]:
    """Corners and borders, and neurons at random, of a layer ``(C, h, w)`` or ``(C,)``."""
    random = torch.Generator().manual_seed(seed)
    found = [tuple(torch.randint(size, (), generator=random).item() for size in shape) for _ in range(count)]
    if len(shape) == 3:
        last, bottom, right = (size - 1 for size in shape)
        found += [(0, 0, 0), (last, bottom, right), (0, 0, right), (last, bottom, 0), (0, bottom // 2, right)]
    return found


def assert_is_the_neuron(network, photo, layer, place, output):
    """The value, to a hundred thousandth of what is added up; returns the sum."""
    found = lv.weighted_sum(network, photo, layer, *place)
    size = found.products.abs().sum().item() + abs(found.bias)
    assert abs(found.value - output[place].item()) <= 1e-5 * size + 1e-12, (layer, place)
    assert found.window.shape == found.weights.shape == found.products.shape
    assert found.window.shape == tuple(map(len, (found.channels, found.rows, found.columns)))
    assert found.value == pytest.approx(found.parts.double().sum().item() + found.bias, abs=1e-5 * size)
    return found


def assert_reads(network, photo, found):
    """The window is what the layer before gives there, number by number, and 0 beyond its border."""
    normalised = (photo - network.mean) / network.std
    before = normalised if found.before is None else network.activations(photo, found.before)
    maps = before[0].reshape(*before.shape[1:], *(4 - before.ndim) * [1]).numpy()
    (_, height, width), window = maps.shape, found.window.numpy()
    for c, channel in enumerate(found.channels):
        for i, row in enumerate(found.rows):
            for j, column in enumerate(found.columns):
                inside = 0 <= row < height and 0 <= column < width
                expected = maps[channel, row, column] if inside else 0
                assert abs(window[c, i, j] - expected) <= 1e-5 * (1 + abs(expected))


def test_every_layer_of_the_chain(network, cat):
    assert summed(network) == network.layers
    for n, layer in enumerate(network.layers):
        output = network.activations(cat, layer)[0]
        for place in places(tuple(output.shape), 5, seed=n):
            found = assert_is_the_neuron(network, cat, layer, place, output)
        assert_reads(network, cat, found)


def test_each_reads_the_layer_before(network, cat):
    before = [lv.weighted_sum(network, cat, layer, 0).before for layer in network.layers]
    assert before == [None, *network.layers[:-1]]


def test_a_convolution_by_hand(network, cat):
    """Loops over what the formula says."""
    conv, given = network.module.conv2, network.activations(cat, "pool1")[0]
    for k, y, x in ((12, 0, 31), (95, 17, 5)):
        products = {
            (c, i, j): (conv.weight[k, c, i, j] * given[c, y - 1 + i, x - 1 + j]).item()
            for c in range(32)
            for i in range(3)
            for j in range(3)
            if 0 <= y - 1 + i < 32 and 0 <= x - 1 + j < 32
        }
        found = lv.weighted_sum(network, cat, "conv2", k, y=y, x=x)
        assert (found.kind, found.before) == ("convolution", "pool1")
        for place in torch.cartesian_prod(torch.arange(32), torch.arange(3), torch.arange(3)).tolist():
            assert found.products[tuple(place)].item() == pytest.approx(products.get(tuple(place), 0), rel=1e-6)
        assert found.bias == conv.bias[k] and torch.equal(found.weights, conv.weight[k])
        assert found.value == pytest.approx(sum(products.values()) + conv.bias[k].item(), rel=1e-6)


def test_a_fully_connected_layer_reads_maps_or_neurons(network, cat):
    found = lv.weighted_sum(network, cat, "fc6", 7)
    assert (found.kind, found.before, found.window.shape) == ("fully connected", "pool5", (128, 8, 8))
    torch.testing.assert_close(found.window, network.activations(cat, "pool5")[0])
    assert torch.equal(found.weights.flatten(), network.module.fc6.weight[7])
    found = lv.weighted_sum(network, cat, "fc8", network.label_index("tabby"))
    assert (found.before, found.window.shape) == ("relu7", (320, 1, 1))
    assert found.value == pytest.approx(lv.logit("tabby")(network, cat).item(), rel=1e-5)


def test_of_a_larger_photo_it_reads_what_lies_between(network):
    """The pool's 16×16 maps are averaged to 8×8 by a layer that is in no menu."""
    photo = lv.load_image("cat", 128)
    found = assert_is_the_neuron(network, photo, "fc6", (3,), network.activations(photo, "fc6")[0])
    assert found.before == "grid" and found.window.shape == (128, 8, 8)
    assert_reads(network, photo, found)
    found = lv.weighted_sum(network, photo, "grid", 5, y=1, x=7)
    assert (found.kind, found.before, found.rows, found.columns) == (
        "average pool",
        "pool5",
        range(2, 4),
        range(14, 16),
    )
    assert found.weights.tolist() == [[[0.25, 0.25], [0.25, 0.25]]]


def test_a_relu_passes_one_number_or_none(network, cat):
    given = network.activations(cat, "conv3")[0]
    for at in (given.argmax(), given.argmin()):
        place = tuple(n.item() for n in torch.unravel_index(at, given.shape))
        found = lv.weighted_sum(network, cat, "relu3", *place)
        x = given[place].item()
        assert (found.kind, found.window.item(), found.weights.item()) == ("ReLU", pytest.approx(x), float(x > 0))
        assert found.value == pytest.approx(max(x, 0))


def test_a_max_pool_has_one_winner(network, cat):
    given = network.activations(cat, "relu1")[0]
    found = lv.weighted_sum(network, cat, "pool1", 30, y=14, x=14)
    assert (found.kind, found.rows, found.columns) == ("max pool", range(27, 30), range(27, 30))
    torch.testing.assert_close(found.window[0], given[30, 27:30, 27:30])
    assert found.weights.sum() == 1 and found.value == found.window.max()


def test_a_max_pool_never_takes_what_is_beyond_the_border():
    """All its numbers are negative there, and 0 would be larger."""
    module = nn.Sequential(nn.Conv2d(3, 2, 1), nn.MaxPool2d(3, 2, 1), nn.Flatten(), nn.Linear(2 * 4 * 4, 2))
    nn.init.constant_(module[0].bias, -50)
    network, photo = lv.wrap(module, 8), torch.rand(1, 3, 8, 8)
    found = lv.weighted_sum(network, photo, "1", 0, y=0, x=0)
    assert found.value < -40 and found.value == pytest.approx(network.activations(photo, "1")[0, 0, 0, 0].item())


CONVOLUTIONS = {
    "grouped": nn.Conv2d(6, 8, 3, stride=2, padding=1, groups=2),
    "depthwise": nn.Conv2d(6, 12, 5, padding=2, groups=6, bias=False),
    "dilated": nn.Conv2d(6, 4, (3, 2), stride=(1, 2), padding=(2, 0), dilation=(2, 3)),
    "same": nn.Conv2d(6, 4, 4, padding="same", dilation=2),
    "valid": nn.Conv2d(6, 4, 3, padding="valid"),
    "uneven": Same(6, 4, 5, 2),
    "uneven 3": Same(6, 6, 3, 2, groups=6),
    "uneven, stride 1": Same(6, 4, 3),
    "average": nn.AvgPool2d(3, 2, 1),
    "average inside": nn.AvgPool2d(3, 2, 1, count_include_pad=False, ceil_mode=True),
    "adaptive": nn.AdaptiveAvgPool2d((4, 3)),
    "max": nn.MaxPool2d((2, 3), dilation=2, padding=1, ceil_mode=True),
    "ReLU6": nn.ReLU6(),
}


@pytest.mark.parametrize("side", [11, 14])
@pytest.mark.parametrize("name", CONVOLUTIONS)
def test_every_kind_of_window(name, side):
    torch.manual_seed(0)
    module = nn.Sequential(nn.Conv2d(3, 6, 1), CONVOLUTIONS[name], nn.AdaptiveAvgPool2d(1), nn.Flatten())
    module[0].weight.data *= 20  # so that a ReLU6 stands at 6 somewhere
    network = lv.wrap(module, side, labels=[str(n) for n in range(module(torch.rand(1, 3, side, side)).shape[1])])
    photo = torch.rand(1, 3, side, side + 1)
    output = network.activations(photo, "1")[0]
    assert name != "ReLU6" or ((output == 6).any() and (output == 0).any())
    for place in places(tuple(output.shape), 20, seed=1):
        found = assert_is_the_neuron(network, photo, "1", place, output)
        assert found.before == "0"
        assert_reads(network, photo, found)


def test_efficientnet():
    network, photo = lv.load_network("efficientnet_lite0", device="cpu"), lv.load_image("cat", 224)
    assert summed(network) == ("conv1", "relu1", "conv2", "relu2", "average", "fc")
    for layer, before in (
        ("conv1", None),
        ("block1a.depthwise", "relu1"),
        ("block2a.expand", "block1a"),
        ("block2a.depthwise", "block2a.relu1"),
        ("conv2", "block7a"),
        ("average", "relu2"),
        ("fc", "average"),
    ):
        output = network.activations(photo, layer)[0]
        for place in places(tuple(output.shape), 1, seed=2)[:3]:
            found = assert_is_the_neuron(network, photo, layer, place, output)
            assert found.before == before
    assert_reads(network, photo, lv.weighted_sum(network, photo, "conv1", 5, y=111, x=0))


def test_inside_a_module_that_branches(cat):
    network = lv.load_network("inception64", device="cpu")
    for layer, before in (
        ("inception3a.branch2.conv1", "pool2"),
        ("inception3a.branch2.conv2", "inception3a.branch2.relu1"),
        ("inception3b.branch4.pool", "inception3a"),
        ("pool3", "inception3b"),
    ):
        output = network.activations(cat, layer)[0]
        found = assert_is_the_neuron(network, cat, layer, (1, 0, 3), output)
        assert found.before == before
        assert_reads(network, cat, found)


class Own(nn.Module):
    """What its second convolution reads comes from no layer."""

    def __init__(self):
        super().__init__()
        self.one, self.two, self.last = nn.Conv2d(3, 4, 3), nn.Conv2d(4, 2, 3), nn.Linear(2, 2)
        self.reflect = nn.Conv2d(2, 2, 3, padding=1, padding_mode="reflect")

    def forward(self, x):
        x = self.reflect(self.two(2 * torch.tanh(self.one(x))))
        return self.last(x.permute(0, 2, 3, 1)).mean(dim=(1, 2))


def test_what_no_layer_makes_has_no_name():
    torch.manual_seed(0)
    network, photo = lv.wrap(Own(), 8), torch.rand(1, 3, 8, 8)
    assert lv.weighted_sum(network, photo, "one", 0).before is None
    output = network.activations(photo, "two")[0]
    assert assert_is_the_neuron(network, photo, "two", (1, 2, 0), output).before == ""


def test_the_middle_is_where_no_place_is_given(network, cat):
    found = lv.weighted_sum(network, cat, "conv3", 12)
    assert (found.rows, found.columns) == (range(7, 10), range(7, 10))
    assert found.value == pytest.approx(lv.weighted_sum(network, cat, "conv3", 12, y=8, x=8).value)


def test_one_pass(network, cat, monkeypatch):
    passes, forward = [], lv.Network.forward
    monkeypatch.setattr(lv.Network, "forward", lambda self, *asked: passes.append(1) or forward(self, *asked))
    lv.weighted_sum(network, cat, "fc8", 3)
    assert len(passes) == 1


def test_what_it_cannot_do_says_the_mend(network, cat):
    for asked, said in (
        (("conv33", 0), "did you mean 'conv3'"),
        (("conv3", 192), "layer 'conv3' has channel 0 … 191; got 192"),
        (("conv3", -1), "channel 0 … 191; got -1"),
        (("conv3", 0, 16, 0), "row y 0 … 15; got 16"),
        (("conv3", 0, 0, -1), "column x 0 … 15; got -1"),
        (("fc8", 200), "layer 'fc8' has channel 0 … 199; got 200"),
        (("fc8", 0, 1, 1), "no rows and columns: leave y and x out"),
    ):
        with pytest.raises(ValueError, match=said):
            lv.weighted_sum(network, cat, *asked)
    with pytest.raises(TypeError, match="float"):
        lv.weighted_sum(network, cat, "conv3", 1.5)
    with pytest.raises(ValueError, match="got 2 photos"):
        lv.weighted_sum(network, torch.cat([cat, cat]), "conv3", 0)
    with pytest.raises(ValueError, match="an image is a float tensor"):
        lv.weighted_sum(network, cat[0], "conv3", 0)


def test_layers_that_are_no_single_sum_are_named(cat):
    inception = lv.load_network("inception64", device="cpu")
    with pytest.raises(
        ValueError, match="Inception 'inception3a' of inception64 is not one sum; those that are: conv1"
    ):
        lv.weighted_sum(inception, cat, "inception3a", 0)
    network = lv.wrap(Own(), 8)
    assert summed(network) == ("one", "two", "last")
    with pytest.raises(ValueError, match="Conv2d 'reflect' .* is not one sum"):
        lv.weighted_sum(network, torch.rand(1, 3, 8, 8), "reflect", 0)
    with pytest.raises(ValueError, match="layer 'last' gives"):
        lv.weighted_sum(network, torch.rand(1, 3, 8, 8), "last", 0)
