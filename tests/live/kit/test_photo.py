"""Another photo in every panel about one: from the menu, or uploaded; and code that makes the same picture of it."""

import pytest
import torch
from panels import held, made_by, png, shows, shows_what_its_code_makes, upload

import lecture_viz as lv
from lecture_viz.live.kit.run import RunPanel
from lecture_viz.maps import to_array

PANELS = ("gradients", "saliency", "localization", "maximization", "inversion", "layers", "dreaming", "distribution")
FILE = lv.images.encode(lv.load_image("rocket", 80))


def panel_of(name: str, network, photo):
    fewer = {"layers": ("conv1", "relu3")} if name == "layers" else {}
    panel = getattr(lv.live, name)(network, photo, **fewer)
    if isinstance(panel, RunPanel):
        panel.set(steps=max(8, panel.controls["steps"].min))
    if name == "maximization":
        panel.set(begin_with="photo")
    if name == "dreaming":
        panel.set(pixels=64)
    return panel


def finished(panel):
    """A run has begun and ended."""
    if isinstance(panel, RunPanel):
        panel.start().wait()
    return panel


@pytest.mark.long
@pytest.mark.parametrize("name", PANELS)
def test_another_photo_and_the_code_that_makes_its_picture(network, cat, name):
    panel = panel_of(name, network, cat)
    known = {"net": network, "photo": cat, "your_file": FILE}
    assert panel.values["photo"] == "given"
    given, picture = panel.code(), made_by(finished(panel).code(), **known)
    finished(panel.set(photo="coffee"))
    assert "lv.load_image('coffee', " in panel.code()
    assert shows(name, panel, made_by(panel.code(), **known))
    upload(panel, FILE)
    assert panel.values["photo"] == "your photo" and panel.values["upload"] == b""
    finished(panel)
    assert "your_file" in panel.code()
    assert shows(name, panel, made_by(panel.code(), **known))
    finished(panel.set(photo="given"))
    assert panel.code() == given and shows(name, panel, picture)


@pytest.mark.parametrize("name", PANELS)
def test_a_bad_upload_is_refused_and_loses_nothing(network, cat, name):
    panel = panel_of(name, network, cat)
    before = {name: output.value for name, output in panel.outputs.items()}
    with pytest.raises(ValueError, match="not a picture that can be read; save it as JPEG or PNG"):
        upload(panel, b"text")
    assert {name: output.value for name, output in panel.outputs.items()} == before
    assert panel.values["photo"] == "given"
    upload(panel, png("red"))  # and on
    assert panel.values["photo"] == "your photo"


def test_your_own_photo_among_the_pictures_of_the_priors(network, cat):
    pictures = {"photo": cat, "noise": torch.rand(1, 3, 64, 64, generator=torch.Generator().manual_seed(0))}
    panel = lv.live.priors(network, pictures, layer="relu3").set(steps=16, prior="total variation")
    finished(panel.set(photo="noise"))
    known = {"net": network, "pictures": pictures, "your_file": FILE}
    assert "pictures['noise']" in panel.code()
    assert shows("priors", panel, made_by(panel.code(), **known))
    upload(panel, FILE)  # a new search has begun
    assert "lv.load_image(your_file, 64)" in panel.code() and "press start" not in panel.code()
    assert shows("priors", panel, made_by(panel.code(), **known))


def test_a_bundled_name_is_enough(network, cat):
    panel = lv.live.gradients(network, "cat")
    assert panel.values["photo"] == "cat" and torch.equal(panel.photo, cat)
    assert panel.code().startswith("photo = lv.load_image('cat', 64)\n")


def test_a_path_is_enough_and_a_wrong_one_says_the_mend(network, tmp_path):
    (tmp_path / "mine.png").write_bytes(FILE)
    panel = lv.live.gradients(network, str(tmp_path / "mine.png"))
    assert panel.code().startswith(f"photo = lv.load_image({str(tmp_path / 'mine.png')!r}, 64)\n")
    assert shows("gradients", panel, made_by(panel.code(), net=network))
    with pytest.raises(FileNotFoundError, match="no photo at 'dog'; bundled photos are cat"):
        lv.live.gradients(network, "dog")


def test_the_class_goes_with_the_photo(network, cat):
    panel = lv.live.gradients(network, cat, label="tabby")
    coffee = network.label_index(network.top(lv.load_image("coffee", 64), 1)[0][0])
    panel.set(photo="coffee")
    assert panel.values["neuron"] == coffee and panel.values["preset"] == "class"
    panel.set(photo="given")
    assert panel.values["neuron"] == network.label_index("tabby")
    panel.set(neuron=3, photo="coffee")  # a class chosen by hand stays
    assert panel.values["neuron"] == 3
    panel.set(preset="class")
    assert panel.values["neuron"] == coffee


def test_an_upload_leaves_the_other_menu_alone_and_can_be_chosen_there(network):
    panel = lv.live.dreaming(network, layer="conv3").set(pixels=64, steps=8, guide="coffee")
    upload(panel, FILE)
    assert (panel.values["photo"], panel.values["guide"]) == ("your photo", "coffee")
    finished(panel.set(photo="noise", guide="your photo"))
    known = {"net": network, "your_file": FILE}
    assert shows("dreaming", panel, made_by(panel.code(), **known))


def test_a_second_upload_replaces_the_first(network, cat):
    panel = lv.live.inversion(network, cat, layer="relu1").set(steps=16)
    for colour, channel in (("red", 0), ("blue", 2)):
        upload(panel, png(colour))
        assert to_array(panel.image("photo"))[0, 0].argmax() == channel
    assert [value for _, value in panel.controls["photo"].options].count("your photo") == 1


def test_another_photo_while_its_search_runs_begins_a_new_one(network, cat):
    panel = lv.live.inversion(network, cat, layer="relu2").set(steps=16)
    with held(panel, 9):
        panel.controls["photo"].value = "coffee"
    panel.wait()
    assert panel.step.index == panel.step.total == 16
    assert panel.code().startswith("photo = lv.load_image('coffee', 64)\nsteps")
    assert shows_what_its_code_makes(panel, photo=cat)


def test_a_photo_of_another_size(network):
    panel = lv.live.gradients(network, lv.load_image("cat", 96))
    panel.set(photo="rocket")
    assert panel.photo.shape == (1, 3, 96, 96) and "lv.load_image('rocket', 96)" in panel.code()
