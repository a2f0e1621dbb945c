"""A thing laid anywhere: by hand, by sliders, and at fifteen places."""

import re

import pytest
import torch
from panels import made_by, png, upload

import lecture_viz as lv
from lecture_viz.gradient_based.localization import peak, smooth
from lecture_viz.live.collage import TRIED
from lecture_viz.live.kit.photo import NETWORKS
from lecture_viz.photos import cut, lay


@pytest.fixture
def panel(network, again):
    return again(lambda: lv.live.collage(network))


def laid(row=0.3, column=0.3, scale=0.4, thing="cat", background="grass"):
    return lay(cut(lv.load_image(thing, 64), thing), lv.load_image(background, 64), row, column, scale)


def test_the_picture_is_the_call(panel, network):
    panel.set(thing="coffee", photo="bricks", row=60, column=70, scale=50)
    expected = laid(0.6, 0.7, 0.5, "coffee", "bricks")
    assert torch.equal(panel.image("photo"), expected.image)
    assert panel.outputs["photo"].boxes == [[*expected.box]]
    found = made_by(panel.code(), net=network)
    assert panel.outputs["saliency"].boxes == [[*found]]
    share = lv.localization.intersection_over_union(found, expected.box)
    assert f"{share:.0%}" in panel.outputs["saliency caption"].value


def test_a_hand_moves_it(panel):
    panel.outputs["photo"].chosen = [80, 20, 1]
    panel.wait()
    assert (panel.values["row"], panel.values["column"]) == (80, 20)
    assert torch.equal(panel.image("photo"), laid(0.8, 0.2).image)
    y, x = panel.outputs["photo"].place  # the middle of the thing
    assert abs(y - 0.8 * 64) < 3 and abs(x - 0.2 * 64) < 3


def test_the_brush_marks_another_thing(panel):
    panel.outputs["thing"].strokes = [[1, [[0.4, 0.4], [0.6, 0.6]]]]
    panel.wait()
    strokes = panel.values["strokes"]
    assert strokes == (("photo", 0.2, ((0.4, 0.4), (0.6, 0.6))),)
    expected = lay(cut(lv.load_image("cat", 64), strokes), lv.load_image("grass", 64), 0.3, 0.3, 0.4)
    assert torch.equal(panel.image("photo"), expected.image)
    assert (panel.image("thing")[0, :, 0, 0] < lv.load_image("cat", 64)[0, :, 0, 0]).all()  # not marked: dark
    panel.set(strokes=())


def test_a_thing_without_an_outline_has_to_be_marked(panel):
    before = panel.image("photo")
    with pytest.raises(ValueError, match="got 'galaxies': mark the thing with the brush"):
        panel.set(thing="galaxies")
    assert torch.equal(panel.image("photo"), before)
    panel.set(thing="cat")


def test_ones_own_photo_is_a_background_and_a_thing(panel):
    upload(panel, png("red"))
    assert panel.values["photo"] == "your photo" and panel.image("photo")[0, :, 60, 60].tolist() == [1, 0, 0]
    panel.set(photo="grass", strokes=[("photo", 0.5, ((0.5, 0.5),))], thing="your photo")
    assert panel.image("photo")[0, :, 19, 19].tolist() == [1, 0, 0]
    panel.set(thing="cat", strokes=())


@pytest.mark.long
def test_fifteen_places_are_tried(panel, network):
    """The slow twin: each place, the strongest place of its map, and the middle."""
    (label, _), *_, (another, _) = network.top(lv.load_image("cat", 64), 200)
    hits = others = middle = chance = 0
    for place in TRIED:
        one = laid(*place)
        on = []
        for which in (label, another):
            strength = lv.saliency(network, one.image, lv.logit(which))
            on.append(one.box.holds(*peak(torch.from_numpy(smooth(strength))[None, None])))
        hits, others = hits + on[0], others + on[1]
        middle += one.box.holds(32, 32)
        chance += one.box.area / 64**2
    panel.set(places=True)
    numbers = re.findall(r"[\d.]*\d", panel.outputs["tally"].value)
    assert numbers == ["15", str(hits), str(others), str(middle), f"{chance:.1f}"]
    assert another in panel.outputs["tally"].value
    panel.set(row=50)
    assert re.findall(r"[\d.]*\d", panel.outputs["tally"].value) == numbers  # where it lies now does not matter
    panel.set(places=False)
    assert panel.outputs["tally"].value == ""


@pytest.mark.long
@pytest.mark.parametrize("name", NETWORKS)
def test_the_lesson_is_right_about_the_cat_on_grass(name):
    """Its presets: the map follows the cat; a small one is found at full size; the cup's map is on the cup."""
    panel = lv.live.collage(lv.load_network(name, device="cpu"))
    for preset in ("corner", "elsewhere", "cup", *(["small"] if panel.network.full_size else [])):
        panel.set(preset=preset)
        assert "on the object" in panel.outputs["saliency caption"].value, preset
    panel.set(preset="places")
    tried, hits, others, middle, _ = re.findall(r"[\d.]*\d", panel.outputs["tally"].value)
    assert (tried, hits, middle) == ("15", "15", "1") and int(others) >= 10
