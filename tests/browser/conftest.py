import os
import re
from pathlib import Path

import pytest
from lab import CHROMIUM_ARGUMENTS, Lab, Server, find_browser
from playwright.sync_api import sync_playwright

FAILURES = Path(__file__).parent / "failures"


@pytest.fixture(scope="session")
def browser():
    path = find_browser()
    if path is None:
        if os.environ.get("CI"):
            pytest.fail("CI must have a browser: install chromium")
        pytest.skip("no Chromium or Chrome found; install one, or set LECTURE_VIZ_BROWSER to its path")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=CHROMIUM_ARGUMENTS)
        yield browser
        browser.close()


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


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item):
    report = yield
    if report.when == "call":
        item.failed = report.failed
    return report


@pytest.fixture
def lab(browser, server, request):
    """Opens a notebook in JupyterLab; keeps a screenshot when the test fails."""
    pages = []

    def open_notebook(name: str) -> Lab:
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        pages.append(page)
        return Lab(page, server, name)

    yield open_notebook
    for number, page in enumerate(pages):
        if getattr(request.node, "failed", False):
            FAILURES.mkdir(exist_ok=True)
            name = re.sub(r"\W+", "_", request.node.name)
            page.screenshot(path=FAILURES / f"{name}_{number}.png", full_page=True)
        page.evaluate("() => jupyterapp.shell.currentWidget.sessionContext.shutdown()")
        page.close()
