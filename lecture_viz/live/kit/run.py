"""Panels for what takes its time: start, watch the picture grow, stop, go on, change strengths while it runs.

A run is a generator of steps, and nobody but the worker takes steps from it. A slider that moves, or a button, asks for
a new drawing as everywhere; the drawing under way ends after its step, and the next one goes on with the same run under
the new values. So nothing has to be locked, and Stop answers within one step.
"""

import time
import weakref
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import ipywidgets as widgets
from torch import Tensor

from ...optimization_based.optimization import Step, last
from .call import Call, Named, Part, Values
from .curves import Curves
from .film import Film
from .panel import Panel
from .photo import PhotoPanel
from .resolved import Frame
from .strengths import Strengths
from .view import Shown

PER_SECOND = 12  # pictures to the screen: more would only queue up


class RunPanel(Panel):
    """A subclass adds controls, calls `assemble_run`, and writes `search` and `fixed`."""

    _running = False
    _newest_panel: Callable[[], "RunPanel | None"] = lambda: None

    # --- what a subclass writes -----------------------------------------------------------------------------------

    def search(self, values: Values) -> Call:
        """The call that yields the steps. Its `Strengths` follow the sliders while it runs."""
        raise NotImplementedError

    def fixed(self, values: Values) -> Any:
        """What cannot be changed in a running search, such as its target.

        When that changes, the run goes on from the picture on screen with another search, see `going_on`.
        """
        raise NotImplementedError

    def going_on(self, values: Values, search: Call, image: Tensor, steps: int) -> Call:
        """``search`` for the last ``steps`` of a run, beginning with ``image``."""
        return search.but(steps, start=Named("start", image))

    def code_for(self, values: Values) -> str:
        """The code that makes the picture of such a run."""
        return str(Part(Call.of(last, Named("steps", made_by=self.search(values))), "image"))

    def first_picture(self, values: Values) -> Tensor:
        """What is shown before the first run."""
        raise NotImplementedError

    def outputs_of_controls(self, values: Values) -> dict[str, Tensor | str]:
        """Outputs beside the run that follow the controls, not its steps."""
        return {}

    def goal(self, values: Values) -> int:
        """How many steps a run takes."""
        return int(values["steps"])

    def followed(self, step: Step) -> dict[str, float]:
        """What the curves follow."""
        return {"objective": step.value} | step.terms

    def caption(self, step: Step) -> str:
        """What stands below the picture."""
        silent = "" if any(self.curves.values["objective"]) else f"<br>{self.say('silent run')}"
        return self.say("step", step=self._taken, value=step.value) + silent

    def depends_on(self, values: Values) -> str:
        """What the picture depends on; `code_for`, unless that says more."""
        return self.code_for(values)

    def assemble_run(self, *rows: widgets.Widget, size: int, first: Sequence[widgets.Widget] = ()) -> None:
        """The last line of a subclass's ``__init__``, in the place of `assemble`; ``first`` stands left of the run."""
        before = RunPanel._newest_panel()
        if before is not None and before._running:  # a cell run again: its old panel is not to compute unseen
            before.stop()
        RunPanel._newest_panel = weakref.ref(self)
        self._run: Iterator[Step] | None = None
        self._search: Call | None = None  # the call of the run, and the variables that its code makes
        self._known: Values = {}
        self._fixed: Any = None
        self._newest: Step | None = None
        self._made_by = ""  # what the picture on screen depends on
        self._taken = 0  # steps of this run …
        self._goal = 1  # … and how many it is to take
        self._seconds = 0.0  # spent in it
        self.film, self.curves = Film(), Curves()
        self._running = False
        self._width = size - 10  # of the curves, in screen pixels
        self._wishes: deque[str] = deque()  # start, stop, resume: buttons leave them, the worker takes them
        self._presses = 0
        buttons = []
        for name, icon in (("start", "play"), ("stop", "stop"), ("resume", "step-forward")):
            button = widgets.Button(description=self.say(name), icon=icon, layout=widgets.Layout(width="100px"))
            button.add_class(f"lv-{name}")
            button.on_click(lambda _, name=name: self._press(name))
            buttons.append(button)
        progress = self.outputs["progress"] = widgets.FloatProgress(min=0, max=1, layout=widgets.Layout(width="260px"))
        progress.add_class("lv-progress")
        bar = widgets.HBox([*buttons, progress, self.view.text("time left", width="220px", margin="0 0 0 10px")])
        shown = [
            *first,
            self.view.picture("image", size),
            self.view.picture("film", size),
            self.view.text("curves", width=f"{size}px", height=f"{size}px"),
        ]
        self.assemble(*rows, bar, self.view.row(*shown), self.view.text("save"))

    # --- what notebooks and tests use -----------------------------------------------------------------------------

    def start(self) -> "RunPanel":
        """Begin a new run; returns at once, `wait` waits for its end."""
        return self._press("start")

    def stop(self) -> "RunPanel":
        """End after the step under way; the picture stays."""
        return self._press("stop")

    def resume(self) -> "RunPanel":
        """Go on where it was stopped."""
        return self._press("resume")

    @property
    def step(self) -> Step | None:
        """The newest step."""
        return self._newest

    # --- the worker's side ----------------------------------------------------------------------------------------

    def begin(self, values: Values, image: Tensor | None, steps: int) -> Iterator[Step]:
        """A run of so many steps; ``image`` is the picture to go on with, ``None`` a new start."""
        search = self.search(values)
        if image is not None:
            search = self.going_on(values, search, image, steps)
        self._search, self._known = search, {}
        return next(search.results(self._known))

    def _steer(self, values: Values) -> None:
        """The strengths of the running search become those of the sliders."""
        if self._search is not None:
            for running, asked in zip(lists(self._search), lists(self.search(values))):
                running.follow(asked)

    def _press(self, name: str) -> "RunPanel":
        self._wishes.append(name)
        self._presses += 1
        self.worker.ask()
        return self

    def preset_chosen(self) -> None:
        self.begin_anew()

    def begin_anew(self) -> None:
        """As if a hand had pressed start, once."""
        if "start" not in self._wishes:
            self._wishes.append("start")

    def adjust(self, values: Values) -> Values:
        return values | {"presses": self._presses}  # a button, too, makes for a new drawing

    def _show_state(self) -> None:
        """For the keys of the presenter view: what Space would do."""
        states = {"lv-running": self._running, "lv-stopped": not self._running and self._run is not None}
        for name, holds in states.items():
            (self.widget.add_class if holds else self.widget.remove_class)(name)

    def _told(self, values: Values) -> str:
        """The code; where it is not the one that made the picture on screen, it says so."""
        code = self.code_for(values)
        if self._newest is None:
            return code
        if self._running and self._made_by != self.depends_on(values):
            self._made_by = ""  # no single call makes this picture any more
        if self._made_by == self.depends_on(values):
            unfinished = self._taken < self._goal and not self._running
            return f"# {self.say('so far', taken=self._taken, goal=self._goal)}\n{code}" if unfinished else code
        return f"# {self.say('moved' if self._running else 'press start')}\n{code}"

    def draw(self, values: Values) -> Iterator[Frame]:
        was_running = self._running
        while self._wishes:
            self._obey(self._wishes.popleft(), values)
        if not self._running:
            outputs: dict[str, Shown] = {**self.outputs_of_controls(values)}
            if self._newest is None:
                picture = self.first_picture(values)
                outputs |= {"image": picture, "film": picture, "image caption": self.say("begin")}
            elif was_running:
                outputs |= self._outputs()
            self._show_state()
            yield Frame(outputs, self._told(values))
            return
        fixed = self.fixed(values)
        self._steer(values)
        if fixed != self._fixed and self._newest is not None:  # another target: on from the picture on screen
            self._run = self.begin(values, self._newest.image, max(1, self._goal - self._taken))
            self.curves = Curves(self._taken)  # another target has another scale
        self._fixed = fixed
        shown = 0.0
        self._show_state()
        code = self._told(values)
        yield Frame(self.outputs_of_controls(values), code)
        while True:
            started = time.monotonic()
            try:
                step = next(self._run, None) if self._run is not None else None
            except Exception:
                self._running, self._run = False, None
                self._show_state()
                yield Frame(self._outputs(), self._told(values))
                raise
            if step is None:
                self._running, self._run = False, None
                break
            self._seconds += time.monotonic() - started
            self._keep(step)
            due = time.monotonic() - shown >= 1 / PER_SECOND
            if due:
                shown = time.monotonic()
            yield Frame(self._outputs() if due else {}, code)
        self._show_state()
        yield Frame(self._outputs(), self._told(values))

    def _obey(self, wish: str, values: Values) -> None:
        if wish != "start":
            self._running = wish == "resume" and self._run is not None
            return
        goal = self.goal(values)
        run = self.begin(values, None, goal)  # before the last run is forgotten: it may be refused
        self._fixed, self._made_by = self.fixed(values), self.depends_on(values)
        self._newest, self._taken, self._goal, self._seconds = None, 0, goal, 0.0
        self.film, self.curves = Film(), Curves()
        self._run, self._running = run, True

    def _keep(self, step: Step) -> None:
        self._newest = step
        self._taken += 1
        self.film.keep(step.image)
        self.curves.keep(self.followed(step))

    def _outputs(self) -> dict[str, Shown]:
        if self._newest is None:
            return {"time left": self._time_left()}
        outputs: dict[str, Shown] = {
            "image": self._newest.image[:1],
            "image caption": self.caption(self._newest),
            "film": self.film.strip(),
            "film caption": self.say("film caption", stills=len(self.film.chosen())),
            "curves": self.curves.draw(self._width),
            "progress": self._taken / self._goal,
            "time left": self._time_left(),
            "save": "",
        }
        if not self._running:
            outputs["save"] = f"{self.say('save as')} {self.film.links(self._newest.image[:1])}"
        return outputs

    def _time_left(self) -> str:
        if self._running and self._taken:
            left = (self._goal - self._taken) * self._seconds / self._taken
            return self.say("seconds left", seconds=left)
        if self._newest is None:
            return ""
        return self.say("stopped") if self._run is not None else self.say("done", seconds=self._seconds)


class SearchPanel(RunPanel, PhotoPanel):
    """Looks for the photo itself: another photo begins a new search, once there was one."""

    def new_photo(self, values: Values) -> Values:
        if self._newest is not None:
            self.begin_anew()
        return super().new_photo(values)


def lists(call: Call) -> list[Strengths]:
    """The lists of a call whose strengths may change."""
    return [value for _, value in call.choices if isinstance(value, Strengths)]
