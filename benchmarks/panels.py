"""Every panel in the kernel: how long it takes to build one, from a move to its pictures, and under two hasty hands."""

import gc
import time
from collections.abc import Iterator
from itertools import count
from random import Random
from statistics import median
from threading import Thread

import psutil
import torch

import lecture_viz as lv

from .compare import Result

# a control of each, and two values between which it is moved
MOVES = {
    "start": ("rank", 2, 1),
    "gradients": ("neuron", 5, 6),
    "relu_rules": ("x11", 3, 4),
    "deconvnet": ("which", 2, 3),
    "saliency": ("neuron", 5, 6),
    "localization": ("threshold", 0.5, 0.4),
    "collage": ("row", 30, 60),
    "occlusion": ("share", 0.1, 0.2),
    "maximization": ("L2", 5, 6),
    "planted_bias": ("steps", 200, 300),
    "interpolation": ("angle", 0, 45),
    "dreaming": ("octaves", 2, 3),
    "inversion": ("L2", 3, 1),
    "layers": ("strength", 3, 1),
    "reidentification": ("bits", 4, 2),
    "priors": ("weight", 10, 3),
    "distribution": ("L2", 3, 1),
    "microscope": ("neuron", 5, 6),
    "weighted_sum": ("neuron", 5, 6),
}


def results() -> Iterator[Result]:
    network, photo = lv.load_network("alexnet64", device="cpu"), lv.load_image("cat", 64)
    gallery = torch.cat([lv.load_image(name, 64) for name in lv.images.BUNDLED_PHOTOS])
    about = dict.fromkeys(("start", "relu_rules", "planted_bias"), ())
    about |= dict.fromkeys(("collage", "deconvnet", "dreaming", "distribution", "interpolation"), (network,))
    about |= {"reidentification": (network, network, gallery), "priors": (network, {"photo": photo})}
    for name, make in lv.live.panels().items():
        control, *values = MOVES[name]
        built, moved = [], []
        for _ in range(4):
            started = time.perf_counter()
            panel = make(*about.get(name, (network, photo)))
            built.append(time.perf_counter() - started)
        for n in range(12):
            started = time.perf_counter()
            panel.set(**{control: values[n % 2]})
            moved.append(time.perf_counter() - started)
        build, move = (1000 * median(seconds[1:]) for seconds in (built, moved))
        yield Result(f"the {name} panel: build", build, unit=" ms", note=f"a move of {control}: {move:.1f} ms")
    for name in ("gradients", "saliency", "deconvnet"):
        yield from _two_hands(name, lv.live.panels()[name](*about.get(name, (network, photo))))


def _two_hands(name: str, panel: lv.live.Panel) -> Iterator[Result]:
    """Two hands at once move all sliders at random: how soon all is settled, is it right, and what does it hold?"""
    sliders = [control for control in panel.controls.values() if hasattr(control, "max")]
    seeds = count()

    def hand(moves: int) -> None:
        random = Random(next(seeds))
        for _ in range(moves):
            slider = random.choice(sliders)
            slider.value = random.randint(slider.min, slider.max)

    def burst(moves: int) -> float:
        hands = [Thread(target=hand, args=(moves // 2,)) for _ in range(2)]
        for thread in hands:
            thread.start()
        for thread in hands:
            thread.join()
        started = time.perf_counter()
        panel.wait()
        return time.perf_counter() - started

    def another() -> float:
        """One move to another neuron, which has all of its pictures computed anew."""
        slider = panel.controls["channel" if "channel" in panel.controls else "neuron"]
        started = time.perf_counter()
        slider.value = slider.value + 1 if slider.value < slider.max else slider.min
        panel.wait()
        return time.perf_counter() - started

    settled, alone = zip(*((burst(100), another()) for _ in range(25)))
    shown = {key: picture.clone() for key, picture in panel.view.pictures.items()}
    panel._made = None  # forget what is drawn, and draw it again
    for frame in panel.draw(panel.values):
        panel.view.show(*frame)
    stale = [key for key, picture in shown.items() if not torch.equal(picture, panel.view.pictures[key])]
    both = f"{1000 * median(settled):.0f} ms against {1000 * median(alone):.0f} ms"
    note = f"{both}; stale pictures: {', '.join(stale) or 'none'}"
    what = f"the {name} panel: settled after 100 moves by two hands, against one move to another neuron"
    yield Result(what, median(settled) / median(alone), 2, note=note)
    burst(400)
    gc.collect()
    before = psutil.Process().memory_info().rss
    burst(4000)
    gc.collect()
    grown = (psutil.Process().memory_info().rss - before) / 1e6
    yield Result(f"the {name} panel: memory after 4,000 such moves", grown, 10, " MB")
