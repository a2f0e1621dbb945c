"""Pick a network and a photo, or bring one."""

import pytest
import torch
from panels import png, upload

import lecture_viz as lv


@pytest.fixture
def start():
    return lv.live.start()


def test_start_takes_an_upload(start):
    upload(start, png("red"))
    assert start.values["photo"] == "your photo"
    torch.testing.assert_close(start.photo[0, :, 0, 0].cpu(), torch.tensor([1.0, 0, 0]))
    upload(start, png("blue"))  # a second one replaces the first
    torch.testing.assert_close(start.photo[0, :, 0, 0].cpu(), torch.tensor([0.0, 0, 1]))
    start.set(photo="cat").set(photo="your photo")
    assert "your_file" in start.code()


def test_start_changes_the_network(start):
    before = bytes(start.outputs["gradient"].value), start.outputs["guesses"].value
    first = start.network.name
    start.set(network="inception64")
    assert start.network.name == "inception64" and "load_network('inception64')" in start.code()
    assert start.outputs["gradient"].value != before[0] and start.outputs["guesses"].value != before[1]
    start.set(network=first)
    assert (bytes(start.outputs["gradient"].value), start.outputs["guesses"].value) == before


def test_start_refuses_a_bad_upload_and_goes_on(start):
    before = start.outputs["photo"].value
    refused = {b"text": "not a picture", png("red", (2, 2)): "at least 8×8", png("red")[:60]: "damaged|not a picture"}
    for content, message in refused.items():
        with pytest.raises(ValueError, match=message):
            upload(start, content)
        assert start.outputs["photo"].value == before
    start.set(photo="rocket")
    assert "rocket" in start.code()


def test_start_without_a_connection_keeps_the_picture(start, tmp_path, monkeypatch):
    def no_network(*_, **__):
        raise OSError("no network here")

    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path))
    monkeypatch.setattr(torch.hub, "download_url_to_file", no_network)
    before = start.outputs["gradient"].value, start.outputs["guesses"].value, start.code()
    with pytest.raises(lv.WeightsUnavailable, match="googlenet"):
        start.set(network="googlenet")
    assert before == (start.outputs["gradient"].value, start.outputs["guesses"].value, start.code())
    assert start.outputs["status"].value == "" and start.network.name == "efficientnet_lite0"
    start.set(network="efficientnet_lite0")


def test_the_sentences_of_the_presets_hold(start):
    """The second guess has nearly the same picture, which the gradient would not have; the cup is an espresso."""
    network, cat = start.network, lv.load_image("cat", start.network.input_size)
    first, second = (lv.logit(label) for label, _ in network.top(cat, 2))
    guided, plain = (
        lv.similarity(*(lv.gradient(network, cat, target, rule) for target in (first, second)))
        for rule in ("guided", "backprop")
    )
    assert guided > 0.98 and plain < 0.9
    label, probability = network.top(lv.load_image("coffee", network.input_size), 1)[0]
    assert label == "espresso" and probability > 0.9
