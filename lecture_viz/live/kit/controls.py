"""A panel's controls: their names, what they offer, and moving them as a hand would."""

from collections.abc import Iterable, Mapping, Sequence
from numbers import Real
from typing import Any

import ipywidgets as widgets
from traitlets import TraitError

from ... import languages
from .resolved import Resolved

MENUS = (widgets.Dropdown, widgets.SelectionSlider)


def options(values: Iterable[Any]) -> list[tuple[str, Any]]:
    """Options of a menu, as they are shown."""
    return [(languages.option(value), value) for value in values]


def offer(menu: widgets.Widget, options: Sequence[tuple[str, Any]]) -> None:
    """Change a menu's options; unlike ipywidgets, keep what is chosen."""
    value = menu.value
    menu.options = options
    menu.value = value


def describe(controls: Mapping[str, widgets.Widget], texts: Mapping[str, Any]) -> None:
    """Descriptions, tooltips and options in the language in use."""
    for key, control in controls.items():
        control.description = control.description or texts[key]
        control.tooltip = texts.get(f"{key} tip")
        if isinstance(control, MENUS):
            offer(control, options(control.options))


def adjust(controls: Mapping[str, widgets.Widget], resolved: Resolved, frozen: bool) -> None:
    """Bring ends of sliders, options of menus, marks, and whether a hand can move a control up to date.

    While they are ``frozen`` it can move none.
    """
    for key, values in resolved.options.items():
        if [value for _, value in controls[key].options] != list(values):
            controls[key].options = options(values)
            controls[key].value = resolved.values[key]
    for key, high in resolved.limits.items():
        controls[key].max = high  # moves a value beyond it, too
    for key, disabled in resolved.disabled.items():
        controls[key].disabled = disabled or frozen
    for key, negative in resolved.negative.items():
        (controls[key].add_class if negative else controls[key].remove_class)("lv-negative")


def move(controls: dict[str, widgets.Widget], name: str, value: Any) -> None:
    """Give the control of this name a value.

    Raises:
        ValueError: no such control, or a value it cannot take (says what it can).
    """
    if name not in controls:
        raise ValueError(f"this panel has no control {name!r}; it has {', '.join(controls)}")
    control = controls[name]
    low, high = getattr(control, "min", None), getattr(control, "max", None)
    if isinstance(value, Real) and low is not None and high is not None and not low <= value <= high:
        raise ValueError(f"{name} is in {low} … {high}; got {value!r}")  # a slider would clip it silently
    try:
        control.value = value
    except TraitError as error:
        choices = [option[1] if isinstance(option, tuple) else option for option in getattr(control, "options", ())]
        can = f"is one of {', '.join(map(str, choices))}" if choices else "cannot take this"
        raise ValueError(f"{name} {can}; got {value!r}") from error
