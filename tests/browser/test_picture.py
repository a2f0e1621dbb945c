"""What a hand does on a picture: read, choose a place, enlarge, save, compare; by mouse and by key."""

import io
import re

import numpy as np
import pytest
from lab import eventually, in_each
from PIL import Image
from playwright.sync_api import expect

pytestmark = [pytest.mark.browser, in_each]
NOTEBOOK = "01_gradients.ipynb"


def frame(panel, number: int):
    return panel.root.locator(".lv-frame").nth(number)


def to(panel, number: int, y: float, x: float):
    """Where on screen the place ``y``, ``x``, as shares of the picture, is."""

    def here() -> dict[str, float]:
        frame(panel, number).scroll_into_view_if_needed()
        box = frame(panel, number).bounding_box()
        assert box  # none while JupyterLab scrolls
        return box

    box = eventually(here)
    return box["x"] + x * box["width"], box["y"] + y * box["height"]


def test_a_value_is_read_without_the_kernel_and_beside_it_too(lab):
    notebook = lab(NOTEBOOK)
    panel, page = notebook.panel(), notebook.page
    place = to(panel, 1, 0.4, 0.6)
    page.evaluate(
        """() => {
            window.sent = 0;
            const send = WebSocket.prototype.send;
            WebSocket.prototype.send = function (...data) { window.sent += 1; return send.apply(this, data); };
        }"""
    )
    page.mouse.move(*place)
    said = [frame(panel, n).locator(".lv-reading") for n in range(3)]
    expect(said[1]).to_be_visible()
    row, column = map(int, re.findall(r"\d+", said[1].text_content())[:2])
    assert abs(row - 0.4 * 224) <= 1 and abs(column - 0.6 * 224) <= 1
    for one in said[::2]:  # the photo and the magnitude show the same place
        expect(one).to_contain_text(f"row {row}, column {column}:")
    assert page.evaluate("() => window.sent") == 0
    shown = [float(n) for n in said[1].text_content().replace("−", "-").split(": ")[1].split(", ")]
    limit = panel.run_code("print(panel.outputs['gradient'].limit)")
    held = panel.run_code(f"print(*panel.image('gradient')[0, :, {row}, {column}].tolist())").split()
    for value, pixel in zip(shown, held):  # to what JPEG and two digits leave of it
        assert abs(value - (2 * float(pixel) - 1) * float(limit)) < 0.15 * float(limit)
    page.mouse.move(2, 2)
    expect(said[1]).to_be_hidden()


def test_a_click_chooses_the_neuron_that_sees_the_place(lab):
    notebook = lab(NOTEBOOK)
    panel = notebook.panel()
    assert "lv.logit" in panel.code()
    notebook.page.mouse.click(*to(panel, 0, 0.35, 0.55))
    panel.wait_for_code("y=")
    rows, columns = (int(n) for n in panel.run_code("print(*panel.outputs['photo'].grid)").split())
    assert f"y={int(0.35 * rows)}, x={int(0.55 * columns)}" in panel.code()
    expect(frame(panel, 0).locator(".lv-box")).to_have_count(1)
    top, left, bottom, right = (int(n) for n in panel.run_code("print(*panel.outputs['photo'].boxes[0])").split())
    assert top <= 0.35 * 224 < bottom and left <= 0.55 * 224 < right
    frame(panel, 1).focus()
    notebook.page.keyboard.press("ArrowDown")
    panel.wait_for_code(f"y={int(0.35 * rows) + 1}, x={int(0.55 * columns)}")
    assert panel.readout("row") == str(int(0.35 * rows) + 1)
    panel.shows_what_its_kernel_holds()


def test_a_picture_is_enlarged_and_small_again(lab):
    notebook = lab(NOTEBOOK)
    panel, page = notebook.panel(), notebook.page
    middle = to(panel, 1, 0.5, 0.5)
    before = frame(panel, 1).bounding_box()
    page.mouse.dblclick(*middle)

    def is_wide(width: float) -> None:
        box = frame(panel, 1).bounding_box()
        assert box and box["width"] == pytest.approx(width, abs=2)  # none while it moves above everything

    eventually(lambda: is_wide(0.96 * min(page.viewport_size.values())))
    page.keyboard.press("Escape")
    eventually(lambda: is_wide(before["width"]))
    frame(panel, 1).focus()
    page.keyboard.press("e")
    expect(frame(panel, 1)).to_have_attribute("popover", "auto")
    page.keyboard.press("e")
    expect(frame(panel, 1)).not_to_have_attribute("popover", "auto")


def test_a_picture_is_saved_as_it_is(lab):
    notebook = lab(NOTEBOOK)
    panel = notebook.panel()
    frame(panel, 2).focus()
    with notebook.page.expect_download() as file:
        notebook.page.keyboard.press("s")
    assert file.value.suggested_filename == "magnitude.png"
    saved = np.asarray(Image.open(io.BytesIO(file.value.path().read_bytes())).convert("RGB"))
    assert np.array_equal(saved, panel.pixels(2))


def test_two_pictures_are_compared_by_a_wipe_and_a_blend(lab):
    notebook = lab(NOTEBOOK)
    panel, page = notebook.panel(), notebook.page
    frame(panel, 1).focus()
    page.keyboard.press("o")  # the photo over the gradient
    over = frame(panel, 1).locator(".lv-over")
    expect(over).to_be_visible()

    def is_over(number: int) -> None:
        assert over.get_attribute("src") == panel.source(number)

    eventually(lambda: is_over(0))  # a newer picture comes a moment later over the other one
    slider = frame(panel, 1).get_by_role("slider")
    slider.focus()
    page.keyboard.press("Home")
    assert over.evaluate("image => getComputedStyle(image).clipPath") == "inset(0px 0px 0px 0%)"
    frame(panel, 1).get_by_label("blend").check()
    slider.focus()
    page.keyboard.press("End")
    assert over.evaluate("image => getComputedStyle(image).clipPath + getComputedStyle(image).opacity") == "none1"
    frame(panel, 1).focus()
    page.keyboard.press("o")
    eventually(lambda: is_over(2))
    before, code = over.get_attribute("src"), panel.code()
    panel.handle("neuron").press("ArrowRight")

    def another_is_over() -> None:
        assert panel.code() != code and over.get_attribute("src") != before
        is_over(2)

    eventually(another_is_over)  # it follows
    frame(panel, 1).focus()
    page.keyboard.press("o")
    expect(over).to_be_hidden()
