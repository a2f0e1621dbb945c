"""A kernel that was forked is as any other, but for what it has from the start."""

import os
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

import pytest
from jupyter_client import KernelManager
from jupyter_client.kernelspec import KernelSpec

import lecture_viz as lv
from lecture_viz.machine import warm_kernels

pytestmark = [pytest.mark.long, pytest.mark.skipif(sys.platform != "linux", reason="kernels are forked on Linux alone")]
SECONDS = 120


class Name(str):
    """Of a variable, in a kind of string that the kernel does not know; Voilà gives such."""


@contextmanager
def kernel(**choices):
    """A kernel's manager, its client, and ``ask(code)``: what the code prints, or the name of its error."""
    manager = KernelManager(kernel_name="python3")
    manager.start_kernel(**choices)
    client = manager.client()
    client.start_channels()

    def ask(code: str) -> str:
        said = []
        client.execute_interactive(code, timeout=SECONDS, output_hook=lambda message: said.append(message["content"]))
        return "".join(one.get("text") or one.get("ename", "") for one in said).strip()

    try:
        client.wait_for_ready(SECONDS)
        yield manager, client, ask
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)


def eventually(check) -> None:
    deadline = time.monotonic() + SECONDS
    while not check():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def forked(manager: KernelManager) -> bool:
    return isinstance(manager.provisioner.process, warm_kernels.Forked)


def test_it_has_pytorch_and_nothing_that_may_change_nor_that_asks_for_its_environment(tmp_path):
    modules = ["torch", "torchvision", "matplotlib", "lecture_viz"]
    look = f"import os, sys\nprint([name for name in {modules} if name in sys.modules], os.environ['OWN'], os.getcwd())"
    with kernel(env=os.environ | {Name("OWN"): "mine"}, cwd=str(tmp_path)) as (manager, _, ask):
        assert forked(manager)
        assert ask(look) == f"['torch', 'torchvision'] mine {tmp_path}"
        assert "inline" in ask("import matplotlib.pyplot as plt\nprint(plt.get_backend())")
        drawn = ask("import numpy; print(numpy.random.rand())")
    with kernel() as (*_, ask):
        assert ask("import numpy; print(numpy.random.rand())") != drawn


def test_it_may_start_processes_that_know_its_notebook():
    code = """
from torch.utils.data import DataLoader, Dataset
class Squares(Dataset):
    def __len__(self): return 4
    def __getitem__(self, n): return n * n
print(*DataLoader(Squares(), num_workers=2))
"""
    with kernel() as (*_, ask):
        assert ask(code) == "tensor([0]) tensor([1]) tensor([4]) tensor([9])"


def test_it_is_interrupted_restarted_and_ended_with_what_it_leaves_behind(tmp_path):
    note = tmp_path / "note"
    with kernel() as (manager, client, ask):
        assert ask("3 ** 'a'") == "TypeError"
        client.execute("import time\nprint('runs', flush=True)\ntime.sleep(1000)")
        while client.get_iopub_msg(SECONDS)["msg_type"] != "stream":
            pass
        manager.interrupt_kernel()
        assert client.get_shell_msg(SECONDS)["content"]["ename"] == "KeyboardInterrupt"
        before = manager.provisioner.pid
        manager.restart_kernel(now=True)
        eventually(lambda: ask("print(1)") == "1")
        assert manager.provisioner.pid != before and forked(manager)
        ask(f"import atexit, pathlib\natexit.register(pathlib.Path({str(note)!r}).touch)")
        manager.shutdown_kernel()
    assert note.exists()


SERVER = """
import sys, time
from jupyter_client import KernelManager
import lecture_viz as lv
from lecture_viz.machine import warm_kernels

if __name__ == "__main__":
    warm_kernels.READY = sys.argv[1:]
    warm_kernels.offer()
    manager = KernelManager(kernel_name="python3")
    manager.start_kernel()
    client = manager.client()
    client.start_channels()
    client.wait_for_ready(120)
    print(type(manager.provisioner.process).__name__, manager.provisioner.pid, flush=True)
    time.sleep(1000)
"""


@contextmanager
def server(folder, *ready):
    """A program that has started a kernel, what kind that is, and its process; what is to be ``ready`` is imported."""
    (folder / "server.py").write_text(SERVER)
    command = [sys.executable, folder / "server.py", *ready]
    settings = os.environ | {"PYTHONPATH": str(folder)}
    with subprocess.Popen(command, env=settings, stdout=subprocess.PIPE, text=True) as process:
        try:
            kind, pid = process.stdout.readline().split()
            yield process, kind, int(pid)
        finally:
            process.kill()


def lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_it_ends_with_a_server_that_is_killed(tmp_path):
    with server(tmp_path) as (process, kind, pid):
        assert kind == "Forked" and lives(pid)
        process.kill()
    eventually(lambda: not lives(pid))


def test_where_pytorch_is_broken_it_starts_as_jupyter_starts_it(tmp_path):
    (tmp_path / "broken.py").write_text("raise RuntimeError('libtorch.so is damaged')")
    with server(tmp_path, "broken") as (_, kind, pid):
        assert kind == "Popen" and lives(pid)
        os.kill(pid, signal.SIGTERM)


def test_threads_wait_as_the_package_wants_it(monkeypatch):
    monkeypatch.delenv("GOMP_SPINCOUNT", raising=False)
    said = Path(lv.__file__).read_text(encoding="utf-8")
    warm_kernels.offer(now=False)
    assert f'setdefault("GOMP_SPINCOUNT", "{os.environ["GOMP_SPINCOUNT"]}")' in said


def test_a_kernel_of_another_program_is_its_own(monkeypatch):
    command = ["env", sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    monkeypatch.setattr(KernelManager, "kernel_spec", KernelSpec(argv=command))
    with kernel() as (manager, _, ask):
        assert not forked(manager) and ask("print(1)") == "1"
