"""Every channel of a layer, and a unit's dossier: each part is what its call gives, and of this unit and this photo."""

import random
import re

import pytest
import torch
from panels import made_by, png, same

import lecture_viz as lv
from lecture_viz.live.kit import dossier
from lecture_viz.live.kit.dossier import BLANK
from lecture_viz.photos import paint

PARTS = ("fires", "backprop", "deconvnet", "guided", "reads", "atlas", "patches", "pictures")


@pytest.fixture
def panel(network, cat, again):
    return again(lambda: lv.live.microscope(network, cat))


def said(panel, name: str) -> str:
    return panel.outputs[f"{name} caption"].value


def code_of(panel, name: str) -> str:
    html = re.search(r"<code>(.+?)</code>", said(panel, name), re.DOTALL)[1]
    return html.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def choose(panel, picture: str, row: int, column: int) -> None:
    panel.outputs[picture].chosen = [row, column, random.random()]
    panel.wait()


def test_the_panel_is_there_before_its_dossier(network, cat):
    panel = lv.live.microscope(network, cat)
    assert {"photo", "maps", "flow"} <= {*panel.view.pictures}
    panel.wait()
    assert {*PARTS} <= {*panel.view.pictures}


@pytest.mark.long
@pytest.mark.parametrize("layer, neuron", [("relu3", 12), ("conv1", 5), ("fc6", 102), ("fc8", 30)])
def test_every_part_is_what_its_code_makes(panel, network, cat, layer, neuron):
    panel.set(layer=layer, neuron=neuron)
    names = {"net": network, "photo": cat}
    for rule in lv.RULES:
        made = made_by(code_of(panel, rule), **names)
        assert same(lv.images.show_signed(made), panel.image(rule)), rule
    map_here = made_by(code_of(panel, "fires"), **names)
    assert f"{map_here.max().item():.3g}" in said(panel, "fires")
    read = made_by(code_of(panel, "reads"), **names)
    if layer == "conv1":
        assert same(lv.images.show_signed(read), panel.image("reads"))
    else:
        best = read.contributions.argsort(descending=True)[:3].tolist()
        assert re.findall(r"<b>(\d+)</b> \(", said(panel, "reads")) == [str(n) for n in best]
    moved = made_by(code_of(panel, "classes"), **names)
    assert network.labels[moved.argmax()] in panel.outputs["classes"].value
    assert same(made_by(code_of(panel, "atlas"), **names)[None], panel.image("atlas"))
    assert ("lv.atlas.draw" if layer == "fc6" else "lv.atlas.read") in said(panel, "atlas")  # it has no atlas
    nine = made_by(code_of(panel, "patches"), **names)
    assert same(lv.plots.mosaic(nine.patches), panel.image("patches"))
    four = made_by(code_of(panel, "pictures"), **names)
    assert same(lv.plots.mosaic([*four.split(1)], 2, cell=64), panel.image("pictures"))


def test_the_frame_is_what_the_strongest_neuron_sees(panel, network, cat):
    panel.set(layer="relu3", neuron=12)
    with torch.no_grad():
        place = divmod(int(network.activations(cat, "relu3")[0, 12].argmax()), 16)
    box = [*lv.receptive_field(network, "relu3")[place]]
    assert panel.outputs["photo"].boxes == panel.outputs["guided"].boxes == [box]


def test_a_click_on_a_tile_chooses_its_channel_and_so_do_the_arrow_keys(panel):
    panel.set(layer="relu3", order="strength")
    tiles = panel.made.result
    choose(panel, "maps", 3, 5)
    assert panel.values["neuron"] == tiles.channels[3 * tiles.columns + 5].item()
    rows, columns = panel.outputs["maps"].grid
    place, image = panel.outputs["maps"].place, panel.image("maps")
    assert [int(place[0] / image.shape[2] * rows), int(place[1] / image.shape[3] * columns)] == [3, 5]  # for the keys
    neuron = panel.values["neuron"]
    choose(panel, "maps", *(side - 1 for side in tiles.grid))  # no channel there
    assert panel.values["neuron"] == neuron


def test_a_click_on_the_way_chooses_a_layer_and_one_of_its_strongest(panel, network, cat):
    flow = lv.flow(network, cat)
    at = network.layers.index("conv4")
    choose(panel, "flow", 1, at)
    assert (panel.values["layer"], panel.values["neuron"]) == ("conv4", flow.channels[1, at].item())
    row, _ = panel.outputs["flow"].place
    assert 1 / 3 < row / panel.image("flow").shape[2] < 2 / 3


def test_tiles_show_what_channels_look_for(panel, network):
    panel.set(layer="relu2", tiles="atlas", order="index")
    assert "pictures=lv.atlas.read(net, 'relu2')" in panel.code()
    first = lv.atlas.read(network, "relu2")[0]
    assert torch.allclose(panel.image("maps")[0, :, 1:3, 1:3].mean(), first[:, :4, :4].mean(), atol=0.25)
    assert panel.controls["one_scale"].disabled
    stood = panel.image("maps")
    with pytest.raises(FileNotFoundError, match="training atlas alexnet64 --layers fc7"):
        panel.set(layer="fc7")
    assert torch.equal(panel.image("maps"), stood) and "fc7" in panel.view.error_line.value
    panel.set(tiles="maps")
    assert panel.view.error_line.layout.display == "none"


def test_the_network_says_what_it_takes_the_photo_for(panel, network, cat):
    for label, share in network.top(cat, 5):
        assert label in panel.outputs["guesses"].value and f"{share:.0%}" in panel.outputs["guesses"].value


def test_what_is_painted_changes_everything(panel, network, cat):
    strokes = (("black", 0.4, ((0.3, 0.3), (0.5, 0.6))),)
    panel.set(strokes=strokes)
    painted = paint(cat, strokes)
    assert torch.equal(panel.image("photo"), painted)
    expected = lv.activation_maps(network, painted, panel.values["layer"], panel.values["order"])
    assert same(expected.image, panel.image("maps"))
    assert same(lv.flow(network, painted).image, panel.image("flow"))
    made = made_by(panel.code(), net=network, photo=cat)
    assert torch.equal(made.channels, panel.made.result.channels)
    gradient = made_by(panel.code().splitlines()[0] + "\n" + code_of(panel, "guided"), net=network, photo=cat)
    assert same(lv.images.show_signed(gradient), panel.image("guided"))


def test_it_draws_on_an_empty_sheet(panel, network):
    panel.set(photo="sheet", strokes=(("black", 0.1, ((0.2, 0.2), (0.8, 0.8))),))
    assert panel.image("photo").min() == 0 and panel.image("photo").max() == 1


@pytest.mark.long
def test_no_part_is_of_another_unit_after_many_choices(panel, network, cat):
    """A hand that does not wait; at the end every part is of the unit that stands."""
    random.seed(0)
    for _ in range(200):
        panel.controls["layer"].value = random.choice(network.layers)
        panel.outputs["maps"].chosen = [random.randrange(8), random.randrange(8), random.random()]
    panel.wait()
    layer, neuron = panel.values["layer"], panel.values["neuron"]
    for name in ("fires", *lv.RULES, "reads", "patches", "pictures"):
        text = said(panel, name)
        if "<code>" in text:  # else it says why there is nothing to see
            assert f"{layer!r}" in text or "lv.logit" in text
            assert re.search(rf"\b{neuron}\b", text) or "lv.logit" in text
    assert torch.equal(panel.made.result.channels, lv.activation_maps(network, cat, layer, "strength").channels)


def test_what_is_of_another_unit_vanishes_at_once(panel, monkeypatch):
    panel.set(layer="relu3", neuron=12)
    seen = []
    show = panel.view.show

    def watched(outputs, code):
        show(outputs, code)
        seen.append({name: panel.view.pictures[name] is BLANK for name in PARTS})

    monkeypatch.setattr(panel.view, "show", watched)
    panel.set(neuron=13)
    assert all(seen[0].values()) and not any(seen[-1].values())
    seen.clear()
    panel.set(order="selectivity")
    assert not any(seen[0].values()), "the unit is the same"


def test_while_the_camera_runs_only_what_is_there_at_once_follows(panel, network):
    camera = panel.controls["camera"]
    panel.set(layer="relu3", neuron=12)
    camera.live = True
    for colour in ("red", "blue"):
        answered = camera.answered
        camera.value = memoryview(png(colour))
        panel.wait()
        assert camera.answered == answered + 1
    assert same(lv.activation_maps(network, panel.photo, "relu3", "strength").image, panel.image("maps"))
    waiting = (*lv.RULES, "reads")
    assert {name for name in PARTS if panel.image(name) is BLANK} == {*waiting}
    assert panel.outputs["classes"].value == ""
    panel.set(neuron=13)
    assert {name for name in PARTS if panel.image(name) is BLANK} == {*waiting, "patches", "pictures"}
    for name in ("backprop", "reads", "classes", "patches", "pictures"):
        assert "pause the camera" in said(panel, name)
    camera.live = False
    panel.wait()  # no hand has to move anything
    assert not any(panel.image(name) is BLANK for name in PARTS) and "pause" not in said(panel, "backprop")


@pytest.mark.long
def test_a_part_that_the_camera_has_cut_short_vanishes(panel, monkeypatch):
    """It had begun to fill in; what was there is of another photo."""
    panel.set(layer="relu3", neuron=12)
    show = panel.view.show

    def cut_short(outputs, code):
        show(outputs, code)
        if "backprop" in outputs and outputs["backprop"] is not BLANK:
            panel.controls["camera"].live = True
            panel.worker.ask()  # as the browser does, from another thread

    monkeypatch.setattr(panel.view, "show", cut_short)
    panel.set(neuron=13)
    assert panel.image("backprop") is BLANK and panel.image("fires") is not BLANK
    for name in ("backprop", "pictures"):
        assert "pause the camera" in said(panel, name)
    monkeypatch.undo()
    panel.controls["camera"].live = False
    panel.wait()


def test_a_layer_of_single_numbers_has_one_scale(panel, network, cat):
    """Else all tiles would look alike."""
    panel.set(layer="fc8", one_scale=False)
    assert panel.controls["one_scale"].disabled
    assert same(lv.activation_maps(network, cat, "fc8", "strength", one_scale=True).image, panel.image("maps"))
    assert made_by(panel.code(), net=network, photo=cat).image.unique().numel() > 10


def test_a_part_that_cannot_be_says_why_and_the_others_are_there(panel, monkeypatch):
    def refuse(*_):
        raise ValueError("these <pictures> cannot be read")

    monkeypatch.setattr(dossier, "patches", refuse)
    panel.set(layer="fc6", neuron=3)
    assert "these &lt;pictures&gt; cannot be read" in said(panel, "patches")
    assert panel.image("patches") is BLANK and panel.image("pictures") is not BLANK


@pytest.mark.long
def test_examples_go_from_the_least_to_the_most(panel, network):
    panel.set(layer="relu3", neuron=12, examples="least to most")
    found = made_by(code_of(panel, "patches"), net=network)
    assert (found.activations.diff() >= 0).all()
    assert same(lv.plots.mosaic(found.patches), panel.image("patches"))


@pytest.mark.long
def test_another_network_has_its_own_layers(panel):
    panel.set(network="inception64")
    assert panel.values["layer"] in panel.network.layers
    assert "inception64" in panel.code()
    panel.set(preset="looks for")
    assert panel.values["layer"] == "inception5a"


def test_a_network_of_ones_own_without_relu_is_looked_at_too(cat):
    nn = torch.nn
    torch.manual_seed(0)
    module = nn.Sequential(nn.Conv2d(3, 4, 5, 2), nn.Tanh(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 3))
    panel = lv.live.microscope(lv.wrap(module, 64), cat)
    panel.wait()
    assert "no ReLU" in said(panel, "backprop") and panel.image("pictures") is not BLANK


@pytest.mark.long
def test_examples_come_from_a_folder_of_ones_own_too(network, cat, tmp_path):
    for name in ("coffee", "rocket", "cat"):
        lv.images.to_pil(lv.load_image(name, 64)).save(tmp_path / f"{name}.png")
    panel = lv.live.microscope(network, cat, pictures=str(tmp_path)).set(layer="relu3", neuron=12)
    found = made_by(code_of(panel, "patches"), net=network)
    assert len(found.photos) <= 3 and set(found.names) <= {"coffee.png", "rocket.png", "cat.png"}
    assert same(lv.plots.mosaic(found.patches), panel.image("patches"))
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "one.png").write_bytes(b"no picture")
    panel = lv.live.microscope(network, cat, pictures=str(tmp_path / "broken"))
    for neuron in (3, 4):
        panel.set(neuron=neuron)
        assert "not one of these 1 pictures can be read" in said(panel, "patches")
    with pytest.raises(FileNotFoundError, match="there is no folder"):
        lv.live.microscope(network, cat, pictures="no/such/folder").wait()
