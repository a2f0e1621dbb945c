"""What the tests of panels share: conditions to wait for, a gate for a worker, and whether a panel shows its code."""

import contextlib
import io
import math
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import torch
from PIL import Image

import lecture_viz as lv
from lecture_viz.live import Panel
from lecture_viz.live.kit.run import RunPanel
from lecture_viz.maps import show_signed, to_array
from lecture_viz.optimization_based.optimization import Step

# --- one of each panel --------------------------------------------------------------------------------------------


def make(name: str, network: lv.Network, photo: torch.Tensor, **few: tuple) -> Panel:
    """The panel of this name about a network and a photo ``(1, 3, 64, 64)``; ``few`` are other arguments for some."""
    gallery = torch.cat([lv.load_image(name, 64) for name in lv.images.BUNDLED_PHOTOS])
    pictures = {"photo": photo, "noise": torch.rand(1, 3, 64, 64, generator=torch.Generator().manual_seed(0))}
    arguments = {
        "start": (),
        "relu_rules": (),
        "planted_bias": (),
        "deconvnet": (network,),
        "dreaming": (network,),
        "interpolation": (network,),
        "collage": (network,),
        "distribution": (network,),
        "reidentification": (network, network, gallery),
        "priors": (network, pictures),
        **few,
    }
    panel = getattr(lv.live, name)(*arguments.get(name, (network, photo)))
    panel.known = {"net": network, "photo": gallery[:1] if name == "reidentification" else photo}
    panel.known |= {"pictures": pictures, "torch": torch}  # what its code calls so
    return panel


# --- waiting: for what must come, with a limit that only what never comes can reach -------------------------------


def wait_for(condition: Callable[[], bool], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it never came"
        time.sleep(0.005)


class Gate:
    """A worker goes through it as often as the test lets it; at first as it likes."""

    LIMIT = 600  # seconds

    def __init__(self) -> None:
        self._state = threading.Condition()
        self._passed, self._allowed = 0, math.inf
        self._waiting = False

    def go_through(self) -> None:
        """The worker's side."""
        with self._state:
            self._waiting = True
            self._state.notify_all()
            opened = self._state.wait_for(lambda: self._passed < self._allowed, self.LIMIT)
            self._waiting = False
            self._passed += 1
        assert opened, "nobody opened the gate"

    def hold(self, count: int) -> None:
        """Let the worker through so many more times; returns when it stands before the gate again."""
        with self._state:
            self._allowed = self._passed + count
            self._state.notify_all()
            arrived = self._state.wait_for(lambda: self._waiting and self._passed == self._allowed, self.LIMIT)
        assert arrived, "it never came"

    def close(self) -> None:
        with self._state:
            self._allowed = self._passed

    def open(self) -> None:
        with self._state:
            self._allowed = math.inf
            self._state.notify_all()


@contextlib.contextmanager
def through(panel: RunPanel, way: Callable[[Iterator[Step]], Iterator[Step]]) -> Iterator[None]:
    """Inside, the steps of every run of the panel come to it through ``way``."""
    begin = panel.begin
    panel.begin = lambda run: way(begin(run))
    try:
        yield
    finally:
        del panel.begin


@contextlib.contextmanager
def held(panel: RunPanel, steps: int) -> Iterator[Gate]:
    """Start a run and hold it after so many steps: the newest is shown, the next one is under way.

    Inside, move controls or press stop, and let it go on with the gate; at the end it goes on freely.
    """
    gate = Gate()

    def gated(run: Iterator[Step]) -> Iterator[Step]:
        while True:
            gate.go_through()
            step = next(run, None)
            if step is None:
                return
            yield step

    gate.close()
    with through(panel, gated):
        try:
            panel.start()
            gate.hold(steps)
            yield gate
        except BaseException:  # a test that failed leaves nothing running
            panel.stop()
            gate.open()
            with contextlib.suppress(Exception):
                panel.wait()
            raise
        finally:
            gate.open()


def back_to(values: dict[str, Any], panel: Panel) -> Panel:
    """The panel with its controls moved back to ``values``, for the next test."""
    for name, value in values.items():
        if name not in ("preset", "upload", "camera") and panel.values[name] != value:
            panel.set(**{name: value})
    return panel


# --- what a panel shows, and what its code makes ------------------------------------------------------------------


def made_by(code: str, **names: Any) -> Any:
    """The value of the last line of a panel's code."""
    *lines, last = code.splitlines()
    names |= {"lv": lv}
    exec("\n".join(lines), names)
    return eval(last, names)


def same(picture: torch.Tensor, shown: torch.Tensor) -> bool:
    """Up to one step of 256: a sum of many numbers may be rounded in another order."""
    return abs(to_array(picture).astype(int) - to_array(shown).astype(int)).max() <= 1


def shows(name: str, panel: Panel, made: Any) -> bool:
    """Whether what the code made is what the panel shows."""
    match name:
        case "start" | "gradients":
            return same(show_signed(made.gradient), panel.image("gradient"))
        case "relu_rules":
            numbers = [f">{n:g}</td>" for n in made[2].flatten().tolist()]
            return all(number in panel.outputs["guided"].value for number in numbers)
        case "deconvnet":
            return same(show_signed(made), panel.image("reconstruction"))
        case "saliency":
            return all(same(show_signed(part), panel.image(rule)) for rule, part in zip(lv.RULES, made))
        case "localization":
            return panel.outputs["box"].boxes == [[*made]] and same(panel.photo, panel.image("box"))
        case "collage":
            return panel.outputs["saliency"].boxes == [[*made]]
        case "microscope":
            return same(made.image, panel.image("maps"))
        case "weighted_sum":
            strongest, numbers = made.parts.abs().argsort(descending=True, stable=True)[:9], panel.image("products")
            shown = f"</b> = {made.value:.3g}" in panel.outputs["photo caption"].value
            if made.before is None:  # the three colours, not one channel after the other
                return shown and same(show_signed(made.products[None], made.products.abs().max()), numbers)
            _, rows, columns = made.window.shape
            limit = made.products[strongest].abs().max().item() or 1.0  # the browser is told three digits of it
            shown = shown and panel.outputs["products"].limit == float(f"{limit:.3g}")
            first = show_signed(made.products[strongest[0]][None, None], limit)
            return shown and same(first, numbers[:, :, :rows, :columns])
        case "occlusion":
            return same(show_signed(made.gradient), panel.image("gradient"))
    return same(made, panel.image("image"))


def shows_what_its_code_makes(panel: RunPanel, **names: Any) -> bool:
    """To the last digit: the same steps in the same process."""
    return (to_array(panel.image("image")) == to_array(made_by(panel.code(), net=panel.network, **names))).all()


# --- photos from a hand -------------------------------------------------------------------------------------------


def png(colour: str, size: tuple[int, int] = (90, 60)) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", size, colour).save(file, "PNG")
    return file.getvalue()


def upload(panel: Panel, content: bytes) -> None:
    panel.controls["upload"].value = memoryview(content)  # as it comes from the browser
    panel.wait()
