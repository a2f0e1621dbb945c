"""A class on a real JupyterHub, with what `deploy/` installs; and the figures in `deploy/` are those measured."""

import asyncio
import os
import re
import subprocess
import tempfile
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import yaml
from traitlets.config import Config

from benchmarks.classroom import MACHINES, carries
from benchmarks.students import LESSON, PROXY, Hub, Student, class_of

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
MEASURED = (ROOT / "benchmarks" / "CLASSROOM.md").read_text()


@pytest.fixture(scope="module")
def hub():
    if not PROXY.exists():
        (pytest.fail if os.environ.get("CI") else pytest.skip)(
            f"the hub needs its proxy: make {PROXY.relative_to(ROOT)}"
        )
    with tempfile.TemporaryDirectory() as folder:  # pytest's own folders are closed to the students
        hub = Hub(Path(folder))
        yield hub
        hub.stop()


def run(lesson: Callable[[], Awaitable[Any]]) -> Any:
    """In a thread of its own: the browser tests' loop still runs in this one."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(lambda: asyncio.run(lesson())).result()


@pytest.mark.hub
def test_students_work_side_by_side(hub):
    """Three drag at once; then one runs on and on, one's kernel dies, and the third notices nothing."""

    async def lesson() -> None:
        endless, crash, other = students = await class_of(hub, ["ada", "bob", "eve"])
        await asyncio.gather(*(student.drag(3) for student in students))
        assert [len(student.lags) for student in students] == [3, 3, 3]
        assert await other.run("import torch; print(torch.get_num_threads())") == "1\n"
        await endless.send("execute_request", {"code": "while True: pass", "silent": False})
        await crash.send("execute_request", {"code": "import os; os._exit(1)", "silent": False})
        await other.drag(3)
        assert len(other.lags) == 6
        await crash.open_lesson()  # a new kernel, and all is well again
        await crash.drag(1)
        for student in students:
            await student.log_out()

    run(lesson)


@pytest.mark.hub
def test_students_get_copies_and_keep_their_work(hub):
    copies = hub.folder / "homes" / "joe" / "lecture-viz"

    async def lesson() -> None:
        student = Student(hub, "joe")
        await student.log_in()
        names = {path.name for path in copies.iterdir()}
        lessons = {path.name for kind in ("*.ipynb", "*.png") for path in (ROOT / "notebooks").glob(kind)}
        assert names == lessons | {"zh"} and (copies / "zh" / LESSON).exists()
        (copies / LESSON).write_text("my work")
        (copies / "glossary.ipynb").unlink()
        await student.log_out()
        again = Student(hub, "joe")
        await again.log_in()
        await again.log_out()

    run(lesson)
    assert (copies / LESSON).read_text() == "my work"
    assert (copies / "glossary.ipynb").exists()


@pytest.mark.hub
def test_nothing_shared_can_be_written(hub):
    async def lesson() -> tuple[int, list[list[str]]]:
        one, other = await class_of(hub, ["mia", "tom"])
        user = int(await one.run("import os; print(os.geteuid())"))
        written = [await one.tries_to_write(other), await one.tries_to_write(one)]
        for student in (one, other):
            await student.log_out()
        return user, written

    user, (others, own) = run(lesson)
    if user == os.geteuid():
        pytest.skip("students with a user of their own need root, and a Python that others may run")
    assert (others, own) == ([], [LESSON])  # one's own copy can be


# --- what deploy/ says -------------------------------------------------------------------------------------------


def megabytes(size: str) -> float:
    number, unit = re.fullmatch(r"([\d.]+)([MG])i?", size).groups()
    return float(number) * {"M": 1, "G": 1000}[unit]


@pytest.fixture
def one_machine():
    config = Config()
    exec((DEPLOY / "classroom.py").read_text(), {"get_config": lambda: config})
    return config.Spawner


@pytest.fixture
def cluster():
    return yaml.safe_load((DEPLOY / "values.yaml").read_text())["singleuser"]


def test_the_limits_hold_what_was_measured(one_machine, cluster):
    heaviest = float(re.search(r"heaviest notebook, \S+, takes (\d+) MB", MEASURED)[1])
    each = [float(row.split("|")[3]) for row in MEASURED.splitlines() if re.match(r"\| \d+ \| \d+ \| \d+ \| \d+", row)]
    assert heaviest + 200 < megabytes(one_machine.mem_limit)  # and the server
    assert len(each) >= 3 and max(each) < megabytes(cluster["memory"]["guarantee"])


def test_one_machine_and_cluster_agree(one_machine, cluster):
    assert [cluster["cmd"]] == one_machine.cmd
    assert cluster["defaultUrl"] == one_machine.default_url
    assert cluster["memory"]["limit"] == one_machine.mem_limit
    assert cluster["cpu"]["limit"] == one_machine.cpu_limit
    assert cluster["startTimeout"] == one_machine.start_timeout == one_machine.http_timeout


def test_what_the_recipes_install_is_where_the_configuration_looks(one_machine):
    (start,) = one_machine.cmd
    shared = Path(start).parents[1]
    assert (DEPLOY / Path(start).name).stat().st_mode & 0o111 == 0o111
    assert f"cp -r deploy notebooks {shared}/" in (DEPLOY / "tljh.sh").read_text()
    dockerfile = (DEPLOY / "Dockerfile").read_text()
    assert f"WORKDIR {shared}\n" in dockerfile and start in dockerfile
    lesson = one_machine.default_url.removeprefix("/lab/tree/lecture-viz/")
    assert (ROOT / "notebooks" / lesson).exists()


def test_a_student_harms_nobody_and_costs_nothing_when_idle():
    assert "a neighbour's folder, a student can write: nothing." in MEASURED
    assert re.search(r"An idle student costs 0\.\d % of a core\.", MEASURED)
    assert "and loses nothing." in MEASURED


@pytest.mark.parametrize("script", sorted(DEPLOY.glob("*.sh")), ids=lambda path: path.name)
def test_scripts_are_shell(script):
    subprocess.run(["sh", "-n", script], check=True)


def test_a_machine_carries_what_is_short_first():
    cores = os.cpu_count()
    rows = [(8, 0, 640, 25, 80, 12), (10 * cores, 0, 500, 100, 200, 40), (20 * cores, 0, 500, 300, 900, 90)]
    assert carries(4, 12, rows) == (20, "memory")  # 10 GB for 0.5 GB each
    assert carries(1, 102, rows) == (10, "cores")


def test_the_table_of_machines_is_the_readmes():
    sizes = re.findall(r"^\| (\d+) \| (\d+) \| (\d+) \| (memory|cores) \|$", MEASURED, re.MULTILINE)
    assert [(int(cores), int(memory)) for cores, memory, *_ in sizes] == list(MACHINES)
    told = (DEPLOY / "README.md").read_text()
    for cores, memory, students, _ in sizes:
        assert f"| {cores} | {memory} | {students} |" in told
