"""What is known of one unit (a channel of a layer), part by part: what is there at once comes first.

Each part is a call of the package, which stands below its picture. A part whose call is the one on screen stays.
"""

import html
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from ... import figures
from ...gradient_based.attribution import Fed, effects, feeders, kernel
from ...gradient_based.dataset_examples import dataset_examples
from ...gradient_based.gradients import gradient
from ...gradient_based.relu_rules import RULES
from ...gradient_based.top_patches import Strongest, patches, scan, top_patches
from ...networks.activation_maps import coloured
from ...optimization_based import atlas
from ...optimization_based.diversity import diverse
from ...optimization_based.optimization import Step, last
from ...photos import Pictures
from .call import Call, Expression, ForEach, Item, Named, Part
from .neuron import NeuronPanel
from .picture import Marked, signed
from .view import Shown, bars

STRONGEST, RANGE = "strongest", "least to most"  # of the bundled pictures
CLASSES, FEEDERS = 3, 3
EVERY = 8  # steps between two pictures of a search: as often it can be abandoned
BLANK = torch.full((1, 3, 8, 8), 0.93)


@dataclass(frozen=True)
class Entry:
    """A part: its outputs by ``names``, the ``call`` that makes it, and how its results look, one after the other.

    ``quick``: it is there at once, also while the camera runs.
    """

    names: tuple[str, ...]
    call: Expression
    frames: Callable[[], Iterator[dict[str, Shown]]]
    quick: bool = False


class Dossier:
    """The dossiers of the units of a panel's network, on its photo."""

    def __init__(self, panel: NeuronPanel, pictures: Any):
        """``pictures`` as in `top_patches`."""
        self.panel, self._source = panel, pictures
        self._filled: dict[tuple[str, ...], Expression] = {}
        self._paused: set[tuple[str, ...]] = set()  # parts that say that they wait for the camera
        self._scans: dict[str, Iterator[Strongest]] = {}  # of the bundled pictures, by network; under way …
        self._found: dict[str, Strongest] = {}  # … and as far as they have come

    def fill(
        self, layer: str, channel: int, examples: str, photo: Expression, live: bool
    ) -> Iterator[dict[str, Shown]]:
        """Outputs, as they come: first all that is to vanish, which is of another unit or photo.

        While the camera is ``live``, only what is there at once: the next frame waits for it.
        """
        entries = [*self.entries(layer, channel, examples, photo)]
        missing = [entry for entry in entries if self._filled.get(entry.names) != entry.call]
        later = [entry for entry in missing if live and not entry.quick]
        stale = [entry for entry in missing if entry not in later or entry.names not in self._paused]
        self._paused = {entry.names for entry in later}
        for entry in stale:
            self._filled.pop(entry.names, None)
        yield {name: shown for entry in stale for name, shown in self._blank(entry, entry in later).items()}
        for entry in missing:
            if entry in later:
                continue
            try:
                yield from entry.frames()
            except (ValueError, FileNotFoundError, NotImplementedError) as error:  # of this part: the others go on
                yield {f"{entry.names[0]} caption": f"<b>{self._title(entry)}</b>: {html.escape(str(error))}"}
            self._filled[entry.names] = entry.call

    @property
    def waits(self) -> bool:
        """Whether there is more to see once the camera pauses."""
        return bool(self._paused)

    def entries(self, layer: str, channel: int, examples: str, photo: Expression) -> Iterator[Entry]:
        """From fast to slow."""
        panel, net = self.panel, self.panel.net()
        about = net, photo, panel.at_strongest(layer, channel)
        maps_here = Item(Item(Call.of(Part(net, "activations"), photo, layer), 0), channel)
        yield Entry(("fires",), maps_here, lambda: self._fires(layer, channel, maps_here), quick=True)
        rule = Call.of(gradient, *about, Named("rule"))
        rules = ForEach(rule, "rule", RULES, "lv.RULES")
        yield Entry(RULES, rules, lambda: self._rules(layer, channel, rule, rules))
        reads = Call.of(feeders, *about)
        yield Entry(("reads",), reads, lambda: self._reads(layer, channel, reads))
        moved = Call.of(effects, net, photo, layer, channel)
        yield Entry(("classes",), moved, lambda: self._classes(layer, moved))
        stored = atlas.is_stored(panel.network, layer)
        of_all, of_one = Call.of(atlas.read, net, layer), Call.of(atlas.draw, net, layer, [channel])
        picture = Item(of_all, channel) if stored else Item(of_one, 0)
        yield Entry(("atlas",), picture, lambda: self._atlas(picture, stored), quick=stored)
        seen = top_patches if examples == STRONGEST else dataset_examples
        quiet = {"progress": False} if seen is dataset_examples else {}
        source = self._source if isinstance(self._source, str) else Named("pictures", self._source)
        nine = Call.of(seen, net, source, layer, channel, **quiet)
        yield Entry(("patches",), nine, lambda: self._patches(layer, channel, nine))
        search = Call.of(diverse, net, layer, channel)
        four = Part(Call.of(last, search), "image")
        yield Entry(("pictures",), four, lambda: self._pictures(four, search))

    def _title(self, entry: Entry) -> str:
        return self.panel.say(f"{entry.names[0]} title")

    def _blank(self, entry: Entry, later: bool) -> dict[str, Shown]:
        why = self.panel.say("paused" if later else "coming")
        blank: dict[str, Shown] = {name: BLANK if name in self.panel.view.alts else "" for name in entry.names}
        texts = {f"{name} caption": "" for name in entry.names}
        texts[f"{entry.names[0]} caption"] = f"<b>{self._title(entry)}</b>: {why}"
        return blank | texts

    def _caption(self, name: str, call: Expression, text: str) -> dict[str, Shown]:
        return {f"{name} caption": f"<b>{self.panel.say(f'{name} title')}</b>: {text}<br>{_code(call)}"}

    # --- how each part looks ----------------------------------------------------------------------------------------

    def _fires(self, layer: str, channel: int, call: Expression) -> Iterator[dict[str, Shown]]:
        response = self.panel.response(layer)
        values = response.activations[channel].reshape(1, 1, *(response.shape[1:] or (1, 1)))
        place = response.place(channel) if response.spatial else None
        picture = coloured(values[0], one_scale=False)
        text = self.panel.say("fires", value=values.max().item())
        if not values.any():
            text = self.panel.say("silent")
        yield {"fires": Marked(picture, place=place)} | self._caption("fires", call, text)

    def _rules(self, layer: str, channel: int, call: Call, calls: ForEach) -> Iterator[dict[str, Shown]]:
        response, boxes = self.panel.response(layer), []
        if response.spatial:
            boxes = [self.panel.receptive_field(layer)[response.place(channel)]]
        for rule, each in zip(RULES, calls.run()):
            picture = signed(each)
            text = self.panel.say("signed scale", limit=picture.limit)
            yield {f"{rule}": Marked(picture.image, boxes)} | self._caption(rule, call.but(rule), text)

    def _reads(self, layer: str, channel: int, call: Expression) -> Iterator[dict[str, Shown]]:
        fed: Fed = call.run()
        if fed.layer is None:
            filters = Call.of(kernel, self.panel.net(), layer, channel)
            picture = signed(filters.run())
            text = self.panel.say("kernel", limit=picture.limit)
            yield {"reads": Marked(picture.image)} | self._caption("reads", filters, text)
            return
        best = fed.contributions.argsort(descending=True)[:FEEDERS].tolist()
        response = self.panel.response(fed.layer)
        fires = response.activations.reshape(response.shape[0], *(response.shape[1:] or (1, 1)))[best]
        tiles = coloured(fires, one_scale=not response.spatial)
        said = ", ".join(f"<b>{n}</b> ({fed.contributions[n].item():+.2g})" for n in best)
        text = self.panel.say("feeders", layer=fed.layer) + f" {said}"
        yield {"reads": figures.mosaic([*tiles.split(1)], 2)} | self._caption("reads", call, text)

    def _classes(self, layer: str, call: Expression) -> Iterator[dict[str, Shown]]:
        moved: Tensor = call.run()
        order = moved.argsort(descending=True)
        most = moved.abs().max().clamp(min=1e-12).item()
        shown = {}
        for sign, numbers in (("+", order[:CLASSES]), ("−", order[-CLASSES:].flip(0))):
            for n in numbers.tolist():
                if (moved[n] > 0) == (sign == "+") and moved[n] != 0:
                    label = html.escape(self.panel.network.labels[n])
                    shown[f"{sign} {label}"] = abs(moved[n].item()) / most
        text = self.panel.say("classes", most=most)
        heading = f"<b>{self.panel.say('classes title')}</b>"
        yield {"classes": heading + bars(shown, ".2f", 90), "classes caption": f"{text}<br>{_code(call)}"}

    def _atlas(self, call: Expression, stored: bool) -> Iterator[dict[str, Shown]]:
        text = self.panel.say("atlas" if stored else "drawn now")
        yield {"atlas": call.run()[None]} | self._caption("atlas", call, text)

    def _patches(self, layer: str, channel: int, call: Call) -> Iterator[dict[str, Shown]]:
        if call.function is top_patches:
            pictures = Pictures(self._source, self.panel.network.input_size)
            yield from self._look(pictures)
            looked = self._found[self.panel.network.name]
            results = iter([patches(self.panel.network, pictures, looked, layer, channel)])
        else:
            results = call.results({})
        for found in results:
            text = self.panel.say("patches", first=found.activations[0].item(), last=found.activations[-1].item())
            yield {"patches": figures.mosaic(found.patches)} | self._caption("patches", call, text)

    def _look(self, pictures: Pictures) -> Iterator[dict[str, Shown]]:
        """At all bundled pictures, for all layers at once; where a hand has gone on meanwhile, it goes on, too."""
        network = self.panel.network
        looking = self._scans.setdefault(network.name, scan(network, pictures, network.layers))
        try:
            for found in looking:
                self._found[network.name] = found
                text = self.panel.say("looking", seen=found.seen, total=len(pictures))
                yield {"patches caption": f"<b>{self.panel.say('patches title')}</b>: {text}"}
        except ValueError:  # not one can be read; the next unit asks again
            del self._scans[network.name]
            raise

    def _pictures(self, call: Expression, search: Call) -> Iterator[dict[str, Shown]]:
        steps: Iterator[Step] = search.run()
        for step in steps:
            if step.index % EVERY == 0 or step.index == step.total:
                text = self.panel.say("pictures", step=step.index, total=step.total)
                shown = figures.mosaic([*step.image.split(1)], 2, cell=max(step.image.shape[2:]))
                yield {"pictures": shown} | self._caption("pictures", call, text)


def _code(call: Expression) -> str:
    return f"<code>{html.escape(str(call).splitlines()[-1], quote=False)}</code>"
