"""The lecture's figure, and other numbers."""

import pytest
import torch
from panels import made_by

import lecture_viz as lv


def test_relu_rules_starts_with_the_lectures_figure():
    panel = lv.live.relu_rules()
    assert '<td class="lv-negative">-2</td>' in panel.outputs["backprop"].value
    assert "lv-negative" not in panel.outputs["deconvnet"].value + panel.outputs["guided"].value
    results = made_by(panel.code(), torch=torch)
    assert results[0].tolist() == [[-2, 0, -1], [6, 0, 0], [0, -1, 3]]
    assert results[1].tolist() == [[0, 3, 0], [6, 0, 1], [2, 0, 3]]
    assert results[2].tolist() == [[0, 0, 0], [6, 0, 0], [0, 0, 3]]


def test_relu_rules_marks_negative_sensitivities_yellow():
    panel = lv.live.relu_rules()
    marked = {name for name, cell in panel.controls.items() if "lv-negative" in cell._dom_classes}
    assert marked == {"s11", "s13", "s22", "s32"}
    panel.set(s11=2, s12=-0.5)
    assert "lv-negative" not in panel.controls["s11"]._dom_classes
    assert "lv-negative" in panel.controls["s12"]._dom_classes


def test_relu_rules_diverge_more_through_two_relus():
    panel = lv.live.relu_rules().set(relus=2)
    backprop, deconvnet, guided = made_by(panel.code(), torch=torch)
    assert not torch.equal(backprop, deconvnet) and not torch.equal(deconvnet, guided)
    assert (backprop < 0).any() and not (deconvnet < 0).any() and not (guided < 0).any()


def test_relu_rules_refuses_what_is_no_number():
    panel = lv.live.relu_rules()
    before = panel.outputs["guided"].value
    with pytest.raises(ValueError, match="not a number: type one"):
        panel.set(x11=float("nan"))
    assert panel.outputs["guided"].value == before
