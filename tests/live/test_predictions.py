"""Predict first: every panel asks, hides and freezes until it is answered, and says by its picture what is right."""

import re
from functools import cache

import pytest
import torch
from panels import make

import lecture_viz as lv
from lecture_viz import languages
from lecture_viz.live.kit.run import RunPanel

PANELS = [*lv.live.panels()]


@pytest.fixture(scope="module")
def panels(network, cat):
    @cache
    def panel(name):
        panel = make(name, network, cat, layers=(network, cat, ("conv1", "relu3", "fc8")))
        if isinstance(panel, RunPanel):
            panel.controls["steps"].min = 8  # fewer than a hand can choose
            panel.set(steps=8)
        return panel

    return panel


def ask(panel):
    panel.prediction.button.value = False
    panel.prediction.button.value = True
    panel.wait()
    return panel


def answer(panel, key: str) -> str:
    """What is said of it."""
    panel.prediction.answers.value = key
    panel.wait()
    return panel.prediction.said.value


@pytest.mark.parametrize("name", PANELS)
def test_a_question_freezes_the_panel_and_hides_the_sentence(panels, name):
    panel = ask(panels(name))
    prediction, question = panel.prediction, panel.question
    assert prediction.shown.layout.display == "" and prediction._sentence.layout.display == "none"
    assert prediction.asked.layout.display == "" and not prediction.said.value and prediction.answers.value is None
    assert all(control.disabled for control in panel.controls.values())
    if question.before is not None:
        assert panel.preset == question.before
    prediction.button.value = False
    panel.wait()
    assert prediction.shown.layout.display == "none" and prediction._sentence.layout.display == ""
    assert not panel.controls["preset"].disabled
    free = panel.resolve(panel.values).disabled
    assert all(control.disabled == free.get(name, False) for name, control in panel.controls.items())


@pytest.mark.long
@pytest.mark.parametrize("name", PANELS)
def test_the_picture_says_which_answer_is_right_and_by_which_number(panels, name):
    panel = panels(name)
    said = answer(ask(panel), panel.question.answers[0])
    assert panel.preset == panel.question.after and panel.whole
    right, numbers = panel.verdict()
    assert right in panel.question.answers and numbers
    for key in (right, next(key for key in panel.question.answers if key != right)):
        said = answer(ask(panel), key)
        assert ("As you said." in said) == (key == right) == ("says otherwise" not in said)
        assert re.search(r"\d", re.sub("<.*?>", "", said))


@pytest.mark.parametrize("language", languages.LANGUAGES)
def test_every_answer_has_its_words(language):
    for panel in lv.live.panels().values():
        told = languages.texts(language)[panel.name]["question"]
        assert told["asked"] and [*told["answers"]] == [*told["found"]] == [*panel.question.answers]
        assert {panel.question.after, panel.question.before or panel.question.after} <= {
            *languages.texts(language)[panel.name]["presets"]
        }


def test_a_hand_that_goes_on_closes_the_question(panels):
    panel = ask(panels("gradients"))
    assert answer(panel, "few")
    panel.set(rule="guided")
    assert not panel.prediction.button.value and not panel.prediction.said.value


def test_while_a_question_stands_no_place_is_chosen_and_the_camera_is_off(panels):
    panel = ask(panels("gradients")).set()
    stood = panel.values
    panel.outputs["gradient"].chosen = [3, 4, 1]
    panel.wait()
    assert panel.values == stood
    panel.prediction.button.value = False
    panel.controls["camera"].live = True
    assert not ask(panel).controls["camera"].live


def test_a_run_is_judged_at_its_end_only(panels):
    panel = ask(panels("inversion"))
    panel.prediction.answers.value = "nothing"
    panel.stop().wait()
    assert panel.run.steps is None or not panel.prediction.said.value
    panel.resume().wait()
    assert panel.run.steps is None and panel.prediction.said.value


def test_verdicts_rest_on_what_is_measured(panels, network, cat):
    """Those that hold for any network, measured by hand."""
    answer(ask(panels("gradients")), "all")
    right, numbers = panels("gradients").verdict()
    assert right == "few" and numbers == {"count": 25, "total": 64 * 64}  # a filter of 5 × 5

    answer(ask(panels("relu_rules")), "guided")
    assert panels("relu_rules").verdict() == ("backprop", {"backprop": 0, "deconvnet": 3, "guided": 1})

    panel = panels("start")
    answer(ask(panel), "other")
    maps = [
        lv.gradient(panel.network, panel.photo, lv.logit(n), "guided") for n, _ in panel.network.top(panel.photo, 2)
    ]
    assert panel.verdict()[1]["similarity"] == pytest.approx(lv.similarity(*maps), abs=1e-4)

    panel = panels("saliency")
    answer(ask(panel), "guided")
    random = lv.randomized(network, "fc8")
    maps = [lv.gradient(net, cat, panel.made.call.each.arguments[2], "guided") for net in (network, random)]
    assert panel.verdict()[1]["guided"] == pytest.approx(lv.similarity(*maps), abs=1e-4)

    panel = panels("reidentification")
    answer(ask(panel), "found")
    stored, gallery = panel._stored(panel.values), panel._gallery
    apart = [(network.activations(photo[None], panel.values["layer"]) - stored).square().sum() for photo in gallery]
    assert (torch.stack(apart).argmin() == 0) == (panel.verdict()[0] == "found")
