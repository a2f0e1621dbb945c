"""The one foundation of every live picture.

A panel has *controls* (sliders, menus), *outputs* (pictures and texts of fixed size) and a method `draw` that turns the
controls' values into frames. Its *presets* set several controls at once; its *question* asks what a preset's picture
will show. Moving a control only asks for a new drawing; one `Worker` answers, and the newest value wins.

Errors in widget callbacks and threads would reach only JupyterLab's log. Here they are shown in the panel, the last
good picture stays, and `Panel.wait` raises them again, so that a notebook run or a test fails.
"""

import time
from collections.abc import Iterable, Iterator
from typing import Any, ClassVar

import ipywidgets as widgets
from torch import Tensor

from ... import languages
from . import controls
from .call import Values
from .kept import Kept
from .picture import Picture
from .prediction import Prediction, Question, Verdict
from .presets import Presets, standing
from .resolved import Frame, Made, Resolved
from .view import Shown, View
from .worker import Worker

SLOW = 0.06  # seconds: a picture that takes longer is announced by a coarse one


class Panel:
    """A subclass fills ``self.controls``, calls `assemble`, says in `resolve` which call its controls stand for, and in
    `show` how its result looks.

    Its texts are in `languages`, under its ``name``: descriptions of controls under their names, ``"NAME tip"`` for
    their tooltips, ``"NAME alt"`` for pictures, ``presets`` with a title and a sentence each, and the ``question``.
    """

    name = "panel"
    question: ClassVar[Question | None] = None

    def __init__(self) -> None:
        self.controls: dict[str, widgets.Widget] = {}
        self._texts = languages.of_panel(self.name)
        self.view = View(self.say)
        self.worker = Worker(f"{self.name} panel", self._answer)
        self._error: Exception | None = None
        self._drawn: Values | None = None  # the values on screen
        self._made: Made | None = None  # the last one that is whole
        self._kept = Kept()
        self._presets: Presets | None = None
        self.prediction: Prediction | None = None
        self._pointed: tuple[str, int, int] | None = None  # a picture, and a place that a hand has chosen on it
        self._took = 0.0  # seconds, from the values to the first picture
        self._moving = False  # one control after the other: nothing need be drawn between

    # --- what a subclass writes -----------------------------------------------------------------------------------

    def presets(self, values: Values) -> dict[str, Values]:
        """In the order of the lecture: what each sets the controls to. It may depend on what they stand at."""
        return {}

    def is_waiting(self) -> bool:
        """Whether a button waits for its answer."""
        return False

    def receive(self, values: Values) -> Values:
        """Take in what a hand has brought, before presets and ranges are looked at; returns the values."""
        return values

    def shown_control(self, name: str) -> widgets.Widget | None:
        """What `columns` shows for a control; nothing if it stands in another one's line."""
        return self.controls[name]

    def verdict(self) -> Verdict:
        """Which answer to ``question`` the picture on screen says is right, and the numbers it rests on."""
        raise NotImplementedError

    def begin_anew(self) -> None:
        """Begin what takes its time, if there is any, with the next drawing: a hand has chosen a preset."""

    @property
    def whole(self) -> bool:
        """Whether what takes its time has come to its end."""
        return True

    def point(self, values: Values, picture: str, row: int, column: int) -> Values:
        """A hand has chosen this place, of the grid of this picture (`Marked`); returns the values."""
        return values

    def resolve(self, values: Values) -> Resolved:
        """What these values mean. Nothing is moved here, and the network runs only for what it was not asked before."""
        return Resolved(None, values)

    def coarse(self, call: Any, known: Values) -> Iterator[Any]:
        """Results that come much sooner than the call's, and look alike; ``known`` as in `Expression.results`."""
        yield from ()

    def show(self, made: Made) -> dict[str, Shown]:
        """How the result of the call looks."""
        raise NotImplementedError

    def adjust(self, values: Values) -> Values:
        """Bring controls that depend on others up to date (a neuron's range); returns the values to draw."""
        controls.adjust(self.controls, resolved := self.resolve(values), self.is_asking)
        return resolved.values

    def draw(self, values: Values) -> Iterator[Frame]:
        """Frames for these values. Runs in the worker; must not touch pyplot. Yield early, yield often."""
        call = self.resolve(values).call
        if self._made is not None and self._made.call == call:  # only how it is shown has changed
            self._made = self._made._replace(values=values)
            yield Frame(self.show(self._made), str(call))
            return
        self._made = None
        given, known = self._kept.given(call)
        for result in self.coarse(given, rough := dict(known)) if self._took > SLOW else ():
            yield Frame(self.show(Made(call, result, values, rough, 1)), str(call))
        started = time.monotonic()
        for number, result in enumerate(given.results(known), start=1):
            made = Made(call, result, values, known, number)
            yield Frame(self.show(made), str(call))
            self._took = time.monotonic() - started if number == 1 else self._took
        self._made = made
        self._kept.keep(call, known)

    def say(self, key: str, **values: object) -> str:
        """A text of this panel, as safe HTML."""
        return languages.fill(self._texts[key], values)

    def columns(self, left: int, names: Iterable[str] | None = None) -> widgets.HBox:
        """These controls (default: all) in two columns, ``left`` in the first; one column in a small window."""
        lines = [line for name in (self.controls if names is None else names) if (line := self.shown_control(name))]
        return self.view.columns(lines, left)

    def assemble(self, *rows: widgets.Widget) -> None:
        """The last line of a subclass's ``__init__``: put the widget together, draw once, then listen."""
        controls.describe(self.controls, self._texts)
        self.widget = self.view.assemble(*self._preset_row(), *rows)
        self.worker.do()  # in the caller's thread, so that an error here is the cell's
        self.wait()
        for control in self.controls.values():
            control.observe(self._moved, "value")
        for output in self.outputs.values():
            if isinstance(output, Picture):
                output.observe(self._place_chosen, "chosen")

    def _preset_row(self) -> list[widgets.Widget]:
        if not (presets := self.presets(self.values)):
            return []
        self._presets = Presets(self._texts["presets"], presets, standing(presets, self.values))
        self.controls["preset"] = self._presets.buttons
        sentence = self._presets.sentence
        if self.question is None or self.question.after not in presets:  # some networks and pictures have none
            return [self._presets.buttons, sentence]
        self.prediction = Prediction(self.question, self._texts | self._texts["question"], sentence, self._go)
        return [self._presets.buttons, self.prediction.widget]

    @property
    def is_asking(self) -> bool:
        """Whether a question stands: then no hand moves a control."""
        return self.prediction is not None and self.prediction.asking

    def _go(self, preset: str | None) -> None:
        """To this preset, as a hand would; freeze the controls while a question stands, then let them go."""
        for control in self.controls.values():
            control.disabled = self.is_asking
        if preset is not None:
            if not self.is_asking:
                self.begin_anew()
            self.controls["preset"].value = preset
        self.worker.ask()

    def _settle(self, stood: Values) -> Values:
        """The values to draw, where the controls stood at these: a hand may have chosen a preset, which moves others.

        A preset whose controls were moved is one no more; one that depends on what was moved (the photo) moves along.
        """
        values = self.receive(dict(stood))
        presets = self._presets
        if presets is not None and (name := presets.pressed(values)) is not None:
            presets.wanted = self.presets(values)[name]
            values = self.receive(values | presets.wanted)
            self.begin_anew()
        values = self.adjust(values)
        if presets is not None and presets.at is not None:
            wanted, before = self.presets(values)[presets.at], presets.wanted
            by_hand = {name for name, value in before.items() if stood[name] != value}
            if any(name in by_hand and values[name] != value for name, value in wanted.items()):
                presets.left()
                values["preset"] = None
            elif wanted != before:
                presets.wanted = wanted
                values = self.adjust(self.receive(values | wanted))
        if presets is not None:
            presets.tell()
        for name, value in values.items():
            if name not in ("preset", "upload", "camera") and value != stood[name]:
                self.controls[name].value = value
        return values

    # --- what notebooks and tests use -----------------------------------------------------------------------------

    @property
    def preset(self) -> str | None:
        """The preset that the controls stand at."""
        return self._presets.at if self._presets is not None else None

    @property
    def values(self) -> Values:
        """The controls' values by name."""
        return {name: control.value for name, control in self.controls.items()}

    def set(self, **values: Any) -> "Panel":
        """Move controls one after the other, as a hand would; waits for the picture and raises what went wrong.

        Raises:
            ValueError: no such control, or a value it cannot take (says what it can).
        """
        self._moving = len(values) > 1
        try:
            for name, value in values.items():
                controls.move(self.controls, name, value)
                self.wait()
        finally:
            if self._moving:
                self._moving = False
                self.worker.ask()
        self.wait()
        return self

    def wait(self, timeout: float = 600) -> None:
        """Return when the picture shows the controls' values; raise the drawing's error, or TimeoutError (seconds)."""
        if not self.worker.wait(timeout):
            raise TimeoutError(f"the {self.name} panel was still drawing after {timeout} s")
        if self._error:
            raise self._error

    @property
    def outputs(self) -> dict[str, Picture | widgets.HTML | widgets.FloatProgress]:
        """The pictures' and texts' widgets by name."""
        return self.view.outputs

    @property
    def made(self) -> Made:
        """The result on screen, with its call."""
        assert self._made is not None, "nothing is drawn yet"
        return self._made

    def code(self) -> str:
        """The call that made the picture on screen, with the package as ``lv``."""
        return self.view.code

    def image(self, name: str) -> Tensor:
        """The image tensor ``(1, 3, H, W)`` on screen."""
        return self.view.pictures[name]

    def __repr__(self) -> str:
        return f"{self.name} panel; controls: {', '.join(self.controls)}"

    def _repr_mimebundle_(self, **_: Any) -> Values:
        """The live widget; a still of the first pictures where there is no kernel (GitHub, a file just opened)."""
        still = {"text/plain": repr(self), "text/html": self.view.still(languages.called(self.name))}
        return dict(self.widget._repr_mimebundle_()) | still

    # --- the worker's side ----------------------------------------------------------------------------------------

    def _moved(self, _change: object) -> None:
        if not self.worker.is_here:  # else `adjust` moved the control itself, for the drawing that is under way
            self.worker.ask()

    def _place_chosen(self, change: dict[str, Any]) -> None:
        if not self.is_asking:
            self._pointed = change["owner"].name, *change["new"][:2]
            self.worker.ask()

    def _answer(self) -> None:
        """Draw the values that stand now; give up between frames when newer ones have come."""
        error = None
        try:
            if self._pointed is not None:
                place, self._pointed = self._pointed, None
                for name, value in self.adjust(self.point(self.values, *place)).items():
                    self.controls[name].value = value  # as a hand would
            values = self._settle(self.values)
            if (values != self._drawn and not self._moving) or self.is_waiting():
                self._drawn = None
                for frame in self.draw(values):
                    self.view.show(*frame)
                    if self.worker.stale:
                        break
                else:
                    self._drawn = values
            if self.prediction is not None and self.whole and not (self._moving or self.worker.stale):
                self.prediction.judge(self.preset, self.verdict)
        except Exception as raised:
            error = raised
        self._error = error
        self.view.show_error(error)
