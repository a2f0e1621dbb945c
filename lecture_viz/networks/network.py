"""What we look into: pixels in, logits out, layers by name."""

import math
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from difflib import get_close_matches
from functools import cached_property
from typing import Any, NamedTuple, overload

import torch
from torch import Tensor, nn

from .labels import index_of

# Layers nobody looks into: they change the shape, or do nothing once training is over
_SILENT = (nn.Flatten, nn.Identity, nn.modules.dropout._DropoutNd)


class Card(str):
    """Markdown that JupyterLab shows as a page."""

    def _repr_markdown_(self) -> str:
        return str(self)


class Call(NamedTuple):
    """One run of one part of a network: its path, the part, what went in, what came out."""

    path: str
    part: nn.Module
    x: Tensor
    y: Tensor


class Network(nn.Module):
    """A trained classifier behind one face.

    Takes images ``(B, 3, H, W)``, RGB, in ``[0, 1]``; normalisation is its first step, so that every method works in
    pixels. Parameters need no gradient: what is differentiated here is the picture.

    Attributes:
        name: as given to `load_network`.
        input_size: side in pixels of the square pictures it was trained on; ``full_size`` if that is above 128.
        labels: class names, one per logit, in the language in use when it was loaded.
        english: the same in English; names in either language are understood.
        layers: names in forward order, as a lecturer would say them (``conv1``, ``relu1``, …). Any other submodule can
            be named by its path too, such as ``"inception3a.branch1.conv"``.
    """

    mean: Tensor
    std: Tensor

    def __init__(
        self,
        module: nn.Module,
        *,
        name: str,
        input_size: int,
        mean: Sequence[float],
        std: Sequence[float],
        labels: Sequence[str],
        layers: dict[str, str] | None = None,
        card: str | None = None,
    ):
        """``layers`` maps names to module paths, in forward order; without it they are found by a trial run.

        ``card`` is Markdown; see `card`.
        """
        super().__init__()
        self.name = name
        self.input_size, self.full_size = input_size, input_size > 128
        self.labels = self.english = tuple(labels)
        self.module = module.eval().requires_grad_(False)
        self._named_layers = layers
        self._card = card
        self.register_buffer("mean", torch.tensor(mean).view(1, 3, 1, 1), persistent=False)
        self.register_buffer("std", torch.tensor(std).view(1, 3, 1, 1), persistent=False)
        for part in module.modules():
            if getattr(part, "inplace", False):
                part.inplace = False  # an in-place ReLU would overwrite the activation before it

    def __repr__(self) -> str:
        return f"Network({self.name!r}, {self.input_size}×{self.input_size} pixels, {len(self.labels)} labels)"

    @property
    def device(self) -> torch.device:
        return self.mean.device

    def card(self) -> "Card":
        """The model card: what the network was trained on and how, how good it is, and where it fails (Markdown).

        A network of your own gets the little that can be read off it.
        """
        size = sum(p.numel() for p in self.module.parameters())
        return Card(
            self._card
            or f"# {self.name}\n\n{size:,} parameters, {self.input_size}×{self.input_size} pixels, {len(self.labels)} "
            f"labels. Layers: {', '.join(self.layers)}."
        )

    def forward(self, image: Tensor, until: str | None = None) -> Tensor:
        """Logits ``(B, n_labels)``; of a chain of parts what the one named ``until`` gives, and none behind it runs.

        Raises:
            ValueError: not such an image, no picture in it, or a size that the network cannot take.
        """
        if not isinstance(image, Tensor) or image.ndim != 4 or image.shape[1] != 3:
            raise ValueError(
                f"a network takes an image (B, 3, H, W); got {tuple(getattr(image, 'shape', [])) or type(image)}"
            )
        _not_empty(image)
        mean = self.mean
        try:
            x = (image.to(mean.device) - mean) / self.std
            if until is None:
                return self.module(x)
            last = getattr(self.module, until)
            for part in self.module:
                x = part(x)
                if part is last:
                    break
            return x
        except (RuntimeError, AssertionError) as error:
            if tuple(image.shape[2:]) == (self.input_size, self.input_size):
                raise
            raise ValueError(
                f"{self.name} cannot take {image.shape[3]}×{image.shape[2]} pixels; it was made for {self.input_size}×"
                f"{self.input_size}: load_image(..., size={self.input_size})"
            ) from error

    def check(self, image: Tensor) -> Tensor:
        """``image`` as it is, or a ValueError that says why it is not an image.

        Values a little outside ``[0, 1]`` are let through: finite differences and optimisation step there.
        """
        if not isinstance(image, Tensor) or image.ndim != 4 or image.shape[1] != 3 or not image.is_floating_point():
            got = f"{image.dtype} {tuple(image.shape)}" if isinstance(image, Tensor) else type(image).__name__
            raise ValueError(f"an image is a float tensor (B, 3, H, W); got {got}: use load_image")
        _not_empty(image)
        low, high = map(float, image.detach().aminmax())
        if -0.5 <= low <= high <= 1.5:  # never with NaN
            return image
        if math.isfinite(low) and math.isfinite(high):
            raise ValueError(f"pixels lie in [0, 1]; these span {low:.3g} … {high:.3g}: divide by 255, or clamp")
        raise ValueError("the image holds NaN or infinite values; replace them, for example with nan_to_num")

    # --- layers ---------------------------------------------------------------------------------------------------

    @property
    def layers(self) -> tuple[str, ...]:
        return tuple(self._named_layers or self._found_layers)

    @cached_property
    def _runs(self) -> dict[str, int]:
        """How often each submodule runs in one forward pass, in the order in which they finish."""
        runs: dict[str, int] = {}

        def count(path: str, part: nn.Module, inputs: Any, output: Any) -> None:
            runs[path] = runs.get(path, 0) + isinstance(output, Tensor)

        with torch.no_grad(), _watching(((path, part) for path, part in self.module.named_modules() if path), count):
            self(torch.full((1, 3, self.input_size, self.input_size), 0.5))
        return runs

    @cached_property
    def _found_layers(self) -> tuple[str, ...]:
        """The parts a forward pass is made of: containers are opened, blocks (inception3a, layer1.0) are not."""

        def parts(module: nn.Module, prefix: str) -> Iterable[str]:
            for name, child in module.named_children():
                if type(child) in (nn.Sequential, nn.ModuleList, nn.ModuleDict):
                    yield from parts(child, f"{prefix}{name}.")
                elif not isinstance(child, _SILENT):
                    yield prefix + name

        found = set(parts(self.module, ""))
        return tuple(path for path, runs in self._runs.items() if runs == 1 and path in found)

    @cached_property
    def _chain(self) -> dict[str | None, str]:
        """In a network that is a chain of parts: the names of layers that are such a part, and the parts'."""
        parts = dict(self.module.named_children())
        if type(self.module) is not nn.Sequential or len(parts) < len(self.module):  # one stands there twice
            return {}
        return {layer: path for layer, path in (self._named_layers or {}).items() if path in parts}

    def part(self, layer: str) -> nn.Module:
        """The module that computes ``layer``.

        Raises:
            ValueError: unknown layer (the nearest names are offered), or one that runs more than once.
        """
        if self._named_layers and layer in self._named_layers:
            return self.module.get_submodule(self._named_layers[layer])
        runs = self._runs.get(layer)
        if runs is None:
            near = get_close_matches(str(layer), {*self.layers, *self._runs}, n=3, cutoff=0.5)
            hint = f"did you mean {' or '.join(map(repr, near))}?" if near else ""
            raise ValueError(f"{self.name} has no layer {layer!r}; {hint or 'it has ' + ', '.join(self.layers)}")
        if runs != 1:
            reason = f"runs {runs} times in one pass" if runs else "does not return one tensor"
            raise ValueError(f"layer {layer!r} of {self.name} {reason}; choose one of {', '.join(self.layers)}")
        return self.module.get_submodule(layer)

    def activations(self, image: Tensor, layer: str) -> Tensor:
        """The output of ``layer``, ``(B, C, h, w)`` or ``(B, C)``, running only up to it; differentiable.

        Raises:
            ValueError: unknown layer (the nearest names are offered), or one that runs more than once.
        """
        return self.run(image, [layer])[layer]

    @overload
    def run(self, image: Tensor, layers: Sequence[str]) -> dict[str, Tensor]: ...

    @overload
    def run(self, image: Tensor, layers: Sequence[str | None]) -> dict[str | None, Tensor]: ...

    def run(self, image: Tensor, layers: Sequence[str | None]) -> Any:
        """Outputs of several layers from one pass, which stops at the last of them; ``None`` stands for the logits."""
        if len(layers) == 1 and (until := self._chain.get(layers[0])):
            return {layers[0]: self.forward(image, until)}  # hooks would take longer than a small layer
        wanted = {name: self.part(name) for name in layers if name is not None}
        outputs: dict[str | None, Tensor] = {}

        def keep(name: str, part: nn.Module, inputs: Any, output: Tensor) -> None:
            outputs[name] = output
            if len(outputs) == len(wanted) and None not in layers:
                raise _Reached
            outputs[name] = output.clone()  # what runs next may write into it

        with suppress(_Reached), _watching(wanted.items(), keep):
            outputs[None] = self(image)
        return {name: outputs[name] for name in layers}

    def trace(self, image: Tensor, layer: str | None) -> list[Call]:
        """Every smallest part that ran on the way to ``layer`` (``None``: the logits), in order, without gradients."""
        if layer is not None:
            self.part(layer)  # may need a trial run of its own, which is not to be traced
        calls: list[Call] = []

        def keep(path: str, part: nn.Module, inputs: Any, output: Tensor) -> None:
            calls.append(Call(path, part, inputs[0].clone(), output.clone()))  # a function behind may write into them

        parts = [(path, part) for path, part in self.module.named_modules() if not any(part.children())]
        with torch.no_grad(), _watching(parts, keep):
            self.run(image, [layer])
        return calls

    # --- labels ---------------------------------------------------------------------------------------------------

    def label_index(self, label: str | int) -> int:
        """The logit of a label: its name, a unique part of it (capitals do not matter), or its index.

        Raises:
            TypeError: neither a name nor an index.
            ValueError: unknown, ambiguous or out of range; says what is near.
        """
        return index_of(label, self.labels, self.english, self.name)

    def top(self, photo: Tensor, k: int = 5) -> list[tuple[str, float]]:
        """The ``k`` most probable labels of one photo ``(1, 3, H, W)``: ``[(label, probability), …]``."""
        with torch.no_grad():
            probabilities = self(self.check(photo)).softmax(dim=1)[0]
        values, indices = probabilities.topk(min(k, len(self.labels)))
        return [(self.labels[i], p) for i, p in zip(indices.tolist(), values.tolist())]


@contextmanager
def _watching(parts: Iterable[tuple[str, nn.Module]], see: Callable[..., None]) -> Iterator[None]:
    """``see(path, part, inputs, output)`` when a part has run; not in other threads, which may use the same network."""
    thread = threading.get_ident()

    def watcher(path: str) -> Callable[[nn.Module, Any, Any], None]:
        def watch(part: nn.Module, inputs: Any, output: Any) -> None:
            if threading.get_ident() == thread:
                see(path, part, inputs, output)

        return watch

    handles = [part.register_forward_hook(watcher(path)) for path, part in parts]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


def _not_empty(image: Tensor) -> None:
    if not image.numel():
        raise ValueError(f"there is no picture in an image {tuple(image.shape)}; give at least one")


class WeightsUnavailable(OSError):
    """Trained weights cannot be had: the message names the file, where it belongs, and what works without it."""


class _Reached(Exception):
    """The last wanted layer has run: nothing behind it is needed."""
