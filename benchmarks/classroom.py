"""How many students one machine carries: ``python -m benchmarks.classroom 1 8 24``; writes CLASSROOM.md.

A real JupyterHub with the configuration of `deploy/`. So many students log in at one instant, open a lesson, and drag
its slider: a value, the picture, a short look at it, the next value. Then all ask for a class image at one instant.
Last, what idle students cost, what an endless run and a crash do to a neighbour, and what a student can write to.
"""

import asyncio
import statistics
import sys
import tempfile
import time
from pathlib import Path

import nbformat
import psutil
from nbclient import NotebookClient
from tornado.httpclient import HTTPClientError

from .students import LESSON, LOOK, MOVES, ROOT, Hub, Student, class_of

CLASS_IMAGE = 'lv.last(lv.maximize(net, lv.logit("tabby"), 128, parameterization="fourier")).image'
PROMPT = 250  # milliseconds in which 95 of 100 pictures are to be there
SYSTEM = 2  # GB for the system and the hub
MACHINES = ((2, 8), (4, 16), (8, 32), (16, 64), (32, 128))  # cores and GB that one can rent
MEMORY = "\nimport resource; print('peak', resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)"
HEAD = """# How many students one machine carries

Written by `make bench`, or `python -m benchmarks.classroom {counts}`. {cores} cores, {memory:.0f} GB, which students,
hub and proxy share; one thread for each kernel. {moves} moves of the slider in {lesson}, {look} s to look at each
picture; then a class image (128 steps) for all at one instant. Memory is proportional: what kernels share counts once.

| students | lesson open, s | memory of each, MB | slider to picture, median, ms | 95th percentile | class image, s |
| --: | --: | --: | --: | --: | --: |
"""


def lag(students: list[Student]) -> tuple[float, float]:
    """Median and 95th percentile of all moves, in milliseconds."""
    lags = sorted(1e3 * seconds for student in students for seconds in student.lags)
    return statistics.median(lags), lags[int(0.95 * (len(lags) - 1))]


async def at_once(hub: Hub, count: int) -> tuple[tuple[float, ...], list[Student]]:
    """A row of the table."""
    started = time.monotonic()
    students = await class_of(hub, [f"student{count}x{n}" for n in range(count)])
    ready = time.monotonic() - started
    await asyncio.gather(*(student.drag() for student in students))
    memory = statistics.mean(student.memory() for student in students)
    started = time.monotonic()
    await asyncio.gather(*(student.run(CLASS_IMAGE) for student in students))
    return (count, ready, memory, *lag(students), time.monotonic() - started), students


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


async def writable(student: Student, other: Student) -> str:
    """What of the things that are not the student's own."""
    found = await student.tries_to_write(other)
    names = ", ".join(found) if found else "nothing"
    return f"Of the package, its weights, the shared notebooks and a neighbour's folder, a student can write: {names}."


async def measure(hub: Hub, counts: list[int]) -> tuple[list[tuple[float, ...]], list[str]]:
    rows, remarks = [], []
    for count in counts:
        try:
            row, students = await at_once(hub, count)
        except (TimeoutError, ConnectionError, HTTPClientError) as error:
            remarks.append(f"What breaks first: {count} students at once ({error}).")
            break
        rows.append(row)
        print(*(f"{figure:.0f}" for figure in row), flush=True)
        if count >= 3 and not remarks:
            remarks = [await writable(*students[:2]), await idle(students), await neighbour(students)]
        for student in students:
            await student.log_out()
    else:
        remarks.append(f"Nothing breaks with {count} students; what gets slow first is opening the lesson all at once.")
    return rows, remarks


def heaviest() -> str:
    """The notebook whose kernel takes the most memory, all cells run."""
    peaks = {}
    for path in sorted((ROOT / "notebooks").glob("*.ipynb")):
        notebook = nbformat.read(path, as_version=4)
        notebook.cells.append(nbformat.v4.new_code_cell(MEMORY))
        NotebookClient(notebook, timeout=600, resources={"metadata": {"path": path.parent}}).execute()
        peaks[int(notebook.cells[-1].outputs[-1]["text"].split()[-1]) / 1e3] = path.name
        print(path.name, max(peaks), flush=True)
    return f"All cells run, the heaviest notebook, {peaks[max(peaks)]}, takes {max(peaks):.0f} MB; the limit is 2 GB."


def carries(cores: int, memory: float, rows: list[tuple[float, ...]]) -> tuple[int, str]:
    """How many students a machine of so many cores and GB carries, and what is short first.

    Memory as each took in the largest class; cores as for the largest class whose pictures came promptly.
    """
    prompt = max((row[0] for row in rows if row[4] <= PROMPT), default=0) / psutil.cpu_count()
    limits = {"memory": (memory - SYSTEM) * 1e3 / rows[-1][2], "cores": prompt * cores}
    short = min(limits, key=limits.get)
    return int(limits[short]), short


def main(counts: list[int]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        hub = Hub(Path(folder))
        try:
            rows, remarks = asyncio.run(measure(hub, counts))
        except Exception:
            print((Path(folder) / "hub.log").read_text()[-5000:])
            raise
        finally:
            hub.stop()
    memory = psutil.virtual_memory().total / 1e9
    text = HEAD.format(
        counts=" ".join(map(str, counts)),
        cores=psutil.cpu_count(),
        memory=memory,
        moves=MOVES,
        lesson=LESSON,
        look=LOOK,
    )
    text += "".join(f"| {' | '.join(f'{figure:.0f}' for figure in row)} |\n" for row in rows)
    text += "".join(f"\n{remark}\n" for remark in [*remarks, heaviest()])
    text += (
        f"\n## Choose a machine\n\nReckoned from the table: {SYSTEM} GB for system and hub; as many students for each "
        f"core as had 95 of 100 pictures within {PROMPT} ms, all dragging at once.\n\n"
        "| cores | memory, GB | students | what is short first |\n| --: | --: | --: | :-- |\n"
    )
    for cores, size in MACHINES:
        students, short = carries(cores, size, rows)
        text += f"| {cores} | {size} | {students} | {short} |\n"
    (ROOT / "benchmarks" / "CLASSROOM.md").write_text(text)


if __name__ == "__main__":
    main([int(count) for count in sys.argv[1:]] or [1, 8, 16, 24, 32])
