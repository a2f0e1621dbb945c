"""The strip of all layers: it grows, stops, goes on, and can be gone through."""

import pytest
import torch
from panels import held, made_by, shows_what_its_code_makes

import lecture_viz as lv
from lecture_viz.live.kit import run as run_module
from lecture_viz.maps import to_array

LAYERS = ("conv1", "relu3", "fc8")


def test_the_strip_can_be_gone_through(network, cat):
    panel = lv.live.layers(network, cat, layers=LAYERS).set(steps=16)
    panel.start().wait()
    assert panel.step.index == panel.step.total == 48
    search = panel.code().removesuffix("\nfound['fc8']")
    found = made_by(f"{search}\nfound", net=network, photo=cat)
    pictures = []
    for layer in LAYERS:
        panel.set(layer=layer)
        assert f"<b>{layer}</b>" in panel.outputs["image caption"].value
        assert panel.code() == f"{search}\nfound[{layer!r}]"
        assert (to_array(panel.image("image")) == to_array(found[layer])).all()
        pictures.append(panel.image("image"))
        assert layer in panel.outputs["curves"].value
    assert not torch.equal(pictures[0], pictures[1])
    assert panel.image("film").shape == (1, 3, 68, 4 * 68)


@pytest.mark.long
def test_the_strip_streams_stops_and_goes_on_to_the_same_pictures(network, cat, monkeypatch):
    monkeypatch.setattr(run_module, "PER_SECOND", float("inf"))  # every step is shown
    panel = lv.live.layers(network, cat, layers=LAYERS).set(steps=16, layer="relu3")
    panel.start().wait()
    whole = panel.image("image")
    with held(panel, 16):
        assert "1 of 3 layers" in panel.outputs["film caption"].value  # the first, while others are to come
        panel.stop()
    panel.wait()
    assert 16 <= panel.step.index <= 17 and panel.step.total == 48
    assert panel.outputs["time left"].value == "stopped"
    panel.resume().wait()
    assert panel.step.index == 48 and torch.equal(panel.image("image"), whole)


def test_the_strength_acts_on_the_running_strip(network, cat):
    panel = lv.live.layers(network, cat, layers=LAYERS).set(steps=256)
    with held(panel, 3) as gate:
        panel.controls["strength"].value = 0
        gate.hold(1)  # the step that was under way
        assert panel.step.index == 4 and panel.step.terms["total variation"] > 0
        gate.hold(1)
        assert panel.step.index == 5 and panel.step.terms["total variation"] == 0
        panel.stop()
    panel.wait()
    assert "strength=0" in panel.code()


def test_by_default_the_strip_has_all_layers(network, cat):
    panel = lv.live.layers(network, cat)
    panel.controls["steps"].min = 1  # for this test
    panel.set(steps=1).start().wait()
    assert panel.step.index == panel.step.total == len(network.layers)
    assert "layers=" not in panel.code() and shows_what_its_code_makes(panel, photo=cat)
    assert f"{len(network.layers)} of {len(network.layers)} layers" in panel.outputs["film caption"].value
