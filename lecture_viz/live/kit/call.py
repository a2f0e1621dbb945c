"""What is on screen *is* a call: one call of the package, with its arguments as values.

`Call.run` computes it, ``str(call)`` is the code that does the same in a notebook, and equal calls make equal pictures.
An argument is a value (a number, a text, a target, a regulariser: whatever its ``repr`` makes again), or one of the
expressions below: another call, a value that has a name in the notebook, a part of something, one result for each rule.
"""

import inspect
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cache
from types import ModuleType, SimpleNamespace
from typing import Any

import torch

import lecture_viz as lv

Values = dict[str, Any]  # of controls, or of variables, by name


class Expression:
    """Something that can be computed, and written as code."""

    def results(self, known: Values) -> Iterator[Any]:
        """The value, coarse at first where it grows (SmoothGrad); the last one counts.

        ``known`` are values of variables by name; those that the code makes are added.
        """
        raise NotImplementedError

    def expression(self) -> str:
        """The code of one line, in which variables stand for what `variables` say."""
        raise NotImplementedError

    def inner(self) -> Iterator["Expression"]:
        """The expressions it is made of."""
        yield from ()

    @property
    def left_out(self) -> bool:
        """Whether, as a named argument, it need not be written."""
        return False

    @property
    def own_line(self) -> bool:
        """Whether, as a named argument, it is written on a line of its own."""
        return False

    def run(self) -> Any:
        """The value."""
        *_, result = self.results({})
        return result

    def variables(self) -> Iterator[tuple[str, "Expression"]]:
        """Names whose making has to be written, each before it is used, and how they are made."""
        for part in self.inner():
            yield from part.variables()

    def __str__(self) -> str:
        lines = [f"{name} = {making.expression()}" for name, making in self.variables()]
        return "\n".join(dict.fromkeys([*lines, self.expression()]))


@dataclass(frozen=True)
class Named(Expression):
    """A variable of the notebook, such as ``net``; with ``made_by`` the code begins by making it.

    ``value`` is what it holds here; left out, ``made_by`` computes it, or it is the variable of a `ForEach`.
    """

    name: str
    value: Any = field(default=None, compare=False)
    made_by: Expression | None = None

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Named) or (self.name, self.made_by) != (other.name, other.made_by):
            return False
        return self.made_by is not None or self.value is other.value

    def __hash__(self) -> int:
        return hash(self.name)

    def results(self, known: Values) -> Iterator[Any]:
        if self.value is not None:
            yield self.value
        elif self.made_by is None:
            yield known[self.name]
        else:
            for value in self.made_by.results(known):
                known[self.name] = value  # whoever shows the result may want to show this, too
                yield value

    def expression(self) -> str:
        return self.name

    def variables(self) -> Iterator[tuple[str, Expression]]:
        if self.made_by is not None:
            yield from self.made_by.variables()
            yield self.name, self.made_by


@dataclass(frozen=True)
class Call(Expression):
    """``function(*arguments, **choices)``."""

    function: Callable[..., Any] | Expression
    arguments: tuple[Any, ...] = ()
    choices: tuple[tuple[str, Any], ...] = ()

    @classmethod
    def of(cls, function: Callable[..., Any] | Expression, *arguments: Any, **choices: Any) -> "Call":
        """Written as the call itself would be."""
        return cls(function, arguments, tuple(choices.items()))

    def inner(self) -> Iterator[Expression]:
        values = (self.function, *self.arguments, *(value for _, value in self.choices))
        yield from (value for value in values if isinstance(value, Expression))

    def results(self, known: Values) -> Iterator[Any]:
        parts = [*self.inner()]
        for values in _together([part.results(known) for part in parts]):
            computed = iter(values)
            every = [self.function, *self.arguments, *(value for _, value in self.choices)]
            function, *given = [next(computed) if isinstance(value, Expression) else value for value in every]
            arguments = given[: len(self.arguments)]
            choices = dict(zip((name for name, _ in self.choices), given[len(self.arguments) :]))
            choices |= choices.pop("**", {})
            if grows := getattr(function, "grows", None):
                yield from grows(*arguments, **choices)
            else:
                yield function(*arguments, **choices)

    def expression(self) -> str:
        function = self.function.expression() if isinstance(self.function, Expression) else spelled(self.function)
        arguments = [code(argument) for argument in self.arguments]
        for name, value in self.choices:
            if not (isinstance(value, Expression) and value.left_out):
                line = "\n    " if isinstance(value, Expression) and value.own_line else ""
                arguments.append(f"**{code(value)}" if name == "**" else f"{line}{name}={code(value)}")
        text = ", ".join(argument for argument in arguments if not argument.startswith("\n"))
        return f"{function}({','.join([text, *(a for a in arguments if a.startswith(chr(10)))])})"

    def but(self, *arguments: Any, **choices: Any) -> "Call":
        """The same call with its last ``arguments`` replaced, and with these choices; ``None`` takes one away."""
        kept = self.arguments[: len(self.arguments) - len(arguments)]
        chosen = {**dict(self.choices), **choices}
        return Call.of(self.function, *kept, *arguments, **{k: v for k, v in chosen.items() if v is not None})


@dataclass(frozen=True)
class Part(Expression):
    """``whole.name``."""

    whole: Expression
    name: str

    def inner(self) -> Iterator[Expression]:
        yield self.whole

    def results(self, known: Values) -> Iterator[Any]:
        for whole in self.whole.results(known):
            yield getattr(whole, self.name)

    def expression(self) -> str:
        return f"{self.whole.expression()}.{self.name}"


@dataclass(frozen=True)
class Item(Expression):
    """``whole[key]``."""

    whole: Expression
    key: str | int

    def inner(self) -> Iterator[Expression]:
        yield self.whole

    def results(self, known: Values) -> Iterator[Any]:
        for whole in self.whole.results(known):
            yield whole[self.key]

    def expression(self) -> str:
        return f"{self.whole.expression()}[{self.key!r}]"


@dataclass(frozen=True)
class ForEach(Expression):
    """``[each for variable in values]``: a list; ``source`` is the code of the values."""

    each: Expression
    variable: str
    values: tuple[Any, ...]
    source: str

    def inner(self) -> Iterator[Expression]:
        yield self.each

    def results(self, known: Values) -> Iterator[Any]:
        yield from _together([self.each.results(known | {self.variable: value}) for value in self.values])

    def expression(self) -> str:
        return f"[{self.each.expression()} for {self.variable} in {self.source}]"


@cache
def spelled(function: Callable[..., Any]) -> str:
    """How a function is written with the package as ``lv``.

    Raises:
        ValueError: it is not public.
    """
    name = function.__name__
    for room, start in ((lv, "lv."), (torch, "torch.")):
        if getattr(room, name, None) is function:
            return start + name
    for place in lv.__all__:
        room = getattr(lv, place)
        if isinstance(room, ModuleType | SimpleNamespace) and getattr(room, name, None) is function:
            return f"lv.{place}.{name}"
    raise ValueError(f"{function.__module__}.{name} is not public: a student could not call it")


def code(value: Any) -> str:
    """An argument as code."""
    if isinstance(value, Expression):
        return value.expression()
    if inspect.isroutine(value):
        return spelled(value)
    if isinstance(value, torch.Tensor):
        return f"torch.tensor({value.tolist()})"
    if isinstance(value, float):
        return repr(float(f"{value:.4g}"))  # as a slider shows it
    return repr(value)


def _together(results: list[Iterator[Any]]) -> Iterator[list[Any]]:
    """All values of several results, as far as each has come; those that do not grow wait for the others."""
    newest = [next(result) for result in results]
    yield newest
    while True:
        more = [next(result, _END) for result in results]
        if all(value is _END for value in more):
            return
        newest = [old if value is _END else value for old, value in zip(newest, more)]
        yield newest


_END = object()
