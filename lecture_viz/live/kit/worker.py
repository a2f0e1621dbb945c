"""One thread for all the work of a panel: the newest job wins.

Callbacks of widgets run on several threads, sometimes at once: they only leave word (`Worker.ask`). One thread answers.
A job that has fallen behind is to give up at the next chance it has (`Worker.stale`), so pictures never arrive out of
order; the thread ends a second after the last job.
"""

import atexit
import threading
import weakref
from collections.abc import Callable

import IPython
import torch

from . import memory, teams

LINGER = 1.0  # seconds; a drag is many small jobs, and a new thread for each would cost time and memory
GOODBYE = 10.0  # seconds: so long Python's exit waits for the step under way
_workers: "weakref.WeakSet[Worker]" = weakref.WeakSet()


class Worker:
    """Runs ``job`` in its thread, again for as long as somebody asked meanwhile. ``job`` raises nothing."""

    def __init__(self, name: str, job: Callable[[], None]):
        self.name = name
        self._job = job
        self._state = threading.Condition()
        self._asked = 0  # jobs asked for …
        self._answered = 0  # … the last of them that was answered …
        self._doing = 0  # … and the one that is being done
        self._closed = False
        self.thread: threading.Thread | None = None
        self._at_work: int | None = None  # the thread that does a job now
        _workers.add(self)

    @property
    def stale(self) -> bool:
        """Whether the job that is being done has fallen behind."""
        return self._asked != self._doing or self._closed

    @property
    def is_here(self) -> bool:
        """Whether the caller is the job itself."""
        return threading.get_ident() == self._at_work

    def ask(self) -> None:
        """Have the job done, or done again; returns at once."""
        with self._state:
            self._asked += 1
            if self.thread is None and not self._closed:
                self.thread = threading.Thread(target=self._work, name=self.name, daemon=True)
                self.thread.start()
            self._state.notify_all()

    def do(self) -> None:
        """Do the job in the caller's thread."""
        self._doing = asked = self._asked
        self._at_work = threading.get_ident()
        self._job()
        self._at_work = None
        self._answered = asked

    def wait(self, timeout: float) -> bool:
        """Return when all is answered; False when ``timeout`` seconds were too few."""
        with self._state:
            return self._state.wait_for(lambda: self._asked == self._answered, timeout)

    def close(self) -> None:
        """End after the step under way: a thread that is still inside PyTorch when Python ends would crash it."""
        with self._state:
            self._closed, thread = True, self.thread
            self._state.notify_all()
        if thread is not None:
            thread.join(GOODBYE)

    def _work(self) -> None:
        torch.set_num_threads(torch.get_num_threads())  # a fresh thread computes up to 60 times slower without
        while True:
            self.do()
            with self._state:
                self._state.notify_all()
                asked = self._state.wait_for(lambda: self._asked != self._answered or self._closed, LINGER)
                if not asked or self._closed:
                    self.thread = None
                    return


if shell := IPython.get_ipython():
    for leave in (teams.send_home, memory.give_back):  # what a cell has used, and panels or others could use
        shell.events.register("post_run_cell", leave)


@atexit.register
def _close_all() -> None:
    for worker in list(_workers):
        worker.close()
