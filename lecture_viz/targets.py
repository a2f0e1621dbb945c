"""Pseudo-losses: which number of the network is explained.

A network has no loss for "what excites neuron 12 of conv3?", so the lecture takes the neuron's output *as if* it were
one and propagates it back. Any number inside the network will do; usually it is an output neuron, because it has a
class name (Simonyan et al. 2014 [20], section 3).

    neuron(layer, c, y, x)     a[c, y, x]                    one activation
    channel(layer, c)          mean over y, x of a[c, y, x]  one activation map
    layer(name)                mean of a²                    a whole layer, as DeepDream uses it
    likeness(layer, g)         mean over places p of         what of g the layer sees: guided DeepDream
                               max over places q of a[p]·g[q]
    distribution(layer, g)     −‖m(a) − m(g)‖² / ‖m(g)‖²     m: each channel's mean and standard deviation
    logit(label)               z[label]                      class score before the softmax
    probability(label)         softmax(z)[label]             class score after it: it also falls when *others* rise

Targets add and scale: ``logit("tabby") - 0.5 * logit("lemon")``.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property, reduce
from numbers import Real
from operator import add

import torch
from torch import Tensor
from torch.nn import functional as F

from .networks.labels import as_label
from .networks.network import Network

PLACES = 16  # rows and columns a guide is averaged down to, if it has more: each of them is compared with each place


@dataclass(frozen=True)
class _Term:
    """One number per image; ``at`` is the layer it is read from, ``None`` for the logits."""

    kind: str
    at: str | None = None
    index: tuple[int | None, ...] = ()
    label: str | int | None = None
    measure: Callable[[Tensor], Tensor] | None = None  # of the layer's output, for those that take features

    def __str__(self) -> str:
        arguments = [repr(a) for a in (self.at, self.label) if a is not None]
        arguments += [f"{n}={v}" if n else str(v) for n, v in zip(("", "y", "x"), self.index) if v is not None]
        arguments += ["features"] if self.measure else []
        return f"lv.{self.kind}({', '.join(arguments)})"

    def value(self, network: Network, output: Tensor) -> Tensor:
        match self.kind:
            case "logit":
                return output[:, network.label_index(self.label)]
            case "probability":
                return output.softmax(dim=1)[:, network.label_index(self.label)]
            case "layer":
                return output.square().flatten(1).mean(dim=1)
            case "likeness" | "distribution":
                return self.measure(output)
            case "channel":
                self._within(output.shape, "channel", self.index[0], 1)
                return output[:, self.index[0]].reshape(len(output), -1).mean(dim=1)
        channel, *place = self.index
        shape = output.shape
        self._within(shape, "channel" if len(shape) == 4 else "neuron", channel, 1)
        if len(shape) == 2:
            if place != [None, None]:
                raise ValueError(f"layer {self.at!r} has no rows and columns: leave y and x out")
            return output[:, channel]
        y, x = (side // 2 if p is None else p for side, p in zip(shape[2:], place))
        self._within(shape, "row y", y, 2)
        self._within(shape, "column x", x, 3)
        return output[:, channel, y, x]

    def _within(self, shape: torch.Size, what: str, asked: int, dim: int) -> None:
        if len(shape) not in (2, 4):
            raise ValueError(f"layer {self.at!r} gives {tuple(shape)}, not (B, C, h, w) or (B, C)")
        if not 0 <= asked < shape[dim]:
            raise ValueError(f"layer {self.at!r} has {what} 0 … {shape[dim] - 1}; got {asked}")


@dataclass(frozen=True)
class Target:
    """A weighted sum of terms. Call it with a network and images ``(B, 3, H, W)``: one number per image ``(B,)``.

    The network runs only up to the deepest layer the target needs.
    """

    terms: tuple[tuple[float, _Term], ...]

    def __call__(self, network: Network, image: Tensor) -> Tensor:
        return self.read(network, network.run(image, self.layers))

    @cached_property
    def layers(self) -> tuple[str | None, ...]:
        """The layers it is read from; ``None`` stands for the logits."""
        return tuple(dict.fromkeys(term.at for _, term in self.terms))

    @property
    def name(self) -> str:
        """As it is said: its code without the package."""
        return repr(self).removeprefix("lv.")

    def check(self, network: Network) -> None:
        """Raise a ValueError if ``network`` has no such layer or label; channels and places show when it is read."""
        for _, term in self.terms:
            if term.at is not None:
                network.part(term.at)
            if term.label is not None:
                network.label_index(term.label)

    def read(self, network: Network, outputs: dict[str | None, Tensor]) -> Tensor:
        """Its value ``(B,)``, given the ``outputs`` of its `layers`."""
        values = [(weight, term.value(network, outputs[term.at])) for weight, term in self.terms]
        return reduce(add, (value if weight == 1 else weight * value for weight, value in values))

    def halved(self) -> "Target":
        """The same for a picture of half the height and width: a neuron's row and column are halved, too."""
        return Target(tuple((weight, replace(term, index=_half(term.index))) for weight, term in self.terms))

    def __add__(self, other: "Target") -> "Target":
        return Target(self.terms + other.terms) if isinstance(other, Target) else NotImplemented

    def __mul__(self, factor: float) -> "Target":
        if not isinstance(factor, Real):
            return NotImplemented
        return Target(tuple((factor * weight, term) for weight, term in self.terms))

    __rmul__ = __mul__

    def __neg__(self) -> "Target":
        return self * -1

    def __sub__(self, other: "Target") -> "Target":
        return self + -other if isinstance(other, Target) else NotImplemented

    def __truediv__(self, divisor: float) -> "Target":
        return self * (1 / divisor) if isinstance(divisor, Real) else NotImplemented

    def __repr__(self) -> str:
        """The code that makes it, with the package as ``lv``."""
        text = ""
        for weight, term in self.terms:
            sign = (" - " if text else "-") if weight < 0 else (" + " if text else "")
            text += sign + ("" if abs(weight) == 1 else f"{abs(weight):g} * ") + str(term)
        return text


def _half(index: tuple[int | None, ...]) -> tuple[int | None, ...]:
    """A channel stays, what follows is a place."""
    return index[:1] + tuple(n if n is None else n // 2 for n in index[1:])


def as_target(target: object) -> Target:
    """The target itself; a TypeError says how to name one if it is something else, such as the name of a layer."""
    if not callable(target):  # `gradients` take any function of a network and an image
        raise TypeError(
            f"a target is such as lv.logit('tabby'), lv.neuron('conv3', 12) or lv.layer('conv3'); got {target!r}"
        )
    return target


def _whole(what: str, *numbers: int | None) -> None:
    for number in numbers:
        if number is not None and (isinstance(number, bool) or not hasattr(number, "__index__")):
            raise TypeError(f"{what} is a whole number; got {number!r}")


def neuron(layer: str, channel: int, y: int | None = None, x: int | None = None) -> Target:
    """One activation: channel, row y and column x of a convolutional layer (default: the middle), or a unit of fc."""
    _whole("channel, y or x", channel, y, x)
    return Target(((1, _Term("neuron", layer, (channel, y, x))),))


def channel(layer: str, channel: int) -> Target:
    """The mean of one activation map."""
    _whole("channel", channel)
    return Target(((1, _Term("channel", layer, (channel,))),))


def layer(name: str) -> Target:
    """The mean square of all activations of a layer."""
    return Target(((1, _Term("layer", name)),))


def likeness(layer: str, features: Tensor) -> Target:
    """At each place of a layer, the product with that place of ``features`` ``(1, C, h, w)`` which is most like it.

    ``features`` are what another picture, the *guide*, causes in the same layer: ``network.activations(guide, layer)``
    (Mordvintsev et al. 2015, "DeepDream"). More than 16 rows and columns are averaged down.

    Raises:
        ValueError: features of another shape, or of another layer.
    """
    if features.ndim != 4 or len(features) != 1:
        raise ValueError(
            f"features of a guide are (1, C, h, w), as net.activations(guide, layer) gives them; got "
            f"{tuple(features.shape)}"
        )
    features = F.adaptive_avg_pool2d(features.detach(), [min(side, PLACES) for side in features.shape[2:]])

    def measure(output: Tensor) -> Tensor:
        if output.ndim != 4 or output.shape[1] != features.shape[1]:
            raise ValueError(
                f"layer {layer!r} gives {tuple(output.shape)}, the guide's features are "
                f"{tuple(features.shape)}: take both from the same layer"
            )
        products = output.flatten(2).transpose(1, 2) @ features.flatten(2)  # (B, places, places of the guide)
        return products.amax(dim=2).mean(dim=1)

    return Target(((1, _Term("likeness", layer, measure=measure)),))


def distribution(layer: str, features: Tensor) -> Target:
    """How near each channel's mean and standard deviation over all places is to that of ``features`` ``(1, C, h, w)``.

    0 is the same, and −1 as far as from nothing. *Where* things are does not matter, so the picture is a texture of the
    photo that caused ``features`` (Gatys et al. 2015 compare products of channels; Huang and Belongie 2017 these two).

    Raises:
        ValueError: features of another shape, of another layer, or all zero.
    """
    if features.ndim != 4 or len(features) != 1 or not features.any():
        raise ValueError(
            f"features are (1, C, h, w), not all zero, as net.activations(photo, layer) gives them; got "
            f"{tuple(features.shape)}"
        )

    def moments(output: Tensor) -> Tensor:
        places = output.flatten(2)
        spread = (places.var(dim=2, correction=0) + 1e-8).sqrt()  # without it, a flat channel has no slope
        return torch.cat([places.mean(dim=2), spread], dim=1)

    wanted = moments(features.detach())

    def measure(output: Tensor) -> Tensor:
        if output.ndim != 4 or output.shape[1] != features.shape[1]:
            raise ValueError(
                f"layer {layer!r} gives {tuple(output.shape)}, the features are {tuple(features.shape)}: take both "
                "from the same layer"
            )
        return -(moments(output) - wanted).square().sum(dim=1) / wanted.square().sum()

    return Target(((1, _Term("distribution", layer, measure=measure)),))


def logit(label: str | int) -> Target:
    """The unnormalised score of a class: its name, a unique part of it, or its index.

    Raises:
        TypeError: neither a name nor an index.
    """
    return Target(((1, _Term("logit", label=as_label(label))),))


def probability(label: str | int) -> Target:
    """The softmax probability of a class, named as for `logit`, with the same error."""
    return Target(((1, _Term("probability", label=as_label(label))),))
