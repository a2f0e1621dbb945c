"""A search for a picture with the same activations: its weights follow the layer and the hand."""

import pytest
from panels import held, shows_what_its_code_makes

import lecture_viz as lv


@pytest.mark.long
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


def test_the_exponent_beside_the_total_variation_acts_on_a_running_search(network, cat):
    panel = lv.live.inversion(network, cat, layer="relu3").set(steps=16, preset="total variation", beta=1)
    panel.start().wait()
    assert "total_variation(10, beta=1)" in panel.code() and shows_what_its_code_makes(panel, photo=cat)
    with held(panel.set(beta=2), 3) as gate:
        before = panel.step
        panel.controls["beta"].value = 1
        gate.hold(2)
        for beta, step in ((2, before), (1, panel.step)):
            of_start = lv.regularizers.total_variation(10, beta)(step.image).item()
            of_other = lv.regularizers.total_variation(10, 3 - beta)(step.image).item()
            assert abs(step.terms["total variation"] - of_start) < abs(step.terms["total variation"] - of_other)
        panel.stop()
    panel.wait()


def test_at_full_size_the_total_variation_alone_is_stronger(network, cat):
    """With the small networks' weight a picture of 224 pixels is a texture."""
    full = lv.load_network("efficientnet_lite0", device="cpu")
    weights = [
        lv.live.inversion(net, lv.load_image("cat", net.input_size)).presets({"layer": net.layers[5]})[
            "total variation"
        ]
        for net in (network, full)
    ]
    assert [weight["total variation"] for weight in weights] == [10, 300]
