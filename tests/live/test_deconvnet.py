"""The nine patches and what the reversed network paints for them."""

import pytest
import torch
from panels import made_by

import lecture_viz as lv
from lecture_viz.maps import show_signed, to_array


@pytest.fixture(scope="module")
def pictures():
    return [lv.load_image(name, 64) for name in lv.images.BUNDLED_PHOTOS]


@pytest.fixture
def deconvnet(network, cat, pictures, again):
    return again(lambda: lv.live.deconvnet(network, pictures, layer="relu4", channel=7))


@pytest.mark.parametrize(
    "values, end",
    [
        ({}, "'write')"),
        ({"which": 2, "unpooling": "sum"}, "'sum')"),
        ({"strongest": False, "row": 3, "column": 8}, "lv.neuron('relu4', 7, y=3, x=8), 'write')"),
        ({"layer": "conv2", "channel": 20}, "'write')"),
    ],
)
def test_deconvnet_shows_what_its_code_makes(deconvnet, network, pictures, values, end):
    deconvnet.set(**values)
    assert deconvnet.code().endswith(end)
    painted = made_by(deconvnet.code(), net=network, pictures=pictures)
    assert (to_array(deconvnet.image("reconstruction")) == to_array(show_signed(painted))).all()
    layer, channel = deconvnet.values["layer"], deconvnet.values["channel"]
    found = lv.top_patches(network, pictures, layer, channel, progress=False)
    chosen = deconvnet.values["which"] - 1
    if deconvnet.values["strongest"]:
        assert repr(found.targets[chosen]) in deconvnet.code()
    assert torch.equal(deconvnet.image("patches"), lv.plots.mosaic(found.patches, chosen=chosen))
    limit = lv.images.stretch(torch.cat([part.flatten() for part in found.reconstructions]))
    shown = [show_signed(part, limit) for part in found.reconstructions]
    assert torch.equal(deconvnet.image("reconstructions"), lv.plots.mosaic(shown, chosen=chosen))


def test_deconvnet_frames_what_the_neuron_sees(deconvnet, network, pictures):
    deconvnet.set(strongest=False, row=6, column=9)
    box = lv.receptive_field(network, "relu4")[6, 9]
    photo = lv.top_patches(network, pictures, "relu4", 7, progress=False).photos[0]
    assert torch.equal(deconvnet.image("photo"), photo) and deconvnet.outputs["photo"].boxes == [[*box]]


def test_deconvnet_goes_to_the_place_that_is_clicked(deconvnet):
    rows, columns = deconvnet.outputs["photo"].grid
    assert (rows, columns) == (16, 16)
    deconvnet.outputs["photo"].chosen = [5, 11, 1]
    deconvnet.wait()
    assert "y=5, x=11" in deconvnet.code() and not deconvnet.values["strongest"]


def test_deconvnet_says_when_a_feature_map_never_fires(network):
    grey = torch.full((1, 3, 64, 64), 0.5)
    fires = network.activations(grey, "relu5")[0].flatten(1).any(dim=1)
    panel = lv.live.deconvnet(network, [grey], layer="relu5", channel=fires.nonzero()[0].item())
    before = panel.outputs["patches"].value
    silent = (~fires).nonzero()[0].item()
    with pytest.raises(ValueError, match=f"channel {silent} of 'relu5' never fires on these pictures .1 seen"):
        panel.set(channel=silent)
    assert panel.outputs["patches"].value == before  # nothing is lost


def test_deconvnet_uses_the_rule_where_the_network_branches(pictures):
    network = lv.load_network("inception64", device="cpu")
    panel = lv.live.deconvnet(network, pictures, layer="inception4a", channel=30)
    assert panel.code().endswith("rule='deconvnet')") and "branches" in panel.outputs["reconstruction caption"].value
    painted = made_by(panel.code(), net=network, pictures=pictures)
    assert (to_array(panel.image("reconstruction")) == to_array(show_signed(painted))).all()
