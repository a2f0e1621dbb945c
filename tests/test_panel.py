"""The foundation of every live picture: newest wins, nothing out of order, errors in words, nothing left running."""

import json
import threading
import time

import ipywidgets as widgets
import pytest
import torch

import lecture_viz as lv
from lecture_viz.live import Frame, Panel


class Grey(Panel):
    """A slow panel whose picture is as bright as its slider."""

    name = "grey"

    def __init__(self, seconds=0.0, frames=1):
        super().__init__()
        self.seconds, self.frames = seconds, frames
        self.drawn, self.running, self.most_running = [], 0, 0
        self.controls = {
            "level": widgets.IntSlider(0, 0, 255, description="level"),
            "rule": widgets.Dropdown(options=["a", "b"], description="rule"),
        }
        self.assemble(self.picture("out", 64))

    def say(self, key, **values):
        return "a grey square" if key == "out alt" else super().say(key, **values)

    def draw(self, values):
        self.running += 1
        self.most_running = max(self.most_running, self.running)
        level = values["level"]
        try:
            for frame in range(self.frames):
                time.sleep(self.seconds)
                if level == 13:
                    raise ValueError("<13> is an unlucky number; choose 12 or 14")
                self.drawn.append((level, frame))
                yield Frame({"out": torch.full((1, 3, 8, 8), level / 255)}, f"grey({level}, {frame})")
        finally:
            self.running -= 1

    def level(self) -> int:
        return round(lv.load_image(self.outputs["out"].value)[0, 0, 0, 0].item() * 255)


def workers() -> int:
    """Panels' threads that still run after the second they linger."""
    deadline = time.monotonic() + 4
    while (count := sum(t.name.endswith(" panel") for t in threading.enumerate())) and time.monotonic() < deadline:
        time.sleep(0.05)
    return count


def test_the_first_picture_is_there_at_once():
    panel = Grey()
    assert panel.level() == 0 and panel.code() == "grey(0, 0)"
    assert panel._thread is None


def test_set_moves_waits_and_shows():
    panel = Grey(seconds=0.05)
    assert panel.set(level=200) is panel
    assert panel.level() == 200 and panel.code() == "grey(200, 0)"
    assert panel.image("out")[0, 0, 0, 0] == 200 / 255
    assert panel.values == {"level": 200, "rule": "a"}


def test_a_burst_ends_on_the_last_value_and_skips_stale_ones():
    panel = Grey(seconds=0.02)
    for level in range(1, 51):
        panel.controls["level"].value = level
        time.sleep(0.004)
    panel.wait()
    assert panel.level() == 50
    levels = [level for level, _ in panel.drawn]
    assert levels == sorted(levels)  # never out of order
    assert len(levels) < 40  # some were skipped, not queued
    assert panel.most_running == 1


def test_values_from_many_threads_at_once_end_on_what_the_controls_show():
    panel = Grey(seconds=0.005)

    def hand(start):
        for level in range(start, 250, 7):
            panel.controls["level"].value = level

    hands = [threading.Thread(target=hand, args=(start,)) for start in range(20, 26)]
    for thread in hands:
        thread.start()
    for thread in hands:
        thread.join()
    panel.wait()
    assert panel.level() == panel.controls["level"].value
    assert panel.most_running == 1


def test_a_long_drawing_is_abandoned_between_frames():
    panel = Grey(seconds=0.02)
    panel.frames = 1000
    panel.controls["level"].value = 1
    time.sleep(0.2)
    started = time.monotonic()
    panel.frames = 1
    panel.controls["level"].value = 2
    panel.wait()
    assert time.monotonic() - started < 5
    assert panel.level() == 2
    assert 1 < sum(level == 1 for level, _ in panel.drawn) < 1000


def test_nothing_runs_when_idle_and_a_value_already_drawn_is_not_drawn_again():
    panel = Grey()
    panel.set(level=5)
    assert workers() == 0
    count = len(panel.drawn)
    panel._ask()
    panel.wait()
    assert len(panel.drawn) == count and workers() == 0


def test_an_error_is_shown_in_words_and_the_picture_stays():
    panel = Grey()
    panel.set(level=12)
    with pytest.raises(ValueError, match="unlucky"):
        panel.set(level=13)
    assert "&lt;13&gt; is an unlucky number" in panel._error_line.value and 'role="alert"' in panel._error_line.value
    assert panel._error_line.layout.display == ""
    assert panel.level() == 12 and panel.code() == "grey(12, 0)"
    with pytest.raises(ValueError, match="unlucky"):
        panel.wait()  # for as long as it stands
    panel.set(level=14)
    assert panel.level() == 14 and panel._error_line.layout.display == "none"
    panel.wait()


def test_back_to_the_value_before_an_error_clears_the_error():
    panel = Grey()
    panel.set(level=12)
    with pytest.raises(ValueError, match="unlucky"):
        panel.set(level=13)
    panel.set(level=12)
    assert panel._error_line.layout.display == "none"


def test_an_error_in_the_first_picture_is_the_cells():
    class Broken(Grey):
        def draw(self, values):
            raise ValueError("no picture today")
            yield

    with pytest.raises(ValueError, match="no picture today"):
        Broken()


def test_wait_gives_up_with_a_message():
    panel = Grey(seconds=0.5)
    panel.controls["level"].value = 3
    with pytest.raises(TimeoutError, match="grey panel was still drawing after 0.01 s"):
        panel.wait(0.01)
    panel.wait()


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
    layout = panel.outputs["out"].layout
    before = (layout.width, layout.height)
    panel.set(level=9)
    assert before == (layout.width, layout.height) == ("64px", "64px")


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
    json.dumps(bundle)
