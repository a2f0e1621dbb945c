"""A brush on the photo: what is painted, taken back, and what the network says to it."""

import pytest
import torch
from panels import png, upload

import lecture_viz as lv
from lecture_viz.gradient_based.occlusion import compare
from lecture_viz.live.kit.photo import NETWORKS
from lecture_viz.photos import paint


@pytest.fixture
def panel(network, again):
    return again(lambda: lv.live.occlusion(network, "cat"))


def stroke(panel, number, points):
    """As the browser sends it: with the strokes before."""
    before = [one for one in panel.outputs["photo"].strokes if one[0] != number]
    panel.outputs["photo"].strokes = [*before, [number, points]]
    panel.wait()


def test_strokes_that_came_together_are_all_painted(panel):
    """A busy kernel gets one message for several strokes."""
    number = 1 + max([one[0] for one in panel.outputs["photo"].strokes], default=0)
    three = [[number + n, [[0.1 * n, 0.5]]] for n in (1, 2, 3)]
    panel.outputs["photo"].strokes = three
    panel.wait()
    assert [points for _, _, points in panel.values["strokes"]] == [((0.1 * n, 0.5),) for n in (1, 2, 3)]
    panel.outputs["photo"].strokes = [*three, [number + 4, []], [number + 5, [[0.9, 0.9]]]]  # one back, one more
    panel.wait()
    assert [points for _, _, points in panel.values["strokes"]] == [((0.1, 0.5),), ((0.2, 0.5),), ((0.9, 0.9),)]
    panel.set(strokes=())


def test_a_hand_paints_and_takes_back(panel, network):
    cat = panel.photo
    stroke(panel, 100 + 1, [[0.3, 0.3]])
    stroke(panel, 100 + 1, [[0.3, 0.3], [0.5, 0.5]])  # the same one, further
    first = ("grey", 0.12, ((0.3, 0.3), (0.5, 0.5)))
    assert panel.values["strokes"] == (first,)
    assert torch.equal(panel.image("photo"), paint(cat, (first,)))
    panel.set(leaves="red", brush=0.3)
    assert panel.values["strokes"] == (first,)  # what stands keeps its colour
    stroke(panel, 100 + 2, [[0.7, 0.7]])
    second = ("red", 0.3, ((0.7, 0.7),))
    assert panel.values["strokes"] == (first, second)
    assert torch.equal(panel.image("photo"), paint(cat, (first, second)))
    assert panel.outputs["photo"].brush == [0.3, "red"]
    stroke(panel, 100 + 3, [])  # the key that takes the last one back
    assert panel.values["strokes"] == (first,)
    panel.set(strokes=())
    assert torch.equal(panel.image("photo"), cat)
    stroke(panel, 100 + 4, [])  # nothing left to take back
    assert panel.values["strokes"] == ()


def test_strokes_come_from_the_browser_in_lists(panel):
    control = panel.controls["strokes"]
    control.set_state({"value": [["blur", 0.2, [[0.1, 0.2], [0.3, 0.4]]]]})
    panel.wait()
    assert control.value == (("blur", 0.2, ((0.1, 0.2), (0.3, 0.4))),)
    assert "('blur', 0.2, ((0.1, 0.2), (0.3, 0.4)))" in panel.code()


def test_what_was_painted_stays_on_another_photo(panel):
    painted = (("grey", 0.2, ((0.5, 0.5),)),)
    panel.set(strokes=painted, photo="coffee")
    assert panel.values["strokes"] == painted
    assert torch.equal(panel.image("photo"), paint(lv.load_image("coffee", 64), painted))


def test_both_numbers_stand_beside(panel, network):
    panel.set(share=0.3, leaves="blur")
    target = lv.logit(network.top(panel.photo, 1)[0][0])
    scores = compare(network, panel.photo, target, lv.saliency(network, panel.photo, target), 0.3, "blur")
    for score in scores:
        assert f"<td>{score:.2f}</td>" in panel.outputs["scores"].value
    panel.set(cover="most")
    assert panel.outputs["scores"].value.count(f"<td>{scores.without_most:.2f}</td>") == 2  # what is shown, too


def test_its_answers_are_about_what_is_painted(panel, network):
    painted = (("#ffffff", 1.0, ((0.0, 0.5), (1.0, 0.5))),)
    panel.set(strokes=painted)
    best = network.top(paint(panel.photo, painted), 5)
    for label, share in best:
        assert label in panel.outputs["guesses"].value and f"<td>{share:.0%}</td>" in panel.outputs["guesses"].value


@pytest.mark.parametrize("wrong", ["grey", [("grey", 0.1)], 3, [("grey", 0.1, (0.5, 0.5))]])
def test_what_is_no_stroke_is_refused(panel, wrong):
    before = panel.image("photo")
    with pytest.raises(ValueError, match="a stroke is what it leaves, the brush's diameter"):
        panel.set(strokes=wrong)
    assert torch.equal(panel.image("photo"), before)


def test_a_bad_stroke_loses_nothing(panel):
    before = panel.image("photo")
    with pytest.raises(ValueError, match="a brush leaves grey, blur, photo or a colour"):
        panel.set(strokes=[("chalk", 0.1, ((0.5, 0.5),))])
    assert torch.equal(panel.image("photo"), before)
    panel.set(strokes=())


def test_ones_own_photo_can_be_painted_on(panel):
    upload(panel, png("red"))
    panel.set(strokes=[("#0000ff", 0.5, ((0.5, 0.5),))])
    assert panel.image("photo")[0, :, 32, 32].tolist() == [0, 0, 1]
    assert panel.image("photo")[0, :, 1, 1].tolist() == [1, 0, 0]


@pytest.mark.long
@pytest.mark.parametrize("name", NETWORKS)
def test_the_lesson_is_right_about_a_cup_without_its_coffee(name):
    panel = lv.live.occlusion(lv.load_network(name, device="cpu"))
    best, before = panel.network.top(panel.photo, 1)[0]
    panel.set(preset="coffee")
    label, after = panel.network.top(panel.image("photo"), 1)[0]
    assert label == best == "espresso" and after < before


def test_the_photo_comes_back_where_a_square_covered_it(panel):
    panel.set(cover="most", share=0.5)
    assert not torch.equal(panel.image("photo"), panel.photo)
    panel.set(strokes=(("photo", 1.0, ((0, 0.5), (1, 0.5))),))
    assert torch.equal(panel.image("photo"), panel.photo)
