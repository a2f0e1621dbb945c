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
from PIL import Image
from playwright.sync_api import Locator, Page

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


class Server:
    """A private JupyterLab on loopback that serves copies of the notebooks."""

    def __init__(self, folder: Path):
        self.folder = folder / "notebooks"
        shutil.copytree(NOTEBOOKS, self.folder, ignore=shutil.ignore_patterns(".ipynb_checkpoints"))
        config = folder / "config"
        (config / "labconfig").mkdir(parents=True)
        (config / "labconfig" / "page_config.json").write_text(
            '{"disabledExtensions": {"@jupyterlab/apputils-extension:announcements": true}}'
        )
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.token = secrets.token_hex(16)
        private = {
            "JUPYTER_CONFIG_DIR": config,
            "JUPYTER_DATA_DIR": folder / "data",
            "JUPYTER_RUNTIME_DIR": folder / "runtime",
            "JUPYTERLAB_SETTINGS_DIR": folder / "settings",
            "JUPYTERLAB_WORKSPACES_DIR": folder / "workspaces",
            "IPYTHONDIR": folder / "ipython",
        }
        self.log = folder / "jupyter.log"
        command = [sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", f"--port={self.port}"]
        command += [f"--ServerApp.root_dir={self.folder}", f"--IdentityProvider.token={self.token}"]
        command += ["--LabApp.expose_app_in_browser=True"]
        with self.log.open("w") as log:
            self.process = subprocess.Popen(
                command, env=os.environ | {k: str(v) for k, v in private.items()}, stdout=log, stderr=log
            )
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
        return f"http://127.0.0.1:{self.port}/lab/tree/{notebook}?token={self.token}&reset"


class Lab:
    """One notebook, open in a page."""

    def __init__(self, page: Page, server: Server, notebook: str):
        self.page = page
        page.goto(server.address(notebook).replace("/lab/tree/", "/doc/tree/"))
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
