"""The presenter view as a lecturer uses it: keys, presets, the next lesson at once; and who may look."""

import re
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from lab import ENDLESS, NOTEBOOKS, Hall, LabPanel, barriers, copy_notebooks, eventually, new_page
from playwright.sync_api import Browser, Frame, Page, Request, expect

import lecture_viz as lv

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def hall(browser, tmp_path_factory):
    folder = tmp_path_factory.mktemp("hall")
    hall = Hall(folder, notebooks=copy_notebooks(folder / "notebooks"))
    yield hall
    hall.stop()


@pytest.fixture
def own_hall(browser, tmp_path):
    """Starts a hall for one test, for what the shared one is not."""
    halls = []

    def start(*arguments: str, **choices: Path) -> Hall:
        halls.append(Hall(tmp_path, *arguments, **choices))
        return halls[-1]

    yield start
    for hall in halls:
        hall.stop()


class Screen:
    """The page on the screen: tests go from lesson to lesson as a lecturer does, and begin anew after a failure."""

    def __init__(self, browser: Browser, hall: Hall):
        self.browser, self.hall, self.page = browser, hall, None

    def lesson(self, number: int) -> Page:
        if self.page is None:
            self.page = new_page(self.browser, height=720)
            self.page.outside = []
            self.page.on("request", self._note)
            self.page.goto(f"{self.hall.address}#{number}")
        elif self.page.evaluate("() => current") != number:
            self.page.locator("#lessons button").nth(number).click()
        is_shown(self.page, number)
        return self.page

    def _note(self, request: Request) -> None:
        if not request.url.startswith((self.hall.address, "data:", "blob:", "about:")):
            self.page.outside.append(request.url)

    def off(self) -> None:
        if self.page is not None:
            self.page.close()
        self.page = None


@pytest.fixture(scope="module")
def projector(browser, hall):
    screen = Screen(browser, hall)
    yield screen
    screen.off()


@pytest.fixture
def screen(projector, request):
    yield projector
    if getattr(request.node, "failed", False):
        projector.off()


def is_shown(page: Page, number: int) -> None:
    page.locator(f"iframe:not(.waiting)[title^='{number} · ']").wait_for()


def shown(page: Page) -> LabPanel:
    """The panel on screen."""
    return LabPanel(page, page.frame_locator("iframe:not(.waiting)").locator(".jp-CodeCell.shown .lv-panel"))


def kernel_of(page: Page, number: int) -> str:
    """The identity of a lesson's kernel."""
    config = "frames.get(number).contentDocument.getElementById('jupyter-config-data')"
    return page.evaluate(f"number => JSON.parse({config}.textContent).kernelId", number)


def test_keys_play_the_panel(screen):
    page = screen.lesson(1)
    panel = shown(page)
    expect(panel.handle("layer")).to_be_focused()
    before = panel.pixels(1)
    page.keyboard.press("6")
    panel.wait_for_code("rule='guided'")
    panel.root.locator(".lv-sentence", has_text="no gradient any more").wait_for()
    assert not np.array_equal(panel.pixels(1), before)
    page.keyboard.press("ArrowLeft")  # the first slider, the layer, has the keyboard
    panel.wait_for_code("lv.neuron('average'")

    page.keyboard.press("d")
    expect(page.locator("body")).to_have_class("dark")
    page.keyboard.press("d")
    expect(page.locator("body")).not_to_have_class("dark")
    page.keyboard.press("n")
    prose = page.frame_locator("iframe:not(.waiting)").get_by_role("heading", name="What the sign means")
    prose.wait_for()
    page.keyboard.press("n")
    expect(panel.root).to_be_visible()
    page.keyboard.press("h")
    page.get_by_role("dialog").wait_for()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_be_hidden()
    assert page.outside == []  # a lecture hall may have no network


def test_a_route_is_walked_from_stop_to_stop(screen):
    page = screen.lesson(1)
    panel = shown(page)
    page.keyboard.press("r")  # the shortest
    expect(page.locator("#stop")).to_have_text("1 / 6")
    panel.root.locator(".lv-presets .mod-active", has_text="1 a class").wait_for()
    page.keyboard.press("PageDown")
    is_shown(page, 4)
    expect(page.locator("#stop")).to_have_text("2 / 6")
    page.keyboard.press("PageDown")
    shown(page).root.locator(".lv-presets .mod-active", has_text="5 random weights").wait_for()
    page.keyboard.press("PageUp")
    shown(page).root.locator(".lv-presets .mod-active", has_text="1 a class").wait_for()
    page.locator("#lessons button").nth(3).click()  # a hand leaves the route: the stop is of another lesson …
    is_shown(page, 3)
    assert page.evaluate("() => onRoute()") == {"walking": True, "stop": None}
    page.keyboard.press("PageUp")  # … and goes on with it
    is_shown(page, 1)
    page.get_by_label("route").select_option(label="no route")
    expect(page.locator("#stop")).to_be_empty()
    page.keyboard.press("PageDown")  # from lesson to lesson again
    is_shown(page, 2)


def test_the_hall_predicts_first(screen):
    """Nothing but letters answers the question; then they are what they were, and the sliders are free."""
    page = screen.lesson(1)
    panel = shown(page)
    page.keyboard.press("1")
    panel.wait_for_code("lv.logit(")
    page.keyboard.press("q")
    panel.root.get_by_text("How many pixels can change its value?").wait_for()
    still = panel.slider("layer").locator("[disabled]")
    expect(still).not_to_have_count(0)
    page.keyboard.press("c")
    panel.root.get_by_role("status").get_by_text("As you said. 9 of 50176 pixels").wait_for()
    panel.wait_for_code("lv.neuron('conv1'")
    expect(still).to_have_count(0)
    page.keyboard.press("c")
    expect(panel.slider("layer")).to_be_hidden()
    page.keyboard.press("c")
    expect(panel.slider("layer")).to_be_visible()
    page.keyboard.press("q")
    expect(panel.root.get_by_role("status")).to_be_hidden()


def test_the_panel_fits_and_is_large(screen):
    page = screen.lesson(1)

    def fits() -> None:
        box = shown(page).root.bounding_box()
        assert box["x"] >= 0 and box["x"] + box["width"] <= width
        assert box["height"] > 0.6 * (height - 60) or box["width"] > 0.8 * width

    for width, height in ((1920, 1080), (960, 720), (1280, 720)):
        page.set_viewport_size({"width": width, "height": height})
        eventually(fits)


def test_a_lesson_left_behind_leaves_no_kernel(screen):
    page = screen.lesson(1)
    kernel = kernel_of(page, 1)

    def alive() -> int:
        return page.evaluate("async id => (await fetch(`api/kernels/${id}`)).status", kernel)

    def dead() -> None:
        assert alive() == 404

    assert alive() == 200
    page.evaluate("() => { location.hash = '#4'; }")  # the hall follows its address
    eventually(dead)
    assert page.get_by_role("button", name="4 · Saliency").get_attribute("aria-current") == "page"


def test_space_starts_and_stops_and_the_next_lesson_is_warm(screen):
    page = screen.lesson(5)
    panel = shown(page)
    panel.handle("steps").press("Home")
    page.keyboard.press("1")
    panel.root.locator(".lv-sentence", has_text="looks like noise").wait_for()
    panel.wait_for_text("done in")
    panel.handle("steps").press("End")
    panel.wait_for_code(f", {ENDLESS}, ")
    page.keyboard.press(" ")
    panel.wait_for_text("s left")
    page.keyboard.press(" ")
    panel.wait_for_text("stopped")
    page.keyboard.press(" ")
    panel.wait_for_text("s left")
    page.keyboard.press(" ")
    panel.wait_for_text("stopped")

    page.wait_for_function(
        "() => [...frames.values()].length === 2 && [...frames.values()].every(f => f.dataset.ready)"
    )
    page.keyboard.press("PageDown")
    expect(shown(page).slider("bias")).to_be_visible()  # the second panel of this lesson
    page.keyboard.press(" ")
    shown(page).wait_for_text("armlike")
    page.keyboard.press("PageDown")
    expect(shown(page).slider("angle")).to_be_visible()  # its last one
    warm = kernel_of(page, 6)
    page.keyboard.press("PageDown")
    page.locator("iframe:not(.waiting)[title='6 · DeepDream']").wait_for()
    assert kernel_of(page, 6) == warm
    page.keyboard.press("PageUp")
    page.locator("iframe:not(.waiting)[title='5 · Activation maximisation']").wait_for()
    expect(shown(page).slider("angle")).to_be_visible()  # behind it, so the last panel


def test_a_hand_paints_and_its_keys_are_not_the_halls(screen):
    page = screen.lesson(4)
    for slider in ("threshold", "row in %", "share"):  # of each panel on the way
        page.keyboard.press("PageDown")
        expect(shown(page).slider(slider)).to_be_visible()
    panel = shown(page)
    picture = panel.root.locator(".lv-frame").first
    before, box = panel.source(0), picture.bounding_box()
    page.mouse.move(box["x"] + 0.3 * box["width"], box["y"] + 0.4 * box["height"])
    page.mouse.down()
    page.mouse.move(box["x"] + 0.6 * box["width"], box["y"] + 0.4 * box["height"], steps=8)
    page.mouse.up()
    panel.wait_for_code("painted = lv.images.paint(photo, (('grey', 0.12, ((0.4")
    eventually(lambda: differs(panel.source(0), before))
    page.keyboard.press(" ")  # a dab, and no run
    panel.wait_for_code("), ('grey', 0.12, ((0.5, 0.5),)))")
    for _ in range(2):
        page.keyboard.press("z")
    panel.wait_for_code("lv.sensitivity(net, photo,")
    assert page.evaluate("() => current") == 4


def test_the_microscope_and_the_sum_below_it(screen):
    page = screen.lesson(10)
    panel = shown(page)
    expect(panel.slider("channel")).to_be_visible()
    page.keyboard.press("4")
    panel.wait_for_code("pictures=lv.atlas.read(net, 'relu5')")
    page.keyboard.press("q")
    panel.root.get_by_text("At how many places does a channel fire there?").wait_for()
    panel.wait_for_code("'relu1'")
    page.keyboard.press("a")
    panel.root.get_by_role("status").get_by_text("As you said. On average a channel fires at").wait_for()
    panel.wait_for_code("'relu5'")
    page.keyboard.press("q")
    expect(panel.root.get_by_role("status")).to_be_hidden()

    page.keyboard.press("PageDown")
    expect(shown(page).slider("row")).to_be_visible()
    panel = shown(page)
    for key, code in (("2", "'pool1'"), ("3", "'conv5'"), ("4", "'fc8'")):
        page.keyboard.press(key)
        panel.wait_for_code(f"lv.weighted_sum(net, photo, {code}")
    page.keyboard.press("q")
    panel.root.get_by_text("How many of its products are exactly 0?").wait_for()
    panel.root.locator(".lv-asking").wait_for()  # until then C puts the sliders away
    page.keyboard.press("c")
    panel.root.get_by_role("status").get_by_text("of its 1728 products are 0").wait_for()
    page.keyboard.press("q")


def differs(source: str, before: str) -> None:
    assert source != before


def test_sliders_away_for_larger_pictures(screen):
    page = screen.lesson(7)
    panel = shown(page)
    picture = panel.root.locator("img.lv-picture").first
    panel.handle("steps").press("Home")
    panel.run_through(lambda: page.keyboard.press("4"))
    picture.hover(trial=True)  # once it stands still
    before = picture.bounding_box()["width"]
    page.keyboard.press("c")
    expect(panel.slider("layer")).to_be_hidden()

    def larger_and_fits(width: int, larger: float) -> None:
        box = panel.root.bounding_box()
        assert picture.bounding_box()["width"] > larger * before
        assert box["x"] >= 0 and box["x"] + box["width"] <= width and box["y"] + box["height"] <= 720

    for width, larger in ((1440, 1.4), (1280, 1.25)):  # it could be higher, so the width of the buttons counts
        page.set_viewport_size({"width": width, "height": 720})
        eventually(partial(larger_and_fits, width, larger))
    panel.run_through(lambda: page.keyboard.press("2"))  # presets go on working
    page.keyboard.press("c")
    expect(panel.slider("layer")).to_be_visible()


@pytest.mark.parametrize("numbers", [(4, 5), pytest.param(range(len(lv.live.LESSONS)), marks=pytest.mark.sweep)])
def test_no_lesson_has_barriers_light_or_dark(screen, numbers):
    page, found = screen.lesson(numbers[0]), []
    assert page.evaluate("() => lessons.length") == len(lv.live.LESSONS)
    for number in numbers:
        is_shown(page, number)
        lesson = next(frame for frame in page.frames if f"/{number:02}_" in frame.url)
        lesson.locator("body:not(.computing)").wait_for(state="attached")
        for panel in range(lesson.locator(".lv-panel").count()):
            is_on_screen(lesson, panel)
            shown(page).root.locator("[aria-label]").first.wait_for(state="attached")
            for dark in (False, True):
                page.evaluate("dark => theme(dark)", dark)
                lesson.wait_for_function("dark => document.body.classList.contains('dark') === dark", arg=dark)
                where = f"lesson {number}, panel {panel}, {'dark' if dark else 'light'}"
                around = barriers(page, "header") if panel == 0 else []
                rules = ["color-contrast"] if dark else []  # the rest is the same in the dark
                found += [f"{where}: {barrier}" for barrier in [*barriers(lesson, rules=rules), *around]]
            page.keyboard.press("PageDown")
    page.evaluate("() => theme(false)")
    assert found == []


def is_on_screen(lesson: Frame, panel: int) -> None:
    lesson.wait_for_function(
        "panel => document.querySelectorAll('.lv-panel')[panel].closest('.jp-CodeCell').classList.contains('shown')",
        arg=panel,
    )


def test_a_lesson_that_fails_says_why_and_the_next_can_be_shown(own_hall, open_page, tmp_path):
    """A panel that takes its time, or cannot be made, takes none of those before it away."""
    go_on = tmp_path / "go on"
    (tmp_path / "notebooks").mkdir()
    for name, whole, lost in (
        ("01_gradients", 'load_image(\\"cat', 'load_image(\\"lost.png'),
        (
            "02_relu_rules",
            "photo_panel = ",
            f"while not __import__('pathlib').Path('{go_on}').exists(): pass\\nphoto_panel = ",
        ),
        ("02_relu_rules", 'net, photo, label=\\"tabby', 'net, photo, label=\\"cartoon'),
    ):
        copy = tmp_path / "notebooks" / f"{name}.ipynb"
        notebook = (copy if copy.exists() else NOTEBOOKS / copy.name).read_text()
        assert whole in notebook
        copy.write_text(notebook.replace(whole, lost))
    hall, page = own_hall(notebooks=tmp_path / "notebooks"), open_page()
    page.goto(hall.address)
    page.get_by_role("status").get_by_text("no photo at 'lost.png'; bundled photos are cat").wait_for()
    expect(page.locator("iframe:not(.waiting)")).to_have_count(0)  # nothing lies over it
    page.keyboard.press("PageDown")
    is_shown(page, 2)
    shown(page).root.get_by_text("arriving sensitivity").first.wait_for()
    lesson = page.frame_locator("iframe:not(.waiting)")
    page.keyboard.press("PageDown")
    lesson.locator("body.awaiting").wait_for(state="attached")
    go_on.touch()
    expect(lesson.locator(".jp-CodeCell.shown .failed")).to_have_text(re.compile("^ValueError: alexnet64 has no label"))
    page.keyboard.press("PageUp")
    expect(shown(page).root).to_be_visible()


def test_a_hall_in_chinese_that_asks_for_its_token(own_hall, open_page):
    hall, page = own_hall("--language=zh", "--token=a-secret"), open_page()
    page.goto(hall.address)
    assert "login" in page.url and page.locator("iframe").count() == 0
    assert page.goto(f"{hall.address}voila/render/01_gradients.ipynb").url.count("login") == 1
    page.goto(f"{hall.address}?token=a-secret#2")
    is_shown(page, 2)
    expect(page.locator("html")).to_have_attribute("lang", "zh")
    expect(page.frame_locator("iframe:not(.waiting)").locator("html")).to_have_attribute("lang", "zh")
    page.get_by_role("button", name="按键").click()
    page.get_by_role("dialog", name="按键").get_by_text("预设，按讲座顺序").wait_for()
    assert barriers(page, "header") == []
