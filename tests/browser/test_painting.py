"""A brush on a picture, and a thing that is moved on another: by mouse and by key."""

import re

import pytest
from lab import LabPanel, eventually, in_each
from playwright.sync_api import expect

pytestmark = [pytest.mark.browser, in_each]
NOTEBOOK = "04_saliency.ipynb"
COLLAGE, OCCLUSION = 2, 3  # its panels


@pytest.fixture
def panel(lab):
    """The panel to paint on, with nothing painted."""
    panel = lab(NOTEBOOK).panel(OCCLUSION)
    panel.run_code("panel.set(preset='whole')")
    return panel


def frame(panel: LabPanel, number: int):
    return panel.root.locator(".lv-frame").nth(number)


def place(panel: LabPanel, number: int, y: float, x: float) -> tuple[float, float]:
    """Where on screen the place ``y``, ``x``, as shares of the picture, is."""
    frame(panel, number).scroll_into_view_if_needed()
    box = frame(panel, number).bounding_box()
    return box["x"] + x * box["width"], box["y"] + y * box["height"]


def strokes(panel: LabPanel) -> list:
    return eval(panel.run_code("panel.wait(); print(panel.values['strokes'])"))


def has_strokes(panel: LabPanel, count: int) -> None:
    def has() -> None:
        assert len(strokes(panel)) == count

    eventually(has)


def is_there(stroke: tuple) -> None:
    """The whole of it: a long one comes in parts."""
    leaves, size, points = stroke
    assert (leaves, size) == ("grey", 0.12) and len(points) > 4
    assert points[0] == pytest.approx((0.3, 0.3), abs=0.02) and points[-1] == pytest.approx((0.3, 0.6), abs=0.04)


def test_the_mouse_paints_and_the_answers_follow(panel):
    mouse = panel.page.mouse
    before = panel.root.locator(".lv-guesses").inner_text()
    mouse.move(*place(panel, 0, 0.3, 0.3))
    mouse.down()
    mouse.move(*place(panel, 0, 0.3, 0.6), steps=12)
    expect(frame(panel, 0).locator(".lv-stroke")).to_have_count(1)  # at once, in the browser
    mouse.up()
    eventually(lambda: is_there(*strokes(panel)))
    panel.wait_for_code("painted = lv.images.paint(photo, (('grey', 0.12, ((0.3")
    panel.shows_what_its_kernel_holds()
    expect(frame(panel, 0).locator(".lv-stroke")).to_have_count(0)  # the kernel's picture has it
    assert panel.root.locator(".lv-guesses").inner_text() != before
    pixels = panel.pixels(0)[int(0.3 * 224), int(0.45 * 224)].astype(int)
    assert abs(pixels - 128).max() < 12  # grey
    expect(frame(panel, 0)).not_to_have_attribute("popover", "auto")

    panel.press("undo")
    has_strokes(panel, 0)
    panel.shows_what_its_kernel_holds()


def test_a_hand_that_waits_for_the_picture_leaves_no_stroke_on_it(panel):
    mouse, stroke = panel.page.mouse, frame(panel, 0).locator(".lv-stroke")
    mouse.move(*place(panel, 0, 0.3, 0.3))
    mouse.down()
    mouse.move(*place(panel, 0, 0.3, 0.6), steps=12)
    eventually(lambda: is_there(*strokes(panel)))
    panel.shows_what_its_kernel_holds()
    expect(stroke).to_have_count(1)  # it may go on
    mouse.up()
    expect(stroke).to_have_count(0)


def test_a_click_leaves_a_dab_and_the_menu_says_what(panel):
    panel.root.get_by_label("leaves").select_option("blur")
    panel.page.mouse.click(*place(panel, 0, 0.5, 0.5))
    panel.page.mouse.dblclick(*place(panel, 0, 0.2, 0.2))  # two dabs: it does not enlarge
    has_strokes(panel, 3)
    assert {leaves for leaves, _, _ in strokes(panel)} == {"blur"}
    expect(frame(panel, 0)).not_to_have_attribute("popover", "auto")
    panel.press("clear")
    has_strokes(panel, 0)


def test_the_keyboard_paints(panel):
    key = panel.page.keyboard.press
    frame(panel, 0).focus()
    for name in ("ArrowUp", "ArrowUp", "ArrowRight", " "):
        key(name)
    has_strokes(panel, 1)
    ((_, size, ((y, x),)),) = strokes(panel)
    assert (y, x) == pytest.approx((0.5 - size, 0.5 + size / 2), abs=0.01)
    key("ArrowDown")
    key("Enter")
    has_strokes(panel, 2)
    key("z")
    has_strokes(panel, 1)
    panel.shows_what_its_kernel_holds()


def test_a_hand_drags_the_cat(lab):
    panel = lab(NOTEBOOK).panel(COLLAGE)
    mouse = panel.page.mouse
    mouse.move(*place(panel, 1, 0.3, 0.3))
    mouse.down()
    mouse.move(*place(panel, 1, 0.7, 0.6), steps=10)
    mouse.up()
    panel.wait_for_code(", 0.7, 0.6, ")
    assert (panel.readout("row in %"), panel.readout("column in %")) == ("70", "60")
    frame(panel, 1).focus()
    panel.page.keyboard.press("ArrowLeft")
    panel.wait_for_code(", 0.7, 0.59, ")
    panel.wait_for_text(re.compile("the strongest place lies on the object"))
    panel.shows_what_its_kernel_holds()

    mouse.move(*place(panel, 0, 0.4, 0.3))  # and marks another part of the photo
    mouse.down()
    mouse.move(*place(panel, 0, 0.4, 0.5), steps=5)
    mouse.up()
    panel.wait_for_code("lv.images.cut(lv.load_image('cat', 224), (('photo', 0.2, ((0.4")
    panel.press("clear")
    panel.wait_for_code("lv.images.cut(lv.load_image('cat', 224), 'cat')")
