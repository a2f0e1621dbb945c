"""The live panel in JupyterLab in a real browser: from the hand to the pixels, lag, memory, camera, brush."""

import math
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from playwright.sync_api import sync_playwright

from .compare import Result

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "browser"))
from lab import CHROMIUM_ARGUMENTS, Lab, Server, find_browser, seeing

WATCH = """panel => {
    const picture = panel.querySelectorAll('img.lv-picture')[1];
    window.moved = 0; window.first = 0; window.shown = 0; window.pictures = 0;
    const now = () => { window.moved = performance.now(); window.first = 0; };
    for (const hand of ['keydown', 'click']) panel.addEventListener(hand, now, true);
    picture.addEventListener('load', () => {
        window.shown = performance.now();
        window.first ||= window.shown;
        window.pictures += 1;
    });
    const readout = panel.querySelectorAll('.widget-readout')[1];
    new MutationObserver(now).observe(readout, {childList: true, characterData: true, subtree: true});
}"""

FRAME = """
import statistics, time
times = []
for n in range(60):
    started = time.perf_counter()
    for frame in panel.draw(panel.values | {"neuron": n}):
        panel.view.show(*frame)
    times.append(time.perf_counter() - started)
print(1e3 * statistics.median(times))
"""

SLOW = """
import time
def slow(values):
    time.sleep(0.1)
    yield from type(panel).draw(panel, values)
panel.draw = slow
"""

ANSWERED = "print(panel.controls['camera'].answered)"
TIMED = """
import time
took, job = [], panel.worker._job
def timed():
    started = time.perf_counter()
    job()
    took.append(1e3 * (time.perf_counter() - started))
panel.worker._job = timed
"""
LAGS = """panel => {
    let shown = [], frames = [], sent = 0;
    const toDataURL = HTMLCanvasElement.prototype.toDataURL;
    HTMLCanvasElement.prototype.toDataURL = function (...given) {  // the pictures are still those of the frame before
        if (sent) frames.push([sent, [...panel.querySelectorAll('img.lv-picture')].map(picture => picture.src)]);
        sent = performance.now();
        return toDataURL.apply(this, given);
    };
    panel.addEventListener('lv-shown', event => shown.push([event.detail.src, performance.now()]));
    window.lags = () => {
        const when = (picture, sent) => shown.find(([source, at]) => source === picture && at > sent)?.[1];
        const lags = frames.map(([sent, pictures]) => Math.max(...pictures.map(picture => when(picture, sent))) - sent);
        [shown, frames] = [[], []];
        return lags.filter(lag => lag);  // not of the last frame, which is still on its way
    };
}"""
TOOK = "import statistics; print(statistics.median(took)); took.clear()"
MEMORY = "import psutil; print(psutil.Process().memory_info().rss / 1e6)"


def results() -> Iterator[Result]:
    browser_path = find_browser()
    if browser_path is None:
        print("no Chromium or Chrome found: the live figures are left out")
        return
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        server = Server(Path(folder))
        try:
            see = seeing(Path(folder), ["coffee", "rocket"])
            browser = playwright.chromium.launch(executable_path=browser_path, args=[*CHROMIUM_ARGUMENTS, *see])
            page = browser.new_page(viewport={"width": 1280, "height": 900}, permissions=["camera"])
            notebook = Lab(page, server, "01_gradients.ipynb")
            errors = notebook.run_all()
            assert not errors, errors
            yield from _panel(notebook)
            yield from _clicks(notebook)
            yield from _camera(notebook)
            notebook = Lab(page, server, "04_saliency.ipynb")
            errors = notebook.run_all()
            assert not errors, errors
            yield from _brush(notebook)
            notebook = Lab(page, server, "10_microscope.ipynb")
            errors = notebook.run_all()
            assert not errors, errors
            yield from _microscope(notebook)
            notebook = Lab(page, server, "05_activation_maximization.ipynb")
            errors = notebook.run_all()
            assert not errors, errors
            yield from _run(notebook)
            browser.close()
        finally:
            server.stop()


HOVER = """frame => {
    const box = frame.getBoundingClientRect(), times = [];
    for (let n = 0; n < 200; n += 1) {
        const started = performance.now();
        const place = {clientX: box.x + n % 97 / 97 * box.width, clientY: box.y + n % 89 / 89 * box.height};
        frame.dispatchEvent(new PointerEvent('pointermove', place));
        frame.offsetWidth;  // the browser lays the text out
        times.push(performance.now() - started);
    }
    frame.dispatchEvent(new PointerEvent('pointerleave'));
    return times.sort((a, b) => a - b)[190];
}"""
PAGE_MEMORY = "() => performance.memory.usedJSHeapSize / 1e6"
CLICKS, CAMERA_SECONDS = 10_000, 300


def _clicks(notebook: Lab) -> Iterator[Result]:
    """Clicks into the photo instead of moves of a slider; the pointer over it; and thousands of clicks."""
    page, panel = notebook.page, notebook.panel()
    frame = panel.root.locator(".lv-frame").first
    yield Result("a pointer's move to the values under it, 95th percentile of 200", frame.evaluate(HOVER), 16, " ms")

    def click(n: int) -> None:
        box = frame.bounding_box()
        y, x = (0.8 if n % 2 else 0.2), 0.15 + 0.7 * (61 * n % 101) / 101  # never twice the same place
        page.mouse.click(box["x"] + x * box["width"], box["y"] + y * box["height"])

    def way(move: Callable[[int], None]) -> float:
        delays = []
        for n in range(60):
            count = page.evaluate("() => window.pictures")
            move(n)
            page.wait_for_function("count => window.pictures > count", arg=count)
            page.wait_for_timeout(300)
            delays.append(page.evaluate("() => window.shown - window.moved"))
        return sorted(delays)[56]

    notebook.run_code("panel.set(layer='block4c', strongest=False)")  # no ReLU: no neuron of it is silent
    page.wait_for_timeout(1000)
    frame.scroll_into_view_if_needed()
    by_slider = way(lambda n: panel.handle("neuron").press("ArrowRight" if n % 2 else "ArrowLeft"))
    by_click = way(click)
    note = f"{by_click:.0f} ms to full pixels, 95th percentile of 60"
    yield Result(
        "a click's way to new pixels, against a slider's on the same layer", by_click / by_slider, 1.1, note=note
    )

    for n in range(500):
        click(n)
    before = float(notebook.run_code(MEMORY)), page.evaluate(PAGE_MEMORY)
    for n in range(CLICKS):
        click(n)
    page.wait_for_timeout(1000)
    after = float(notebook.run_code(MEMORY)), page.evaluate(PAGE_MEMORY)
    grown = [now - then for now, then in zip(after, before)]
    note = f"the page's scripts {grown[1]:+.0f} MB"
    yield Result(f"growth of the kernel's resident memory over {CLICKS:,} clicks", grown[0], 10, " MB", note)


def _brush(notebook: Lab) -> Iterator[Result]:
    """How fast the occlusion panel answers a hand that paints without a stop."""
    page, panel = notebook.page, notebook.panel(3)
    panel.root.evaluate(WATCH)
    frame = panel.root.locator(".lv-frame").first
    for network, limit in (("efficientnet_lite0", 1000 / 4), ("alexnet64", 1000 / 8)):
        panel.root.locator("select").first.select_option(panel.root.locator("option", has_text=network).inner_text())
        page.wait_for_timeout(2000)
        frame.scroll_into_view_if_needed()
        box = frame.bounding_box()
        page.mouse.move(box["x"] + 0.1 * box["width"], box["y"] + 0.1 * box["height"])
        page.mouse.down()
        before, started = page.evaluate("() => window.pictures"), time.perf_counter()
        while (taken := time.perf_counter() - started) < 5:
            y, x = 0.1 + 0.8 * taken / 5, 0.5 + 0.4 * math.cos(4 * taken)
            page.mouse.move(box["x"] + x * box["width"], box["y"] + y * box["height"])
            page.wait_for_timeout(15)
        answers = page.evaluate("() => window.pictures") - before
        page.mouse.up()
        panel.root.get_by_role("button", name="clear").click()
        each = 1e3 * taken / max(1, answers)
        yield Result(
            f"painting: a stroke's way to new pixels, {network}", each, limit, " ms", f"{1e3 / each:.1f} a second"
        )


def _camera(notebook: Lab) -> Iterator[Result]:
    """How fast the gradients panel answers the camera's frames."""
    panel = notebook.panel()
    panel.run_code(TIMED)
    panel.root.evaluate(LAGS)
    panel.root.locator(".lv-camera").click()
    for network, limit in (("efficientnet_lite0", 1000 / 6), ("alexnet64", 1000 / 12)):
        panel.root.locator("select").first.select_option(panel.root.locator("option", has_text=network).inner_text())
        notebook.page.wait_for_timeout(3000)
        notebook.run_code(TOOK)
        notebook.page.evaluate("() => lags()")
        each = _frame(notebook)
        yield Result(
            f"camera: a frame's way to new pixels, {network}", each, limit, " ms", f"{1e3 / each:.1f} a second"
        )
        computed = float(notebook.run_code(TOOK))
        lag = statistics.median(notebook.page.evaluate("() => lags()"))
        note = f"{lag:.0f} ms; reading the frame, gradient, and writing three pictures take {computed:.0f} ms"
        yield Result(
            "the same, from the camera's frame to its pictures, in frames' compute", lag / computed, 2, note=note
        )
    before = float(notebook.run_code(MEMORY)), notebook.page.evaluate(PAGE_MEMORY)
    notebook.page.wait_for_timeout(1000 * CAMERA_SECONDS)
    after = float(notebook.run_code(MEMORY)), notebook.page.evaluate(PAGE_MEMORY)
    grown = [now - then for now, then in zip(after, before)]
    note = f"the page's scripts {grown[1]:+.0f} MB"
    yield Result("growth of the kernel's resident memory over five minutes of camera", grown[0], 10, " MB", note)
    panel.root.locator(".lv-camera").click()


def _frame(notebook: Lab) -> float:
    """Milliseconds from one frame of the camera to the next."""
    answered, started = int(notebook.run_code(ANSWERED)), time.perf_counter()
    notebook.page.wait_for_timeout(10_000)
    return 1e3 * (time.perf_counter() - started) / (int(notebook.run_code(ANSWERED)) - answered)


def _microscope(notebook: Lab) -> Iterator[Result]:
    """How fast all maps of a layer follow the camera."""
    panel = notebook.panel()
    for network, limit in (("efficientnet_lite0", 200), ("alexnet64", 100)):
        panel.root.locator("select").first.select_option(panel.root.locator("option", has_text=network).inner_text())
        notebook.run_code("panel.wait()", seconds=600)  # loaded, and looked through
        panel.root.locator(".lv-camera").click()
        notebook.page.wait_for_timeout(3000)
        each = _frame(notebook)
        panel.root.locator(".lv-camera").click()
        what = f"microscope: a frame of the camera in the browser, {network}"
        yield Result(what, each, limit, " ms", f"{1e3 / each:.1f} a second")


STOPPED = """panel => {
    const status = [...panel.querySelectorAll('.lv-text')].find(text => /left|done|stopped/.test(text.textContent));
    new MutationObserver(() => {
        if (status.textContent.includes('stopped')) window.stopped = performance.now();
    }).observe(status, {childList: true, characterData: true, subtree: true});
    panel.addEventListener('click', () => { window.pressed = performance.now(); }, true);
}"""


def _run(notebook: Lab) -> Iterator[Result]:
    """Start and stop the maximization panel again and again."""
    page, panel = notebook.page, notebook.panel()
    panel.root.get_by_role("button", name="start").click()
    panel.root.locator(".lv-text", has_text="done in").wait_for()
    panel.handle("steps").press("End")
    panel.root.evaluate(STOPPED)
    delays = []
    for n in range(20):
        panel.root.get_by_role("button", name="start").click()
        panel.root.locator(".lv-text", has_text="left").wait_for()
        page.wait_for_timeout(500 + 37 * n)  # anywhere within a step
        panel.root.get_by_role("button", name="stop").click()
        page.wait_for_function("() => window.stopped > window.pressed")
        delays.append(page.evaluate("() => window.stopped - window.pressed"))
    note = f"the longest {max(delays):.0f} ms"
    yield Result("Stop pressed to a run at rest, median of 20", statistics.median(delays), 300, " ms", note)


def _panel(notebook: Lab) -> Iterator[Result]:
    page, panel = notebook.page, notebook.panel()
    page.wait_for_timeout(2000)
    panel.root.evaluate(WATCH)

    frame = float(notebook.run_code(FRAME))
    yield Result("one frame of the gradients panel in the kernel (compute, colour, encode, send)", frame, unit=" ms")

    delays: dict[str, list[float]] = {"first": [], "shown": []}
    panel.handle("neuron").focus()
    for n in range(100):
        count = page.evaluate("() => window.pictures")
        page.keyboard.press("ArrowRight" if n % 2 else "ArrowLeft")
        page.wait_for_function("count => window.pictures > count", arg=count)
        page.wait_for_timeout(300)  # a coarse picture is followed by the full one
        for which, ours in delays.items():
            ours.append(page.evaluate(f"() => window.{which} - window.moved"))
    for which, what, limit in (("first", "first", 100), ("shown", "full", 200)):
        delays[which].sort()
        yield Result(f"slider move to {what} pixels, median of 100", statistics.median(delays[which]), unit=" ms")
        note = "efficientnet_lite0, 224 pixels"
        yield Result(f"slider move to {what} pixels, 95th percentile", delays[which][94], limit, " ms", note)
    held = float(notebook.run_code(MEMORY))
    yield Result("resident memory of the kernel of lesson 1, one panel at full size", held, 1200, " MB")

    def lag_after_a_drag(n: int) -> float:
        handle, track = panel.handle("neuron").bounding_box(), panel.slider("neuron").bounding_box()
        y, left = handle["y"] + handle["height"] / 2, handle["x"] + handle["width"] / 2
        right = track["x"] + track["width"] * (0.55 if n % 2 else 0.25)
        page.mouse.move(left, y)
        page.mouse.down()
        started = time.perf_counter()
        for step in range(1, 51):
            page.mouse.move(left + (right - left) * step / 50, y)
            time.sleep(max(0, started + step / 50 - time.perf_counter()))
        page.mouse.up()
        page.wait_for_timeout(1500)
        return page.evaluate("() => window.shown - window.moved")

    lag = statistics.median(map(lag_after_a_drag, range(5)))
    yield Result("lag after the end of a one-second drag, median of 5", lag, unit=" ms")
    on_top = "a move's way through browser, server and kernel and back comes on top, and is longer than a fast frame"
    yield Result("the same, in frames' compute", lag / frame, 2.0, note=on_top)
    yield Result("the same, in single moves to new pixels", lag / statistics.median(delays["shown"]))
    notebook.run_code(SLOW)
    slow = statistics.median(map(lag_after_a_drag, range(5)))
    yield Result("lag when a frame takes 100 ms longer, in frames' compute", slow / (frame + 100), 2.0)
    notebook.run_code("del panel.draw")

    def moves(count: int) -> float:
        """The kernel's resident memory in MB after ``count`` moves by keyboard."""
        panel.handle("neuron").focus()
        for n in range(count):
            page.keyboard.press("ArrowRight" if n // 50 % 2 else "ArrowLeft")
            page.wait_for_timeout(15)
        return float(notebook.run_code(MEMORY))

    before = moves(200)
    yield Result("growth of the kernel's resident memory over 2,000 slider moves", moves(2000) - before, 10, unit=" MB")
