"""The foundation of every live picture: newest wins, nothing out of order, errors in words, nothing left running."""

import json
import sys
import threading

import ipywidgets as widgets
import pytest
import torch
from panels import Gate, wait_for

import lecture_viz as lv
from lecture_viz.live import Frame, Panel
from lecture_viz.live.kit import worker as worker_module


class Grey(Panel):
    """A panel whose picture is as bright as its slider; each of its frames waits at a gate."""

    name = "grey"

    def __init__(self):
        super().__init__()
        self.gate, self.frames = Gate(), 1
        self.drawn, self.running, self.most_running = [], 0, 0
        self.controls = {
            "level": widgets.IntSlider(0, 0, 255, description="level"),
            "rule": widgets.Dropdown(options=["a", "b"], description="rule"),
        }
        self.assemble(self.view.picture("out", 64))

    def say(self, key, **values):
        return "a grey square" if key == "out alt" else super().say(key, **values)

    def draw(self, values):
        self.running += 1
        self.most_running = max(self.most_running, self.running)
        level = values["level"]
        try:
            for frame in range(self.frames):
                self.gate.go_through()
                if level == 13:
                    raise ValueError("<13> is an unlucky number; choose 12 or 14")
                self.drawn.append((level, frame))
                yield Frame({"out": torch.full((1, 3, 8, 8), level / 255)}, f"grey({level}, {frame})")
        finally:
            self.running -= 1

    def level(self) -> int:
        return round(lv.load_image(self.outputs["out"].value)[0, 0, 0, 0].item() * 255)


def no_worker_is_left() -> bool:
    return not any(thread.name.endswith(" panel") for thread in threading.enumerate())


def test_the_first_picture_is_there_at_once():
    panel = Grey()
    assert panel.level() == 0 and panel.code() == "grey(0, 0)"
    assert panel.worker.thread is None


def test_nothing_runs_when_idle_and_a_value_already_drawn_is_not_drawn_again(monkeypatch):
    assert worker_module.LINGER == 1  # second
    monkeypatch.setattr(worker_module, "LINGER", 0.01)
    panel, lingered = Grey(), []
    here, wait_silently = threading.current_thread(), panel.worker._state.wait_for

    def wait_and_tell(condition, seconds):
        if threading.current_thread() is not here:
            lingered.append(seconds)
        return wait_silently(condition, seconds)

    panel.worker._state.wait_for = wait_and_tell
    panel.set(level=5)
    wait_for(no_worker_is_left)
    count = len(panel.drawn)
    panel.worker.ask()
    panel.wait()
    wait_for(no_worker_is_left)
    assert len(panel.drawn) == count and panel.worker.thread is None
    assert {*lingered} == {0.01}  # so long it waits for another job, and no longer


def test_set_moves_waits_and_shows():
    panel = Grey()
    panel.gate.close()
    hand = threading.Thread(target=panel.set, kwargs={"level": 200})
    hand.start()
    panel.gate.hold(0)  # it is being drawn …
    assert hand.is_alive() and panel.level() == 0 and panel.code() == "grey(0, 0)"
    panel.gate.open()
    hand.join()  # … and `set` waits for it
    assert panel.level() == 200 and panel.code() == "grey(200, 0)"
    assert panel.image("out")[0, 0, 0, 0] == 200 / 255
    assert panel.set(level=100) is panel
    assert panel.level() == 100 and panel.code() == "grey(100, 0)"
    assert panel.values == {"level": 100, "rule": "a"}


def test_a_burst_ends_on_the_last_value_and_skips_stale_ones():
    panel = Grey()
    panel.gate.close()
    panel.controls["level"].value = 1
    panel.gate.hold(0)  # a slow drawing, with which the hand does not wait
    for level in range(2, 51):
        panel.controls["level"].value = level
    panel.gate.open()
    panel.wait()
    assert panel.level() == 50
    assert [level for level, _ in panel.drawn] == [0, 1, 50]  # the others were skipped, not queued
    for level in range(51, 101):  # drawings about as fast as the hand
        panel.controls["level"].value = level
    panel.wait()
    assert panel.level() == 100
    levels = [level for level, _ in panel.drawn]
    assert levels == sorted(levels)  # never out of order
    assert panel.most_running == 1


@pytest.fixture
def threads_change_often():
    seconds = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    yield
    sys.setswitchinterval(seconds)


@pytest.mark.parametrize("slow", [False, True])
def test_values_from_many_threads_at_once_end_on_what_the_controls_show(threads_change_often, slow):
    panel, together = Grey(), threading.Barrier(6)

    def hand(start):
        together.wait()
        for level in range(start, 250, 7):
            panel.controls["level"].value = level

    if slow:  # it draws one until all hands have moved
        panel.gate.close()
    hands = [threading.Thread(target=hand, args=(start,)) for start in range(20, 26)]
    for thread in hands:
        thread.start()
    for thread in hands:
        thread.join()
    panel.gate.open()
    panel.wait()
    assert panel.level() == panel.controls["level"].value
    assert panel.most_running == 1
    assert not slow or len(panel.drawn) <= 3  # the first picture, that one, and the last


def test_a_long_drawing_is_abandoned_between_frames():
    panel = Grey()
    panel.frames = 1000
    panel.gate.close()
    panel.controls["level"].value = 1
    panel.gate.hold(5)
    assert panel.level() == 1 and panel.code() == "grey(1, 4)"  # what is drawn is shown
    panel.frames = 1
    panel.controls["level"].value = 2
    panel.gate.open()
    panel.wait()
    assert panel.level() == 2
    assert panel.drawn == [(0, 0), *((1, frame) for frame in range(6)), (2, 0)]  # the frame under way is the last


def test_a_drag_has_one_thread(monkeypatch):
    monkeypatch.setattr(worker_module, "LINGER", 600)
    panel = Grey().set(level=1)
    thread = panel.worker.thread
    panel.set(level=2)
    assert panel.worker.thread is thread and thread.is_alive()
    monkeypatch.setattr(worker_module, "LINGER", 0)
    panel.set(level=3)
    thread.join(60)
    assert panel.worker.thread is None and not thread.is_alive()


def test_several_moves_are_one_picture():
    panel = Grey()
    panel.drawn.clear()
    panel.set(level=1, rule="b")
    assert panel.drawn == [(1, 0)]
    panel.set(level=2, rule="b")  # the last move changes nothing
    assert panel.drawn == [(1, 0), (2, 0)]
    with pytest.raises(ValueError, match="rule is one of a, b; got 'c'"):
        panel.set(level=3, rule="c")
    panel.wait()
    assert panel.drawn == [(1, 0), (2, 0), (3, 0)]  # as the slider says


def test_an_error_is_shown_in_words_and_the_picture_stays():
    panel = Grey()
    panel.set(level=12)
    with pytest.raises(ValueError, match="unlucky"):
        panel.set(level=13)
    assert (
        "&lt;13&gt; is an unlucky number" in panel.view.error_line.value
        and 'role="alert"' in panel.view.error_line.value
    )
    assert panel.view.error_line.layout.display == ""
    assert panel.level() == 12 and panel.code() == "grey(12, 0)"
    with pytest.raises(ValueError, match="unlucky"):
        panel.wait()  # for as long as it stands
    panel.set(level=14)
    assert panel.level() == 14 and panel.view.error_line.layout.display == "none"
    panel.wait()


def test_back_to_the_value_before_an_error_clears_the_error():
    panel = Grey()
    panel.set(level=12)
    with pytest.raises(ValueError, match="unlucky"):
        panel.set(level=13)
    panel.set(level=12)
    assert panel.view.error_line.layout.display == "none"


def test_an_error_in_the_first_picture_is_the_cells():
    class Broken(Grey):
        def draw(self, values):
            raise ValueError("no picture today")
            yield

    with pytest.raises(ValueError, match="no picture today"):
        Broken()


def test_wait_gives_up_with_a_message():
    panel = Grey()
    panel.gate.close()
    panel.controls["level"].value = 3
    with pytest.raises(TimeoutError, match="grey panel was still drawing after 0.01 s"):
        panel.wait(0.01)
    panel.gate.open()
    panel.wait()
    assert panel.level() == 3


@pytest.mark.parametrize(
    "values, message",
    [
        ({"levle": 3}, "no control 'levle'; it has level, rule"),
        ({"level": 256}, "level is in 0 … 255; got 256"),
        ({"level": "high"}, "level cannot take this; got 'high'"),
        ({"rule": "c"}, "rule is one of a, b; got 'c'"),
    ],
)
def test_set_says_what_a_control_can_take(values, message):
    panel = Grey()
    with pytest.raises(ValueError, match=message):
        panel.set(**values)
    assert panel.level() == 0


def test_the_picture_keeps_its_size():
    panel = Grey()
    assert panel.outputs["out"].side == 64
    panel.set(level=9)
    assert panel.outputs["out"].side == 64


def test_small_pictures_are_exact_and_large_ones_fast():
    class Large(Grey):
        def draw(self, values):
            yield Frame({"out": torch.rand(1, 3, 224, 224)}, "large()")

    assert bytes(Grey().outputs["out"].value).startswith(b"\x89PNG")
    assert bytes(Large().outputs["out"].value).startswith(b"\xff\xd8\xff")


def test_shown_in_a_notebook():
    panel = Grey()
    bundle = panel._repr_mimebundle_()
    assert bundle["application/vnd.jupyter.widget-view+json"]["model_id"] == panel.widget.model_id
    assert bundle["text/plain"] == "grey panel; controls: level, rule"  # stable: nbval compares it
    assert 'alt="a grey square: grey panel' in bundle["text/html"] and "data:image/png;base64," in bundle["text/html"]
    assert "Run this cell to make the grey panel live." in bundle["text/html"]
    json.dumps(bundle)


def test_the_still_is_in_the_language_in_use():
    lv.use_language("zh")
    try:
        shown = lv.live.relu_rules()._repr_mimebundle_()
    finally:
        lv.use_language("en")
    assert "运行此单元格，即可操作面板“ReLU 规则”。" in shown["text/html"] and "Run this cell" not in shown["text/html"]
    assert shown["text/plain"].startswith("ReLU rules panel; controls: ")  # names as the code calls them


def test_a_panel_of_numbers_shows_them_without_a_kernel():
    shown = lv.live.relu_rules()._repr_mimebundle_()["text/html"]
    assert '<td class="lv-negative">-2</td>' in shown and "make the ReLU rules panel live" in shown
