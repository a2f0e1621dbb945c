"""Any neuron of any layer: sliders in range, the strongest place, silent neurons, networks of your own."""

import pytest
import torch
from panels import made_by

import lecture_viz as lv
from lecture_viz.maps import show_magnitude, show_signed, to_array


@pytest.fixture
def gradients(network, cat, again):
    return again(lambda: lv.live.gradients(network, cat, label="tabby"))


@pytest.mark.parametrize(
    "values, code",
    [
        ({}, "lv.sensitivity(net, photo, lv.logit('tabby'), rule='backprop')"),
        ({"rule": "guided"}, "lv.sensitivity(net, photo, lv.logit('tabby'), rule='guided')"),
        ({"neuron": 0}, "lv.sensitivity(net, photo, lv.logit('goldfish'), rule='backprop')"),
        ({"layer": "fc6", "neuron": 7}, "lv.sensitivity(net, photo, lv.neuron('fc6', 7), rule='backprop')"),
        (
            {"layer": "conv3", "neuron": 12, "strongest": False, "row": 8, "column": 3, "rule": "deconvnet"},
            "lv.sensitivity(net, photo, lv.neuron('conv3', 12, y=8, x=3), rule='deconvnet')",
        ),
    ],
)
def test_gradients_shows_what_its_code_makes(gradients, network, cat, values, code):
    gradients.set(**values)
    assert gradients.code() == code
    gradient = made_by(code, net=network, photo=cat).gradient
    shown = {name: lv.load_image(gradients.outputs[name].value) for name in ("photo", "gradient", "magnitude")}
    assert (to_array(shown["photo"]) == to_array(cat)).all()
    assert (to_array(shown["gradient"]) == to_array(show_signed(gradient))).all()
    assert (to_array(shown["magnitude"]) == to_array(show_magnitude(lv.magnitude(gradient)))).all()


def test_gradients_starts_with_the_best_guess(network, cat):
    panel = lv.live.gradients(network, cat)
    assert panel.values["neuron"] == network.label_index(network.top(cat, 1)[0][0])


def test_gradients_follows_the_strongest_place(gradients, network, cat):
    gradients.set(layer="conv4", neuron=20)
    row, column = divmod(network.activations(cat, "conv4")[0, 20].argmax().item(), 16)
    assert (gradients.values["row"], gradients.values["column"]) == (row, column)
    assert gradients.controls["row"].disabled
    gradients.set(strongest=False)
    assert not gradients.controls["row"].disabled
    assert (gradients.values["row"], gradients.values["column"]) == (row, column)


def test_gradients_keeps_every_slider_in_range_through_all_layers(gradients, network, cat):
    for layer in (*network.layers, *reversed(network.layers)):
        gradients.set(layer=layer)
        activation = network.activations(cat, layer)
        assert gradients.controls["neuron"].max == activation.shape[1] - 1
        if activation.ndim == 4:
            assert gradients.controls["row"].max == activation.shape[2] - 1
            assert gradients.controls["column"].max == activation.shape[3] - 1
        assert gradients.controls["strongest"].disabled == (activation.ndim == 2)
        with pytest.raises(ValueError, match=f"neuron is in 0 … {activation.shape[1] - 1}"):
            gradients.set(neuron=activation.shape[1])


def test_gradients_says_when_a_neuron_is_silent(gradients, network, cat):
    activation = network.activations(cat, "relu7")[0]
    silent = (activation == 0).nonzero()[0].item()
    gradients.set(layer="relu7", neuron=silent)
    assert "silent on this photo" in gradients.outputs["gradient caption"].value


def test_gradients_says_how_many_relus_and_the_scale(gradients):
    assert "7 ReLUs" in gradients.outputs["gradient caption"].value
    assert "99.5th percentile" in gradients.outputs["magnitude caption"].value
    gradients.set(layer="conv1")
    assert "the three rules agree" in gradients.outputs["gradient caption"].value


def test_gradients_works_on_a_students_network():
    torch.manual_seed(0)
    module = torch.nn.Sequential(
        torch.nn.Conv2d(3, 4, 3), torch.nn.ReLU(), torch.nn.Flatten(), torch.nn.Linear(4 * 100, 3)
    )
    network = lv.wrap(module, 12, labels=["a<b", "c", "d"])
    panel = lv.live.gradients(network, torch.rand(1, 3, 12, 12), label="a<b")
    assert "a&lt;b" in panel.outputs["photo caption"].value  # a label is text, not HTML
    panel.set(layer="0", neuron=3)


def test_gradients_refuses_in_words_what_it_cannot_do(cat):
    network = lv.load_network("efficientnet_b0", weights=None, device="cpu")  # SiLU, which no rule is defined for
    panel = lv.live.gradients(network, cat, label="tabby")
    before = panel.outputs["gradient"].value
    with pytest.raises(ValueError, match="this network has SiLU"):
        panel.set(rule="guided")
    assert panel.outputs["gradient"].value == before
    panel.set(rule="backprop")


def test_a_click_chooses_the_neuron_that_sees_the_place(network, cat):
    """At the output the layer changes to the deepest with places; there the neuron that fires most at this one."""
    panel = lv.live.gradients(network, cat)
    layer = panel.depth(1)
    rows, columns = panel.outputs["photo"].grid
    panel.outputs["photo"].chosen = [3, 5, 1]
    panel.wait()
    activations = network.activations(cat, layer)[0]
    assert activations.shape[1:] == (rows, columns)
    loudest = activations[:, 3, 5].argmax().item()
    assert panel.code() == f"lv.sensitivity(net, photo, lv.neuron('{layer}', {loudest}, y=3, x=5), rule='backprop')"
    assert panel.preset is None and not panel.values["strongest"]
    box = lv.receptive_field(network, layer)[3, 5]
    assert panel.outputs["photo"].boxes == [[*box]] and panel.outputs["gradient"].boxes == []
    y, x = panel.outputs["gradient"].place  # the middle of the neuron's share of the picture
    assert (y + 0.5, x + 0.5) == (3.5 * 64 / rows, 5.5 * 64 / columns)
    panel.outputs["gradient"].chosen = [4, 5, 2]  # from any picture; the channel stays
    panel.wait()
    assert f"'{layer}', {loudest}, y=4, x=5" in panel.code()


def test_maps_can_be_read(network, cat):
    """What the browser reads a map by: its scale, and what full colour stands for."""
    panel = lv.live.gradients(network, cat)
    gradient = lv.gradient(network, cat, lv.logit(network.top(cat, 1)[0][0]))
    shown = panel.outputs["gradient"]
    assert (shown.scale, shown.table) == ("colours", [])
    limit = lv.images.stretch(gradient)
    assert abs(shown.limit - limit) <= 0.005 * limit  # three digits are sent, two are read
    held = (2 * panel.image("gradient") - 1) * shown.limit
    inside = gradient.abs() < min(limit, shown.limit)
    assert torch.allclose(held[inside], gradient[inside], atol=0.005 * limit)
    strength = panel.outputs["magnitude"]
    assert strength.scale == "magnitude" and len(strength.table) == 256 and strength.table[0] == [0, 0, 4]
    assert panel.outputs["photo"].scale == "" and panel.outputs["photo"].pointed


def test_a_network_without_max_pools_says_that_deconvnets_rule_knows_nothing_of_the_photo(network, cat):
    panel = lv.live.gradients(network, cat)
    for name, said in (("alexnet64", False), ("efficientnet_lite0", True)):
        caption = panel.set(network=name, rule="deconvnet").outputs["gradient caption"].value
        assert ("no max pools: the same for every photo" in caption) is said
        assert "no max pools" not in panel.set(rule="guided").outputs["gradient caption"].value
