"""How long one waits: for JupyterLab and the hall, in a browser for Run All, in the hall for a lesson not yet warm."""

import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

from .compare import Result

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "browser"))
from lab import CHROMIUM_ARGUMENTS, NOTEBOOKS, SECONDS, Hall, Lab, Server, find_browser, new_page

BEGIN = "() => { jupyterapp.commands.execute('notebook:run-all-cells').then(() => { window.all = true; }); }"
JUMPS = (7, 2, 9, 4, 1, 8, 3, 10, 6, 0)  # none to the next lesson, which would be warm
PANEL = "[...frames.get(number).contentDocument.querySelectorAll('.shown .lv-panel')].some(panel => panel.offsetHeight)"
AT_REST = "[...frames.values()].every(frame => frame.dataset.whole)"


def results() -> Iterator[Result]:
    browser_path = find_browser()
    if browser_path is None:
        print("no Chromium or Chrome found: the lessons' figures are left out")
        return
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=browser_path, args=CHROMIUM_ARGUMENTS)
        yield from _notebooks(browser, Path(folder))
        yield from _hall(browser, Path(folder))
        browser.close()


def _notebooks(browser: Browser, folder: Path) -> Iterator[Result]:
    started, first, whole = time.perf_counter(), {}, {}
    server = Server(folder)
    yield Result("JupyterLab: from its command to its first answer", time.perf_counter() - started, unit=" s")
    try:
        for name in sorted(path.name for path in NOTEBOOKS.glob("[0-9]*.ipynb")):
            page = new_page(browser, height=900)
            notebook, started = Lab(page, server, name), time.perf_counter()
            page.evaluate(BEGIN)
            first[name[:2]] = _until(page, "document.querySelector('.lv-panel .lv-code')", started)
            whole[name[:2]] = _until(page, "window.all", started)
            assert not notebook.errors()
            page.close()
            server.stop_kernels()
    finally:
        server.stop()
    yield _slowest("notebook: Run All, to the first panel", first, 10)
    yield _slowest("notebook: Run All, to its end", whole, 30)


def _hall(browser: Browser, folder: Path) -> Iterator[Result]:
    started = time.perf_counter()
    hall = Hall(folder)
    yield Result("hall: from its command to its first answer", time.perf_counter() - started, unit=" s")
    try:
        page, took = new_page(browser, height=720), {}
        page.goto(f"{hall.address}#5")
        for number in JUMPS:
            _until(page, AT_REST)  # and the lesson after the one on screen warm
            page.evaluate("number => { location.hash = `#${number}`; window.number = number; }", number)
            took[f"{number:02}"] = _until(page, f"frames.get(number)?.className === '' && {PANEL}")
    finally:
        hall.stop()
    yield _slowest("hall: a lesson jumped to, not warm, to its first panel", took, 5)


def _until(page: Page, condition: str, started: float | None = None) -> float:
    """The seconds that it takes."""
    started = started or time.perf_counter()
    page.wait_for_function(f"() => {condition}", timeout=1000 * SECONDS)
    return time.perf_counter() - started


def _slowest(what: str, took: dict[str, float], limit: float) -> Result:
    note = ", ".join(f"{lesson} {took[lesson]:.1f}" for lesson in sorted(took))
    return Result(f"{what}: the slowest", max(took.values()), limit, " s", note)
