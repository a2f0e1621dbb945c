"""Every panel in the kernel: how long it takes to build one, and from a move to its pictures, beside the passes."""

import time
from collections.abc import Iterator
from statistics import median

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
    "maximization": ("L2", 5, 6),
    "planted_bias": ("steps", 200, 300),
    "dreaming": ("octaves", 2, 3),
    "inversion": ("L2", 3, 1),
    "layers": ("strength", 3, 1),
    "reidentification": ("bits", 4, 2),
    "priors": ("weight", 10, 3),
    "distribution": ("L2", 3, 1),
}


def results() -> Iterator[Result]:
    network, photo = lv.load_network("alexnet64", device="cpu"), lv.load_image("cat", 64)
    gallery = torch.cat([lv.load_image(name, 64) for name in lv.images.BUNDLED_PHOTOS])
    about = dict.fromkeys(("start", "relu_rules", "planted_bias"), ())
    about |= dict.fromkeys(("deconvnet", "dreaming", "distribution"), (network,))
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
