"""Four maps of one neuron, and how alike each is to others."""

import re

import pytest
import torch
from panels import made_by

import lecture_viz as lv
from lecture_viz.maps import show_magnitude, show_signed, to_array


@pytest.fixture
def saliency(network, cat, again):
    return again(lambda: lv.live.saliency(network, cat, label="tabby", other="school bus"))


def bars(panel, name: str) -> dict[str, float]:
    """The similarities below a map."""
    rows = re.findall(r"<td>(\w+)</td>.*?<td>([^<]*)</td></tr>", panel.outputs[f"{name} alike"].value)
    return {row: float(number) for row, number in rows}


@pytest.mark.parametrize(
    "values, code",
    [
        ({}, "[lv.gradient(net, photo, lv.logit('tabby'), rule) for rule in lv.RULES]"),
        ({"score": "probability"}, "[lv.gradient(net, photo, lv.probability('tabby'), rule) for rule in lv.RULES]"),
        ({"samples": 16}, "[lv.smoothgrad(net, photo, lv.logit('tabby'), 16, rule=rule) for rule in lv.RULES]"),
        (
            {"layer": "fc7", "neuron": 3, "random": "fc7"},
            "network = lv.randomized(net, 'fc7')\n"
            "[lv.gradient(network, photo, lv.neuron('fc7', 3), rule) for rule in lv.RULES]",
        ),
    ],
)
def test_saliency_shows_what_its_code_makes(saliency, network, cat, values, code):
    saliency.set(**values)
    assert saliency.code() == code
    maps = made_by(code, net=network, photo=cat)
    for name, gradient in zip(lv.RULES, maps, strict=True):
        assert (to_array(saliency.image(name)) == to_array(show_signed(gradient))).all()
    magnitude = lv.magnitude(maps[0])
    assert (to_array(saliency.image("saliency")) == to_array(show_magnitude(magnitude))).all()


def test_saliency_says_how_alike_each_map_is(saliency, network, cat):
    saliency.set(random="conv4")
    random = lv.randomized(network, "conv4")
    for rule in lv.RULES:
        shown = lv.gradient(random, cat, lv.logit("tabby"), rule)
        other = lv.gradient(random, cat, lv.logit("school bus"), rule)
        trained = lv.gradient(network, cat, lv.logit("tabby"), rule)
        expected = {"other": lv.similarity(shown, other), "trained": lv.similarity(shown, trained)}
        assert bars(saliency, rule) == pytest.approx(expected, abs=0.005)
    shown, trained = (lv.saliency(net, cat, lv.logit("tabby")) for net in (random, network))
    assert bars(saliency, "saliency")["trained"] == pytest.approx(lv.similarity(shown, trained), abs=0.005)
    assert "random down to conv4" in saliency.outputs["photo caption"].value
    saliency.set(random="none", other=saliency.values["neuron"])  # compared with itself
    assert all(bars(saliency, name) == {"other": 1} for name in (*lv.RULES, "saliency"))


def test_saliency_with_one_scale_for_all(saliency, network, cat):
    saliency.set(one_scale=True)
    maps = [lv.gradient(network, cat, lv.logit("tabby"), rule) for rule in lv.RULES]
    maps.append(lv.saliency(network, cat, lv.logit("tabby")))
    limit = lv.images.stretch(torch.cat([part.flatten() for part in maps]))
    for name, gradient in zip(lv.RULES, maps):
        assert (to_array(saliency.image(name)) == to_array(show_signed(gradient, limit))).all()
        assert f"±{limit:.2g}" in saliency.outputs[f"{name} caption"].value
    assert (to_array(saliency.image("saliency")) == to_array(show_magnitude(maps[3], limit))).all()


@pytest.mark.long
def test_saliency_keeps_every_slider_in_range_through_all_layers(saliency, network, cat):
    for layer in (*network.layers, *reversed(network.layers)):
        saliency.set(layer=layer)
        last = network.activations(cat, layer).shape[1] - 1
        assert saliency.controls["neuron"].max == saliency.controls["other"].max == last
        assert saliency.controls["score"].disabled == (layer != "fc8")


def test_saliency_looks_where_a_channel_fires_most(saliency, network, cat):
    saliency.set(layer="conv3", neuron=12, other=5)
    for channel, output in ((12, saliency.code()), (5, saliency.outputs["photo alike"].value)):
        row, column = divmod(network.activations(cat, "conv3")[0, channel].argmax().item(), 16)
        assert f"{channel}, y={row}, x={column})" in output


def test_saliency_says_when_a_neuron_is_silent(saliency, network, cat):
    silent = (network.activations(cat, "relu7")[0] == 0).nonzero()[0].item()
    saliency.set(layer="relu7", neuron=silent)
    assert "silent on this photo" in saliency.outputs["backprop caption"].value
    assert "–" in saliency.outputs["guided alike"].value  # nothing to compare


def test_saliency_grows_and_gives_way_to_newer_values(saliency):
    frames = list(saliency.draw(saliency.values | {"samples": 16}))
    grown = [frame.outputs["saliency"] for frame in frames if "saliency" in frame.outputs]
    assert len(grown) == 2 and not torch.equal(grown[0].image, grown[1].image)
    captions = [frame.outputs["saliency caption"] for frame in frames if "saliency caption" in frame.outputs]
    assert "mean of 8 samples" in captions[0] and "mean of 16 samples" in captions[1]
    assert "lv-stale" in frames[0].outputs["guided alike"]  # until the maps it is compared with are there
    assert "lv-stale" not in frames[-1].outputs["guided alike"]
    assert [bool(frame.outputs) for frame in frames] == [True, True, False, False, True]  # also while it compares
