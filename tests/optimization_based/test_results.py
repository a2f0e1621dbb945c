"""Stored pictures are those of the very call, and of no other; and the notebooks find all of theirs."""

import json

import pytest
import torch
from skimage.metrics import structural_similarity

import lecture_viz as lv
from lecture_viz.optimization_based import results


@pytest.fixture
def store(tmp_path, monkeypatch):
    """An empty store; ``make`` fills it, ``read`` computes nothing: it fails where nothing is stored."""
    monkeypatch.setattr(results, "FOLDER", tmp_path)

    class Store:
        computed = 0

        @staticmethod
        def make(*call, **choices):
            with monkeypatch.context() as patch:
                patch.setenv(results.MAKE, "yes")
                return lv.stored(*call, **choices)

        def read(self, *call, **choices):
            """The step, and whether it came from the store."""
            before, after = self.computed, lv.stored(*call, **choices)
            return after, self.computed == before

    def counted(*arguments, **choices):
        Store.computed += 1
        return original(*arguments, **choices)

    original = results.last
    monkeypatch.setattr(results, "last", counted)
    return Store()


def test_the_very_call_is_read_and_is_the_picture_a_file_holds(store, network, cat):
    call = (lv.dream, network, cat, lv.layer("conv3"), 3)
    made = store.make(*call, octaves=1)
    step, was_read = store.read(*call, octaves=1)
    assert was_read and torch.equal(step.image, made.image) and step == made._replace(image=step.image)
    exact = lv.last(lv.dream(*call[1:], octaves=1)).image
    assert (exact - step.image).abs().max() <= 0.5 / 255 + 1e-6


@pytest.mark.parametrize(
    "change",
    [
        {"steps": 4},
        {"octaves": 2},
        {"transforms": [lv.robustness.jitter(3)]},
        {"penalties": [lv.regularizers.total_variation(1)]},
        {"penalties": [lv.regularizers.total_variation(1, beta=1)]},
        {"target": lv.layer("conv2")},
        {"photo": "one pixel"},
        {"network": "one weight"},
    ],
    ids=repr,
)
def test_any_other_call_is_computed(store, network, cat, change):
    def arguments(target=None, photo="", network="", **choices):
        picture, net = cat.clone(), lv.load_network("alexnet64", device="cpu")
        picture[0, 0, 20, 20] += 0.1 * bool(photo)
        net.module.conv1.weight[0, 0, 0, 0] += 1e-3 * bool(network)
        choices = {"steps": 3, "octaves": 1, "transforms": [], "penalties": []} | choices
        return (lv.dream, net, picture, target or lv.layer("conv3")), choices

    call, choices = arguments()
    store.make(*call, **choices)
    assert store.read(*call, **choices)[1]
    call, choices = arguments(**change)
    assert not store.read(*call, **choices)[1]
    assert len(json.loads((results.FOLDER / results.INDEX).read_text())) == 1  # and nothing is written


def test_the_same_photo_on_another_machine_is_the_same_photo(store, network, cat):
    store.make(lv.dream, network, cat, lv.layer("conv3"), 2, octaves=1)
    rounded = cat * (1 + 1e-6 * torch.randn(cat.shape, generator=torch.Generator().manual_seed(0)))
    assert store.read(lv.dream, network, rounded, lv.layer("conv3"), 2, octaves=1)[1]


def test_a_batch_comes_back_as_a_batch(store, network):
    targets = [lv.logit(label) for label in ("tabby", "goldfish")]
    made = store.make(lv.maximize, network, targets, 2)
    step, was_read = store.read(lv.maximize, network, targets, 2)
    assert was_read and step.image.shape == (2, 3, 64, 64) and torch.equal(step.image, made.image)


def test_what_cannot_be_told_apart_is_computed_and_not_stored(store, network, cat):
    """A function of one's own, or a target that holds features."""
    own = lv.regularizers.Penalty("mine", 1, lambda image: image.mean(dim=(1, 2, 3)))
    features = network.activations(cat, "conv3")
    for call, choices in (
        ((lv.maximize, network, lv.logit("tabby"), 2), {"penalties": [own]}),
        ((lv.maximize, network, lv.logit("tabby"), 2), {"schedule": lambda taken: 0.5}),
        ((lv.maximize, network, lv.likeness("conv3", features), 2), {}),
    ):
        store.make(*call, **choices)
        assert not store.read(*call, **choices)[1]
    assert not (results.FOLDER / results.INDEX).exists()


def test_a_learned_prior_is_told_by_its_seed_and_its_weights(store, network, cat):
    y = network.activations(cat, "relu3")
    store.make(lv.invert, network, y, "relu3", 2, **lv.deep_image_prior())
    assert store.read(lv.invert, network, y, "relu3", 2, **lv.deep_image_prior())[1]
    assert not store.read(lv.invert, network, y, "relu3", 2, **lv.deep_image_prior(seed=1))[1]
    assert not store.read(lv.invert, network, y, "relu3", 2, **lv.decoder_prior(network))[1]


@pytest.mark.parametrize("content", [None, b"", b"no picture"])
def test_a_lost_or_damaged_file_is_as_none(store, network, cat, content):
    call = (lv.dream, network, cat, lv.layer("conv3"), 4)
    made = store.make(*call)
    (path,) = results.FOLDER.glob("*.webp")
    path.unlink() if content is None else path.write_bytes(content)
    step, was_read = store.read(*call)
    assert not was_read and torch.equal(step.image, made.image)


# --- those that come with the suite ----------------------------------------------------------------------------------


def test_all_that_is_stored_is_listed_and_small():
    index = json.loads((results.FOLDER / results.INDEX).read_text())
    files = {entry["file"] for entries in index.values() for entry in entries}
    assert files == {path.name for path in results.FOLDER.glob("*.webp")} and len(files) > 60
    assert sum(path.stat().st_size for path in results.FOLDER.iterdir()) < 5_000_000


@pytest.mark.long
def test_a_stored_picture_is_what_the_package_makes_today(network):
    """Not pixel by pixel, since an ascent makes rounding large; but as near as one run is to another."""
    coffee = lv.load_image("coffee", size=64)
    for layer, alike in (("conv1", 0.98), ("relu2", 0.9), ("relu4", 0.6)):
        with torch.no_grad():
            y = network.activations(coffee, layer)
        call = (lv.invert, network, y, layer, 96)
        kept, made = lv.stored(*call), lv.last(lv.invert(*call[1:]))
        assert kept.image.shape == made.image.shape and kept.total == made.total == 96
        assert kept.terms["feature error"] == pytest.approx(made.terms["feature error"], rel=0.2)
        one, other = (image[0].movedim(0, -1).numpy() for image in (kept.image, made.image))
        assert structural_similarity(one, other, data_range=1, channel_axis=-1) > alike
