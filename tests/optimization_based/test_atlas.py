"""Atlas: what is stored is what its recipe makes, for every channel by itself, and for these weights alone."""

import json
import sys

import pytest
import torch

import lecture_viz as lv
from lecture_viz.optimization_based import atlas
from lecture_viz.training import __main__ as training


@pytest.fixture
def empty(monkeypatch, tmp_path):
    """A folder of its own, and a recipe of few steps."""
    recipe, folder = atlas.recipe, tmp_path / "atlases"  # not made yet
    monkeypatch.setattr(atlas, "FOLDER", folder)
    monkeypatch.setattr(atlas, "recipe", lambda network: (2, recipe(network)[1]))
    return folder


@pytest.mark.parametrize("name, layers", [*atlas.LAYERS.items(), ("inception64_robust", atlas.LAYERS["inception64"])])
def test_the_layers_that_ship_are_there_whole(name, layers):
    network = lv.load_network(name)
    with torch.no_grad():
        found = network.run(torch.full((1, 3, network.input_size, network.input_size), 0.5), layers)
    for layer in layers:
        pictures = lv.atlas.read(network, layer)
        assert len(pictures) == found[layer].shape[1]
        assert pictures.flatten(1).std(dim=1).median() > 0.05, "grey pictures disappoint"
        told = atlas.index(name)["layers"][layer]
        assert told["recipe"] == atlas.told(network) and told["seed"] == atlas.SEED


@pytest.mark.long
def test_a_stored_picture_is_the_one_that_its_recipe_makes():
    """Stored pictures lose a little, and rounding decides a little: but no other channel's is as like."""
    network = lv.load_network("alexnet64")
    stored = lv.atlas.read(network, "conv3")
    channels = [3, 40, 101]
    made = lv.atlas.draw(network, "conv3", channels)
    centred = lambda pictures: torch.nn.functional.normalize((pictures - 0.5).flatten(1), dim=1)  # noqa: E731
    alike = centred(made) @ centred(stored).T
    assert alike.argmax(dim=1).tolist() == channels
    assert alike.amax(dim=1).min() > 0.8
    excited = [lv.channel("conv3", n)(network, stored[n : n + 1]).item() for n in channels]
    others = [lv.channel("conv3", n)(network, stored[n + 1 : n + 2]).item() for n in channels]
    assert all(own > 2 * other for own, other in zip(excited, others))


def test_a_channel_has_the_same_picture_whichever_stand_beside_it(empty, network):
    together = lv.atlas.draw(network, "relu2", [5, 20, 31])
    assert torch.allclose(together[1:2], lv.atlas.draw(network, "relu2", [20]), atol=1e-4)


@pytest.mark.long
def test_a_channel_that_is_silent_at_the_start_begins_with_what_excites_it_most(monkeypatch, network):
    monkeypatch.setattr(atlas, "CLOUDS", 8)
    starts, silent = {n: atlas.begin(network, "relu5", n) for n in range(40)}, []
    faint = lv.start_image(network, "noise", 1, 64, "fourier", seed=atlas.SEED)
    with torch.no_grad():
        alive = network.activations(faint, "relu5").amax(dim=(2, 3))[0] > 0
        for n, (target, start) in starts.items():
            if not alive[n]:  # one of the clouds, four times as far from grey
                clouds = lv.start_image(network, "clouds", 8, 64, seed=atlas.SEED)
                clouds = (0.5 + 4 * (clouds - 0.5)).clamp(0, 1)
                at = next(number for number, cloud in enumerate(clouds) if torch.equal(start[0], cloud))
                excited = target(network, clouds)  # none may excite it at all; then each is as good
                assert excited[at] == excited.max()
                silent.append(n)
    assert silent


def test_a_relu_and_a_pool_look_for_the_same_as_what_they_are_made_of(network):
    assert [atlas.source(network, name) for name in ("conv2", "relu2", "pool2", "conv3")] == ["conv2"] * 3 + ["conv3"]
    assert torch.equal(lv.atlas.read(network, "pool2"), lv.atlas.read(network, "conv2"))


def test_the_command_makes_a_layer_keeps_it_and_goes_on(empty, monkeypatch):
    monkeypatch.setattr(sys, "argv", ["training", "atlas", "alexnet64", "--layers", "conv1"])
    training.main()
    network = lv.load_network("alexnet64")
    pictures = lv.atlas.read(network, "relu1")
    assert pictures.shape == (32, 3, 64, 64)
    made = lv.atlas.draw(network, "conv1", [0, 17])
    assert (pictures[[0, 17]] - made).abs().mean() < 0.05  # the file loses a little
    written = (empty / "alexnet64_conv1.webp").stat().st_mtime_ns
    training.main()
    assert (empty / "alexnet64_conv1.webp").stat().st_mtime_ns == written
    about = json.loads((empty / "alexnet64.json").read_text())
    about["weights"] = "others"
    (empty / "alexnet64.json").write_text(json.dumps(about))
    with pytest.raises(FileNotFoundError, match=r"training atlas alexnet64 --layers conv1"):
        lv.atlas.read(network, "relu1")


def test_what_is_not_there_says_how_it_is_made(network):
    with pytest.raises(FileNotFoundError, match=r"python -m lecture_viz\.training atlas alexnet64 --layers fc6"):
        lv.atlas.read(network, "relu6")
    with pytest.raises(ValueError, match="did you mean"):
        lv.atlas.read(network, "relu66")
    with pytest.raises(ValueError, match=r"channel 0 … 95; got 96"):
        lv.atlas.draw(network, "conv2", [96])


def test_all_together_they_are_small():
    assert sum(file.stat().st_size for file in atlas.FOLDER.iterdir()) <= 12_000_000
