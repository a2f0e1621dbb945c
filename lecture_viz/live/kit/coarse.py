"""Coarse first: where a frame takes long, a hand sees at once what a quarter of the pixels gives.

The same calls, for the photo at half its height and width, and what they give enlarged again: a neuron's place is
halved with it. A drag shows such frames only, since newer values come before the full ones; its end shows the full one,
which is what the code names.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import singledispatch
from typing import Any

from torch import Tensor

from ...optimization_based.optimization import resized
from ...targets import Target
from .call import Call, Expression, ForEach, Named, Values

SMALL = 128  # pixels: half of such a photo shows a network nothing


@dataclass(frozen=True)
class Halved(Expression):
    """``call``, which explains a target in a photo, for half the photo's size; maps come in the whole photo's."""

    call: Call

    def inner(self) -> Iterator[Expression]:
        yield self.call

    def results(self, known: Values) -> Iterator[Any]:
        sizes = []

        def half(argument: Any) -> Any:
            if isinstance(argument, Target):
                return argument.halved()
            if isinstance(argument, Expression):
                *_, value = argument.results(known)  # a photo, as it is or painted on
                if isinstance(value, Tensor) and value.ndim == 4:
                    sizes.append(value.shape[2:])
                    return Named("photo", resized(value, [side // 2 for side in value.shape[2:]]))
            return argument

        call = replace(self.call, arguments=tuple(map(half, self.call.arguments)))

        def enlarged(result: Any) -> Any:
            if isinstance(result, tuple):
                return type(result)(*map(enlarged, result))
            return resized(result, sizes[0]) if isinstance(result, Tensor) and result.ndim == 4 else result

        yield from map(enlarged, call.results(known))


@singledispatch
def coarse(expression: Any) -> Any:
    """The same expression with each call that explains a target `Halved`."""
    return expression


@coarse.register
def _(call: Call) -> Expression:
    if any(isinstance(argument, Target) for argument in call.arguments):
        return Halved(call)
    return replace(call, arguments=tuple(map(coarse, call.arguments)))


@coarse.register
def _(named: Named) -> Named:
    return named if named.value is not None else replace(named, made_by=coarse(named.made_by))


@coarse.register
def _(each: ForEach) -> ForEach:
    return replace(each, each=coarse(each.each))
