"""The camera as a photo, without a browser: frames come as its value."""

import re
import threading

import pytest
from ipywidgets.embed import dependency_state
from panels import made_by, png, shows

import lecture_viz as lv
from lecture_viz.live.kit.photo import NETWORKS

FRAME = lv.images.encode(lv.load_image("coffee", 256), "jpeg")
WORDS = ("refused", "missing", "insecure", "busy")


@pytest.fixture
def panel(network, cat):
    return lv.live.gradients(network, cat, label="tabby")


def test_a_frame_is_the_photo_and_the_code_says_so(panel, network):
    panel.set(camera=FRAME)
    assert panel.values["photo"] == "camera" and panel.values["camera"] == b""
    assert panel.code().startswith("photo = lv.load_image(frame, 64)\n")
    assert shows("gradients", panel, made_by(panel.code(), net=network, frame=FRAME))
    assert panel.values["neuron"] == network.label_index(network.top(lv.load_image(FRAME, 64), 1)[0][0])
    panel.set(photo="cat").set(photo="camera")  # the last frame can be chosen like any photo
    assert shows("gradients", panel, made_by(panel.code(), net=network, frame=FRAME))


def test_each_frame_is_answered_once_and_nothing_else_is(panel):
    camera = panel.controls["camera"]
    for number, frame in enumerate((FRAME, png("red"), FRAME), start=1):
        panel.set(camera=frame)
        assert camera.answered == number
    panel.set(neuron=3).set(photo="coffee")
    assert camera.answered == 3
    with pytest.raises(ValueError, match="not a picture"):
        panel.set(camera=b"broken")
    assert camera.answered == 4  # the next one may come
    assert panel.values["photo"] == "coffee"


def test_another_photo_switches_it_off(panel):
    camera = panel.controls["camera"]
    for chosen in ("coffee", "rocket"):
        camera.live = True
        panel.set(neuron=3)  # before its first frame has come
        assert camera.live
        panel.set(camera=FRAME).set(photo=chosen)
        assert not camera.live and panel.values["photo"] == chosen


@pytest.mark.parametrize("problem", WORDS)
def test_what_is_wrong_with_the_camera_is_said_and_the_photo_stays(panel, cat, problem):
    before = panel.image("gradient")
    panel.controls["camera"].problem = [problem, 1]
    with pytest.raises(ValueError, match="camera"):
        panel.wait()
    assert panel.say(f"camera {problem}") in panel.view.error_line.value and panel.image("gradient") is before
    panel.set(neuron=3)
    assert panel.view.error_line.layout.display == "none"


def test_a_last_frame_hides_nothing_of_what_is_said(panel):
    before, camera = panel.image("gradient"), panel.controls["camera"]
    with camera.hold_trait_notifications():  # a busy browser sends both in one message
        camera.value, camera.problem = FRAME, ["busy", 1]
    with pytest.raises(ValueError, match="did not answer"):
        panel.wait()
    assert camera.value == b"" and panel.image("gradient") is before


def test_every_problem_that_the_browser_names_has_its_words(panel):
    script = panel.controls["camera"]._esm
    named = set(re.findall(r"stop\('(\w+)'\)|'(\w+)' : '(\w+)'", str(script)))
    assert {word for words in named for word in words if word} == set(WORDS)


def pictures_in(panel) -> list[str]:
    """Of which widgets a notebook that is saved with their state would keep pixels."""
    state = dependency_state([panel.widget])
    return [one["model_name"] for one in state.values() if one.get("buffers") or ";base64," in str(one["state"])]


def test_a_frame_is_kept_nowhere(panel):
    assert "<img" in panel._repr_mimebundle_()["text/html"]
    assert len(pictures_in(panel)) == 3
    sent = {name: [] for name in panel.view.pictures}
    for name in sent:
        panel.outputs[name].send = lambda content, buffers, name=name: sent[name].extend(buffers)
    panel.set(camera=FRAME)
    assert "<img" not in panel._repr_mimebundle_()["text/html"]
    assert pictures_in(panel) == []
    for name, files in sent.items():  # they come by a message, and once more for a page that asks
        picture = panel.outputs[name]
        assert files[-1] == lv.images.encode(panel.image(name), picture.format)
        picture._handle_msg({"content": {"data": {"method": "custom", "content": "file"}}, "buffers": []})
        assert files[-2:] == files[-1:] * 2


def test_a_run_about_a_frame_is_kept_nowhere_either(network, cat):
    panel = lv.live.inversion(network, cat, layer="conv1").set(steps=16)
    panel.start().wait()
    assert len(pictures_in(panel)) == 4
    panel.set(camera=FRAME).start().wait()
    assert pictures_in(panel) == [] and "Press S" in panel.outputs["save"].value


def test_a_run_is_about_the_frame_it_begins_with(network, cat):
    panel = lv.live.inversion(network, cat, layer="conv1").set(steps=16)
    camera = panel.controls["camera"]
    camera.live = True
    panel.set(camera=FRAME)
    panel.start().wait()
    assert not camera.live and "load_image(frame, 64)" in panel.code()
    camera.live = True
    panel.set(camera=png("red"))  # while it is live, a frame begins no search, and the last frame's is gone
    assert panel.run is None and abs(panel.image("image") - 0.5).max() < 1e-6
    panel.start().wait()
    camera.live = False
    panel.set(photo="coffee")
    assert panel.run is not None and panel.run.taken == 16


def test_it_follows_in_every_network_of_the_menu(panel):
    panel.set(camera=FRAME)
    for name in NETWORKS:
        panel.set(network=name)
        assert panel.photo.shape[-1] == panel.network.input_size
        assert "load_image(frame, " in panel.code()


def test_a_busy_panel_answers_the_newest_frame(panel, monkeypatch):
    """Frames that come while it draws are skipped, all but the last."""
    draw, hand = panel.draw, iter(("rocket", "astronaut"))

    def drawn(values):
        if name := next(hand, None):
            frame = lv.images.encode(lv.load_image(name, 64))
            browser = threading.Thread(target=setattr, args=(panel.controls["camera"], "value", frame))
            browser.start()
            browser.join()
        yield from draw(values)

    monkeypatch.setattr(panel, "draw", drawn)
    panel.set(camera=FRAME)
    assert abs(panel.photo - lv.load_image("astronaut", 64)).max() < 1 / 255
    assert panel.controls["camera"].answered == 3
