"""A student in front of JupyterLab: opens a notebook, runs it, moves sliders, looks at pictures."""

import base64
import io
import os
import secrets
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import numpy as np
from axe_playwright_python.sync_playwright import Axe
from PIL import Image
from playwright.sync_api import Frame, Locator, Page

NOTEBOOKS = Path(__file__).parents[2] / "notebooks"
CHROMIUM_ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def find_browser() -> str | None:
    """Path of an installed Chromium or Chrome."""
    names = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
    return os.environ.get("LECTURE_VIZ_BROWSER") or next(filter(None, map(shutil.which, names)), None)


def free_port() -> int:
    """A port of loopback nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def private(folder: Path) -> dict[str, str]:
    """Environment variables that keep Jupyter's files in ``folder``."""
    places = {
        "JUPYTER_CONFIG_DIR": "config",
        "JUPYTER_DATA_DIR": "data",
        "JUPYTER_RUNTIME_DIR": "runtime",
        "JUPYTERLAB_SETTINGS_DIR": "settings",
        "JUPYTERLAB_WORKSPACES_DIR": "workspaces",
        "IPYTHONDIR": "ipython",
    }
    return {name: str(folder / place) for name, place in places.items()}


class Server:
    """A private JupyterLab, or Notebook 7, on loopback that serves copies of the notebooks."""

    def __init__(self, folder: Path, app: str = "jupyterlab"):
        self.app = app
        self.folder = folder / "notebooks"
        shutil.copytree(NOTEBOOKS, self.folder, ignore=shutil.ignore_patterns(".ipynb_checkpoints"))
        config = folder / "config"
        (config / "labconfig").mkdir(parents=True)
        (config / "labconfig" / "page_config.json").write_text(
            '{"disabledExtensions": {"@jupyterlab/apputils-extension:announcements": true}}'
        )
        self.port, self.token = free_port(), secrets.token_hex(16)
        self.log = folder / "jupyter.log"
        command = [sys.executable, "-m", app, "--no-browser", "--allow-root", f"--port={self.port}"]
        command += [f"--ServerApp.root_dir={self.folder}", f"--IdentityProvider.token={self.token}"]
        command += ["--LabApp.expose_app_in_browser=True", "--JupyterNotebookApp.expose_app_in_browser=True"]
        with self.log.open("w") as log:
            self.process = subprocess.Popen(command, env=os.environ | private(folder), stdout=log, stderr=log)
        self._wait_until_up()

    def _wait_until_up(self) -> None:
        deadline = time.monotonic() + 90
        while time.monotonic() < deadline and self.process.poll() is None:
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{self.port}/api?token={self.token}", timeout=2).close()
                return
            except OSError:
                time.sleep(0.2)
        self.stop()
        raise RuntimeError(f"JupyterLab did not start:\n{self.log.read_text()[-3000:]}")

    def stop(self) -> None:
        self.process.terminate()
        try:
            self.process.wait(15)
        except subprocess.TimeoutExpired:
            self.process.kill()

    def address(self, notebook: str) -> str:
        """The notebook alone, without the browser of files."""
        page = "doc/tree" if self.app == "jupyterlab" else "notebooks"
        return f"http://127.0.0.1:{self.port}/{page}/{notebook}?token={self.token}&reset"


class Lab:
    """One notebook, open in a page."""

    def __init__(self, page: Page, server: Server, notebook: str):
        self.page = page
        page.goto(server.address(notebook))
        page.wait_for_function("() => window.jupyterapp")
        page.evaluate(
            """async () => {
                await jupyterapp.restored;
                let widget;
                while (!(widget = jupyterapp.shell.currentWidget)?.context)
                    await new Promise(done => setTimeout(done, 50));
                await widget.context.ready;
                await widget.sessionContext.ready;
            }"""
        )

    def run_all(self) -> list[str]:
        """Run all cells; the errors' names and texts, none if all went well."""
        self.page.evaluate("() => jupyterapp.commands.execute('notebook:run-all-cells')")
        self.page.locator(".lv-panel").first.wait_for(timeout=30_000)
        return self.errors()

    def errors(self) -> list[str]:
        return self.page.evaluate(
            """() => jupyterapp.shell.currentWidget.content.widgets
                .filter(cell => cell.model.type === 'code')
                .flatMap(cell => cell.model.outputs.toJSON())
                .filter(output => output.output_type === 'error')
                .map(output => output.ename + ': ' + output.evalue)"""
        )

    def run_code(self, code: str) -> str:
        """Run code in the notebook's kernel, outside any cell; what it printed."""
        return self.page.evaluate(
            """async code => {
                const kernel = jupyterapp.shell.currentWidget.sessionContext.session.kernel;
                const future = kernel.requestExecute({code, store_history: false});
                let text = '';
                future.onIOPub = message => {
                    if (message.header.msg_type === 'stream') text += message.content.text;
                    if (message.header.msg_type === 'error') text += message.content.evalue;
                };
                await future.done;
                return text;
            }""",
            code,
        )

    def panel(self, number: int = 0) -> "LabPanel":
        return LabPanel(self.page, self.page.locator(".lv-panel").nth(number))


def barriers(page: Page | Frame, within: str = "body") -> list[str]:
    """What axe, the automatic accessibility audit, finds wrong."""
    found = Axe().run(page, context=within).response["violations"]
    return [f"{barrier['id']}: {node['html'][:200]}" for barrier in found for node in barrier["nodes"]]


class LabPanel:
    """A live panel on the page."""

    def __init__(self, page: Page, root: Locator):
        self.page = page
        self.root = root
        root.scroll_into_view_if_needed()

    def slider(self, label: str) -> Locator:
        return self.root.locator(f'.widget-slider:has(.widget-label:text-is("{label}"))')

    def handle(self, label: str) -> Locator:
        return self.slider(label).locator(".noUi-handle")

    def drag(self, label: str, to: float) -> None:
        """Take a slider by its handle with the mouse, to this part of its length (0 … 1)."""
        handle, track = self.handle(label).bounding_box(), self.slider(label).bounding_box()
        mouse = self.page.mouse
        mouse.move(handle["x"] + handle["width"] / 2, handle["y"] + handle["height"] / 2)
        mouse.down()
        mouse.move(track["x"] + to * track["width"], handle["y"] + 5, steps=15)
        mouse.up()

    def readout(self, label: str) -> str:
        return self.slider(label).locator(".widget-readout").inner_text()

    def code(self) -> str:
        """As sent: what is drawn may be empty while the notebook scrolls."""
        return self.root.locator(".lv-code").text_content().strip()

    def wait_for_code(self, part: str) -> None:
        self.root.locator(".lv-code", has_text=part).wait_for(timeout=20_000)

    def pixels(self, number: int) -> np.ndarray:
        """The ``number``-th picture as the browser has it, ``(H, W, 3)`` uint8."""
        data = (
            self.root.locator("img.widget-image")
            .nth(number)
            .evaluate(
                """async image => {
                for (;;) {
                    const source = image.src;
                    try {
                        await image.decode();
                        const bytes = new Uint8Array(await (await fetch(source)).arrayBuffer());
                        return btoa(Array.from(bytes, byte => String.fromCharCode(byte)).join(''));
                    } catch (error) {
                        if (image.src === source) throw error;  // else a newer picture came meanwhile: read that
                    }
                }
            }"""
            )
        )
        return np.asarray(Image.open(io.BytesIO(base64.b64decode(data))).convert("RGB"))

    def source(self, number: int) -> str:
        return self.root.locator("img.widget-image").nth(number).get_attribute("src")
