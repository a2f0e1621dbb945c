"""Panels for what takes its time: start, watch the picture grow, stop, go on, change strengths while it runs.

A run is a generator of steps, and nobody but the worker takes steps from it. A slider that moves, or a button, asks for
a new drawing as everywhere; the drawing under way ends after its step, and the next one goes on with the same run under
the new values. So nothing has to be locked, and Stop answers within one step.
"""

import time
import weakref
from collections import deque
from collections.abc import Callable, Iterator, Sequence

import ipywidgets as widgets
from torch import Tensor

from ...optimization_based.optimization import Step, last
from .call import Call, Expression, Named, Part, Values
from .curves import Curves
from .film import Film
from .panel import Panel
from .photo import PhotoPanel
from .resolved import Frame, Resolved
from .strengths import OFF, Following, shown_slider
from .view import Shown

PER_SECOND = 12  # pictures to the screen: more would only queue up


class Run:
    """A search under way, stopped or at its end: its generator, and what it gave so far.

    Attributes:
        search: the call that yields the steps, and ``known``, the variables that its code makes.
        steps: where they come from; none at its end.
        fixed: what no slider can change in it.
        made_by: the search as code; empty once a hand has changed it: no single call makes this picture any more.
        newest: the newest step.
        taken, goal: so many steps it has taken, and is to take.
        seconds: spent in it.
        film, curves: of its steps.
    """

    def __init__(self, asked: Resolved, goal: int, begin: Callable[["Run"], Iterator[Step]]):
        self.search, self.fixed, self.made_by = asked.call, asked.fixed, str(asked.call)
        self.known: Values = {}
        self.newest: Step | None = None
        self.taken, self.goal, self.seconds = 0, goal, 0.0
        self.film, self.curves = Film(), Curves()
        self.steps: Iterator[Step] | None = begin(self)

    def go_on(self, search: Call, fixed: object, begin: Callable[["Run"], Iterator[Step]]) -> None:
        """With another search, from the picture that was found; another target has another scale of its curves."""
        self.search, self.fixed, self.known = search, fixed, {}
        self.curves = Curves(self.taken)
        self.steps = begin(self)

    def take(self, followed: Callable[[Step], dict[str, float]]) -> bool:
        """One step; returns whether there was one."""
        started = time.monotonic()
        step, ended = None, True
        try:
            step = next(self.steps, None) if self.steps is not None else None
            ended = step is None
        finally:
            if ended:
                self.steps = None
        if step is None:
            return False
        self.seconds += time.monotonic() - started
        self.newest, self.taken = step, self.taken + 1
        self.film.keep(step.image)
        self.curves.keep(followed(step))
        return True


class RunPanel(Panel):
    """A subclass adds controls, calls `assemble_run`, and says in `resolve` which search its controls stand for.

    The strengths of a running search follow the sliders (`Following`). When what no slider can change in it is another
    (`Resolved.fixed`, such as its target), the run goes on from the picture on screen with another search.

    Attributes:
        run: the newest one, and whether it is ``running`` or has been stopped.
    """

    run: Run | None = None
    running = False
    _newest_panel: Callable[[], "RunPanel | None"] = lambda: None

    # --- what a subclass writes -----------------------------------------------------------------------------------

    def shown_control(self, name: str) -> widgets.Widget | None:
        return shown_slider(self.controls, name) if name in OFF else super().shown_control(name)

    def going_on(self, values: Values, search: Call, image: Tensor, steps: int) -> Call:
        """``search`` for the last ``steps`` of a run, beginning with ``image``."""
        return search.but(steps, start=Named("start", image))

    def begin(self, run: Run) -> Iterator[Step]:
        """The steps of its search."""
        return next(run.search.results(run.known))

    def picture(self, search: Call, values: Values) -> Expression:
        """What is on screen when the search has ended."""
        return Part(Call.of(last, Named("steps", made_by=search)), "image")

    def first_picture(self, values: Values) -> Tensor:
        """What is shown before the first run."""
        raise NotImplementedError

    def outputs_of_controls(self, values: Values) -> dict[str, Shown]:
        """Outputs beside the run that follow the controls, not its steps."""
        return {}

    def goal(self, values: Values) -> int:
        """How many steps a run takes."""
        return int(values["steps"])

    def followed(self, step: Step) -> dict[str, float]:
        """What the curves follow."""
        return {"objective": step.value} | step.terms

    def caption(self, run: Run, step: Step) -> str:
        """What stands below the picture of the newest step."""
        silent = "" if any(run.curves.values["objective"]) else f"<br>{self.say('silent run')}"
        return self.say("step", step=run.taken, value=step.value) + silent

    def outputs_of_run(self, run: Run, step: Step) -> dict[str, Shown]:
        """Outputs that follow the newest step."""
        return {
            "image": step.image[:1],
            "image caption": self.caption(run, step),
            "film": run.film.strip(),
            "film caption": self.say("film caption", stills=len(run.film.chosen())),
            "curves": run.curves.draw(self._width, self._texts),
            "progress": run.taken / run.goal,
            "time left": self._time_left(run),
            "save": "" if self.running else self._links(run.film, step.image[:1]),
        }

    def _links(self, film: Film, final: Tensor) -> str:
        """They hold the pictures, and stand in the page."""
        return f"{self.say('save as')} {film.links(final)}" if self.view.kept else self.say("save nowhere")

    def assemble_run(self, *rows: widgets.Widget, size: int, first: Sequence[widgets.Widget] = ()) -> None:
        """The last line of a subclass's ``__init__``, in the place of `assemble`; ``first`` stands left of the run."""
        before = RunPanel._newest_panel()
        if before is not None and before.running:  # a cell run again: its old panel is not to compute unseen
            before.stop()
        RunPanel._newest_panel = weakref.ref(self)
        self._width = size - 10  # of the curves, in screen pixels
        self._wishes: deque[str] = deque()  # start, stop, resume: buttons leave them, the worker takes them
        buttons = []
        for name, icon in (("start", "play"), ("stop", "stop"), ("resume", "step-forward")):
            button = widgets.Button(description=self.say(name), icon=icon, layout=widgets.Layout(width="100px"))
            button.add_class(f"lv-{name}")
            button.on_click(lambda _, name=name: self._press(name))
            buttons.append(button)
        progress = self.outputs["progress"] = widgets.FloatProgress(min=0, max=1, layout=widgets.Layout(width="260px"))
        progress.add_class("lv-progress")
        bar = widgets.HBox([*buttons, progress, self.view.text("time left", width="220px", margin="0 0 0 10px")])
        bar.add_class("lv-run")
        shown = [
            *first,
            self.view.picture("image", size),
            self.view.picture("film", size),
            self.view.text("curves", min_height=f"{size}px"),
        ]
        self.assemble(*rows, bar, self.view.row(*shown, main=len(first)), self.view.text("save"))

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
        return self.run.newest if self.run is not None else None

    # --- the worker's side ----------------------------------------------------------------------------------------

    def _press(self, name: str) -> "RunPanel":
        self._wishes.append(name)
        self.worker.ask()
        return self

    def begin_anew(self) -> None:
        if "start" not in self._wishes:
            self._wishes.append("start")

    def is_waiting(self) -> bool:
        return bool(self._wishes)

    @property
    def whole(self) -> bool:
        return self.run is not None and self.run.steps is None and not self.is_waiting()

    def draw(self, values: Values) -> Iterator[Frame]:
        asked, was_running = self.resolve(values), self.running
        while self._wishes:
            self._obey(self._wishes.popleft(), asked, values)
        run = self.run
        if run is None or not self.running:
            outputs = self.outputs_of_controls(values)
            if run is None or run.newest is None:
                picture = self.first_picture(values)
                outputs |= {"image": picture, "film": picture, "image caption": self.say("begin"), "time left": ""}
            elif was_running:
                outputs |= self.outputs_of_run(run, run.newest)
            yield self._frame(outputs, asked, values)
            return
        for running, wanted in zip(following(run.search), following(asked.call)):
            running.follow(wanted)
        if asked.fixed != run.fixed and run.newest is not None:
            search = self.going_on(values, asked.call, run.newest.image, max(1, run.goal - run.taken))
            run.go_on(search, asked.fixed, self.begin)
        first = self._frame(self.outputs_of_controls(values), asked, values)
        yield first
        shown = 0.0
        try:
            while run.take(self.followed):
                due = time.monotonic() - shown >= 1 / PER_SECOND
                shown = time.monotonic() if due else shown
                yield Frame(self.outputs_of_run(run, run.newest) if due and run.newest else {}, first.code)
        except Exception:
            yield self._ended(asked, values)
            raise
        yield self._ended(asked, values)

    def _obey(self, wish: str, asked: Resolved, values: Values) -> None:
        if wish == "start":
            if "camera" in self.controls:
                self.controls["camera"].live = False  # the run is about the frame it begins with
            self.run = Run(asked, self.goal(values), self.begin)  # it may be refused: then the last one stays
        self.running = wish != "stop" and self.run is not None and self.run.steps is not None

    def _ended(self, asked: Resolved, values: Values) -> Frame:
        self.running = False
        run = self.run
        return self._frame(self.outputs_of_run(run, run.newest) if run and run.newest else {}, asked, values)

    def _frame(self, outputs: dict[str, Shown], asked: Resolved, values: Values) -> Frame:
        """With the code; where it is not the one that made the picture on screen, it says so."""
        # for the keys of the presenter view: what Space would do
        states = {"lv-running": self.running, "lv-stopped": not self.running and bool(self.run and self.run.steps)}
        for name, holds in states.items():
            (self.widget.add_class if holds else self.widget.remove_class)(name)
        code, run, made_by = str(self.picture(asked.call, values)), self.run, str(asked.call)
        if run is None or run.newest is None:
            return Frame(outputs, code)
        if self.running and run.made_by != made_by:
            run.made_by = ""
        if run.made_by != made_by:
            return Frame(outputs, f"# {self.say('moved' if self.running else 'press start')}\n{code}")
        if run.taken < run.goal and not self.running:
            code = f"# {self.say('so far', taken=run.taken, goal=run.goal)}\n{code}"
        return Frame(outputs, code)

    def _time_left(self, run: Run) -> str:
        if self.running:
            return self.say("seconds left", seconds=(run.goal - run.taken) * run.seconds / run.taken)
        return self.say("stopped") if run.steps is not None else self.say("done", seconds=run.seconds)


class SearchPanel(RunPanel, PhotoPanel):
    """Looks for the photo itself: another photo begins a new search, once there was one."""

    def new_photo(self, values: Values) -> Values:
        if self.controls["camera"].live:
            self.run = None  # what was found was another frame's
        elif self.step is not None:
            self.begin_anew()
        return super().new_photo(values)


def following(call: Expression) -> list[Following]:
    """What a search has of a kind that may change while it runs."""
    return [value for _, value in getattr(call, "choices", ()) if isinstance(value, Following)]
