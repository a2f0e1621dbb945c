"""What passes between a panel's controls and its view."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from .call import Values
from .view import Shown


class Frame(NamedTuple):
    """What `Panel.draw` yields: the outputs that change, and the code that made them."""

    outputs: Mapping[str, Shown]
    code: str


@dataclass(frozen=True)
class Resolved:
    """What the controls' values mean: a call, and what becomes of the controls.

    Attributes:
        call: what is to be on screen.
        values: those of the controls, within their limits and at their places.
        limits: ends of sliders.
        disabled: whether a hand can move a control.
        options: of menus.
        negative: whether a control's number is marked as negative.
        fixed: of a call that takes its time, what no slider can change while it runs (its target).
    """

    call: Any  # a `Call` or `ForEach`
    values: Values
    limits: Mapping[str, int] = field(default_factory=dict)
    disabled: Mapping[str, bool] = field(default_factory=dict)
    options: Mapping[str, Sequence[str]] = field(default_factory=dict)
    negative: Mapping[str, bool] = field(default_factory=dict)
    fixed: Any = None


class Made(NamedTuple):
    """What `Panel.show` shows: the ``result`` of a call, the controls' ``values``, and variables that its code makes.

    Of a result that grows, it is the one with this ``number``.
    """

    call: Any  # the very one that `resolve` gave
    result: Any
    values: Values
    known: Values
    number: int
