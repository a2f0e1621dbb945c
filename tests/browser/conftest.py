import os
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Error, Frame, Page, expect, sync_playwright

import lecture_viz as lv

pytest.register_assert_rewrite("lab")  # its assertions, too, say what they compared
from lab import (  # noqa: E402
    CHROMIUM_ARGUMENTS,
    PANELS,
    SECONDS,
    Hall,
    Lab,
    Program,
    Server,
    copy_notebooks,
    find_browser,
    new_page,
    own_fonts,
    seeing,
)

FAILURES = Path(__file__).parent / "failures"
expect.set_options(timeout=1000 * SECONDS)


@pytest.fixture(scope="session")
def browser(tmp_path_factory):
    lv.languages.use_language("en")
    path = find_browser()
    if path is None:
        if os.environ.get("CI"):
            pytest.fail("CI must have a browser: install chromium")
        pytest.skip("no Chromium or Chrome found; install one, or set LECTURE_VIZ_BROWSER to its path")
    settings = os.environ | own_fonts(tmp_path_factory.mktemp("browser"))
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=path, args=CHROMIUM_ARGUMENTS, env=settings, timeout=1000 * SECONDS
        )
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def eye(browser, tmp_path_factory):
    """A browser whose camera sees the coffee and the rocket in turn."""
    see = seeing(tmp_path_factory.mktemp("film"), ["coffee", "rocket"])
    other = browser.browser_type.launch(
        executable_path=find_browser(), args=[*CHROMIUM_ARGUMENTS, *see], timeout=1000 * SECONDS
    )
    yield other
    other.close()


@pytest.fixture(scope="session")
def server(browser, tmp_path_factory):
    server = Server(tmp_path_factory.mktemp("lab"))
    yield server
    server.stop()


@pytest.fixture(scope="session")
def notebook7(browser, tmp_path_factory):
    server = Server(tmp_path_factory.mktemp("notebook7"), app="notebook")
    yield server
    server.stop()


@pytest.fixture(scope="session")
def voila(browser, tmp_path_factory):
    folder = tmp_path_factory.mktemp("voila")
    hall = Hall(folder, notebooks=copy_notebooks(folder / "notebooks"))
    yield hall
    hall.stop()


class Desk:
    """JupyterLab with one notebook open, and its kernel, until another one is opened; or Notebook 7, or Voilà."""

    def __init__(self, browser: Browser, server: Server | Hall):
        self.server = server
        self.context = browser.new_context()  # its pages share what was fetched
        self.notebook, self.lab = "", None

    def open(self, notebook: str) -> Lab:
        if notebook != self.notebook:
            self.clear()
            if self.lab is None:
                self.lab = self.server.open(new_page(self.context), notebook)
            else:
                self.lab.open(notebook)
            self.notebook = notebook
        return self.lab

    def clear(self) -> None:
        """Leave nothing but JupyterLab itself, whose page takes longer to open than most tests."""
        if self.notebook and not self.lab.close():
            self.leave()
        self.notebook = ""
        self.server.stop_kernels()

    def leave(self) -> None:
        self.notebook, self.lab = "", None
        for page in self.context.pages:
            page.close()
        self.server.stop_kernels()


@pytest.fixture(scope="session")
def desks(browser):
    """All of them, by the name of what serves them."""
    desks = {}
    yield desks
    for desk in desks.values():
        desk.context.close()


@pytest.fixture(scope="module")
def room(browser, desks, request):
    """Tests about one with ``@in_each`` are done in each of them."""
    name = getattr(request, "param", "server")
    server = request.getfixturevalue(name)
    if name not in desks:
        desks[name] = Desk(browser, server)
    yield desks[name]
    desks[name].clear()


@pytest.fixture
def desk(room, request):
    """After a test that failed, the next one begins anew."""
    yield room
    if getattr(request.node, "failed", False):
        room.leave()


@pytest.fixture
def lab(desk):
    """Opens the panels of a notebook as at first: tests in a row that look at the same ones share page and kernel."""

    def open_panels(notebook: str) -> Lab:
        opened = desk.open(f"{PANELS}/{notebook}")
        assert opened.run_all() == []  # anew, whatever the last test did to them
        return opened

    return open_panels


@pytest.fixture
def open_page(browser) -> Callable[..., Page]:
    """Makes pages that are closed after the test."""
    pages = []

    def make(**size: int) -> Page:
        pages.append(new_page(browser, **size))
        return pages[-1]

    yield make
    for page in pages:
        page.close()


# --- what a person needs who looks for the cause of a failure ------------------------------------------------------


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item):
    report = yield
    if report.failed:
        item.failed = True
        report.sections += [*pages(item), *servers()]
    return report


def pages(item: pytest.Item) -> list[tuple[str, str]]:
    """Of each open page where its screenshot is, and what went wrong in it."""
    FAILURES.mkdir(exist_ok=True)
    browser, name, sections = item.funcargs.get("browser"), re.sub(r"\W+", "_", item.name), []
    contexts = browser.contexts if browser else []
    for number, page in enumerate(page for context in contexts for page in context.pages):
        file = FAILURES / f"{name}_{number}.png"
        try:
            page.screenshot(path=file)
            shot = f"screenshot: {file}"
        except Error as error:
            shot = f"no screenshot: {error}"
        errors = getattr(page, "errors", [])
        said = "\n".join([shot, f"errors on its console: {len(errors)}", *errors[-20:], *map(words, page.frames)])
        sections.append((f"page {page.url}", said))
    return sections


def words(frame: Frame) -> str:
    """What a page, or a lesson of the hall in it, says, and what in it has the keyboard."""
    try:
        text, focused = frame.locator("body").evaluate(
            "body => [body.innerText, document.activeElement?.outerHTML].map(said => said?.slice(0, 2000))",
            timeout=5000,
        )
    except Error as error:
        return f"{frame.url}: {error}"
    return f"--- {frame.url}, the keyboard at {(focused or 'nothing')[:200]} ---\n{text}"


def servers() -> list[tuple[str, str]]:
    """The last words of each server that runs."""
    return [(f"end of {program.log}", program.tail()) for program in Program.running]
