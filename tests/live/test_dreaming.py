"""A dream of a photo, of noise, with a guide; another layer while it dreams."""

import pytest
import torch
from panels import held, shows_what_its_code_makes

import lecture_viz as lv


@pytest.fixture
def dreaming(network):
    panel = lv.live.dreaming(network, "cat", layer="conv3")
    panel.controls["steps"].value, panel.controls["pixels"].value = 8, 64
    panel.wait()
    return panel


def test_a_dream_of_your_own_photo(network):
    photo = torch.rand(1, 3, 70, 90, generator=torch.Generator().manual_seed(0))
    panel = lv.live.dreaming(network, photo, layer="conv3").set(pixels=64, steps=8).start()
    panel.wait()
    assert shows_what_its_code_makes(panel, photo=photo)
    panel.set(photo="cat", guide="given").start().wait()
    assert shows_what_its_code_makes(panel, photo=photo)


def test_another_guide_while_it_dreams_goes_on_from_the_picture(dreaming):
    dreaming.set(steps=200)
    with held(dreaming, 3) as gate:
        dreaming.controls["guide"].value = "coffee"
        gate.hold(2)  # the step that was under way, and the first one towards the guide
        assert "likeness('conv3', features)" in dreaming.step.terms
        assert dreaming.step.index == 1 and dreaming.step.total == 200 - 4
        dreaming.stop()
    dreaming.wait()
    assert dreaming.step.index <= 2


def test_another_layer_while_it_dreams_goes_on_from_the_picture(dreaming):
    dreaming.set(steps=200)
    with held(dreaming, 3) as gate:
        assert dreaming.step.image.shape[2] < 64  # the first octave
        dreaming.controls["layer"].value = "conv5"
        gate.hold(2)
        assert "layer('conv5')" in dreaming.step.terms
        assert dreaming.step.image.shape == (1, 3, 64, 64)  # at its whole size, however small it was
        dreaming.stop()
    dreaming.wait()
