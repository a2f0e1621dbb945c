"""Nine pictures between two targets, one of them large: by the slider, and by a hand on the nine."""

import base64
import re
from itertools import pairwise

import pytest
import torch
from panels import held, made_by, same, shows_what_its_code_makes

import lecture_viz as lv
from lecture_viz.maps import encode
from lecture_viz.optimization_based.interpolation import DEGREES


@pytest.fixture
def panel(network, again):
    panel = again(lambda: lv.live.interpolation(network).set(steps=8))
    return panel if panel.step is not None else panel.start().wait() or panel


@pytest.mark.long
def test_the_angle_chooses_among_the_pictures_of_one_run(panel, network):
    step, shown = panel.step, []
    for number, degrees in enumerate(DEGREES):
        panel.set(angle=degrees)
        assert panel.step is step, "nothing is computed anew"
        assert same(step.image[number], panel.image("image")) and panel.code().endswith(f".image[{number}]")
        shown.append(panel.image("film"))
        saved = re.search(r'picture.png" href="data:image/png;base64,([^"]+)"', panel.outputs["save"].value)
        assert base64.b64decode(saved.group(1)) == encode(step.image[number : number + 1])
    assert not any(torch.equal(*pair) for pair in pairwise(shown))  # another one is framed
    assert shows_what_its_code_makes(panel)


def test_both_targets_are_measured_in_each_picture(panel, network):
    first, second = (network.labels[panel.values[name]] for name in ("first", "second"))
    assert {first, second} == {"golden retriever", "Egyptian cat"}
    panel.set(angle=67.5)
    with torch.no_grad():
        logits = network(panel.step.image)
    a, b = (logits[:, network.label_index(label)] for label in (first, second))
    for text in ("<b>67.5°</b>", f"A fires {a[5]:.1f}", f"B {b[5]:.1f}"):
        assert text in panel.outputs["image caption"].value
    table = panel.outputs["curves"].value
    assert all(f"<td>{number:.1f}</td>" in table for number in (*a.tolist(), *b.tolist()))
    assert table.count("bold") == 1 and "bold" in table.partition("67.5°")[0].rpartition("<tr")[2]


def test_a_hand_on_one_of_the_nine_chooses_it(panel):
    panel.set(angle=45)
    panel.outputs["film"].chosen = [2, 0, 1]
    panel.wait()
    assert panel.values["angle"] == DEGREES[6] == 90 and panel.code().endswith(".image[6]")


def test_numbers_are_of_the_pictures_on_screen_also_when_the_controls_have_moved_on(panel):
    told = panel.outputs["curves"].value
    panel.set(first=panel.values["first"] + 1)
    assert panel.outputs["curves"].value == told and panel.code().startswith("# ")
    assert f"A is <b>logit({panel.network.labels[panel.values['first']]!r})</b>" in panel.outputs["pair"].value


def test_channels_neurons_and_classes(network):
    panel = lv.live.interpolation(network)
    for layer, kind in (("relu3", "channel"), ("relu7", "neuron"), ("fc8", "logit")):
        panel.set(layer=layer)
        first, second = (panel.controls[name] for name in ("first", "second"))
        assert first.max == second.max == panel._response(layer).shape[0] - 1
        assert f"lv.interpolate(lv.{kind}(" in panel.code()


@pytest.mark.long
def test_another_pair_while_it_runs_goes_on_from_the_pictures(network):
    panel = lv.live.interpolation(network).set(steps=256)
    with held(panel, 6) as gate:
        panel.controls["second"].value = network.label_index("goldfish")
        gate.hold(1)  # the step that was under way
        before = panel.step
        gate.hold(1)
        assert panel.step.index == 1 and panel.step.total == 256 - 7 and len(panel.step.image) == 9
        assert (panel.step.image - before.image).abs().mean() < 0.05
        panel.stop()
    panel.wait()
    with torch.no_grad():
        goldfish = lv.logit("goldfish")(network, panel.step.image)
    assert f"<td>{goldfish[0]:.1f}</td>" in panel.outputs["curves"].value


def test_the_angle_moves_while_it_runs(network):
    panel = lv.live.interpolation(network).set(steps=256)
    with held(panel, 3) as gate:
        panel.controls["angle"].value = 0
        gate.hold(2)
        assert same(panel.step.image[2], panel.image("image"))
        panel.stop()
    panel.wait()
    assert same(panel.step.image[2], panel.image("image")) and panel.run.taken < 10


@pytest.mark.long
def test_another_network_brings_its_classes_and_layers(network):
    panel = lv.live.interpolation(network).set(steps=8, network="inception64", preset="channels")
    assert panel.values["layer"] == "inception4b"
    panel.wait()
    made = made_by(panel.code(), net=network)
    assert same(made, panel.image("image"))


def test_a_network_of_ones_own_without_these_classes(network):
    layers = torch.nn.Sequential(torch.nn.Conv2d(3, 4, 3), torch.nn.ReLU(), torch.nn.Flatten(), torch.nn.Linear(784, 2))
    own = lv.wrap(layers, 16, (0.5,) * 3, (0.5,) * 3, ("left", "right"))
    panel = lv.live.interpolation(own)
    assert [*panel.presets(panel.values)] == ["channels"] and panel.preset is None
    assert "lv.interpolate(lv.logit('left'), lv.logit('right'))" in panel.code()
