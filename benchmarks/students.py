"""A JupyterHub on loopback, and students who work on it: what `classroom` measures, and the tests try."""

import asyncio
import json
import socket
import struct
import subprocess
import sys
import time
import uuid
from collections.abc import Mapping, Sequence
from http.cookies import SimpleCookie
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import nbformat
import psutil
from tornado.httpclient import AsyncHTTPClient, HTTPClientError, HTTPRequest, HTTPResponse
from tornado.websocket import WebSocketClientConnection, websocket_connect

ROOT = Path(__file__).parents[1]
PROXY = ROOT / "build" / "node_modules" / ".bin" / "configurable-http-proxy"
LESSON = "01_gradients.ipynb"
MOVES = 30  # of the slider
LOOK = 0.3  # seconds between a picture and the next move
PATIENCE = {"connect_timeout": 300, "request_timeout": 300}  # seconds: as a browser has it
AS_JSON = {"Content-Type": "application/json"}
TRY_TO_WRITE = """
from pathlib import Path
package = Path(lv.__file__).parent
parts = "photos/loading.py", "networks/weights/alexnet64.safetensors"
for place in map(Path, {places} + [package / part for part in parts]):
    try:
        place.open("r+b").close()
        print(place.name)
    except PermissionError:
        pass
"""
AsyncHTTPClient.configure(None, max_clients=1000)  # all students at once


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Hub:
    """A JupyterHub on loopback with its files in ``folder``."""

    def __init__(self, folder: Path):
        if not PROXY.exists():
            raise FileNotFoundError(f"no proxy at {PROXY}: npm install --prefix build configurable-http-proxy")
        folder.chmod(0o711)  # students pass through to their homes
        (folder / "homes").mkdir()
        (folder / "homes").chmod(0o711)
        self.folder, self.password = folder, uuid.uuid4().hex
        ports = {name: free_port() for name in ("port", "hub_port", "proxy_port")}
        self.address = f"http://127.0.0.1:{ports['port']}"
        choices = {"proxy": str(PROXY), "password": self.password, **ports}
        (folder / "choices.json").write_text(json.dumps(choices))
        (folder / "choices.json").chmod(0o600)
        config = Path(__file__).with_name("classroom_hub.py")
        with (folder / "hub.log").open("w") as log:
            command = [sys.executable, "-m", "jupyterhub", "-f", str(config)]
            self.process = subprocess.Popen(command, cwd=folder, stdout=log, stderr=log, umask=0o077)

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

    async def fetch(self, path: str, headers: Mapping[str, str] | None = None, **request: Any) -> HTTPResponse:
        """One request, with the cookies of a browser."""
        headers = self._headers() | dict(headers or {})
        request |= {"headers": headers, "follow_redirects": False, **PATIENCE}
        response = await AsyncHTTPClient().fetch(self.hub.address + path, raise_error=False, **request)
        for line in response.headers.get_list("Set-Cookie"):
            self.cookies |= {name: morsel.value for name, morsel in SimpleCookie(line).items()}
        if response.code >= 400:
            raise HTTPClientError(response.code, f"{path}: {response.body[:200]!r}")
        return response

    async def log_in(self) -> None:
        """By the form, as everyone does; then wait for a server of one's own."""
        deadline = time.monotonic() + 300
        while True:
            try:
                await self.fetch("/hub/login")
                break
            except (OSError, HTTPClientError):
                if time.monotonic() > deadline:
                    raise
                await asyncio.sleep(0.5)
        form = {"username": self.name, "password": self.hub.password, "_xsrf": self.cookies["_xsrf"]}
        await self.fetch("/hub/login", method="POST", body=urlencode(form))
        answer = await self.fetch(f"/hub/api/users/{self.name}/tokens", method="POST", body="{}", headers=AS_JSON)
        self.token = json.loads(answer.body)["token"]
        while True:
            try:
                await self.fetch(f"/hub/api/users/{self.name}/server", method="POST", body="{}", headers=AS_JSON)
                break
            except HTTPClientError as error:  # such as a port that somebody else took meanwhile: start it again
                if error.code < 500 or time.monotonic() > deadline:
                    raise
                await asyncio.sleep(0.5)
        while time.monotonic() < deadline:
            try:
                answer = await self.fetch(f"/user/{self.name}/api/status")
                if b"started" in answer.body:
                    return
            except HTTPClientError:
                pass
            await asyncio.sleep(0.5)
        raise TimeoutError(f"the server of {self.name} did not start")

    async def open_lesson(self) -> None:
        """A kernel, and the cells that make the panel, from the student's own copy of the lesson."""
        answer = await self.fetch(f"/user/{self.name}/api/contents/lecture-viz/{LESSON}")
        notebook = nbformat.from_dict(json.loads(answer.body)["content"])
        cells = [cell.source for cell in notebook.cells if "present" in cell.metadata.get("tags", [])]
        answer = await self.fetch(f"/user/{self.name}/api/kernels", method="POST", body="{}")
        kernel = json.loads(answer.body)["id"]
        address = f"{self.hub.address.replace('http', 'ws')}/user/{self.name}/api/kernels/{kernel}/channels"
        self.leave_lesson()
        self.socket = await websocket_connect(
            HTTPRequest(address, headers=self._headers(), **PATIENCE), max_message_size=100_000_000
        )
        await self.run("\n".join(cells))
        names = await self.run("print(panel.controls['neuron'].model_id, panel.widget.children[-1].model_id)")
        self.slider, self.code = names.split()

    def leave_lesson(self) -> None:
        if self.socket:
            self.socket.close()

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
        """Move the slider; the next move comes when the picture has been looked at.

        A picture may come twice, coarse and full; the line of code comes once, right behind the first.
        """
        for value in range(1, moves + 1):
            data = {"method": "update", "state": {"value": value}, "buffer_paths": []}
            started = time.perf_counter()
            await self.send("comm_msg", {"comm_id": self.slider, "data": data})
            while True:
                message = await self.receive()
                content = message["content"]
                if message["header"]["msg_type"] == "comm_msg" and content["comm_id"] == self.code:
                    break
            self.lags.append(time.perf_counter() - started)
            await asyncio.sleep(LOOK)

    async def tries_to_write(self, other: "Student") -> list[str]:
        """To what is shared, and to what is another student's; what succeeded."""
        shared = [ROOT / "deploy" / "student.sh", ROOT / "notebooks" / LESSON]
        theirs = self.hub.folder / "homes" / other.name / "lecture-viz" / LESSON
        places = [str(place) for place in [*shared, theirs]]
        return (await self.run(TRY_TO_WRITE.format(places=places))).split()

    def memory(self) -> float:
        """Of server and kernel, in MB."""
        return sum(process.memory_full_info().pss for process in self.hub.processes(self.name)) / 1e6

    async def log_out(self) -> None:
        """Leave the lesson, and stop the server; returns when it has stopped."""
        self.leave_lesson()
        await self.fetch(f"/hub/api/users/{self.name}/server", method="DELETE")
        while json.loads((await self.fetch(f"/hub/api/users/{self.name}")).body)["servers"]:
            await asyncio.sleep(0.2)


async def class_of(hub: Hub, names: Sequence[str]) -> list[Student]:
    """All log in at once, and open the lesson."""
    students = [Student(hub, name) for name in names]
    await asyncio.gather(*(student.log_in() for student in students))
    await asyncio.gather(*(student.open_lesson() for student in students))
    return students
