"""Who stores activations, and who finds the photo all the same."""

import pytest
import torch
from panels import shows_what_its_code_makes

import lecture_viz as lv
from lecture_viz.photos import Pictures


@pytest.fixture(scope="module")
def judge():
    return lv.load_network("inception64", device="cpu")


@pytest.fixture(scope="module")
def gallery():
    crops = Pictures("bundled", 64)
    return torch.cat([crops[n] for n in range(len(crops)) if crops.name(n) == "cat"][::2])


def test_reidentification_finds_the_photo_and_frames_it(network, judge, gallery):
    panel = lv.live.reidentification(network, judge, gallery, right=4, layer="conv1").set(steps=32)
    panel.start().wait()
    assert "<b>found</b>" in panel.outputs["matches caption"].value
    assert "<b>found</b>" in panel.outputs["photo caption"].value
    assert panel.image("matches").shape == (1, 3, 3 * 68, 3 * 68)
    assert shows_what_its_code_makes(panel, photo=gallery[4:5])


@pytest.mark.long
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
