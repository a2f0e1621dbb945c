"""How many students one machine carries: ``python -m benchmarks.classroom 1 2 4 8``.

A real JupyterHub on loopback, one thread for each kernel. Each scripted student logs in
with a password of their own, opens a kernel, runs a lesson's cells, and drags its slider: a value, the picture, a short
look at it, the next value. Needs `pip install jupyterhub` and, for its proxy, `npm install --prefix build
configurable-http-proxy`.

Reported for each number of students: memory of each (proportional set size, so shared pages count once), and the time
from the slider to the picture. Then what idle students cost, and what an endless run and a crash do to a neighbour.
Writes CLASSROOM.md.
"""

import asyncio
import json
import os
import socket
import statistics
import struct
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Mapping
from http.cookies import SimpleCookie
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import nbformat
import psutil
from tornado.httpclient import AsyncHTTPClient, HTTPClientError, HTTPRequest, HTTPResponse
from tornado.websocket import WebSocketClientConnection, websocket_connect

ROOT = Path(__file__).parents[1]
LESSON = "01_gradients.ipynb"
MOVES = 30  # of the slider
LOOK = 0.3  # seconds between a picture and the next move
AS_JSON = {"Content-Type": "application/json"}

CONFIG = """
c.JupyterHub.bind_url = 'http://127.0.0.1:{port}'
c.JupyterHub.hub_bind_url = 'http://127.0.0.1:{hub_port}'
c.JupyterHub.db_url = 'sqlite:///{folder}/hub.sqlite'
c.JupyterHub.cookie_secret_file = '{folder}/cookie_secret'
c.JupyterHub.authenticator_class = 'dummy'
c.DummyAuthenticator.password = '{password}'
c.Authenticator.allow_all = True
c.JupyterHub.spawner_class = 'simple'
c.SimpleLocalProcessSpawner.home_dir_template = '{folder}/homes/{{username}}'
c.ConfigurableHTTPProxy.command = ['{proxy}']
c.ConfigurableHTTPProxy.api_url = 'http://127.0.0.1:{proxy_port}'
c.ConfigurableHTTPProxy.pid_file = '{folder}/proxy.pid'
c.Spawner.cmd = ['{python}', '-m', 'jupyterhub.singleuser', '--allow-root']
c.Spawner.environment = {{'OMP_NUM_THREADS': '1', 'PATH': '{path}'}}
"""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Hub:
    """A JupyterHub on loopback with its files in ``folder``."""

    def __init__(self, folder: Path):
        proxy = ROOT / "build" / "node_modules" / ".bin" / "configurable-http-proxy"
        if not proxy.exists():
            raise SystemExit("no proxy: npm install --prefix build configurable-http-proxy")
        self.folder, self.password = folder, uuid.uuid4().hex
        (folder / "homes").mkdir()
        self.address = f"http://127.0.0.1:{(port := free_port())}"
        places = {"port": port, "hub_port": free_port(), "proxy_port": free_port(), "folder": folder, "proxy": proxy}
        config = CONFIG.format(python=sys.executable, path=os.environ["PATH"], password=self.password, **places)
        (folder / "config.py").write_text(config)
        with (folder / "hub.log").open("w") as log:
            command = [sys.executable, "-m", "jupyterhub", "-f", str(folder / "config.py")]
            self.process = subprocess.Popen(command, cwd=folder, stdout=log, stderr=log)

    def stop(self) -> None:
        family = psutil.Process(self.process.pid).children(recursive=True)
        self.process.terminate()
        self.process.wait(30)
        for process in psutil.wait_procs(family, timeout=5)[1]:
            process.kill()

    def processes(self, student: str) -> list[psutil.Process]:
        """A student's server and its kernels."""
        home = str(self.folder / "homes" / student)
        servers = [p for p in psutil.Process(self.process.pid).children() if p.environ().get("HOME") == home]
        return [process for server in servers for process in (server, *server.children(recursive=True))]


class Student:
    """Logs in, opens a lesson, drags its slider."""

    def __init__(self, hub: Hub, name: str):
        self.hub, self.name = hub, name
        self.cookies: dict[str, str] = {}
        self.token = ""  # of the student's own, once logged in
        self.socket: WebSocketClientConnection | None = None
        self.lags: list[float] = []  # seconds

    def _headers(self) -> dict[str, str]:
        if self.token:
            return {"Authorization": f"token {self.token}"}
        cookies = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        return {"Cookie": cookies, "X-XSRFToken": self.cookies.get("_xsrf", "")}

    async def _fetch(self, path: str, headers: Mapping[str, str] | None = None, **request: Any) -> HTTPResponse:
        """One request, with the cookies of a browser."""
        headers = self._headers() | dict(headers or {})
        request |= {"headers": headers, "follow_redirects": False, "request_timeout": 300, "connect_timeout": 300}
        response = await AsyncHTTPClient().fetch(self.hub.address + path, raise_error=False, **request)
        for line in response.headers.get_list("Set-Cookie"):
            self.cookies |= {name: morsel.value for name, morsel in SimpleCookie(line).items()}
        if response.code >= 400:
            raise HTTPClientError(response.code, f"{path}: {response.body[:200]!r}")
        return response

    async def log_in(self) -> None:
        """By the form, as everyone does; then wait for a server of one's own."""
        deadline = time.monotonic() + 120
        while True:
            try:
                await self._fetch("/hub/login")
                break
            except (OSError, HTTPClientError):
                if time.monotonic() > deadline:
                    raise
                await asyncio.sleep(0.5)
        form = {"username": self.name, "password": self.hub.password, "_xsrf": self.cookies["_xsrf"]}
        await self._fetch("/hub/login", method="POST", body=urlencode(form))
        answer = await self._fetch(f"/hub/api/users/{self.name}/tokens", method="POST", body="{}", headers=AS_JSON)
        self.token = json.loads(answer.body)["token"]
        await self._fetch(f"/hub/api/users/{self.name}/server", method="POST", body="{}", headers=AS_JSON)
        while time.monotonic() < deadline:
            try:
                answer = await self._fetch(f"/user/{self.name}/api/status")
                if b"started" in answer.body:
                    return
            except HTTPClientError:
                pass
            await asyncio.sleep(0.5)
        raise TimeoutError(f"the server of {self.name} did not start")

    async def open_lesson(self) -> None:
        """A kernel, and the cells that make the lesson's panel."""
        notebook = nbformat.read(ROOT / "notebooks" / LESSON, as_version=4)
        cells = [cell.source for cell in notebook.cells if "present" in cell.metadata.get("tags", [])]
        answer = await self._fetch(f"/user/{self.name}/api/kernels", method="POST", body="{}")
        self.kernel = json.loads(answer.body)["id"]
        address = f"{self.hub.address.replace('http', 'ws')}/user/{self.name}/api/kernels/{self.kernel}/channels"
        self.socket = await websocket_connect(
            HTTPRequest(address, headers=self._headers()), max_message_size=100_000_000
        )
        await self.run("\n".join(cells))
        names = await self.run("print(panel.controls['neuron'].model_id, panel.outputs['gradient'].model_id)")
        self.slider, self.picture = names.split()

    async def send(self, kind: str, content: dict) -> str:
        """A message to the kernel; its id."""
        header = {"msg_id": uuid.uuid4().hex, "msg_type": kind, "session": self.name, "username": "", "version": "5.3"}
        parts = {"header": header, "parent_header": {}, "metadata": {}, "content": content, "channel": "shell"}
        await self.socket.write_message(json.dumps(parts))
        return header["msg_id"]

    async def receive(self) -> dict:
        """The next message; those with pictures are binary: the number of parts, their places, JSON, the parts."""
        message = await self.socket.read_message()
        if message is None:
            raise ConnectionError(f"the kernel of {self.name} is gone")
        if isinstance(message, bytes):
            (count,) = struct.unpack("!I", message[:4])
            places = struct.unpack(f"!{count}I", message[4 : 4 * (count + 1)])
            message = message[places[0] : places[1]]
        return json.loads(message)

    async def run(self, code: str) -> str:
        """Run code; what it printed."""
        asked = await self.send("execute_request", {"code": code, "silent": False, "store_history": False})
        printed = ""
        while True:
            message = await self.receive()
            if message["header"]["msg_type"] == "error":
                raise RuntimeError(message["content"]["evalue"])
            if message["header"]["msg_type"] == "stream":
                printed += message["content"]["text"]
            idle = message["content"].get("execution_state") == "idle"  # the reply may overtake what was printed
            if idle and message["parent_header"]["msg_id"] == asked:
                return printed

    async def drag(self, moves: int = MOVES) -> None:
        """Move the slider; the next move comes when the picture has been looked at."""
        for value in range(1, moves + 1):
            data = {"method": "update", "state": {"value": value}, "buffer_paths": []}
            started = time.perf_counter()
            await self.send("comm_msg", {"comm_id": self.slider, "data": data})
            while True:
                message = await self.receive()
                content = message["content"]
                if message["header"]["msg_type"] == "comm_msg" and content["comm_id"] == self.picture:
                    break
            self.lags.append(time.perf_counter() - started)
            await asyncio.sleep(LOOK)

    def memory(self) -> float:
        """Of server and kernel, in MB."""
        return sum(process.memory_full_info().pss for process in self.hub.processes(self.name)) / 1e6


def lag(students: list[Student]) -> tuple[float, float]:
    """Median and 95th percentile of all moves, in milliseconds."""
    lags = sorted(1e3 * seconds for student in students for seconds in student.lags)
    return statistics.median(lags), lags[int(0.95 * (len(lags) - 1))]


async def class_of(hub: Hub, count: int) -> list[Student]:
    students = [Student(hub, f"student{count}x{n}") for n in range(count)]
    await asyncio.gather(*(student.log_in() for student in students))
    await asyncio.gather(*(student.open_lesson() for student in students))
    return students


async def measure(hub: Hub, counts: list[int]) -> list[str]:
    rows, after = [], ["Too few students to see what neighbours do to each other."]
    for count in counts:
        try:
            students = await class_of(hub, count)
        except (TimeoutError, HTTPClientError) as error:
            return [*rows, "", f"What breaks first: {count} logins in one instant ({error}).", *after]
        await asyncio.gather(*(student.drag() for student in students))
        memory = statistics.mean(student.memory() for student in students)
        middle, high = lag(students)
        rows.append(f"| {count} | {memory:.0f} | {middle:.0f} | {high:.0f} |")
        print(rows[-1], flush=True)
        if count >= 3 and len(after) == 1:
            after = [await idle(students), "", await neighbour(students)]
        for student in students:
            await student._fetch(f"/hub/api/users/{student.name}/server", method="DELETE")
    return [*rows, "", *after]


async def idle(students: list[Student], seconds: float = 20) -> str:
    """What students cost who do nothing."""
    family = [process for student in students for process in student.hub.processes(student.name)]

    def used() -> float:
        return sum(sum(process.cpu_times()[:2]) for process in family)

    await asyncio.sleep(3)  # the panels' threads end
    before = used()
    await asyncio.sleep(seconds)
    share = (used() - before) / seconds / len(students)
    return f"An idle student costs {100 * share:.1f} % of a core."


async def neighbour(students: list[Student]) -> str:
    """One runs an endless loop, one kills the kernel: what does another notice?"""
    endless, crash, other = students[:3]
    other.lags = []
    await endless.send("execute_request", {"code": "while True: pass", "silent": False})
    await crash.send("execute_request", {"code": "import os; os._exit(1)", "silent": False})
    await other.drag()
    middle, high = lag([other])
    return (
        f"While one student runs an endless loop and another's kernel crashes, a third has {middle:.0f} ms (median), "
        f"{high:.0f} ms (95th percentile), and loses nothing."
    )


def main() -> None:
    AsyncHTTPClient.configure(None, max_clients=1000)  # all students at once
    counts = [int(count) for count in sys.argv[1:]] or [1, 2, 4]
    with tempfile.TemporaryDirectory() as folder:
        hub = Hub(Path(folder))
        try:
            rows = asyncio.run(measure(hub, counts))
        except Exception:
            print((Path(folder) / "hub.log").read_text()[-5000:])
            raise
        finally:
            hub.stop()
    cores, memory = psutil.cpu_count(), psutil.virtual_memory().total / 1e9
    text = [
        "# How many students one machine carries",
        "",
        f"Measured by `python -m benchmarks.classroom {' '.join(map(str, counts))}` on {cores} cores and "
        f"{memory:.0f} GB: {LESSON}, {MOVES} moves of the slider, {LOOK} s to look at each picture; scripted students "
        "and hub on the same machine.",
        "",
        "| students at once | memory of each, MB | slider to picture, median, ms | 95th percentile, ms |",
        "| --: | --: | --: | --: |",
        *rows,
    ]
    (ROOT / "benchmarks" / "CLASSROOM.md").write_text("\n".join(text) + "\n")


if __name__ == "__main__":
    main()
