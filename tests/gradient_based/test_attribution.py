"""Feeders against loops over a kernel, effects against a way back for each class, both against finite differences."""

import copy
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
import torch
from torch import nn
from torch.autograd import forward_ad
from torch.nn import functional as F

import lecture_viz as lv
from lecture_viz.gradient_based.attribution import effects, feeders, kernel


@pytest.fixture(scope="module")
def inception():
    return lv.load_network("inception64", device="cpu")


@pytest.fixture(scope="module")
def lite():
    return lv.load_network("efficientnet_lite0", device="cpu")


@pytest.fixture(scope="module")
def large():
    return lv.load_image("cat", 96)  # for `lite`, which takes any size: less work than 224


def by_loops(weight, activations, y, x):
    """Each weight of a filter with padding times what it meets at one place, added up for each channel."""
    incoming, side, _ = weight.shape
    height, width = activations.shape[1:]
    found = torch.zeros(incoming, dtype=torch.float64)
    for i in range(incoming):
        for dy in range(side):
            for dx in range(side):
                row, column = y + dy - side // 2, x + dx - side // 2
                if 0 <= row < height and 0 <= column < width:
                    found[i] += weight[i, dy, dx].double() * activations[i, row, column].double()
    return found.float()


@pytest.mark.parametrize("y, x", [(7, 5), (0, 15)])
def test_a_convolution_is_fed_by_weights_times_activations(network, cat, y, x):
    part, before = network.part("conv4"), network.activations(cat, "relu3")[0]
    fed = feeders(network, cat, lv.neuron("conv4", 17, y=y, x=x))
    assert fed.layer == "relu3"
    torch.testing.assert_close(fed.contributions, by_loops(part.weight[17], before, y, x), rtol=1e-4, atol=1e-5)
    unit = network.activations(cat, "conv4")[0, 17, y, x]
    torch.testing.assert_close(fed.contributions.sum() + part.bias[17], unit, rtol=1e-4, atol=1e-4)


def test_behind_its_relu_a_unit_is_fed_the_same_even_if_it_is_silent(network, cat):
    units = network.activations(cat, "conv4")[0, 17]
    for flat in (units.argmax().item(), units.argmin().item()):
        y, x = divmod(flat, units.shape[1])
        before, behind = (feeders(network, cat, lv.neuron(layer, 17, y=y, x=x)) for layer in ("conv4", "relu4"))
        assert behind.layer == "relu3" and behind.contributions.any()
        torch.testing.assert_close(behind.contributions, before.contributions)
    assert units.max() > 0 > units.min()  # the second is silent
    first = network.activations(cat, "conv1")[0, 3]
    y, x = divmod(first.argmin().item(), first.shape[1])
    before, behind = (feeders(network, cat, lv.neuron(layer, 3, y=y, x=x)) for layer in ("conv1", "relu1"))
    assert first.min() < 0 and behind.contributions.any()
    torch.testing.assert_close(behind.contributions, before.contributions)


@pytest.mark.long
def test_a_map_is_fed_by_the_places_where_it_fires(network, cat):
    part, before = network.part("conv4"), network.activations(cat, "relu3")
    places = (network.activations(cat, "conv4")[0, 17] > 0).nonzero().tolist()
    expected = sum(by_loops(part.weight[17], before[0], y, x) for y, x in places) / 16**2
    torch.testing.assert_close(
        feeders(network, cat, lv.channel("relu4", 17)).contributions, expected, rtol=1e-4, atol=1e-5
    )


def test_a_unit_at_the_ceiling_of_a_relu6_is_read_in_front_of_it():
    chain = nn.Sequential(nn.Conv2d(3, 2, 1), nn.ReLU(), nn.Conv2d(2, 1, 1), nn.ReLU6(), nn.Flatten(), nn.Linear(4, 2))
    for part in (chain[0], chain[2]):
        nn.init.constant_(part.weight, 10)
    small = lv.wrap(chain, 2)
    photo = torch.full((1, 3, 2, 2), 0.5)
    assert lv.neuron("3", 0)(small, photo) == 6
    fed = feeders(small, photo, lv.neuron("3", 0))
    expected = 10 * small.activations(photo, "1")[0, :, 1, 1]
    torch.testing.assert_close(fed.contributions, expected)
    assert fed.layer == "1"


def test_a_silent_unit_behind_a_pool_or_inside_a_module_is_fed_by_nothing(network, inception, cat):
    pooled = network.activations(cat, "pool2")[0]
    c, y, x = (pooled == 0).nonzero()[0].tolist()
    fed = feeders(network, cat, lv.neuron("pool2", c, y=y, x=x))
    assert fed.layer == "pool1" and fed.contributions.shape == (32,) and not fed.contributions.any()
    c, y, x = (inception.activations(cat, "inception4a")[0] == 0).nonzero()[0].tolist()
    assert not feeders(inception, cat, lv.neuron("inception4a", c, y=y, x=x)).contributions.any()


def test_a_class_is_fed_by_the_last_hidden_layer(network, inception, lite, cat, large):
    for net, photo, layer, last in ((network, cat, "relu7", "fc8"), (inception, cat, "average", "fc")):
        fed = feeders(net, photo, lv.logit("tabby"))
        hidden = net.activations(photo, layer).flatten()
        assert fed.layer == layer
        torch.testing.assert_close(fed.contributions, net.part(last).weight[net.label_index("tabby")] * hidden)
    assert feeders(lite, large, lv.logit(281)).layer == "average"
    assert feeders(network, cat, lv.neuron("fc6", 3)).contributions.shape == (128,)  # summed over pool5's places


@pytest.mark.parametrize("name, layer, before", [("inception", "inception4a", "pool3"), ("lite", "block5c", "block5b")])
def test_a_block_is_fed_by_all_its_paths(name, layer, before, request, cat, large):
    """Make one channel of what goes into the block a little stronger: the unit changes by what it contributes."""
    net, photo = copy.deepcopy(request.getfixturevalue(name)).double(), (cat if name == "inception" else large).double()
    block, given = net.part(layer), net.activations(photo, before)
    c, y, x = (block(given)[0] == block(given).max()).nonzero()[0].tolist()
    fed = feeders(net, photo, lv.neuron(layer, c, y=y, x=x))
    assert fed.layer == before and fed.contributions.shape == given.shape[1:2]
    for i in range(0, given.shape[1], 16):
        one = torch.zeros_like(given)
        one[:, i] = 1e-6 * given[:, i]
        measured = (block(given + one) - block(given - one))[0, c, y, x] / 2e-6
        assert fed.contributions[i].item() == pytest.approx(measured.item(), rel=1e-4, abs=1e-7)
    assert fed.contributions[::16].any()


def test_the_first_layer_is_fed_by_colours_that_count_from_the_mean(network, cat):
    fed = feeders(network, cat, lv.neuron("conv1", 5, y=0, x=20))
    expected = by_loops(network.part("conv1").weight[5], ((cat - network.mean) / network.std)[0], 0, 20)
    assert fed.layer is None
    torch.testing.assert_close(fed.contributions, expected, rtol=1e-4, atol=1e-5)


def test_the_kernel_weighs_pixels(network, lite, cat, large):
    for net, photo, place in ((network, cat, (20, 20)), (lite, large, (30, 30))):
        for layer in ("conv1", "relu1"):
            weights = kernel(net, layer, 5)
            whole = lv.gradient(net, photo, lv.neuron("conv1", 5, y=place[0], x=place[1]))
            seen = lv.receptive_field(net, "conv1", photo.shape[-1])[place]
            torch.testing.assert_close(weights, seen.crop(whole))
        units = [net.activations(given, "conv1")[0, 5][place] for given in (photo, torch.zeros_like(photo))]
        torch.testing.assert_close((weights * seen.crop(photo)).sum(), units[0] - units[1], rtol=1e-3, atol=1e-4)
    assert torch.equal(kernel(network, "pool1", 5), kernel(network, "conv1", 5))


def test_in_front_of_the_last_layer_an_effect_is_a_weight(network, lite, cat, large):
    torch.testing.assert_close(effects(network, cat, "relu7", 11), network.part("fc8").weight[:, 11])
    for layer in ("average", "relu2"):  # the mean of a map that rises by 1 rises by 1
        torch.testing.assert_close(effects(lite, large, layer, 11), lite.part("fc").weight[:, 11])


CASES = [("network", "relu5"), ("network", "conv4"), ("inception", "inception4b"), ("lite", "block5c")]


@pytest.mark.parametrize("name, layer", CASES)
def test_effects_are_ways_back_and_finite_differences(name, layer, request, cat, large):
    net, photo = copy.deepcopy(request.getfixturevalue(name)).double(), (large if name == "lite" else cat).double()
    parts = dict(net.module.named_children())
    behind = nn.Sequential(*[parts[key] for key in list(parts)[list(parts).index(layer) + 1 :]])  # all are chains
    given = net.activations(photo, layer).requires_grad_()
    channel = given.amax(dim=(2, 3)).argmax().item()
    found = effects(net, photo, layer, channel)
    assert found.shape == (len(net.labels),) and found.any()
    scores = behind(given)[0]
    for label in scores.topk(4).indices.tolist():
        (back,) = torch.autograd.grad(scores[label], given, retain_graph=True)
        assert found[label].item() == pytest.approx(back[0, channel].sum().item(), rel=1e-8)
    up, down = (given.detach().clone() for _ in range(2))
    up[:, channel] += 1e-7
    down[:, channel] -= 1e-7
    torch.testing.assert_close(found, (behind(up) - behind(down))[0] / 2e-7, rtol=1e-4, atol=1e-6)


def test_of_several_photos_it_is_the_mean(network, cat):
    both = torch.cat([cat, lv.load_image("coffee", 64)])
    alone = [effects(network, photo[None], "relu5", 3) for photo in both]
    torch.testing.assert_close(effects(network, both, "relu5", 3), sum(alone) / 2)
    fed = [feeders(network, photo[None], lv.logit(3)).contributions for photo in both]
    torch.testing.assert_close(feeders(network, both, lv.logit(3)).contributions, sum(fed) / 2)


def test_another_thread_may_use_the_same_network(network, cat):
    expected, seen = network(cat), []

    def run():
        outputs = network.run(cat, ["conv3", None])
        assert all(forward_ad.unpack_dual(output).tangent is None for output in outputs.values())
        seen.append(outputs[None])

    def aside(part, inputs, output):
        if threading.current_thread() is threading.main_thread():  # in the middle of our pass, after conv3 was replaced
            thread = threading.Thread(target=run)
            thread.start()
            thread.join()

    handle = network.part("relu4").register_forward_hook(aside)
    try:
        effects(network, cat, "conv3", 3)
        feeders(network, cat, lv.channel("pool5", 3))
    finally:
        handle.remove()
    assert len(seen) == 2
    for scores in seen:
        torch.testing.assert_close(scores, expected)


def test_two_threads_may_ask_at_once(network, cat):
    alone = [effects(network, cat, "relu4", channel) for channel in range(12)]
    with ThreadPoolExecutor(4) as pool:
        found = pool.map(lambda channel: effects(network, cat, "relu4", channel), range(12))
    for ours, expected in zip(found, alone):
        torch.testing.assert_close(ours, expected)


class Writes(nn.Module):
    """A function behind the first convolution overwrites what it gave."""

    def __init__(self):
        super().__init__()
        self.conv1, self.conv2 = nn.Conv2d(3, 4, 1), nn.Conv2d(4, 5, 1)

    def forward(self, x):
        return F.relu(self.conv2(F.relu(self.conv1(x), inplace=True)), inplace=True).mean(dim=(2, 3))


def test_what_is_written_into_activations_does_not_matter(cat):
    torch.manual_seed(0)
    net = lv.wrap(Writes(), 64)
    fed = feeders(net, cat, lv.neuron("conv2", 2, y=9, x=9))
    assert fed.layer == "conv1"
    before = net.activations(cat, "conv1")[0, :, 9, 9]
    torch.testing.assert_close(fed.contributions, net.module.conv2.weight[2, :, 0, 0] * before.relu())
    first = net.module.conv1(cat)[0]
    c = first.amax(dim=(1, 2)).argmax().item()
    both_fire = (net.module.conv2(first.relu()) > 0) & (first[c] > 0)
    expected = net.module.conv2.weight[:, c, 0, 0] * both_fire.float().mean(dim=(1, 2))
    assert expected.any()
    torch.testing.assert_close(effects(net, cat, "conv1", c), expected)


def test_the_photo_is_left_alone_and_gradients_may_be_switched_off(network, cat):
    photo = cat.clone()
    with torch.no_grad():
        fed = feeders(network, photo, lv.neuron("relu4", 17))
        assert feeders(network, photo, lv.neuron("conv1", 1)).contributions.any()
    assert fed.contributions.any() and not fed.contributions.requires_grad
    assert not effects(network, photo.requires_grad_(), "relu4", 17).requires_grad
    assert photo.grad is None and torch.equal(photo, cat)


class Parallel(nn.Module):
    """Two convolutions beside one another: what the second gives does not depend on the first."""

    def __init__(self):
        super().__init__()
        self.one, self.other = nn.Conv2d(3, 4, 1), nn.Conv2d(3, 4, 1)

    def forward(self, x):
        self.one(x)
        return self.other(x).mean(dim=(2, 3))


class OnlyBackwards(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        return x.clone()

    @staticmethod
    def backward(ctx, s):
        return s


class Strange(nn.Module):
    def forward(self, x):
        return OnlyBackwards.apply(x)


def test_bad_requests_say_the_mend(network, lite, cat):
    with pytest.raises(ValueError, match="a unit has one layer; .* needs 2: take them in turn"):
        feeders(network, cat, lv.neuron("relu4", 1) + lv.neuron("conv4", 1))
    with pytest.raises(TypeError, match="a target is such as"):
        feeders(network, cat, "relu4")
    with pytest.raises(ValueError, match="did you mean"):
        feeders(network, cat, lv.neuron("relu44", 1))
    with pytest.raises(ValueError, match="'relu4' has channel 0 … 191; got 192"):
        feeders(network, cat, lv.neuron("relu4", 192))
    with pytest.raises(ValueError, match="'block5c.expand' is inside a layer; choose one of conv1"):
        feeders(lite, cat, lv.neuron("block5c.expand", 1))
    for bad in (cat[0], 255 * cat):
        with pytest.raises(ValueError, match="an image is|pixels lie in"):
            feeders(network, bad, lv.logit(0))
        with pytest.raises(ValueError, match="an image is|pixels lie in"):
            effects(network, bad, "relu4", 0)
    with pytest.raises(ValueError, match="did you mean"):
        effects(network, cat, "relu44", 0)
    for channel in (-1, 192):
        with pytest.raises(ValueError, match=f"'relu4' has channel 0 … 191; got {channel}"):
            effects(network, cat, "relu4", channel)
        with pytest.raises(ValueError, match=f"has channel 0 … 31; got {channel}"):
            kernel(network, "relu1", channel)
    assert effects(network, cat, "relu4", 191).any()  # an error leaves nothing behind
    for net, layer in ((network, "conv2"), (network, "fc8"), (lite, "block1a")):
        with pytest.raises(ValueError, match=f"'{layer}' has no filter of pixels: .* see feeders"):
            kernel(net, layer, 0)
    with pytest.raises(ValueError, match="did you mean"):
        kernel(network, "conv11", 0)


def test_networks_that_cannot_be_asked_say_so(cat):
    parallel = lv.wrap(Parallel(), 64)
    with pytest.raises(ValueError, match="does not depend on 'one', the layer before it: my network branches there"):
        feeders(parallel, cat, lv.neuron("other", 1))
    with pytest.raises(ValueError, match="scores of my network do not depend on 'one'"):
        effects(parallel, cat, "one", 1)
    strange = lv.wrap(nn.Sequential(nn.Conv2d(3, 2, 1), Strange(), nn.AdaptiveAvgPool2d(1), nn.Flatten()), 64)
    with pytest.raises(ValueError, match="a part behind '0' without forward mode; use `gradient`"):
        effects(strange, cat, "0", 1)
    tokens = lv.wrap(
        nn.Sequential(nn.Conv2d(3, 2, 64), nn.Flatten(2), nn.Hardtanh(), nn.Linear(1, 1), nn.Flatten()), 64
    )
    with pytest.raises(ValueError, match=r"layer '2' gives \(1, 2, 1\), not"):
        feeders(tokens, cat, lv.logit(1))
    norm = lv.wrap(nn.Sequential(nn.Conv2d(3, 2, 1), nn.BatchNorm2d(2), nn.AdaptiveAvgPool2d(1), nn.Flatten()), 64)
    assert kernel(norm, "0", 1).shape == (1, 3, 1, 1)
    with pytest.raises(ValueError, match="'1' has no filter of pixels"):
        kernel(norm, "1", 1)
    assert feeders(norm, cat, lv.neuron("1", 1)).layer is None  # it scales a channel, and joins none
    pool = lv.wrap(nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten()), 64)  # no weights at all: pixels feed it
    fed = feeders(pool, cat, lv.logit(1))
    torch.testing.assert_close(fed.contributions, torch.tensor([0, 1, 0]) * cat.mean(dim=(0, 2, 3)))
    assert fed.layer is None
