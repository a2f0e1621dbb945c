"""All maps of a layer in one picture, against plain loops; the order of its tiles; the way through all layers."""

import itertools
import math

import pytest
import torch

import lecture_viz as lv
from lecture_viz.networks.activation_maps import GAP, HEAD, ORDERS, SIDE, STRONGEST, TILE, arranged, selectivity, strip


def maps_by_chance(*shape: int) -> torch.Tensor:
    return torch.rand(shape, generator=torch.Generator().manual_seed(0))


def tile(found, number: int, side: int) -> torch.Tensor:
    row, column = divmod(number, found.columns)
    step = side + GAP
    return found.image[0, :, row * step : row * step + side, column * step : column * step + side]


def test_each_tile_is_its_map_enlarged_pixel_by_pixel():
    maps = maps_by_chance(5, 3, 3)
    found = arranged(maps, "index")
    assert found.columns == 3 and found.grid == (2, 3) and found.channels.tolist() == [0, 1, 2, 3, 4]
    side = 3 * ((SIDE // 3 - GAP) // 3)
    for number in range(5):
        alone = lv.images.show_magnitude(maps[number][None, None], maps[number].max().item())[0]
        shown = tile(found, number, side)
        for row in range(3):
            for column in range(3):
                middle = shown[:, side // 3 * row + 1, side // 3 * column + 1]
                assert torch.equal(middle, alone[:, row, column])
    assert (tile(found, 5, side) == 1).all(), "where there is no channel, it is white"
    assert (found.image[0, :, side : side + GAP] == 1).all(), "between two rows, too"
    assert (found.image[0, :, :, side : side + GAP] == 1).all(), "and between two columns"


def test_maps_that_are_larger_than_a_tile_are_averaged():
    found = arranged(torch.ones(4, 600, 600), "index")
    assert max(found.image.shape) <= SIDE


@pytest.mark.parametrize("order", ORDERS)
def test_tiles_come_in_the_order_that_a_loop_finds(network, cat, order):
    with torch.no_grad():
        maps = network.activations(cat, "relu3")[0].double()

    def measure(channel: int) -> float:
        values = maps[channel].flatten().tolist()
        if order == "index":
            return -channel
        if order == "strength":
            return max(values)
        root, length = math.sqrt(len(values)), math.sqrt(sum(value * value for value in values))
        return (root - sum(map(abs, values)) / length) / (root - 1) if length else 0.0

    channels = lv.activation_maps(network, cat, "relu3", order).channels.tolist()
    measured = [measure(channel) for channel in channels]
    assert sorted(channels) == [*range(192)]
    assert all(a >= b - 1e-5 for a, b in itertools.pairwise(measured))


def test_selectivity_is_0_where_all_places_fire_alike_and_1_where_one_does():
    single = torch.zeros(4, 4)
    single[2, 1] = 7
    assert selectivity(torch.stack([torch.full((4, 4), 3.0), single, torch.zeros(4, 4)])).tolist() == pytest.approx(
        [0, 1, 0], abs=1e-6
    )
    assert selectivity(torch.ones(3, 1, 1)).tolist() == [0, 0, 0]


def test_on_one_scale_a_faint_map_stays_faint():
    maps = torch.stack([torch.full((2, 2), 1.0), torch.full((2, 2), 0.1)])
    side = 2 * ((SIDE // 2 - GAP) // 2)
    own, one = arranged(maps, one_scale=False), arranged(maps, one_scale=True)
    assert torch.equal(tile(own, 1, side), tile(own, 0, side))
    assert tile(one, 1, side).mean() < tile(one, 0, side).mean() - 0.3


def test_maps_with_negative_numbers_are_shown_about_0():
    found = arranged(torch.tensor([[[-1.0, 0.0], [0.0, 1.0]]]))
    blue, white, red = (found.image[0, :, row, column] for row, column in ((5, 5), (5, -9), (-9, -9)))
    assert blue[2] > blue[0] and red[0] > red[2] and white.min() > 0.9


def test_a_layer_without_places_is_a_tile_for_each_unit(network, cat):
    found = lv.activation_maps(network, cat, "fc8", "strength")
    with torch.no_grad():
        logits = network(cat)[0]
    assert found.grid == (14, 15) and found.channels[0] == logits.argmax()


def test_pictures_take_the_place_of_the_maps(network, cat):
    pictures = maps_by_chance(192, 3, 4, 4)
    found = lv.activation_maps(network, cat, "relu3", "strength", pictures=pictures)
    assert torch.equal(found.image[0, :, 0, 0], pictures[found.channels[0], :, 0, 0])
    with pytest.raises(ValueError, match=r"192 channels.*5 pictures"):
        lv.activation_maps(network, cat, "relu3", pictures=pictures[:5])


def test_the_way_shows_the_three_strongest_channels_of_each_layer(network, cat):
    flow = lv.flow(network, cat)
    with torch.no_grad():
        for column, (layer, found) in enumerate(network.run(cat, network.layers).items()):
            strength = found[0].reshape(found.shape[1], -1).amax(dim=1)
            best = strength[flow.channels[:, column]]
            others = strength[[n for n in range(len(strength)) if n not in flow.channels[:, column]]]
            assert (best.diff() <= 0).all() and best.min() >= others.max(), layer
    step = TILE + GAP
    assert flow.image.shape == (1, 3, STRONGEST * step, len(network.layers) * step)
    pool = network.layers.index("pool5")
    shown = flow.image[0, :, 2 * step : 2 * step + TILE, pool * step : pool * step + TILE]
    with torch.no_grad():
        third = network.activations(cat, "pool5")[0, flow.channels[2, pool]]
    alone = lv.images.show_magnitude(third[None, None], third.max().item())[0]
    assert torch.allclose(shown[:, 3::7, 3::7], alone, atol=1e-6)  # 8 places of 7 pixels
    assert (flow.image[0, :, 2 * step - GAP : 2 * step] == 1).all() and (flow.image[0, :, :, TILE:step] == 1).all()
    ink = (flow.image[0, :, :HEAD] < 0.8).all(dim=0).any(dim=1).nonzero()  # of the layers' names
    assert abs(ink.min() - (HEAD - 1 - ink.max())) <= 2 and HEAD < TILE


def test_a_layer_of_fewer_channels_fills_its_column():
    flow = strip({"conv1": maps_by_chance(2, 4, 4), "fc": maps_by_chance(1)})
    assert flow.channels.shape == (STRONGEST, 2) and flow.channels[:, 1].tolist() == [0, 0, 0]


def test_what_cannot_be_shown_is_refused_with_its_mend(network, cat):
    with pytest.raises(ValueError, match="order is one of index, strength, selectivity"):
        lv.activation_maps(network, cat, "relu3", "size")
    with pytest.raises(ValueError, match="did you mean"):
        lv.activation_maps(network, cat, "relu33")
    with pytest.raises(ValueError, match="use load_image"):
        lv.activation_maps(network, "cat", "relu3")
    with pytest.raises(ValueError, match="nan_to_num"):
        lv.flow(network, torch.full_like(cat, torch.nan))
