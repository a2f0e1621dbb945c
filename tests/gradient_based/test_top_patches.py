"""The strongest activations of many pictures against a sort of all of them, folders, caching and bad input."""

import pytest
import torch
from PIL import Image
from torchvision.datasets import FakeData

import lecture_viz as lv
from lecture_viz.gradient_based import top_patches
from lecture_viz.gradient_based.top_patches import patches, scan
from lecture_viz.networks import Network
from lecture_viz.photos import Pictures


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path / "hub"))
    return tmp_path / "hub" / "lecture_viz"


def noise(count: int) -> list[torch.Tensor]:
    random = torch.Generator().manual_seed(1)
    return [torch.rand(1, 3, 16, 16, generator=random) for _ in range(count)]


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "photos" / "deeper").mkdir(parents=True)
    for n in range(12):
        where = tmp_path / "photos" / ("deeper" if n % 2 else "") / f"{n:02}.png"
        lv.images.to_pil(noise(12)[n]).save(where)
    return tmp_path / "photos"


def last(steps):
    return list(steps)[-1]


@pytest.mark.parametrize("count", [5, 150])
def test_the_strongest_are_those_of_a_sort_of_all(small, count):
    pictures, layers = Pictures(noise(count), 16), ["0", "1", "4"]
    found = last(scan(small, pictures, layers))
    everything = small.run(torch.cat(noise(count)), layers)  # the plain twin: all at once, in memory
    for layer in layers:
        maps = everything[layer].reshape(count, everything[layer].shape[1], -1)
        for channel in range(maps.shape[1]):
            strongest, order = maps[:, channel].amax(dim=1).sort(descending=True)
            torch.testing.assert_close(found.activations[layer][channel], strongest[:9])
            assert found.places[layer][channel, :, 0].tolist() == order[:9].tolist()
            for n, y, x in found.places[layer][channel].tolist():
                place = (n, channel, y, x) if layer != "4" else (n, channel)
                assert everything[layer][place] == maps[n, channel].max()
    assert found.seen == count and found.skipped == []


def test_it_streams(small, monkeypatch):
    monkeypatch.setattr(top_patches, "BATCH", 4)
    seen = [found.seen for found in scan(small, Pictures(noise(10), 16), ["1"], k=3)]
    assert seen == [4, 8, 10]
    counts = [len(found.activations["1"][0]) for found in scan(small, Pictures(noise(10), 16), ["1"], k=6)]
    assert counts == [4, 6, 6]


def test_patches_are_what_the_neuron_sees_and_reconstructions_what_excites_it(network):
    photos = [lv.load_image(name, 64) for name in ("cat", "coffee", "rocket")]
    found = lv.top_patches(network, photos, "relu4", channel=7, progress=False)
    values = [network.activations(photo, "relu4")[0, 7] for photo in photos]
    order = sorted(range(3), key=lambda n: -values[n].max().item())
    field = lv.receptive_field(network, "relu4")
    assert len(found.patches) == sum(value.max() > 0 for value in values) >= 2
    for n, activation, patch, painted, box in zip(
        order, found.activations, found.patches, found.reconstructions, found.boxes
    ):
        y, x = divmod(values[n].argmax().item(), values[n].shape[1])
        assert activation == values[n].max() and box == field[y, x]
        assert torch.equal(patch, box.crop(photos[n]))
        whole = lv.deconvnet(network, photos[n], lv.neuron("relu4", 7, y=y, x=x))
        assert torch.equal(painted, box.crop(whole))
        assert painted.count_nonzero() == whole.count_nonzero() > 0  # nothing outside


def test_a_branching_network_is_reconstructed_by_the_rule():
    network = lv.load_network("inception64", device="cpu")
    cat = lv.load_image("cat", 64)
    found = lv.top_patches(network, [cat], "inception4a", channel=30, progress=False)
    value = network.activations(cat, "inception4a")[0, 30]
    y, x = divmod(value.argmax().item(), value.shape[1])
    by_rule = lv.gradient(network, cat, lv.neuron("inception4a", 30, y=y, x=x), "deconvnet")
    assert torch.equal(found.reconstructions[0], found.boxes[0].crop(by_rule))


def test_a_fully_connected_layer_sees_the_whole_photo(network, cat):
    found = lv.top_patches(network, [cat], "fc8", channel=network.label_index("tabby"), progress=False)
    assert found.boxes == [(0, 0, 64, 64)] and torch.equal(found.patches[0], cat)


def test_bundled_crops_and_a_data_set(small):
    bundled = Pictures("bundled", 16)
    assert len(bundled) > 500 and {"cat", "grass"} <= {bundled.name(n) for n in range(len(bundled))}
    assert bundled[0].shape == bundled[len(bundled) - 1].shape == (1, 3, 16, 16)
    data = FakeData(20, image_size=(3, 24, 24))  # pairs of a PIL image and a class
    found = lv.top_patches(small, data, "1", channel=0, progress=False)
    assert len(found.activations) == 9 and found.names[0].startswith("picture ")
    assert torch.equal(Pictures(data, 16)[3], lv.load_image(data[3][0], 16))


def test_a_folder_is_searched_and_what_cannot_be_read_is_counted(small, folder, monkeypatch):
    (folder / "broken.jpg").write_bytes(b"not a picture")
    (folder / "notes.txt").write_text("not even a name of one")
    Image.new("RGB", (2, 2)).save(folder / "tiny.png")
    found = lv.top_patches(small, folder, "1", channel=0, progress=False)
    assert found.skipped == ["broken.jpg", "tiny.png"]
    assert len(found.activations) == 9 and any("deeper" in name for name in found.names)
    monkeypatch.setattr(top_patches, "BATCH", 5)
    assert [found.seen for found in scan(small, Pictures(folder, 16), ["0"])] == [5, 10, 14]


def test_what_was_found_is_kept_on_disk(small, folder, cache, monkeypatch):
    first = lv.top_patches(small, folder, "1", channel=2, progress=False)
    looks = []
    run = Network.run
    monkeypatch.setattr(
        Network, "run", lambda self, image, layers: looks.append(len(image)) or run(self, image, layers)
    )

    def again(network=small, layer="1"):
        looks.clear()
        found = last(scan(network, Pictures(folder, 16), [layer]))
        return found, sum(looks)

    found, pictures = again()
    assert pictures == 0 and torch.equal(found.activations["1"][2], first.activations)
    assert again(layer="0")[1] == 12  # another question
    other = lv.wrap(small.module, 16)
    other.module[0].weight[0, 0, 0, 0] += 1
    assert again(other)[1] == 12  # other weights
    for file in cache.glob("*"):
        file.write_bytes(file.read_bytes()[:50])
    assert again()[1] == 12  # damaged
    lv.images.to_pil(noise(13)[12]).save(folder / "00.png", compress_level=0)
    assert again()[1] == 12  # another picture
    assert again()[1] == 0


def test_a_read_only_cache_is_no_error(small, folder, cache):
    cache.parent.write_text("a file where the folder should be")
    assert len(lv.top_patches(small, folder, "1", channel=0, progress=False).activations) == 9


def test_bad_requests_say_the_mend(small, folder, tmp_path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(ValueError, match="holds no pictures"):
        lv.top_patches(small, tmp_path / "empty", "1", 0)
    with pytest.raises(FileNotFoundError, match="there is no folder"):
        lv.top_patches(small, tmp_path / "nowhere", "1", 0)
    with pytest.raises(ValueError, match="no pictures in the list"):
        lv.top_patches(small, [], "1", 0)
    with pytest.raises(TypeError, match="with a length; got int"):
        lv.top_patches(small, 3, "1", 0)
    with pytest.raises(ValueError, match="channels 0 … 4; got 5"):
        lv.top_patches(small, folder, "1", 5, progress=False)
    with pytest.raises(ValueError, match="no layer 'conv1'"):
        lv.top_patches(small, folder, "conv1", 0, progress=False)
    (tmp_path / "empty" / "broken.png").write_bytes(b"nothing")
    with pytest.raises(ValueError, match=r"not one of these 1 pictures can be read, such as 'broken\.png'"):
        lv.top_patches(small, tmp_path / "empty", "1", 0, progress=False)
    silent = lv.wrap(small.module, 16)
    silent.module[0].bias[1] = -100
    with pytest.raises(ValueError, match="channel 1 of '1' never fires on these pictures .12 seen"):
        lv.top_patches(silent, folder, "1", 1, progress=False)


def test_patches_of_one_scan_for_any_channel(small):
    pictures = Pictures(noise(20), 16)
    found = last(scan(small, pictures, ["0", "1"]))
    for layer, channel in (("0", 1), ("1", 4)):
        ours = patches(small, pictures, found, layer, channel)
        alone = lv.top_patches(small, noise(20), layer, channel, progress=False)
        assert all(map(torch.equal, ours.reconstructions, alone.reconstructions))
