"""What a panel has computed stays while only what comes behind it changes: another threshold needs no new map."""

from dataclasses import replace
from typing import Any

from .call import Call, ForEach, Named, Values


class Kept:
    """The variables that a call's code made, with their values."""

    def __init__(self) -> None:
        self._values: dict[Named, Any] = {}

    def keep(self, call: Any, known: Values) -> None:
        """Instead of those before; ``known`` are the values by name."""
        self._values = {made: known[made.name] for made in _variables(call) if made.name in known}

    def given(self, call: Any) -> tuple[Any, Values]:
        """The same call, in which what is known need not be computed; and what is known, by name."""
        known: Values = {}

        def fill(part: Any) -> Any:
            match part:
                case Named(value=None) if part in self._values:
                    known.update((made.name, self._values[made]) for made in _variables(part) if made in self._values)
                    return replace(part, value=known[part.name])
                case Named(value=None):
                    return replace(part, made_by=fill(part.made_by))
                case Call():
                    return replace(part, arguments=tuple(map(fill, part.arguments)))
                case ForEach():
                    return replace(part, each=fill(part.each))
            return part

        return fill(call), known


def _variables(call: Any) -> list[Named]:
    return [Named(name, made_by=making) for name, making in call.variables()]
