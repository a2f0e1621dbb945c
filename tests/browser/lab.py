"""A student in front of JupyterLab: opens a notebook, runs it, moves sliders, looks at pictures.

Whatever is waited for is a condition, and a busy machine has two minutes for it; nothing waits longer than it must.
"""

import base64
import io
import json
import os
import re
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, ClassVar, TypeVar

import matplotlib
import nbformat
import numpy as np
import pytest
from axe_playwright_python.sync_playwright import Axe
from jupyter_client import BlockingKernelClient
from PIL import Image
from playwright.sync_api import Browser, BrowserContext, Frame, Locator, Page

from lecture_viz.machine.__main__ import QUIET
from lecture_viz.maps import EXACT, encode, to_pil
from lecture_viz.photos import load_image
from lecture_viz.presenter.lessons import TAG

Found = TypeVar("Found")

NOTEBOOKS = Path(__file__).parents[2] / "notebooks"
MACHINE = QUIET.parent
PANELS = "panels"  # the folder of the short notebooks
ENDLESS = 1_000_000  # steps: no machine gets there while a test looks on
SECONDS = 120  # for anything
CHROMIUM_ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
# a picture's source once it is read; one that is replaced meanwhile fails to be, and then the newer one is waited for
READ = """const read = async image => {
    for (;;) {
        const source = image.src;
        try {
            await image.decode();
            if (image.naturalWidth) return source;
        } catch (error) {
            if (image.src === source) throw error;
        }
    }
};"""
# for a panel's kernel: the names of its pictures, as they stand on the page; and a picture's file in base64
HELD = """import base64
shown = [name for name, output in panel.outputs.items() if hasattr(output, 'format')]
held = lambda name: base64.b64encode(lv.images.encode(panel.image(name), panel.outputs[name].format)).decode()
"""
# for the page of JupyterLab: wait until the notebook is there, with its kernel
IS_OPEN = """let widget;
while (!(widget = jupyterapp.shell.currentWidget)?.context) await new Promise(done => setTimeout(done, 50));
await widget.context.ready;
await widget.sessionContext.ready;"""
SIZE = {"width": 1280, "height": 900}
FONTS = """<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig>
  <dir>{fonts}</dir>
  <cachedir>{cache}</cachedir>
  <alias><family>monospace</family><prefer><family>DejaVu Sans Mono</family></prefer></alias>
  <alias><family>system-ui</family><prefer><family>DejaVu Sans</family></prefer></alias>
  <alias><family>sans-serif</family><prefer><family>DejaVu Sans</family></prefer></alias>
</fontconfig>
"""


def find_browser() -> str | None:
    """Path of an installed Chromium or Chrome."""
    names = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
    return os.environ.get("LECTURE_VIZ_BROWSER") or next(filter(None, map(shutil.which, names)), None)


def own_fonts(folder: Path) -> dict[str, str]:
    """Environment variables that give a browser matplotlib's fonts alone, so that texts are as long everywhere."""
    file = folder / "fonts.conf"
    file.write_text(FONTS.format(fonts=Path(matplotlib.get_data_path()) / "fonts" / "ttf", cache=folder / "fonts"))
    return {"FONTCONFIG_FILE": str(file)}


def new_page(browser: Browser | BrowserContext, **size: int) -> Page:
    """A page that has time, and keeps what goes wrong in it in ``page.errors``."""
    page = browser.new_page()
    page.set_viewport_size(SIZE | size)
    page.set_default_timeout(1000 * SECONDS)
    page.errors = []
    page.on("console", lambda message: page.errors.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: page.errors.append(str(error)))
    return page


def seeing(folder: Path, photos: list[str]) -> list[str]:
    """Arguments for Chromium whose camera sees bundled photos, one after another, three seconds each.

    The light flickers a little, so that no frame is as the one before: a real camera's never is.
    """
    film = folder / "film.y4m"
    with film.open("wb") as file:
        file.write(b"YUV4MPEG2 W640 H480 F20:1 Ip A1:1 C420jpeg\n")
        for name in photos:
            seen = Image.new("RGB", (640, 480), "grey")
            seen.paste(to_pil(load_image(name, 480)), (80, 0))
            light, blue, red = seen.convert("YCbCr").split()
            colours = b"".join(plane.resize((320, 240)).tobytes() for plane in (blue, red))
            for number in range(60):
                brighter = 5 * number % 11
                flickering = light.point([min(255, level + brighter) for level in range(256)])
                file.write(b"FRAME\n" + flickering.tobytes() + colours)
    return ["--use-fake-device-for-media-stream", f"--use-file-for-fake-video-capture={film}"]


def eventually(check: Callable[[], Found], seconds: float = SECONDS) -> Found:
    """Check again and again until all it asserts holds; what it returns."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            return check()
        except AssertionError:
            if time.monotonic() > deadline:
                raise
        time.sleep(0.05)


def ask(page: Page, question: str, argument: Any = None, seconds: float = SECONDS) -> Any:
    """What an async function in the page answers; `Page.evaluate` alone would wait for ever."""
    late = f"new Error('no answer after {seconds} s')"
    return page.evaluate(
        f"""argument => Promise.race([
            ({question})(argument),
            new Promise((_, fail) => setTimeout(() => fail({late}), {1000 * seconds})),
        ])""",
        argument,
    )


def barriers(page: Page | Frame, within: str = "body", rules: Sequence[str] = ()) -> list[str]:
    """What axe, the automatic accessibility audit, finds wrong; by default by all of its rules."""
    found = Axe().run(page, context=within, options={"runOnly": rules} if rules else {}).response["violations"]
    return [f"{barrier['id']}: {node['html'][:200]}" for barrier in found for node in barrier["nodes"]]


# --- notebooks -----------------------------------------------------------------------------------------------------


def copy_notebooks(folder: Path, panels_only: bool = False) -> Path:
    """The lessons in a new folder; if wanted, nothing but the cells that the presenter view shows, too.

    Two of the panels may run endlessly: what is done while they run is done while they run, however fast the machine.
    One begins with fewer samples, which take a second, not four; nbval runs it as it is.
    """
    shutil.copytree(NOTEBOOKS, folder, ignore=shutil.ignore_patterns(".*"))
    for path in folder.glob("[0-9]*.ipynb"):
        notebook = nbformat.read(path, as_version=4)
        if panels_only:
            notebook.cells = [cell for cell in notebook.cells if TAG in cell.metadata.get("tags", [])]
        for cell in notebook.cells:
            long = rf'\g<0>\n\1.controls["steps"].max = {ENDLESS}'
            cell.source = cell.source.replace("place.set(samples=32", "place.set(samples=8")
            cell.source = re.sub(r"^(\w+) = lv\.live\.(?:maximization|inversion)\(.*\)$", long, cell.source, flags=re.M)
        nbformat.write(notebook, path)
    return folder


def stored_pictures(path: Path) -> int:
    """How many pictures the outputs of a notebook's file hold."""
    cells = nbformat.read(path, as_version=4).cells
    outputs = [output.get("data", {}) for cell in cells for output in cell.get("outputs", [])]
    return sum(data.get("text/html", "").count("<img ") for data in outputs)


# --- servers -------------------------------------------------------------------------------------------------------


def free_port() -> int:
    """A port of loopback nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def private(folder: Path) -> dict[str, str]:
    """Environment variables that keep Jupyter's files in ``folder``, and the user's settings out."""
    places = {
        "JUPYTER_CONFIG_DIR": "config",
        "JUPYTER_DATA_DIR": "data",
        "JUPYTER_RUNTIME_DIR": "runtime",
        "JUPYTERLAB_SETTINGS_DIR": "settings",
        "JUPYTERLAB_WORKSPACES_DIR": "workspaces",
        "IPYTHONDIR": "ipython",
    }
    ours = {"JUPYTER_PATH": "", "JUPYTER_CONFIG_PATH": "", "LECTURE_VIZ_LANGUAGE": "en"}
    return ours | {name: str(folder / place) for name, place in places.items()}


class Program:
    """What serves pages on loopback, until `stop`; what it says goes into the file ``log``.

    The first of ``arguments`` is a Python module, unless another program is given.
    """

    running: ClassVar["list[Program]"] = []

    def __init__(self, folder: Path, arguments: list[str], log: str, program: tuple[str, ...] = (sys.executable, "-m")):
        self.log = folder / log
        settings = os.environ | private(folder)
        with self.log.open("w") as said:
            self.process = subprocess.Popen([*program, *arguments], env=settings, stdout=said, stderr=said)
        Program.running.append(self)
        try:
            self.port = eventually(self._port)
        except Exception as error:
            self.stop()
            raise RuntimeError(f"{arguments[0]} did not start: {error}\n{self.tail()}") from error

    def _port(self) -> int:
        """It may have taken another one than was asked for: somebody else was faster."""
        if self.process.poll() is not None:
            raise RuntimeError("it ended")
        said = re.search(r"http://127\.0\.0\.1:(\d+)/", self.log.read_text())
        assert said, "it has not said where it serves"
        try:
            self.request(f"http://127.0.0.1:{said[1]}/")
        except urllib.error.HTTPError:
            pass  # it answers, and asks for a token
        except OSError as error:
            raise AssertionError(error) from error
        return int(said[1])

    @staticmethod
    def request(address: str, method: str = "GET", **headers: str) -> bytes:
        """As a browser asks, without the machine's proxies."""
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(urllib.request.Request(address, method=method, headers=headers), timeout=SECONDS) as answer:
            return answer.read()

    def tail(self, lines: int = 30) -> str:
        """The last lines it said."""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])

    def stop(self) -> None:
        Program.running.remove(self)
        self.process.terminate()
        try:
            self.process.wait(SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()


class Server(Program):
    """A private JupyterLab, or Notebook 7, that serves copies of the notebooks, and short ones in ``panels``."""

    def __init__(self, folder: Path, app: str = "jupyterlab"):
        self.app = app
        self.folder = folder / "notebooks"
        shutil.copytree(NOTEBOOKS, self.folder, ignore=shutil.ignore_patterns(".ipynb_checkpoints"))
        copy_notebooks(self.folder / PANELS, panels_only=True)
        self.token = secrets.token_hex(16)
        if app == "jupyterlab":  # as `make lab` starts it
            program, command = (sys.executable,), [str(MACHINE), "lab", str(self.folder)]
        else:
            program, command = (sys.executable, "-m"), [app, "--allow-root", f"--ServerApp.root_dir={self.folder}"]
            shutil.copytree(QUIET, folder / "config")
        command += ["--no-browser", f"--port={free_port()}", f"--IdentityProvider.token={self.token}"]
        command += ["--LabApp.expose_app_in_browser=True", "--JupyterNotebookApp.expose_app_in_browser=True"]
        super().__init__(folder, command, "jupyter.log", program)

    def open(self, page: Page, notebook: str) -> "Lab":
        return Lab(page, self, notebook)

    def address(self, notebook: str) -> str:
        """The notebook alone, without the browser of files."""
        page = "doc/tree" if self.app == "jupyterlab" else "notebooks"
        return f"http://127.0.0.1:{self.port}/{page}/{notebook}?token={self.token}&reset"

    def stop_kernels(self) -> None:
        """All of them, and what was open in them."""
        sessions, permission = f"http://127.0.0.1:{self.port}/api/sessions", {"Authorization": f"token {self.token}"}
        for session in json.loads(self.request(sessions, **permission)):
            self.request(f"{sessions}/{session['id']}", "DELETE", **permission)


class Hall(Program):
    """``python -m lecture_viz.presenter`` on loopback."""

    def __init__(self, folder: Path, *arguments: str, notebooks: Path = NOTEBOOKS):
        command = ["lecture_viz.presenter", str(notebooks), "--no-browser", f"--port={free_port()}"]
        command.append("--token=")  # none, also for root; the arguments may ask for one
        super().__init__(folder, [*command, *arguments], "presenter.log")
        self.address = f"http://127.0.0.1:{self.port}/"

    def open(self, page: Page, notebook: str) -> "Lesson":
        """A lesson in a page of its own, without the hall around it; it is short in itself."""
        return Lesson(page, f"{self.address}voila/render/{Path(notebook).name}")

    def stop_kernels(self) -> None:
        """They end with their pages."""


# JupyterLab, and in `make sweep` Notebook 7 and Voilà, too, which have a test or two of their own in `make test`
FRONT_ENDS = ("server", *(pytest.param(name, marks=pytest.mark.sweep) for name in ("notebook7", "voila")))
in_each = pytest.mark.parametrize("room", FRONT_ENDS, indirect=True)

# --- notebooks and panels on a page --------------------------------------------------------------------------------


class Lab:
    """One notebook, open in a page."""

    def __init__(self, page: Page, server: Server, notebook: str):
        self.page = page
        page.goto(server.address(notebook))
        page.wait_for_function("() => window.jupyterapp")
        ask(page, f"async () => {{ await jupyterapp.restored; {IS_OPEN} }}")

    def open(self, notebook: str) -> None:
        """In place of the one that was closed, and as on a page just opened."""
        self.page.set_viewport_size(SIZE)
        self.page.errors.clear()
        opening = "async path => { await jupyterapp.commands.execute('docmanager:open', {path});"
        ask(self.page, f"{opening} {IS_OPEN} }}", notebook)

    def close(self) -> bool:
        """Without saving it; can the page open another one?"""
        if reusable := self.page.evaluate("() => jupyterapp.name === 'JupyterLab'"):
            self.page.evaluate("() => jupyterapp.shell.currentWidget.dispose()")
        return reusable

    def run_all(self, seconds: float = 5 * SECONDS) -> list[str]:
        """Run all cells, and wait for their panels; the errors' names and texts, none if all went well."""
        ask(self.page, "() => jupyterapp.commands.execute('notebook:run-all-cells')", seconds=seconds)
        if not (errors := self.errors()):
            eventually(self._panels_are_there)
        return errors

    def _panels_are_there(self) -> None:
        assert self.page.locator(".lv-panel:has(.lv-code)").count() == self.panels()

    def panels(self) -> int:
        """How many its cells make."""
        return self.page.evaluate(
            """() => jupyterapp.shell.currentWidget.content.widgets
                .filter(cell => cell.model.type === 'code')
                .flatMap(cell => cell.model.sharedModel.getSource().match(/lv\\.live\\.\\w+\\(/g) ?? [])
                .length"""
        )

    def errors(self) -> list[str]:
        return self.page.evaluate(
            """() => jupyterapp.shell.currentWidget.content.widgets
                .filter(cell => cell.model.type === 'code')
                .flatMap(cell => cell.model.outputs.toJSON())
                .filter(output => output.output_type === 'error')
                .map(output => output.ename + ': ' + output.evalue)"""
        )

    def run_code(self, code: str, seconds: float = SECONDS) -> str:
        """Run code in the notebook's kernel, outside any cell; what it printed."""
        return ask(
            self.page,
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
            seconds,
        )

    def panel(self, number: int = 0) -> "LabPanel":
        return LabPanel(self.page, self.page.locator(".lv-panel").nth(number), self, number)


class Lesson(Lab):
    """One notebook in Voilà, open in a page; it shows one panel at a time."""

    def __init__(self, page: Page, address: str):
        self.page, self._address = page, address

    def close(self) -> bool:
        """It goes with its page."""
        return False

    def run_all(self, seconds: float = 5 * SECONDS) -> list[str]:
        """Open it, which runs it in a kernel of its own; the errors' last lines."""
        self.page.goto(self._address)
        self.page.locator("body:not(.computing) .jp-CodeCell.shown").wait_for()
        return self.page.locator(".failed").all_inner_texts()

    def panels(self) -> int:
        return self.page.locator(".lv-panel").count()

    def panel(self, number: int = 0) -> "LabPanel":
        all_there = "[...document.querySelectorAll('.lv-panel')]"
        on_screen = self.page.evaluate(f"() => {all_there}.findIndex(panel => panel.closest('.shown'))")
        for _ in range(on_screen, number):
            self.page.keyboard.press("PageDown")
        return super().panel(number)

    def run_code(self, code: str, seconds: float = SECONDS) -> str:
        kernel = json.loads(self.page.locator("#jupyter-config-data").text_content())["kernelId"]
        (file,) = Path(tempfile.gettempdir()).glob(f"voila_*/kernel-{kernel}.json")
        client, said = BlockingKernelClient(connection_file=str(file)), []
        client.load_connection_file()
        client.start_channels(stdin=False, hb=False, control=False)  # its heartbeat, stopped at once, may never end

        def listens() -> None:
            client.kernel_info()
            assert client.iopub_channel.msg_ready()

        try:
            eventually(listens, seconds)  # what is said before is lost
            client.execute_interactive(code, store_history=False, timeout=seconds, output_hook=said.append)
        finally:
            client.stop_channels()
        return "".join(one["content"].get("text") or one["content"].get("evalue", "") for one in said)


class LabPanel:
    """A live panel on the page; of a notebook, if it is ``lab``'s number so and so."""

    def __init__(self, page: Page, root: Locator, lab: Lab | None = None, number: int = 0):
        self.page, self.root, self.lab, self.number = page, root, lab, number
        if lab is not None:  # in the hall there is nothing to scroll
            root.scroll_into_view_if_needed()

    # --- the hand -------------------------------------------------------------------------------------------------

    def slider(self, label: str) -> Locator:
        return self.root.locator(f'.widget-slider:has(.widget-label:text-is("{label}"))')

    def handle(self, label: str) -> Locator:
        return self.slider(label).locator(".noUi-handle")

    def drag(self, label: str, to: float) -> None:
        """Take a slider by its handle with the mouse, to this part of its length (0 … 1)."""
        handle = self.handle(label)
        handle.hover()  # once it stands still
        track, y = self.slider(label).bounding_box(), handle.bounding_box()["y"] + 5
        mouse = self.page.mouse
        mouse.down()
        mouse.move(track["x"] + to * track["width"], y, steps=15)
        mouse.up()

    def press(self, name: str) -> None:
        self.root.get_by_role("button", name=name).first.click()

    def run_through(self, begin: Callable[[], None] | None = None) -> None:
        """Press start, or do what else begins a run, and wait for its end."""
        self.watch()
        (begin or (lambda: self.press("start")))()
        self.wait_until_seen("s left")
        self.wait_for_text("done in")

    # --- the eye --------------------------------------------------------------------------------------------------

    def readout(self, label: str) -> str:
        return self.slider(label).locator(".widget-readout").inner_text()

    def code(self) -> str:
        """As sent: what is drawn may be empty while the notebook scrolls."""
        return self.root.locator(".lv-code").text_content().strip()

    def wait_for_code(self, part: str) -> None:
        self.root.locator(".lv-code", has_text=part).wait_for()

    def wait_for_text(self, part: str | re.Pattern) -> None:
        self.root.locator(".lv-text", has_text=part).first.wait_for()

    def watch(self) -> None:
        """From now on keep in mind all that texts and buttons say, however short a time."""
        self.root.evaluate(
            """panel => {
                panel.watcher?.disconnect();
                panel.seen = new Set();
                panel.watcher = new MutationObserver(() => {
                    for (const text of panel.querySelectorAll('.lv-text, .lv-copy')) panel.seen.add(text.textContent);
                });
                panel.watcher.observe(panel, {childList: true, characterData: true, subtree: true});
            }"""
        )

    def seen(self) -> list[str]:
        """What was said since `watch`, in its order."""
        return self.root.evaluate("panel => [...panel.seen]")

    def wait_until_seen(self, part: str) -> None:
        def said() -> None:
            seen = self.seen()
            assert any(part in text for text in seen), seen

        eventually(said)

    def pixels(self, number: int) -> np.ndarray:
        """The ``number``-th picture as the browser has it, ``(H, W, 3)`` uint8."""
        data = (
            self.root.locator("img.lv-picture")
            .nth(number)
            .evaluate(
                f"""async image => {{
                    {READ}
                    const bytes = new Uint8Array(await (await fetch(await read(image))).arrayBuffer());
                    return btoa(Array.from(bytes, byte => String.fromCharCode(byte)).join(''));
                }}"""
            )
        )
        return decoded(data)

    def source(self, number: int) -> str:
        return self.root.locator("img.lv-picture").nth(number).get_attribute("src")

    def shows(self, number: int, expected: np.ndarray) -> None:
        """A picture becomes ``expected``; gradients may differ by rounding, so nearly every pixel within 2.

        Large ones come as JPEG, which rounds once more.
        """
        large = max(expected.shape[:2]) > EXACT
        if large:
            expected = np.asarray(Image.open(io.BytesIO(encode(load_image(expected), "jpeg"))))

        def alike() -> None:
            pixels = self.pixels(number).astype(int)
            assert pixels.shape == expected.shape
            assert (abs(pixels - expected) <= (8 if large else 2)).mean() > (0.99 if large else 0.999)

        eventually(alike)

    # --- its kernel -----------------------------------------------------------------------------------------------

    def shows_what_its_kernel_holds(self) -> None:
        """All pictures, and the code."""
        holds = "print(panel.code())\nprint('\\f', *(f'{name} {held(name)}' for name in shown), sep='\\n', end='')"

        def same() -> None:
            code, pictures = self.run_code(HELD + holds).split("\n\f\n")
            assert self.code() == code.strip()
            for number, line in enumerate(pictures.splitlines()):
                name, picture = line.rsplit(" ", 1)
                assert np.array_equal(self.pixels(number), decoded(picture)), name

        eventually(same)

    def run_code(self, code: str, seconds: float = SECONDS) -> str:
        """As `Lab.run_code`; ``panel`` is this one, at rest."""
        first = self.number - self.lab.panels()
        this = f"panel = [shown for shown in Out.values() if isinstance(shown, lv.live.Panel)][{first}]\n"
        return self.lab.run_code(this + code, seconds)

    def pictures(self) -> list[str]:
        """The names of its pictures, as they stand on the page."""
        return self.run_code(HELD + "print(*shown, sep='\\n', end='')").splitlines()

    def picture_is_the_kernels(self, name: str) -> None:
        """On the page is the very picture that `Panel.image` gives."""

        def same() -> None:
            number, picture = self.run_code(HELD + f"print(shown.index({name!r}), held({name!r}))").split()
            assert np.array_equal(self.pixels(int(number)), decoded(picture))

        eventually(same)

    def is_made_by_its_code(self, name: str, as_shown: str = "made", names: str = "") -> None:
        """The code on the page, run in the notebook's kernel, makes the picture; and that is on the page.

        In another process sums may come in another order, and many steps of ascent make another picture of that.
        ``as_shown`` says how the panel shows what is ``made``, ``names`` what its ``net`` and ``photo`` are.
        """
        lines = f"*lines, last = {self.code()!r}.splitlines()\nnames = globals() | dict({names})\n"
        lines += "exec('\\n'.join(lines), names)\nmade = eval(last, names)\npanel.wait()\n"
        lines += f"off = (255 * ({as_shown} - panel.image({name!r}))).abs()\nprint((off <= 2).float().mean().item())"
        verdict = self.run_code(lines, 5 * SECONDS).splitlines()[-1]
        assert float(verdict) > 0.999
        self.picture_is_the_kernels(name)


def decoded(data: str) -> np.ndarray:
    """The pixels of a file in base64, ``(H, W, 3)`` uint8."""
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(data))).convert("RGB"))
