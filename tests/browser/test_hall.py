"""The presenter view as a lecturer uses it: keys, presets, the next lesson at once; and who may look."""

import os
import shutil
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import numpy as np
import pytest
from lab import NOTEBOOKS, LabPanel, barriers, free_port, private
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.browser


class Hall:
    """``python -m lecture_viz.presenter`` on loopback."""

    def __init__(self, folder, *arguments: str, notebooks: Path = NOTEBOOKS):
        self.port, self.log = free_port(), folder / "presenter.log"
        command = [sys.executable, "-m", "lecture_viz.presenter", str(notebooks), "--no-browser", f"--port={self.port}"]
        with self.log.open("w") as log:
            self.process = subprocess.Popen(
                [*command, *arguments], env=os.environ | private(folder), stdout=log, stderr=log
            )
        self.address = f"http://127.0.0.1:{self.port}/"
        deadline = time.monotonic() + 90
        while time.monotonic() < deadline and self.process.poll() is None:
            try:
                urllib.request.urlopen(self.address, timeout=2).close()
                return
            except urllib.error.HTTPError:
                return  # it answers, and asks for a token
            except OSError:
                time.sleep(0.2)
        self.process.kill()
        raise RuntimeError(f"the presenter view did not start:\n{self.log.read_text()[-3000:]}")

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(30)


@pytest.fixture(scope="module")
def hall(browser, tmp_path_factory):
    hall = Hall(tmp_path_factory.mktemp("hall"))
    yield hall
    hall.stop()


@pytest.fixture
def page(browser, hall):
    page = browser.new_page(viewport={"width": 1280, "height": 720})
    page.outside = []
    page.on(
        "request",
        lambda r: None if r.url.startswith((hall.address, "data:", "blob:", "about:")) else page.outside.append(r.url),
    )
    yield page
    page.close()


def open_lesson(page: Page, hall: Hall, number: int) -> None:
    page.goto(f"{hall.address}#{number}")
    page.locator("iframe:not(.waiting)").wait_for(timeout=60_000)


def shown(page: Page) -> LabPanel:
    """The panel on screen."""
    return LabPanel(page, page.frame_locator("iframe:not(.waiting)").locator(".jp-CodeCell.shown .lv-panel"))


def test_keys_play_the_panel(page, hall):
    open_lesson(page, hall, 1)
    panel = shown(page)
    before = panel.pixels(1)
    page.keyboard.press("6")
    panel.wait_for_code("rule='guided'")
    panel.root.locator(".lv-sentence", has_text="no gradient any more").wait_for()
    assert not np.array_equal(panel.pixels(1), before)
    page.keyboard.press("ArrowLeft")  # the first slider, the layer, has the keyboard
    panel.wait_for_code("lv.neuron('relu7'")

    page.keyboard.press("d")
    expect(page.locator("body")).to_have_class("dark")
    page.keyboard.press("n")
    prose = page.frame_locator("iframe:not(.waiting)").get_by_role("heading", name="What the sign means")
    prose.wait_for()
    page.keyboard.press("n")
    expect(panel.root).to_be_visible()
    page.keyboard.press("h")
    page.get_by_role("dialog").wait_for()
    page.keyboard.press("Escape")
    assert page.outside == []  # a lecture hall may have no network


def test_the_panel_fits_and_is_large(page, hall):
    open_lesson(page, hall, 1)
    for width, height in ((1280, 720), (1920, 1080), (960, 720)):
        page.set_viewport_size({"width": width, "height": height})
        page.wait_for_timeout(300)
        box = shown(page).root.bounding_box()
        assert box["x"] >= 0 and box["x"] + box["width"] <= width
        assert box["height"] > 0.6 * (height - 60) or box["width"] > 0.8 * width


def test_sliders_away_for_larger_pictures(page, hall):
    open_lesson(page, hall, 7)
    panel = shown(page)
    picture = panel.root.locator("img.widget-image").first
    before = picture.bounding_box()["width"]
    page.keyboard.press("c")
    expect(panel.slider("layer")).to_be_hidden()
    page.wait_for_timeout(300)
    box = panel.root.bounding_box()
    assert picture.bounding_box()["width"] > 1.3 * before
    assert box["x"] >= 0 and box["x"] + box["width"] <= 1280 and box["y"] + box["height"] <= 720
    page.keyboard.press("8")  # presets go on working
    panel.root.locator(".lv-text", has_text="done in").wait_for(timeout=60_000)
    page.keyboard.press("c")
    expect(panel.slider("layer")).to_be_visible()


def test_space_starts_and_stops_and_the_next_lesson_is_warm(page, hall):
    open_lesson(page, hall, 5)
    panel = shown(page)
    page.keyboard.press("1")
    panel.root.locator(".lv-sentence", has_text="looks like noise").wait_for()
    panel.root.locator(".lv-text", has_text="done in").wait_for(timeout=60_000)
    panel.handle("steps").press("End")
    page.keyboard.press(" ")
    panel.root.locator(".lv-text", has_text="left").wait_for()
    page.keyboard.press(" ")
    panel.root.locator(".lv-text", has_text="stopped").wait_for()
    page.keyboard.press(" ")
    panel.root.locator(".lv-text", has_text="left").wait_for()
    page.keyboard.press(" ")
    panel.root.locator(".lv-text", has_text="stopped").wait_for()

    page.wait_for_function(
        "() => [...frames.values()].length === 2 && [...frames.values()].every(f => f.dataset.ready)"
    )
    page.keyboard.press("PageDown")
    shown(page).root.get_by_text("armlike").first.wait_for()  # the second panel of this lesson
    page.keyboard.press("PageDown")
    page.locator("iframe:not(.waiting)[title='6 · DeepDream']").wait_for(timeout=2_000)  # it was warm
    page.keyboard.press("PageUp")
    page.locator("iframe:not(.waiting)[title='5 · Activation maximisation']").wait_for(timeout=60_000)
    shown(page).root.get_by_text("armlike").first.wait_for()  # behind it, so the last panel


def test_a_lesson_left_behind_leaves_no_kernel(page, hall):
    open_lesson(page, hall, 1)
    kernel = page.frame_locator("iframe:not(.waiting)").locator("#jupyter-config-data").text_content()
    identity = kernel.split('"kernelId": "')[1].split('"')[0]

    def alive() -> int:
        return page.evaluate("async id => (await fetch(`api/kernels/${id}`)).status", identity)

    assert alive() == 200
    page.get_by_role("button", name="4 · Saliency").click()
    deadline = time.monotonic() + 20
    while alive() == 200 and time.monotonic() < deadline:
        time.sleep(0.2)
    assert alive() == 404


@pytest.mark.parametrize("number", range(10))
def test_a_lesson_has_no_barriers_light_or_dark(page, hall, number):
    open_lesson(page, hall, number)
    lesson = next(frame for frame in page.frames if f"/0{number}_" in frame.url)
    shown(page).root.locator("[aria-label]").first.wait_for(state="attached")
    for dark in (False, True):
        page.evaluate("dark => theme(dark)", dark)
        lesson.wait_for_function("dark => document.body.classList.contains('dark') === dark", arg=dark)
        assert barriers(lesson) == []
        assert barriers(page, "header") == []


def test_a_lesson_that_fails_says_why_and_the_next_can_be_shown(browser, tmp_path):
    (tmp_path / "notebooks").mkdir()
    shutil.copy(NOTEBOOKS / "02_relu_rules.ipynb", tmp_path / "notebooks")
    broken = (NOTEBOOKS / "01_gradients.ipynb").read_text().replace('load_image(\\"cat', 'load_image(\\"lost.png')
    (tmp_path / "notebooks" / "01_gradients.ipynb").write_text(broken)
    hall = Hall(tmp_path, notebooks=tmp_path / "notebooks")
    try:
        page = browser.new_page()
        page.goto(hall.address)
        page.get_by_role("status").get_by_text("no photo at 'lost.png'; bundled photos are cat").wait_for(
            timeout=60_000
        )
        page.keyboard.press("PageDown")
        page.locator("iframe:not(.waiting)").wait_for(timeout=60_000)
        shown(page).root.get_by_text("arriving sensitivity").first.wait_for()
        page.close()
    finally:
        hall.stop()


def test_a_hall_in_chinese(browser, tmp_path):
    hall = Hall(tmp_path, "--language=zh")
    try:
        page = browser.new_page()
        open_lesson(page, hall, 2)
        expect(page.locator("html")).to_have_attribute("lang", "zh")
        expect(page.frame_locator("iframe:not(.waiting)").locator("html")).to_have_attribute("lang", "zh")
        page.get_by_role("button", name="按键").click()
        page.get_by_role("dialog", name="按键").get_by_text("预设，按讲座顺序").wait_for()
        assert barriers(page, "header") == []
        page.close()
    finally:
        hall.stop()


def test_a_token_is_asked_for(browser, tmp_path):
    hall = Hall(tmp_path, "--token=a-secret")
    try:
        page = browser.new_page()
        page.goto(hall.address)
        assert "login" in page.url and page.locator("iframe").count() == 0
        assert page.goto(f"{hall.address}voila/render/01_gradients.ipynb").url.count("login") == 1
        page.goto(f"{hall.address}?token=a-secret#1")
        page.locator("iframe:not(.waiting)").wait_for(timeout=60_000)
        page.close()
    finally:
        hall.stop()
