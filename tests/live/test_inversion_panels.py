"""The panels of lessons 7 to 9: what is shown is what their code makes; they stop, go on, and can be steered."""

import pytest
import torch
from panels import held, made_by, shows_what_its_code_makes

import lecture_viz as lv
from lecture_viz.live.kit import run as run_module
from lecture_viz.maps import to_array
from lecture_viz.photos import Pictures


@pytest.fixture(scope="module")
def judge():
    return lv.load_network("inception64", device="cpu")


@pytest.fixture(scope="module")
def gallery():
    crops = Pictures("bundled", 64)
    return torch.cat([crops[n] for n in range(len(crops)) if crops.name(n) == "cat"][::2])


# --- inversion -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "values",
    [
        {},
        {"preset": "paper", "layer": "conv2"},
        {"preset": "no regulariser"},
        {"L2": 3, "low-pass": 0.5, "jitter": 1},
        {"preset": "edge-preserving", "layer": "fc6"},
    ],
)
def test_inversion_shows_what_its_code_makes(network, cat, values):
    panel = lv.live.inversion(network, cat, layer="relu3").set(steps=16, **values)
    panel.start().wait()
    assert shows_what_its_code_makes(panel, photo=cat)
    assert panel.outputs["progress"].value == 1 and "SSIM" in panel.outputs["image caption"].value
    assert torch.equal(panel.image("photo"), cat)


def test_presets_follow_the_layer_and_a_changed_one_becomes_your_own(network, cat):
    panel = lv.live.inversion(network, cat, layer="conv2")
    assert panel.values["total variation"] == 0.3
    panel.set(layer="relu6")
    assert panel.values["total variation"] == 3 and panel.values["preset"] == "best"
    panel.set(steps=16, preset="paper")
    assert (panel.values["total variation"], panel.values["6-norm"]) == (690, 23)
    assert panel.step.index == 128  # a preset starts, and takes the steps it needs
    panel.set(**{"L2": 1})
    assert panel.values["preset"] is None


def test_a_weight_moved_while_it_runs_acts_on_the_search(network, cat):
    panel = lv.live.inversion(network, cat, layer="relu3").set(steps=512)
    with held(panel, 3) as gate:
        panel.controls["L2"].value = 30
        gate.hold(1)  # the step that was under way
        assert panel.step.index == 4 and panel.step.terms["L2"] == 0
        gate.hold(1)
        assert panel.step.index == 5 and panel.step.terms["L2"] > 0
        panel.stop()
        gate.open()
        panel.wait()
        stopped = panel.step.index
        assert stopped <= 6
        gate.close()
        panel.resume()
        gate.hold(2)
        assert panel.step.index == stopped + 2 and panel.step.total == 512
        panel.stop()
    panel.wait()


def test_inversion_of_a_larger_photo():
    network, photo = lv.load_network("inception64", device="cpu"), lv.load_image("cat", 96)
    panel = lv.live.inversion(network, photo, layer="inception3a").set(steps=16)
    panel.start().wait()
    assert panel.image("image").shape == photo.shape and shows_what_its_code_makes(panel, photo=photo)


# --- layers --------------------------------------------------------------------------------------------------------

LAYERS = ("conv1", "relu3", "fc8")


def test_the_strip_can_be_gone_through(network, cat):
    panel = lv.live.layers(network, cat, layers=LAYERS).set(steps=16)
    panel.start().wait()
    assert panel.step.index == panel.step.total == 48
    search = panel.code().removesuffix("\nfound['fc8']")
    found = made_by(f"{search}\nfound", net=network, photo=cat)
    pictures = []
    for layer in LAYERS:
        panel.set(layer=layer)
        assert f"<b>{layer}</b>" in panel.outputs["image caption"].value
        assert panel.code() == f"{search}\nfound[{layer!r}]"
        assert (to_array(panel.image("image")) == to_array(found[layer])).all()
        pictures.append(panel.image("image"))
        assert layer in panel.outputs["curves"].value
    assert not torch.equal(pictures[0], pictures[1])
    assert panel.image("film").shape == (1, 3, 68, 4 * 68)


def test_the_strip_streams_stops_and_goes_on_to_the_same_pictures(network, cat, monkeypatch):
    monkeypatch.setattr(run_module, "PER_SECOND", float("inf"))  # every step is shown
    panel = lv.live.layers(network, cat, layers=LAYERS).set(steps=16, layer="relu3")
    panel.start().wait()
    whole = panel.image("image")
    with held(panel, 16):
        assert "1 of 3 layers" in panel.outputs["film caption"].value  # the first, while others are to come
        panel.stop()
    panel.wait()
    assert 16 <= panel.step.index <= 17 and panel.step.total == 48
    assert panel.outputs["time left"].value == "stopped"
    panel.resume().wait()
    assert panel.step.index == 48 and torch.equal(panel.image("image"), whole)


def test_the_strength_acts_on_the_running_strip(network, cat):
    panel = lv.live.layers(network, cat, layers=LAYERS).set(steps=256)
    with held(panel, 3) as gate:
        panel.controls["strength"].value = 0
        gate.hold(1)  # the step that was under way
        assert panel.step.index == 4 and panel.step.terms["total variation"] > 0
        gate.hold(1)
        assert panel.step.index == 5 and panel.step.terms["total variation"] == 0
        panel.stop()
    panel.wait()
    assert "strength=0" in panel.code()


def test_by_default_the_strip_has_all_layers(network, cat):
    panel = lv.live.layers(network, cat)
    panel.controls["steps"].min = 1  # for this test
    panel.set(steps=1).start().wait()
    assert panel.step.index == panel.step.total == len(network.layers)
    assert "layers=" not in panel.code() and shows_what_its_code_makes(panel, photo=cat)
    assert f"{len(network.layers)} of {len(network.layers)} layers" in panel.outputs["film caption"].value


# --- re-identification ---------------------------------------------------------------------------------------------


def test_reidentification_finds_the_photo_and_frames_it(network, judge, gallery):
    panel = lv.live.reidentification(network, judge, gallery, right=4, layer="conv1").set(steps=32)
    panel.start().wait()
    assert "<b>found</b>" in panel.outputs["matches caption"].value
    assert "<b>found</b>" in panel.outputs["photo caption"].value
    assert panel.image("matches").shape == (1, 3, 3 * 68, 3 * 68)
    assert shows_what_its_code_makes(panel, photo=gallery[4:5])


def test_a_defence_moved_while_it_runs_spoils_what_is_searched(network, judge, gallery):
    panel = lv.live.reidentification(network, judge, gallery, right=4, layer="relu4").set(steps=16)
    panel.set(bits=4, average=2, dropout=0.5).start().wait()
    assert "bits=4, average=2, dropout=0.5" in panel.code()
    assert shows_what_its_code_makes(panel, photo=gallery[4:5])
    panel.set(layer="fc6", average=1)
    panel.start().wait()
    assert shows_what_its_code_makes(panel, photo=gallery[4:5])


def test_the_code_follows_a_layer_moved_there_and_back(network, judge, gallery):
    panel = lv.live.reidentification(network, judge, gallery, layer="relu4")
    panel.controls["layer"].value = "conv5"
    panel.controls["layer"].value = "relu4"
    panel.wait()
    assert "'relu4'" in panel.code()


def test_a_photo_outside_the_gallery_is_refused(network, judge, gallery):
    with pytest.raises(ValueError, match=r"a photo in the gallery, 0 … \d+; got 999"):
        lv.live.reidentification(network, judge, gallery, right=999)


# --- priors and distributions --------------------------------------------------------------------------------------


@pytest.mark.parametrize("prior", ["total variation", "decoder", "deep image prior"])
def test_priors_show_what_their_code_makes(network, cat, prior):
    pictures = {"cat": cat, "coffee": lv.load_image("coffee", 64)}
    panel = lv.live.priors(network, pictures).set(steps=16, photo="coffee", prior=prior, weight=10)
    panel.start().wait()
    assert shows_what_its_code_makes(panel, pictures=pictures)
    assert "spectral slope" in panel.outputs["image caption"].value
    assert torch.equal(panel.image("given"), pictures["coffee"])
    assert panel.controls["weight"].disabled == (prior != "total variation")


def test_another_prior_while_it_runs_goes_on_from_the_picture(network, cat):
    panel = lv.live.priors(network, {"cat": cat}).set(steps=512, prior="total variation")
    with held(panel, 20) as gate:
        panel.controls["prior"].value = "decoder"
        gate.hold(1)  # the step that was under way
        assert panel.step.index == 21 and "total variation" in panel.step.terms
        gate.hold(1)
        assert panel.step.index == 1 and panel.step.total == 512 - 21
        assert "total variation" not in panel.step.terms
        assert panel.step.terms["feature error"] < 0.9  # from grey it is above 1
        panel.stop()
    panel.wait()


@pytest.mark.parametrize(
    "values", [{}, {"begin_with": "cat", "layer": "relu2", "total variation": 0.1}, {"begin_with": "grey"}]
)
def test_distributions_show_what_their_code_makes(network, values):
    panel = lv.live.distribution(network, "coffee", layer="relu3").set(steps=16, **values)
    panel.start().wait()
    assert shows_what_its_code_makes(panel)
    assert "distance" in panel.outputs["image caption"].value


def test_the_distribution_of_your_photo(network, cat):
    panel = lv.live.distribution(network, cat).set(steps=16)
    panel.start().wait()
    assert shows_what_its_code_makes(panel, photo=cat)
