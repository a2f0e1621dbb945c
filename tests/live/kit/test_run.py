"""Panels for long runs: start, stop, go on, steer while it runs; what is shown and saved is what was made."""

import base64
import contextlib
import io
import re
import subprocess
import sys
import threading

import ipywidgets
import pytest
import torch
from panels import held, through, wait_for
from PIL import Image

import lecture_viz as lv
from lecture_viz import languages
from lecture_viz.live.kit import film as film_module
from lecture_viz.live.kit import run as run_module
from lecture_viz.live.kit import worker as worker_module
from lecture_viz.live.kit.curves import Curves
from lecture_viz.maps import to_array


def new_panel(network, cat):
    return lv.live.maximization(network, cat, label="tabby").set(steps=8)


@pytest.fixture
def fresh(network, cat):
    """Nothing was started in it, and it is the newest panel."""
    return new_panel(network, cat)


@pytest.fixture
def panel(network, cat, again):
    return again(lambda: new_panel(network, cat))


def test_before_the_start_it_shows_where_it_begins(fresh):
    assert "press <b>start</b>" in fresh.outputs["image caption"].value
    assert fresh.step is None and fresh.image("image").std() < 0.1


def test_stopped_and_resumed_it_ends_where_an_uninterrupted_run_ends(panel, monkeypatch):
    monkeypatch.setattr(worker_module, "LINGER", 0.01)
    panel.set(steps=16).start().wait()
    whole = panel.step.image
    with held(panel, 5):
        panel.stop()
    panel.wait()
    assert 5 <= panel.step.index <= 6 and panel.outputs["time left"].value == "stopped"  # after the step under way
    stopped = panel.step
    wait_for(lambda: panel.worker.thread is None)  # the worker has gone: nobody can take another step
    assert panel.step is stopped
    panel.resume().wait()
    assert panel.step.index == 16 and torch.equal(panel.step.image, whole)


def test_a_strength_moved_while_it_runs_acts_on_the_running_optimisation(panel):
    panel.set(steps=512, parameterization="pixels")
    with held(panel, 3) as gate:
        panel.controls["L2"].value = 40.0
        gate.hold(1)  # the step that was under way
        assert panel.step.index == 4 and panel.step.terms["L2"] == 0
        assert "lv.regularizers.l2(40)" in panel.code()
        gate.hold(1)
        assert panel.step.index == 5 and panel.step.terms["L2"] < 0
        panel.stop()
    panel.wait()
    assert panel.step.index <= 6 and panel.step.total == 512


class Clock:
    """In the place of the module `time`: it goes on only when the test says so."""

    now = 1000.0

    def monotonic(self) -> float:
        return self.now


def test_pictures_arrive_while_it_runs_but_not_too_many(fresh, monkeypatch):
    clock, shown, left = Clock(), [], []
    monkeypatch.setattr(run_module, "time", clock)
    monkeypatch.setattr(run_module, "PER_SECOND", 0.25)

    def a_second_each(run):
        for step in run:
            clock.now += 1
            yield step

    fresh.set(steps=24)
    fresh.outputs["image"].observe(lambda change: shown.append(fresh.step.index), "value")
    fresh.outputs["time left"].observe(lambda change: left.append(change["new"]), "value")
    with through(fresh, a_second_each):
        fresh.start().wait()
    assert shown == [1, 5, 9, 13, 17, 21, 24]  # one each four seconds, and the last
    assert left == [*(f"{24 - step} s left" for step in shown[:-1]), "done in 24.0 s"]


def test_the_film_has_the_whole_run_in_few_stills(panel, monkeypatch):
    monkeypatch.setattr(film_module, "STILLS", 8)
    taken = []

    def kept(run):
        for step in run:
            taken.append(step.image)
            yield step

    with through(panel, kept):
        panel.set(steps=24).start().wait()
    assert len(taken) == 24 and len(panel.run.film.stills) == 6  # every fourth
    assert all(torch.equal(still, image) for still, image in zip(panel.run.film.stills, taken[::4], strict=True))
    assert panel.image("film").shape == (1, 3, 2 * 68, 3 * 68)


def test_saves_the_picture_and_the_film(panel):
    panel.set(steps=16).start().wait()
    links = dict(re.findall(r'download="([\w.]+)" href="data:[\w/]+;base64,([^"]+)"', panel.outputs["save"].value))
    assert (to_array(lv.load_image(base64.b64decode(links["picture.png"]))) == to_array(panel.step.image)).all()
    with Image.open(io.BytesIO(base64.b64decode(links["film.gif"]))) as film:
        assert film.n_frames > 8 and film.size == (64, 64)


def test_the_curves_are_of_the_objective_and_what_is_on(panel):
    panel.set(L2=20).start().wait()
    drawn = panel.outputs["curves"].value
    assert drawn.count("<polyline") == 3
    assert all(name in drawn for name in ("objective", "logit(&#x27;tabby&#x27;)", "L2"))
    assert "total variation" not in drawn


def test_the_curves_are_named_in_the_language_in_use():
    curves = Curves()
    curves.keep({"objective": 1.0, "logit('虎斑猫')": 2.0, "total variation": -1.0})
    drawn = curves.draw(200, languages.texts("zh")["shared"])
    assert 'aria-label="各步的曲线：目标值, logit(&#x27;虎斑猫&#x27;), 全变分"' in drawn
    assert "全变分: -1" in drawn and "objective" not in drawn


def test_a_run_that_diverges_says_so_and_keeps_the_last_good_picture(panel, network, monkeypatch):
    original = type(panel).begin

    def broken(self, run):
        for step in original(self, run):
            yield step
            if step.index == 4:
                raise lv.Diverged("the objective became NaN at step 5; take a smaller weight", step)

    monkeypatch.setattr(type(panel), "begin", broken)
    panel.start()
    with pytest.raises(lv.Diverged, match="smaller weight"):
        panel.wait()
    assert panel.step.index == 4
    assert panel.outputs["time left"].value != "stopped"  # there is nothing to go on with
    assert (to_array(panel.image("image")) == to_array(panel.step.image)).all()
    monkeypatch.undo()
    panel.start().wait()
    assert panel.step.index == 8


def test_nothing_runs_when_nothing_is_to_do(panel, monkeypatch):
    monkeypatch.setattr(worker_module, "LINGER", 0.01)
    panel.start().wait()
    wait_for(lambda: not any("maximization" in thread.name for thread in threading.enumerate()))
    assert panel.resume().stop() is panel
    panel.wait()
    assert panel.step.index == 8
    wait_for(lambda: not any("maximization" in thread.name for thread in threading.enumerate()))


def test_a_new_panel_stops_the_run_of_the_one_before(fresh, network, cat):
    fresh.set(steps=512)
    with held(fresh, 1):
        lv.live.maximization(network, cat)  # as when its cell is run again
    fresh.wait()
    assert fresh.step.index <= 2 and fresh.outputs["time left"].value == "stopped"


def test_the_total_variation_and_its_exponent_share_a_line(panel):
    waiting, lines = [panel.widget], []
    while waiting:
        lines += [box := waiting.pop()]
        waiting += getattr(box, "children", ())
    both = tuple(panel.controls[name] for name in ("total variation", "beta"))
    assert [line for line in lines if getattr(line, "children", ()) == both]


def test_the_rarer_regularisers_are_behind_a_button(panel):
    rows = [row for row in panel.widget.children if isinstance(row, ipywidgets.Box)]
    button, content = next(row.children for row in rows if isinstance(row.children[0], ipywidgets.ToggleButton))
    assert content.layout.display == "none"
    button.value = True
    assert content.layout.display == "flex"
    button.value = False
    assert content.layout.display == "none"


def test_a_preset_pressed_while_a_slider_moves_is_not_lost(panel, monkeypatch):
    panel.set(preset="noise + L2")
    resolve, hand = panel.resolve, threading.Thread(target=setattr, args=(panel.controls["preset"], "value", "smooth"))

    def pressing(values):
        if hand.ident is None:  # the slider's new value is being looked at
            hand.start()
            hand.join()
        return resolve(values)

    monkeypatch.setattr(panel, "resolve", pressing)
    panel.controls["L2"].value = 7
    panel.wait()
    assert panel.preset == panel.values["preset"] == "smooth" and panel.values["L2"] == 0


def test_a_press_that_is_being_taken_in_while_a_slider_moves_is_not_lost(panel, monkeypatch):
    panel.set(preset="noise + L2")
    buttons = panel.controls["preset"]
    take_in = buttons.set_trait

    def slowly(name, value):
        take_in(name, value)  # traitlets hold back what follows from it
        panel.controls["L2"].value = 7
        with contextlib.suppress(TimeoutError):
            panel.wait(0.5)  # for the worker, which leaves the old preset

    monkeypatch.setattr(buttons, "set_trait", slowly)
    buttons.set_state({"index": [name for _, name in buttons.options].index("smooth")})
    panel.wait()
    assert panel.preset == panel.values["preset"] == "smooth" and panel.values["L2"] == 0


def test_a_preset_that_was_changed_is_ones_own_and_can_be_chosen_again(panel):
    panel.set(preset="noise + L2", L2=7)
    assert panel.values["preset"] is None and panel.values["L2"] == 7
    panel.set(preset="noise + L2")
    assert panel.values["preset"] == "noise + L2" and panel.values["L2"] == 640


def test_the_bar_shows_the_run_whatever_the_slider_says(panel):
    panel.start().wait()
    panel.set(steps=24)
    assert panel.outputs["progress"].value == 1
    with held(panel, 10):
        panel.controls["steps"].value = 8
    panel.wait()
    assert panel.step.index == panel.step.total == 24 and panel.outputs["progress"].value == 1


@pytest.mark.long
def test_python_may_end_while_a_run_is_under_way():
    """A thread that is still inside PyTorch then would take the process down with it."""
    script = (
        "import lecture_viz as lv; net = lv.load_network('alexnet64', device='cpu');"
        "panel = lv.live.maximization(net, 'cat').set(steps=512).start()\n"
        "while panel.step is None: pass"
    )
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert (ran.returncode, ran.stderr) == (0, "")


def test_the_code_says_how_far_the_run_is(panel):
    panel.set(steps=24)
    with held(panel, 3) as gate:
        assert not panel.code().startswith("#")  # the whole call is on its way
        panel.stop()
        gate.open()
        panel.wait()
    assert panel.code().startswith(f"# so far {panel.step.index} of 24")
    panel.resume().wait()
    assert panel.step.index == 24 and not panel.code().startswith("#")
    panel.set(steps=16)
    assert panel.code().startswith("# ") and "press start" in panel.code()


def test_buttons_have_names_for_the_keys_of_the_hall(panel):
    classes = set()
    waiting = [panel.widget]
    while waiting:
        widget = waiting.pop()
        waiting += getattr(widget, "children", ())
        classes |= {name for name in widget._dom_classes if isinstance(widget, ipywidgets.Button)}
    assert {"lv-start", "lv-stop", "lv-resume"} <= classes
