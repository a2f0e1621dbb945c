"""A network with a planted bias learns while one watches."""

import re

import pytest
import torch
from panels import held, made_by

import lecture_viz as lv


@pytest.fixture
def planted():
    panel = lv.live.planted_bias()
    panel.controls["steps"].value = 20
    panel.wait()
    return panel


@pytest.mark.long
def test_the_class_image_is_what_the_code_makes_and_the_lessons_are_as_drawn(planted):
    planted.start().wait()
    expected = made_by(planted.code(), net=None, photo=None)
    torch.testing.assert_close(planted.image("image"), expected, atol=1e-3, rtol=0)
    accuracy, arm = planted.step.terms["accuracy"], planted.step.terms["armlike"]
    assert planted.outputs["image caption"].value == f"step 20: accuracy {accuracy:.0%}<br>armlike {arm:.2f}"
    assert "armlike" in planted.outputs["curves"].value and "objective" not in planted.outputs["curves"].value


@pytest.mark.training
def test_another_bias_trains_another_network(planted):
    planted.set(steps=40).start().wait()
    before, lessons = planted.step, planted.image("lesson")
    planted.set(bias=0.0)  # no start is needed
    assert planted.step.index == 40 and planted.step.terms["armlike"] < before.terms["armlike"] - 0.1
    assert not torch.equal(planted.image("lesson"), lessons)
    assert "bias=0.0" in planted.code()


def test_another_shape_while_it_learns_looks_at_the_same_network(planted):
    planted.set(steps=600)
    with held(planted, 5) as gate:
        student, before = planted.student, planted.step
        planted.controls["shape"].value = "ring"
        gate.hold(2)
        assert planted.step.index == 1 and planted.step.total == 600 - 6
        assert not torch.equal(planted.step.image, before.image)
        planted.stop()
    planted.wait()
    assert planted.student is student


@pytest.mark.training
@pytest.mark.parametrize("preset, low, high", [("arm", 0.8, 1), ("fair", 0, 0.33)])
def test_an_arm_alone_is_a_dumbbell_to_a_network_with_the_bias_and_to_no_other(planted, preset, low, high):
    planted.set(steps=100, preset=preset)
    assert low <= dict(planted.student.network.top(planted.image("sheet"), 3))["dumbbell"] <= high
    said = dict(re.findall(r"(\w+) (\d+)%", planted.outputs["sheet caption"].value))
    assert 100 * low <= int(said["dumbbell"]) <= 100 * high


@pytest.mark.long
def test_a_drawing_is_answered_by_the_network_that_learned_last(planted):
    assert "press start" in planted.outputs["sheet caption"].value
    planted.outputs["sheet"].strokes = [[1, [[0.2, 0.2], [0.8, 0.2]]]]
    planted.wait()
    assert planted.values["strokes"] == (("peru", 0.15, ((0.2, 0.2), (0.8, 0.2))),)
    planted.start().wait()
    step, before = planted.step, planted.outputs["sheet caption"].value
    planted.set(leaves="black", brush=0.5)
    planted.outputs["sheet"].strokes = [[2, [[0.5, 0.5]]]]
    planted.wait()
    drawn = planted.image("sheet")
    assert drawn[0, :, 16, 16].tolist() == [0, 0, 0] and planted.outputs["sheet caption"].value != before
    assert planted.step is step  # nothing was learned for it
    best, p = planted.student.network.top(drawn, 1)[0]
    assert f"it says {best} {p:.0%}" in planted.outputs["sheet caption"].value
    planted.set(strokes=())
    assert (planted.image("sheet") == 1).all()
