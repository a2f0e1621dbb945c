"""From node to sum: the numbers shown are the package's, and a click goes on to the neuron that has made one."""

import re

import pytest
import torch
from panels import made_by

import lecture_viz as lv
from lecture_viz.maps import show_signed


@pytest.fixture
def panel(network, cat, again):
    return again(lambda: lv.live.weighted_sum(network, cat))


def click(panel, picture: str, row: int, column: int):
    """As a hand does, a second after its last click there."""
    output = panel.outputs[picture]
    last = output.chosen[2] if output.chosen else 0
    output.chosen = [row, column, last + 1000]
    panel.wait()


def cells(panel, name: str) -> list[float]:
    """The numbers in a table, row by row."""
    return [float(number) for number in re.findall(r"<td[^>]*>(?:<b>)?(-?[\d.]+)", panel.outputs[name].value)]


def test_shows_what_its_code_makes(panel, network, cat):
    for values, code in (
        (
            {"layer": "conv3", "neuron": 12, "strongest": False, "row": 8, "column": 3},
            "lv.weighted_sum(net, photo, 'conv3', 12, y=8, x=3)",
        ),
        ({"layer": "fc6", "neuron": 7}, "lv.weighted_sum(net, photo, 'fc6', 7)"),
        ({"layer": "pool1", "neuron": 3}, "lv.weighted_sum(net, photo, 'pool1', 3, y=8, x=3)"),
    ):
        panel.set(**values)
        assert panel.code() == code
        found = made_by(code, net=network, photo=cat)
        assert f"= {found.value:.3g}" in panel.outputs["photo caption"].value
        best = found.parts.abs().argmax()
        _, height, width = found.window.shape
        for name in ("window", "weights", "products"):
            numbers, shown = getattr(found, name)[best], panel.outputs[name]
            tile = panel.image(name)[:, :, :height, :width]
            assert torch.allclose(tile, show_signed(numbers[None, None], shown.limit), atol=0.02)
            assert (shown.scale, shown.grid) == ("signed", [*panel.image(name).shape[2:]])


def test_nine_channels_are_framed_those_that_count_most_first(panel):
    panel.set(layer="conv5", neuron=9)
    found = panel.made.result
    assert panel.image("window").shape[2:] == (9, 9) and len(panel.outputs["window"].boxes) == 9
    order = found.parts.abs().argsort(descending=True)[:9].tolist()
    limit = found.products[order].abs().max()
    for n, channel in enumerate(order):
        top, left, bottom, right = panel.outputs["products"].boxes[n]
        tile = panel.image("products")[:, :, top:bottom, left:right]
        assert torch.allclose(tile, show_signed(found.products[channel][None, None], limit), atol=0.02)
    assert "9 of 192 channels" in panel.outputs["window caption"].value


def test_the_numbers_of_the_strongest_channel(panel):
    panel.set(layer="conv4", neuron=20)
    found = panel.made.result
    best = found.parts.abs().argmax()
    for name in ("window", "weights", "products"):
        numbers = getattr(found, name)[best]
        shown = torch.tensor(cells(panel, f"{name} numbers"))
        assert torch.allclose(shown, numbers.flatten(), atol=0.051 * max(numbers.abs().max().item(), 0.01))


def test_what_is_shown_adds_up(panel, network):
    """All channels shown, the others, and the bias; then what the ReLU makes of it."""
    for layer in ("conv2", "conv5", "fc6", "fc7"):
        panel.set(layer=layer, neuron=20)
        *added, value, relu = cells(panel, "sum")
        found = panel.made.result
        added = added[-11:]  # of one number each, what they read and the weights stand above
        assert sum(added) == pytest.approx(found.value, abs=0.006 * len(added) * max(1, abs(found.value)))
        assert value == pytest.approx(found.value, rel=0.006, abs=1e-3)
        assert relu == pytest.approx(max(found.value, 0), rel=0.006, abs=1e-3)
        assert f"{len(found.channels) - 9} others" in panel.outputs["sum"].value


def test_a_window_of_one_number_stands_in_the_sum(panel):
    panel.set(layer="fc8", neuron=3)
    found = panel.made.result
    order = found.parts.abs().argsort(descending=True)[:9]
    numbers = torch.tensor(cells(panel, "sum")[:18]).view(2, 9)
    assert torch.allclose(numbers[0], found.window[order].flatten(), atol=0.006)
    assert torch.allclose(numbers[1], found.weights[order].flatten(), atol=0.006)
    assert panel.outputs["window numbers"].value == "" and "= fc8" in panel.outputs["sum"].value


def test_the_first_layer_reads_colours(panel):
    panel.set(preset="colours")
    found = panel.made.result
    assert panel.image("weights").shape == (1, 3, 5, 5)
    limit = found.weights.abs().max().item()
    assert torch.allclose(panel.image("weights"), show_signed(found.weights[None], limit), atol=0.02)
    assert panel.outputs["weights"].scale == "colours" and panel.outputs["weights"].grid == []
    for colour in ("red", "green", "blue"):
        assert f">{colour}</th>" in panel.outputs["sum"].value
    before = panel.values
    click(panel, "window", 2, 2)  # the pixels have no sum
    assert panel.values == before


def test_a_click_goes_on_to_the_neuron_that_made_the_number_down_to_the_pixels(panel, network, cat):
    panel.set(preset="class")
    layers = [panel.values["layer"]]
    while panel.made.result.before is not None:
        found = panel.made.result
        best = found.parts.abs().argmax().item()
        row, column = divmod(found.products[best].abs().argmax().item(), found.window.shape[2])
        number = found.window[best, row, column].item()
        click(panel, "window", row, column)  # the first tile
        assert panel.values["layer"] == found.before and not panel.values["strongest"]
        assert panel.values["neuron"] == found.channels[best]
        assert panel.made.result.value == pytest.approx(number, rel=1e-4)
        layers.append(found.before)
    assert layers == [*reversed(network.layers)]


def test_a_click_on_another_channel(panel):
    panel.set(preset="deep")
    found = panel.made.result
    fifth = found.parts.abs().argsort(descending=True)[4].item()
    click(panel, "weights", 3 + 1, 3 + 2)  # in the middle of three by three
    assert panel.values["neuron"] == found.channels[fifth]
    assert (panel.values["row"], panel.values["column"]) == (found.rows[1], found.columns[2])


def test_beyond_the_border_and_beside_the_channels_there_is_no_neuron(panel):
    panel.set(layer="conv3", neuron=12, strongest=False, row=0, column=5)
    before = panel.values
    click(panel, "window", 0, 1)
    assert panel.values == before
    panel.set(layer="relu3")
    before = panel.values
    click(panel, "window", 4, 4)  # as if the picture before had been clicked
    assert panel.values == before


def test_a_click_that_drags_or_a_double_one_is_one_step(panel):
    panel.set(preset="deep")
    click(panel, "window", 0, 0)
    values, output = panel.values, panel.outputs["window"]
    row, column, when = output.chosen
    for later in (3, 400, 650):
        output.chosen = [row, column, when + later]
        panel.wait()
    assert panel.values == values and values["layer"] == "relu4"


def test_a_click_on_the_photo_chooses_the_place(panel, network):
    panel.set(layer="conv3", neuron=12)
    photo = panel.outputs["photo"]
    assert photo.grid == [16, 16] and not photo.pointed
    click(panel, "photo", 3, 11)
    assert panel.code() == "lv.weighted_sum(net, photo, 'conv3', 12, y=3, x=11)"
    assert photo.boxes == [[*lv.receptive_field(network, "conv3")[3, 11]]]
    panel.set(layer="fc7")
    assert photo.grid == [] and photo.boxes == []


def test_a_relu_and_a_pool(panel, network, cat):
    given = network.activations(cat, "conv3")[0]
    channel, row, column = (n.item() for n in torch.unravel_index(given.argmin(), given.shape))
    panel.set(layer="relu3", neuron=channel, strongest=False, row=row, column=column)
    x, weight, adds, value = cells(panel, "sum")
    assert x == pytest.approx(given.min().item(), rel=0.01) and weight == adds == value == 0
    panel.set(preset="pool")
    assert sorted(cells(panel, "weights numbers")) == [0] * 8 + [1]
    assert max(cells(panel, "window numbers")) == pytest.approx(panel.made.result.value, abs=0.06)


def test_other_networks_offer_the_layers_that_are_sums(network, cat, again):
    panel = again(lambda: lv.live.weighted_sum(network, "cat"))
    for name, layers, dead_end in (
        (
            "inception64",
            ("conv1", "relu1", "pool1", "conv2", "relu2", "pool2", "pool3", "pool4", "average", "fc"),
            "pool3",
        ),
        ("efficientnet_lite0", ("conv1", "relu1", "conv2", "relu2", "average", "fc"), "conv2"),
    ):
        panel.set(network=name)
        assert [value for _, value in panel.controls["layer"].options] == [*layers]
        panel.set(layer=dead_end)
        assert panel.made.result.before not in layers and panel.outputs["window"].grid == []
        for preset in panel.presets(panel.values):
            panel.set(preset=preset)
            assert panel.preset == preset


def test_a_students_network():
    torch.manual_seed(0)
    module = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(3 * 64, 5), torch.nn.ReLU(), torch.nn.Linear(5, 2))
    network = lv.wrap(module, 8, labels=["a<b", "c"])
    panel = lv.live.weighted_sum(network, torch.rand(1, 3, 8, 8), label="a<b")
    assert panel.values["layer"] == "1" and panel.image("weights").shape == (1, 3, 8, 8)
    panel.set(layer="3", neuron=0)
    assert "a&lt;b" in panel.outputs["photo caption"].value
    click(panel, "window", 0, 0)
    assert panel.values["layer"] == "2"


def test_what_it_cannot_do_says_the_mend(panel):
    with pytest.raises(ValueError, match="layer is one of conv1"):
        panel.set(layer="conv9")
    panel.set(layer="conv1")
    with pytest.raises(ValueError, match="neuron is in 0 … 31"):
        panel.set(neuron=32)

    class NoSum(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.act = torch.nn.Tanh()

        def forward(self, x):
            return self.act(x).mean(dim=(2, 3))

    with pytest.raises(ValueError, match="no layer of .* choose another network"):
        lv.live.weighted_sum(lv.wrap(NoSum(), 8, labels=["a", "b", "c"]), torch.rand(1, 3, 8, 8))
