"""A network with a planted bias learns while one watches."""

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
