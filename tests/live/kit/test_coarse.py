"""Where a picture takes long, a coarse one comes first; what stays is the full one."""

import threading

import pytest
import torch

import lecture_viz as lv
from lecture_viz.live.kit import panel as kit
from lecture_viz.maps import to_array

KINDS = {
    "start": ("gradient", {"rank": 2}),
    "gradients": ("gradient", {"rule": "guided"}),
    "saliency": ("guided", {"neuron": 281}),
    "localization": ("saliency", {"samples": 8}),
}
GREY = {"colours": 0.5, "magnitude": 0}  # what 0 is shown as


@pytest.fixture(scope="module")
def large() -> lv.Network:
    return lv.load_network("efficientnet_lite0", device="cpu")


def make(kind: str, network: lv.Network) -> lv.live.Panel:
    return getattr(lv.live, kind)(*([] if kind == "start" else [network, "cat"]))


def frames(panel, **values) -> list[dict]:
    return [frame.outputs for frame in panel.draw(panel.values | values)]


def detail(shown) -> float:
    """How much of a picture is lost at half its size, as a part of its contrast."""
    image = shown.image
    again = torch.nn.functional.interpolate(torch.nn.functional.avg_pool2d(image, 2), scale_factor=2)
    return ((image - again).std() / image.std()).item()


@pytest.mark.long
@pytest.mark.parametrize("kind", KINDS)
def test_a_slow_picture_is_announced_by_a_coarse_one_that_looks_alike(kind, large, monkeypatch):
    name, values = KINDS[kind]
    panel = make(kind, large)
    monkeypatch.setattr(kit, "SLOW", 0)
    first, *others = (outputs for outputs in frames(panel, **values) if name in outputs)
    full = others[-1][name]
    assert first[name].image.shape == full.image.shape
    assert detail(first[name]) < 0.8 * detail(full)
    magnitudes = (lv.magnitude(shown.image - GREY[shown.scale]) for shown in (first[name], full))
    assert lv.similarity(*(torch.nn.functional.avg_pool2d(one, 16) for one in magnitudes)) > 0.3
    monkeypatch.setattr(kit, "SLOW", 1e9)
    panel._made = None
    *_, alone = (outputs for outputs in frames(panel, **values) if name in outputs)
    assert torch.equal(alone[name].image, full.image)


def test_a_neurons_place_is_halved_with_the_photo(large, monkeypatch):
    panel = lv.live.gradients(large, "cat")
    monkeypatch.setattr(kit, "SLOW", 0)
    for row, column in ((0, 0), (3, 11), (13, 13)):
        values = {"layer": "block5a", "neuron": 7, "strongest": False, "row": row, "column": column}
        panel.set(layer="block5a", strongest=False)
        coarse, full = frames(panel, **values)
        tops = [divmod(shown["magnitude"].image.sum(1).argmax().item(), 224) for shown in (coarse, full)]
        assert all(abs(one - other) < 48 for one, other in zip(*tops)), tops


def test_a_drag_shows_coarse_pictures_and_its_end_the_full_one(large, monkeypatch):
    panel = lv.live.gradients(large, "cat")
    monkeypatch.setattr(kit, "SLOW", 0)
    drawn = []
    show = panel.view.show

    def seen(outputs, code):
        show(outputs, code)
        drawn.append((code, outputs["gradient"].image))
        if len(drawn) < 5:  # a hand moves on before there is more
            hand = threading.Thread(target=setattr, args=(panel.controls["neuron"], "value", 100 + len(drawn)))
            hand.start()
            hand.join()

    monkeypatch.setattr(panel.view, "show", seen)
    panel.set(neuron=100)
    labels = [code.split("lv.logit(")[1] for code, _ in drawn]
    assert len(set(labels)) == 5 and labels[-1] == labels[-2]  # one picture of each, and two of the last
    assert (to_array(panel.image("gradient")) == to_array(drawn[-1][1])).all()
    alone = lv.gradient(large, panel.photo, lv.logit(panel.values["neuron"]))
    assert (to_array(panel.image("gradient")) == to_array(lv.images.show_signed(alone))).all()


def test_a_frame_of_the_camera_comes_at_once(large, monkeypatch):
    """The next one waits for its answer."""
    panel = lv.live.gradients(large, "cat")
    monkeypatch.setattr(kit, "SLOW", 0)
    drawn = []
    show = panel.view.show
    monkeypatch.setattr(panel.view, "show", lambda outputs, code: drawn.append(code) or show(outputs, code))
    panel.set(camera=lv.images.encode(lv.load_image("coffee", 256), "jpeg"))
    assert len(drawn) == 1
    panel.set(neuron=3)
    assert len(drawn) == 3


def test_coarse_pictures_take_one_thread_and_full_ones_all(large, monkeypatch):
    panel = lv.live.gradients(large, "cat")
    monkeypatch.setattr(kit, "SLOW", 0)
    cores, run, ran = torch.get_num_threads(), large.run, []

    def watched(image, layers):
        ran.append((image.shape[2], torch.get_num_threads()))
        return run(image, layers)

    monkeypatch.setattr(large, "run", watched)
    torch.set_num_threads(3)
    try:
        frames(panel, neuron=3)
    finally:
        torch.set_num_threads(cores)
    assert ran == [(112, 1), (224, 3)]


def test_small_photos_and_quick_pictures_come_at_once(large, network, cat, monkeypatch):
    panel = lv.live.gradients(large, "cat")
    monkeypatch.setattr(kit, "SLOW", 1e9)
    assert len(frames(panel, neuron=3)) == 1
    monkeypatch.setattr(kit, "SLOW", 0)
    assert len(frames(lv.live.gradients(network, cat), neuron=3)) == 1


def test_a_network_that_takes_one_size_only_shows_its_full_picture(monkeypatch):
    parts = [torch.nn.Conv2d(3, 4, 16, stride=16), torch.nn.ReLU(), torch.nn.Flatten(), torch.nn.Linear(4 * 14 * 14, 5)]
    fixed = lv.wrap(torch.nn.Sequential(*parts), labels=list("abcde"), input_size=224)
    panel = lv.live.gradients(fixed, "cat")
    monkeypatch.setattr(kit, "SLOW", 0)
    assert len(frames(panel, neuron=3)) == 1
