"""Receptive fields against a numerical probe: spoil a row or a column of pixels, and see which neurons notice."""

import pytest
import torch
from torch import nn

import lecture_viz as lv
from lecture_viz.networks.receptive_fields import receptive_fields


def probe(network, layers: list[str], size: int) -> dict[str, list[torch.Tensor]]:
    """Per layer: which rows ``(size, h, w)`` and which columns ``(size, h, w)`` of pixels its neurons depend on.

    NaN is the perturbation that nothing hides: not a weight of 0, not a ReLU, not a maximum.
    """
    found = {layer: [] for layer in layers}
    for dim in (2, 3):
        photos = torch.full((size, 3, size, size), 0.5)
        for n in range(size):
            photos[n].select(dim - 1, n).fill_(torch.nan)
        with torch.no_grad():
            for layer, output in network.run(photos, layers).items():
                maps = output if output.ndim == 4 else output[:, :, None, None]
                found[layer].append(maps.isnan().any(dim=1))
    return found


@pytest.mark.parametrize(
    "name, size",
    [
        ("alexnet64", 64),
        ("inception64", 64),
        pytest.param("alexnet", 75, marks=pytest.mark.long),
        pytest.param("googlenet", 70, marks=pytest.mark.long),
        pytest.param("resnet18", 67, marks=pytest.mark.long),
        pytest.param("inception_v3", 80, marks=pytest.mark.long),
        pytest.param("efficientnet_lite0", 64, marks=pytest.mark.long),
        ("efficientnet_lite0", 53),
    ],
)
def test_every_neuron_of_every_layer_sees_just_what_moves_it(name, size):
    network = lv.load_network(name, weights=None, device="cpu")
    layers = list(network.layers)
    fields = receptive_fields(network, layers, size)
    for layer, (rows, columns) in probe(network, layers, size).items():
        assert fields[layer].shape == rows.shape[1:], layer
        for y, x in torch.cartesian_prod(*map(torch.arange, rows.shape[1:])).tolist():
            box = fields[layer][y, x]
            assert rows[:, y, x].nonzero().flatten().tolist() == [*range(box.top, box.bottom)], (layer, y, x)
            assert columns[:, y, x].nonzero().flatten().tolist() == [*range(box.left, box.right)], (layer, y, x)


@pytest.mark.parametrize("padding, kernel", [("same", 3), ("same", 4), ("valid", 3)])
def test_padding_may_have_a_name(padding, kernel):
    network = lv.wrap(
        nn.Sequential(nn.Conv2d(3, 2, kernel, padding=padding, dilation=2), nn.AdaptiveAvgPool2d(1), nn.Flatten()), 12
    )
    field = lv.receptive_field(network, "0")
    rows, columns = probe(network, ["0"], 12)["0"]
    for y, x in torch.cartesian_prod(*map(torch.arange, field.shape)).tolist():
        box, seen = field[y, x], (rows[:, y, x].nonzero().flatten(), columns[:, y, x].nonzero().flatten())
        assert (box.top, box.bottom - 1, box.left, box.right - 1) == (*seen[0][[0, -1]], *seen[1][[0, -1]])


class Functional(nn.Module):
    """A convolution whose arguments are left out."""

    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(2, 3, 5, 5))
        self.seen = nn.ReLU()

    def forward(self, x):
        return self.seen(nn.functional.conv2d(x, self.weight, padding="same")).flatten(1)


def test_arguments_may_be_left_out():
    box = lv.receptive_field(lv.wrap(Functional(), 12), "seen")[6, 6]
    assert (box.top, box.left, box.bottom, box.right) == (4, 4, 9, 9)


def test_the_gradient_stays_inside(network, cat):
    gradient = lv.gradient(network, cat, lv.neuron("conv3", 12, y=4, x=7))
    box = lv.receptive_field(network, "conv3")[4, 7]
    assert box.crop(gradient).any()
    box.crop(gradient).zero_()
    assert not gradient.any()


def test_a_window_is_counted_by_hand():
    module = nn.Sequential(nn.Conv2d(3, 1, 3, padding=2, dilation=2), nn.AvgPool2d(2), nn.Flatten(), nn.Linear(25, 2))
    network = lv.wrap(module, 10)
    field = lv.receptive_field(network, "0")
    assert field.shape == (10, 10) and field[0, 5] == (0, 3, 3, 8)  # two pixels to each side, cut off at the border
    assert lv.receptive_field(network, "1")[1, 2] == (0, 2, 6, 8)
    assert lv.receptive_field(network, "3")[0, 0] == (0, 0, 10, 10)


def test_bad_requests_say_the_mend(network):
    with pytest.raises(ValueError, match="did you mean 'conv3'"):
        lv.receptive_field(network, "conv33")
    with pytest.raises(ValueError, match="cannot take 2×2 pixels"):
        lv.receptive_field(lv.load_network("alexnet", weights=None), "conv5", size=2)


def test_a_convolution_called_as_a_function_has_its_usual_stride_and_dilation():
    class Functional(nn.Module):
        def __init__(self):
            super().__init__()
            self.first, self.second = nn.Conv2d(3, 2, 3), nn.Conv2d(2, 2, 3)
            self.a, self.b = nn.Identity(), nn.Identity()

        def forward(self, x):
            x = self.a(nn.functional.conv2d(x, self.first.weight, padding="same"))
            return self.b(nn.functional.conv2d(x, self.second.weight)).mean(dim=(2, 3))

    network = lv.wrap(Functional(), 12)
    sides = {name: lv.receptive_field(network, name)[5, 5].area ** 0.5 for name in ("a", "b")}
    assert sides == {"a": 3, "b": 5}
