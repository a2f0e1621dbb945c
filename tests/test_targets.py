"""Targets: their values from the definitions, their arithmetic, their names as code, their errors."""

import numpy as np
import pytest
import torch

import lecture_viz as lv

PLACES = [(y, x) for y in range(16) for x in range(16)]


def test_values_are_the_definitions(network, cat):
    photos = torch.cat([cat, lv.load_image("coffee", 64)])
    logits, conv3 = network(photos), network.activations(photos, "conv3")
    tabby = network.labels.index("tabby")
    definitions = {
        lv.neuron("conv3", 12, y=4, x=7): conv3[:, 12, 4, 7],
        lv.neuron("conv3", 12): conv3[:, 12, 8, 8],
        lv.neuron("fc7", 5): network.activations(photos, "fc7")[:, 5],
        lv.channel("conv3", 12): conv3[:, 12].mean(dim=(1, 2)),
        lv.channel("fc7", 5): network.activations(photos, "fc7")[:, 5],
        lv.layer("conv3"): (conv3**2).mean(dim=(1, 2, 3)),
        lv.logit("tabby"): logits[:, tabby],
        lv.logit(tabby): logits[:, tabby],
        lv.probability("tabby"): logits.softmax(1)[:, tabby],
        lv.logit("tabby") - 0.5 * lv.channel("conv3", 1): logits[:, tabby] - 0.5 * conv3[:, 1].mean(dim=(1, 2)),
        -lv.logit("tabby") / 4 + lv.logit(0): logits[:, 0] - logits[:, tabby] / 4,
    }
    for target, expected in definitions.items():
        assert target(network, photos).shape == (2,)
        torch.testing.assert_close(target(network, photos), expected)


def test_its_text_is_the_code_that_makes_it():
    for target in (
        lv.neuron("conv3", 12, y=4, x=7),
        lv.neuron("fc7", 5),
        lv.neuron("conv3", 12, x=7),
        lv.channel("conv3", 0),
        lv.layer("pool5"),
        lv.logit("it's") - 0.5 * lv.probability(3),
        -lv.logit("tabby") + 2 * lv.logit(0),
    ):
        assert eval(repr(target), {"lv": lv}) == target


def test_runs_only_up_to_the_deepest_layer(network, cat):
    ran = []
    handles = [m.register_forward_hook(lambda *_, n=n: ran.append(n)) for n, m in network.module.named_children()]
    (lv.channel("conv1", 0) + lv.channel("pool2", 1))(network, cat)
    for handle in handles:
        handle.remove()
    assert ran[-1] == "pool2" or ran[-1] == "relu2"  # the hook that stops the pass may come before ours
    assert "conv3" not in ran


def test_likeness_is_the_product_with_the_most_similar_place(network, cat):
    """Place by place, as the definition says."""
    features = network.activations(lv.load_image("coffee", 64), "conv4")
    target = lv.likeness("conv4", features)
    a, g = network.activations(cat, "conv4")[0], features[0]
    assert g.shape[1:] == (16, 16)  # no more than are compared
    best = [max((a[:, y, x] * g[:, v, u]).sum().item() for v, u in PLACES) for y, x in PLACES]
    assert target(network, cat).item() == pytest.approx(sum(best) / len(best), rel=1e-4)
    assert repr(target) == "lv.likeness('conv4', features)"
    assert repr(target - 0.5 * lv.layer("conv4")) == "lv.likeness('conv4', features) - 0.5 * lv.layer('conv4')"


def test_a_large_guide_is_averaged_down_to_16_by_16_places(network, cat):
    features = network.activations(lv.load_image("coffee", 128), "conv1")
    means = torch.nn.functional.avg_pool2d(features, features.shape[2] // 16)
    large, small = lv.likeness("conv1", features), lv.likeness("conv1", means)
    torch.testing.assert_close(large(network, cat), small(network, cat))


@pytest.mark.parametrize(
    "features, message",
    [
        (torch.rand(2, 192, 8, 8), r"\(1, C, h, w\), as net.activations\(guide, layer\) gives them; got \(2, 192"),
        (torch.rand(192, 8, 8), r"\(1, C, h, w\)"),
        (torch.rand(1, 5, 8, 8), r"layer 'conv4' gives .*, the guide's features are .*: take both from the same layer"),
    ],
)
def test_features_that_do_not_fit_are_refused(network, cat, features, message):
    with pytest.raises(ValueError, match=message):
        lv.likeness("conv4", features)(network, cat)


@pytest.mark.parametrize(
    "target, message",
    [
        (lv.neuron("conv3", 500), r"'conv3' has channel 0 … 191; got 500"),
        (lv.neuron("conv3", -1), "channel 0 … 191; got -1"),
        (lv.neuron("conv3", 0, y=16, x=0), "row y 0 … 15; got 16"),
        (lv.neuron("conv3", 0, y=0, x=99), "column x 0 … 15; got 99"),
        (lv.neuron("fc6", 320), "neuron 0 … 319; got 320"),
        (lv.neuron("fc6", 0, y=1, x=1), "no rows and columns"),
        (lv.channel("conv3", 192), "channel 0 … 191"),
        (lv.channel("conv9", 0), "no layer 'conv9'; did you mean"),
        (lv.logit("tabbi"), "no label 'tabbi'; the nearest are tabby"),
        (lv.logit("cat"), "several labels.*Persian cat.*Egyptian cat|several labels.*Egyptian cat.*Persian cat"),
        (lv.logit(200), "labels 0 … 199; got 200"),
        (lv.probability("????"), "see net.labels"),
    ],
    ids=repr,
)
def test_errors_say_what_there_is(network, cat, target, message):
    with pytest.raises(ValueError, match=message):
        target(network, cat)


@pytest.mark.parametrize("make", [lv.logit, lv.probability])
@pytest.mark.parametrize("label", [None, False, 3.0])
def test_a_label_is_a_name_or_an_index(make, label):
    with pytest.raises(TypeError, match=f"a label is a name, such as 'tabby', or an index; got {label}"):
        make(label)
    assert repr(make(np.int64(3))) == repr(make(3))


def test_check_asks_for_layers_and_labels_only(network):
    (lv.neuron("conv3", 999) - lv.logit("tabby")).check(network)
    for target in (lv.layer("conv3") + lv.logit("tabbi"), lv.probability(3) - lv.channel("conv9", 0)):
        with pytest.raises(ValueError, match="no label 'tabbi'|no layer 'conv9'"):
            target.check(network)


def test_what_is_no_number_is_refused():
    with pytest.raises(TypeError, match="whole number; got 1.5"):
        lv.neuron("conv3", 1.5)
    with pytest.raises(TypeError):
        lv.logit("tabby") * "2"
    with pytest.raises(TypeError):
        lv.logit("tabby") + 1
    with pytest.raises(AttributeError):
        lv.logit("tabby").terms = ()


def test_distribution_is_its_formula(network, cat):
    wanted, other = (network.activations(photo, "conv4") for photo in (lv.load_image("coffee", 64), cat))

    def moments(a):
        a = a[0].detach().double().numpy()
        return np.array([a[c].mean() for c in range(len(a))] + [a[c].std() for c in range(len(a))])

    m = moments(wanted)
    expected = -((moments(other) - m) ** 2).sum() / (m**2).sum()
    target = lv.distribution("conv4", wanted)
    assert target(network, cat).item() == pytest.approx(expected, rel=1e-3)
    assert target(network, lv.load_image("coffee", 64)).item() == pytest.approx(0, abs=1e-6)
    places = wanted.flatten(2)[:, :, torch.randperm(256)].view_as(wanted)
    assert lv.distribution("conv4", places)(network, cat).item() == pytest.approx(expected, rel=1e-3)  # wherever it is
    assert repr(target) == "lv.distribution('conv4', features)"


@pytest.mark.parametrize(
    "features, message",
    [
        (torch.rand(1, 7), r"features are \(1, C, h, w\), not all zero, .* got \(1, 7\)"),
        (torch.zeros(1, 192, 4, 4), "not all zero"),
        (torch.rand(1, 3, 4, 4), "take both from the same layer"),
    ],
)
def test_a_distribution_needs_features_of_its_layer(network, cat, features, message):
    with pytest.raises(ValueError, match=message):
        lv.distribution("conv4", features)(network, cat)


def test_rows_and_columns_are_those_of_an_oblong_picture(network, cat):
    wide = torch.cat([cat, cat], dim=3)
    a = network.activations(wide, "conv3")
    assert a.shape[2:] == (16, 32)
    assert torch.equal(lv.neuron("conv3", 5, y=15, x=31)(network, wide), a[:, 5, 15, 31])
    assert torch.equal(lv.neuron("conv3", 5)(network, wide), a[:, 5, 8, 16])  # the middle
    for place, message in (({"y": 16, "x": 0}, "row y 0 … 15"), ({"y": 0, "x": 32}, "column x 0 … 31")):
        with pytest.raises(ValueError, match=message):
            lv.neuron("conv3", 5, **place)(network, wide)


@pytest.mark.parametrize("make", [lv.neuron, lv.channel])
@pytest.mark.parametrize("channel", [1.5, "1", True])
def test_a_channel_is_a_whole_number(make, channel):
    with pytest.raises(TypeError, match="whole number"):
        make("conv3", channel)


def test_a_weight_of_zero_prints_without_a_sign():
    assert repr(0 * lv.logit("tabby")) == "0 * lv.logit('tabby')"
    assert repr(lv.logit("lemon") + 0 * lv.logit("tabby")) == "lv.logit('lemon') + 0 * lv.logit('tabby')"


def test_the_distribution_of_a_flat_channel_has_a_gradient(network):
    grey = torch.full((1, 3, 64, 64), 0.5)
    wanted = torch.rand(1, 32, 64, 64, generator=torch.Generator().manual_seed(0))
    assert lv.gradient(network, grey, lv.distribution("conv1", wanted)).isfinite().all()


@pytest.mark.parametrize("target", [None, "conv3", 281])
def test_what_is_no_target_is_refused(network, cat, target):
    for use in (
        lambda: lv.gradient(network, cat, target),
        lambda: lv.sensitivity(network, cat, target, "guided"),
        lambda: lv.deconvnet(network, cat, target),
        lambda: lv.smoothgrad(network, cat, target),
        lambda: next(lv.maximize(network, target)),
        lambda: next(lv.maximize(network, [lv.logit(0), target])),
        lambda: next(lv.dream(network, cat, target)),
        lambda: next(lv.dream(network, cat, target, guide=cat)),
    ):
        with pytest.raises(TypeError) as caught:
            use()
        assert str(caught.value).endswith(f"lv.neuron('conv3', 12) or lv.layer('conv3'); got {target!r}")


def test_half_a_picture_halves_a_neurons_place_and_nothing_else():
    target = 2 * lv.neuron("conv3", 5, y=9, x=4) - lv.logit("tabby") + lv.neuron("fc7", 9) + lv.channel("conv2", 7)
    halved = "2 * lv.neuron('conv3', 5, y=4, x=2) - lv.logit('tabby') + lv.neuron('fc7', 9) + lv.channel('conv2', 7)"
    assert repr(target.halved()) == halved
