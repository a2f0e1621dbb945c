"""Pictures at equal distances in rank, against a plain loop over the pictures; few, tied, unreadable and bad ones."""

from itertools import pairwise

import pytest
import torch

import lecture_viz as lv
from lecture_viz.gradient_based import dataset_examples as examples
from lecture_viz.gradient_based import top_patches
from lecture_viz.gradient_based.top_patches import look
from lecture_viz.photos import Pictures


def noise(count: int) -> list[torch.Tensor]:
    random = torch.Generator().manual_seed(1)
    return [torch.rand(1, 3, 16, 16, generator=random) for _ in range(count)]


def plainly(network, photos, layer, channel):
    """``(maximum, picture, place)`` of each picture, the least first."""
    found = []
    for n, photo in enumerate(photos):
        values = network.activations(photo, layer)[0, channel].flatten().tolist()
        found.append((max(values), n, values.index(max(values))))
    return sorted(found)


@pytest.mark.parametrize("layer, channel, k", [("0", 3, 9), ("1", 2, 5), ("4", 1, 2)])
def test_they_are_those_of_a_plain_loop(small, layer, channel, k, monkeypatch):
    monkeypatch.setattr(top_patches, "BATCH", 7)
    photos = noise(41)
    found = lv.dataset_examples(small, photos, layer, channel, k, progress=False)
    field = lv.receptive_field(small, layer)
    ranks = {9: range(0, 41, 5), 5: range(0, 41, 10), 2: (0, 40)}[k]
    everything = plainly(small, photos, layer, channel)
    expected = [everything[rank] for rank in ranks]
    torch.testing.assert_close(found.activations, torch.tensor([value for value, _, _ in expected]))
    assert found.names == [f"picture {n}" for _, n, _ in expected]
    for (value, n, place), photo, target, box, patch in zip(
        expected, found.photos, found.targets, found.boxes, found.patches, strict=True
    ):
        y, x = divmod(place, 16)
        assert torch.equal(photo, photos[n]) and torch.equal(patch, box.crop(photo))
        assert repr(target) == repr(lv.neuron(layer, channel) if layer == "4" else lv.neuron(layer, channel, y=y, x=x))
        assert box == ((0, 0, 16, 16) if layer == "4" else field[y, x])
        assert target(small, photo).item() == pytest.approx(value, abs=1e-6)


def test_ranks_are_spread_evenly_where_they_do_not_divide(small):
    for count, k in ((23, 9), (10, 9), (9, 9), (100, 7)):
        found = lv.dataset_examples(small, noise(count), "1", 2, k, progress=False)
        order = [n for _, n, _ in plainly(small, noise(count), "1", 2)]
        ranks = [order.index(int(name.removeprefix("picture "))) for name in found.names]
        steps = [after - before for before, after in pairwise(ranks)]
        assert ranks[0] == 0 and ranks[-1] == count - 1 and len(ranks) == k
        assert min(steps) >= 1 and max(steps) - min(steps) <= 1


def test_the_last_is_the_first_of_the_top_nine(network):
    photos = [lv.load_image(name, 64) for name in ("cat", "coffee", "rocket", "grass")]
    found = lv.dataset_examples(network, photos, "relu4", 7, progress=False)
    (top, *_), (first, *_) = (lv.top_patches(network, photos, "relu4", 7, progress=False)[part] for part in (0, 5))
    assert len(found.activations) == 4  # fewer than nine: all of them
    torch.testing.assert_close(found.activations[-1], top)
    assert torch.equal(found.patches[-1], first)
    assert found.activations.tolist() == sorted(found.activations.tolist())


def test_they_grow_while_pictures_are_looked_at(small, monkeypatch):
    monkeypatch.setattr(top_patches, "BATCH", 5)
    grown = [*examples.growing(small, noise(23), "1", 2, k=23, progress=False, every=10)]
    assert [len(found.activations) for found in grown] == [10, 20, 23]


@pytest.mark.parametrize(
    "module, command",
    [
        (examples, lambda *given, **choices: lv.dataset_examples(*given, **choices)),
        (examples, lambda *given, **choices: [*examples.growing(*given, **choices)]),
        (top_patches, lambda *given, **choices: lv.top_patches(*given, **choices)),
        (top_patches, lambda net, photos, layer, _, **choices: look(net, Pictures(photos, 16), [layer], **choices)),
    ],
)
def test_a_bar_shows_how_far_it_is_unless_it_is_told_not_to(small, monkeypatch, module, command):
    bars = []

    class Bar:
        def __init__(self, total, disable, **_):
            self.n, self.total, self.disable = 0, total, disable

        def __enter__(self):
            return self

        def update(self, more):
            self.n += more

        def __exit__(self, *_):
            bars.append((self.n, self.total, self.disable))

    monkeypatch.setattr(module, "tqdm", Bar)
    command(small, noise(40), "1", 2)
    command(small, noise(40), "1", 2, progress=False)
    assert bars[0] == (40, 40, False) and bars[1][2]


def test_a_single_picture_and_a_channel_that_never_fires(small):
    one = lv.dataset_examples(small, noise(1), "1", 2, progress=False)
    assert len(one.activations) == len(one.photos) == 1
    silent = lv.wrap(small.module, 16)
    silent.module[0].bias[1] = -100
    found = lv.dataset_examples(silent, noise(20), "1", 1, k=3, progress=False)
    assert found.activations.tolist() == [0, 0, 0]
    assert found.names == ["picture 0", "picture 9", "picture 19"]  # of ties, the order of the pictures decides


def test_only_a_number_and_a_place_of_each_picture_is_kept(small, monkeypatch):
    kept = []
    concatenate = torch.cat
    monkeypatch.setattr(examples.torch, "cat", lambda parts, *dim: kept.append([*parts]) or concatenate(parts, *dim))
    lv.dataset_examples(small, noise(50), "1", 2, progress=False)
    *_, numbers, places = [parts for parts in kept if parts[0].ndim < 4]  # those with four dimensions are batches
    assert sum(part.untyped_storage().nbytes() for part in numbers) == 50 * 4
    assert sum(part.untyped_storage().nbytes() for part in places) == 50 * 3 * 8


def test_what_cannot_be_read_is_skipped_and_listed(small, tmp_path, monkeypatch):
    monkeypatch.setattr(top_patches, "BATCH", 2)
    for n, photo in enumerate(noise(5)):
        lv.images.to_pil(photo).save(tmp_path / f"{n}.png")
    (tmp_path / "2a.jpg").write_bytes(b"not a picture")
    (tmp_path / "2b.jpg").write_bytes(b"nor this")  # with the one before not quite a batch of its own
    (tmp_path / "2c.jpg").write_bytes(b"nor this")
    found = lv.dataset_examples(small, tmp_path, "1", 2, progress=False)
    assert found.skipped == ["2a.jpg", "2b.jpg", "2c.jpg"]
    assert sorted(found.names) == [f"{n}.png" for n in range(5)]


def test_bad_requests_say_the_mend(small, tmp_path):
    for channel in (5, -1):
        with pytest.raises(ValueError, match=f"layer '1' has channels 0 … 4; got {channel}"):
            lv.dataset_examples(small, noise(3), "1", channel, progress=False)
    with pytest.raises(ValueError, match="no layer 'conv1'"):
        lv.dataset_examples(small, noise(3), "conv1", 0, progress=False)
    with pytest.raises(ValueError, match="k is 2 at least, the least and the most exciting picture; got 1"):
        lv.dataset_examples(small, noise(3), "1", 0, k=1)
    with pytest.raises(ValueError, match="no pictures in the list"):
        lv.dataset_examples(small, [], "1", 0)
    (tmp_path / "broken.png").write_bytes(b"nothing")
    with pytest.raises(ValueError, match=r"not one of these 1 pictures can be read, such as 'broken\.png'"):
        lv.dataset_examples(small, tmp_path, "1", 0, progress=False)
