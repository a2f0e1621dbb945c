"""The camera in a real browser, which sees a film of known pictures."""

import re

import numpy as np
import pytest
from lab import FRONT_ENDS, PANELS, SECONDS, Hall, Lab, eventually, new_page
from playwright.sync_api import expect

pytestmark = pytest.mark.browser
NOT_OURS = ("Cannot read properties of undefined (reading 'schema')",)  # Notebook 7 says it of any notebook


@pytest.fixture(params=FRONT_ENDS)
def lesson(eye, request):
    """Opens a lesson's panel in a context of its own, which may use the camera or not."""
    server, contexts = request.getfixturevalue(request.param), []

    def open_lesson(notebook: str, allowed: bool = True) -> Lab:
        contexts.append(eye.new_context(permissions=["camera"] if allowed else []))
        opened = server.open(new_page(contexts[-1]), f"{PANELS}/{notebook}")
        assert opened.run_all() == []
        opened.panel().run_code(f"camera = panel.controls['camera']; camera.patience = {1000 * SECONDS}")
        return opened

    yield open_lesson
    for context in contexts:
        context.close()
    server.stop_kernels()


def camera(panel):
    return panel.root.locator(".lv-camera")


def test_what_is_held_before_the_camera_is_named_and_p_freezes_it(lesson):
    notebook = lesson("00_start_here.ipynb")
    panel, page = notebook.panel(), notebook.page
    expect(camera(panel)).to_have_text("camera")
    camera(panel).click()
    expect(camera(panel)).to_have_text(re.compile("pause"))
    expect(camera(panel)).to_have_attribute("aria-pressed", "true")
    for label in ("espresso", "missile", "espresso"):
        panel.wait_for_text(re.compile(label))
    page.keyboard.press("p")
    expect(camera(panel)).to_have_attribute("aria-pressed", "false")
    panel.wait_for_code("lv.load_image(frame, 224)")

    def at_rest():
        answered = panel.run_code("print(camera.answered)")
        page.wait_for_timeout(300)
        assert panel.run_code("print(camera.answered)") == answered
        return int(answered)

    assert eventually(at_rest) > 5
    panel.root.locator("select").nth(1).select_option("coffee")
    panel.wait_for_code("lv.load_image('coffee', 224)")
    panel.root.locator("select").nth(1).select_option("camera")  # the frozen frame is a photo like any other
    panel.wait_for_code("lv.load_image(frame, 224)")
    assert not [error for error in page.errors if error not in NOT_OURS]


def test_without_it_it_says_what_to_do_and_the_photo_stays(lesson):
    panel = lesson("01_gradients.ipynb", allowed=False).panel()
    before = panel.pixels(0)
    none = "navigator.mediaDevices.getUserMedia = async () => { throw new DOMException('none', 'NotFoundError'); }"
    insecure = "Object.defineProperty(navigator, 'mediaDevices', { value: undefined })"
    for change, says in (
        ("0", "allow it beside the address"),  # refused
        (none, "no camera was found"),
        (insecure, "https addresses"),
    ):
        panel.page.evaluate(f"() => {{ {change} }}")
        camera(panel).click()
        panel.root.get_by_role("alert").get_by_text(says).wait_for()
        expect(camera(panel)).to_have_attribute("aria-pressed", "false")
        assert np.array_equal(panel.pixels(0), before)


def test_it_goes_off_when_nobody_looks_and_when_nobody_answers(lesson):
    notebook = lesson("01_gradients.ipynb")
    panel, page = notebook.panel(), notebook.page
    camera(panel).click()
    expect(camera(panel)).to_have_attribute("aria-pressed", "true")
    page.evaluate("() => { document.querySelector('.lv-panel').style.display = 'none'; }")
    expect(camera(panel)).to_have_attribute("aria-pressed", "false")
    page.evaluate("() => { document.querySelector('.lv-panel').style.display = ''; }")
    camera(panel).click()
    expect(camera(panel)).to_have_attribute("aria-pressed", "true")
    panel.run_code("import threading; hold = threading.Event(); draw = panel.draw; camera.patience = 2000")
    answered = int(panel.run_code("print(camera.answered)"))

    def knows() -> None:  # the browser, since a frame or two; or it is off already, on a busy machine
        live = camera(panel).get_attribute("aria-pressed") == "true"
        assert not live or int(panel.run_code("print(camera.answered)")) > answered + 2

    eventually(knows)
    panel.run_code("panel.draw = lambda values: (hold.wait(600), *draw(values))")
    expect(camera(panel)).to_have_attribute("aria-pressed", "false")
    panel.run_code("hold.set()")
    panel.root.get_by_role("alert").get_by_text("did not answer").wait_for()


def test_p_is_its_key_in_the_hall(eye, tmp_path):
    hall = Hall(tmp_path)
    page = new_page(eye.new_context(permissions=["camera"]), height=720)
    try:
        page.goto(f"{hall.address}#0")
        panel = page.frame_locator("iframe:not(.waiting)").locator(".lv-panel")
        button = panel.locator(".lv-camera")
        expect(button).to_be_visible()

        def named() -> None:
            if button.get_attribute("aria-pressed") == "false":  # at first, and when the machine was busy
                page.keyboard.press("p")
            expect(panel.locator(".lv-text", has_text="espresso").first).to_be_visible(timeout=20_000)

        eventually(named)
        expect(panel.locator("select").nth(1)).to_have_value(re.compile("camera"))
        if button.get_attribute("aria-pressed") == "true":
            page.keyboard.press("p")
        expect(button).to_have_attribute("aria-pressed", "false")
        assert not page.evaluate("() => document.fullscreenElement")
    finally:
        page.context.close()
        hall.stop()
