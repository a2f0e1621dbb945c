"""From nothing to the first gradient, against importing PyTorch alone; an embedded network, against its bytes."""

import subprocess
import sys
from collections.abc import Iterator
from functools import partial

import lecture_viz as lv
from lecture_viz.networks import embedded

from .compare import Result, ratio

OURS = """
import lecture_viz as lv
net = lv.load_network("{network}", device="cpu")
lv.gradient(net, lv.load_image("cat", size=net.input_size), lv.logit("tabby"))
"""


def results() -> Iterator[Result]:
    theirs = partial(subprocess.run, [sys.executable, "-c", "import torch, torchvision"], check=True)
    for network in ("alexnet64", "efficientnet_lite0"):
        ours = partial(subprocess.run, [sys.executable, "-c", OURS.format(network=network)], check=True)
        what = f"import + load + first gradient, {network}: against `import torch, torchvision`"
        yield ratio(what, ours, theirs, 1.2, rounds=9, note="whole processes")

    for name in embedded.ARCHITECTURES:
        path = embedded.WEIGHTS / f"{name}.safetensors"
        load, note = partial(lv.load_network, name, device="cpu"), "with its checksum, and in single precision"
        yield ratio(f"load {name}: against reading the file's bytes", load, path.read_bytes, None, note=note)
