"""The panels of lessons 7 to 9: what is shown is what their code makes; they stop, go on, and can be steered."""

import pytest
import torch
from test_run import made_by, wait_for

import lecture_viz as lv
from lecture_viz.images import to_array
from lecture_viz.pictures import Pictures


@pytest.fixture(scope="module")
def judge():
    return lv.load_network("inception64", device="cpu")


@pytest.fixture(scope="module")
def gallery():
    crops = Pictures("bundled", 64)
    return torch.cat([crops[n] for n in range(len(crops)) if crops.name(n) == "cat"][::2])


def shows_what_its_code_makes(panel, **names):
    return (to_array(panel.image("image")) == to_array(made_by(panel.code(), net=panel.network, **names))).all()


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
    panel = lv.live.inversion(network, cat, layer="relu3").set(steps=512).start()
    wait_for(lambda: panel.step is not None and panel.step.index >= 3)
    panel.controls["L2"].value = 30
    wait_for(lambda: panel.step.terms["L2"] > 0)
    assert panel.step.index < 512
    panel.stop().wait()
    stopped = panel.step.index
    panel.resume()
    wait_for(lambda: panel.step.index > stopped)
    panel.stop().wait()


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
    pictures = []
    for layer in LAYERS:
        panel.set(layer=layer)
        assert f"<b>{layer}</b>" in panel.outputs["image caption"].value
        assert shows_what_its_code_makes(panel, photo=cat)
        pictures.append(panel.image("image"))
        assert layer in panel.outputs["curves"].value
    assert not torch.equal(pictures[0], pictures[1])
    assert panel.image("film").shape == (1, 3, 68, 4 * 68)


def test_the_strip_streams_stops_and_goes_on_to_the_same_pictures(network, cat):
    panel = lv.live.layers(network, cat, layers=LAYERS).set(steps=64, layer="relu3")
    panel.start().wait()
    whole = panel.image("image")
    panel.start()
    wait_for(lambda: "1 of 3 layers" in panel.outputs["film caption"].value)  # the first, while others are to come
    panel.stop().wait()
    assert panel.step.index < panel.step.total and panel.outputs["time left"].value == "stopped"
    panel.resume().wait()
    assert torch.equal(panel.image("image"), whole)


def test_the_strength_acts_on_the_running_strip(network, cat):
    panel = lv.live.layers(network, cat, layers=LAYERS).set(steps=256).start()
    wait_for(lambda: panel.step is not None and panel.step.index > 2)
    panel.controls["strength"].value = 0
    wait_for(lambda: panel.step.terms["total variation"] == 0)
    panel.stop().wait()
    assert "strength=0" in panel.code()


# --- re-identification ---------------------------------------------------------------------------------------------


def test_reidentification_finds_the_photo_and_frames_it(network, judge, gallery):
    panel = lv.live.reidentification(network, judge, gallery, right=4, layer="conv1").set(steps=64)
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
    panel = lv.live.priors(network, {"cat": cat}).set(steps=512, prior="total variation").start()
    wait_for(lambda: panel.step is not None and panel.step.index >= 20)
    panel.controls["prior"].value = "decoder"
    wait_for(lambda: "total variation" not in panel.step.terms)
    assert panel.step.terms["feature error"] < 0.9 and panel.step.total < 512  # from grey it is above 1
    panel.stop().wait()


@pytest.mark.parametrize("values", [{}, {"start": "cat", "layer": "relu2", "total variation": 0.1}, {"start": "grey"}])
def test_distributions_show_what_their_code_makes(network, values):
    panel = lv.live.distribution(network, "coffee", layer="relu3").set(steps=16, **values)
    panel.start().wait()
    assert shows_what_its_code_makes(panel)
    assert "distance" in panel.outputs["image caption"].value


def test_the_distribution_of_your_photo(network, cat):
    panel = lv.live.distribution(network, cat).set(steps=16)
    panel.start().wait()
    assert shows_what_its_code_makes(panel, photo=cat)
