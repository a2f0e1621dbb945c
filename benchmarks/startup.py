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
net = lv.load_network("alexnet64", device="cpu")
lv.gradient(net, lv.load_image("cat", size=64), lv.logit("tabby"))
"""


def results() -> Iterator[Result]:
    ours, theirs = (
        lambda code=code: subprocess.run([sys.executable, "-c", code], check=True)
        for code in (OURS, "import torch, torchvision")
    )
    what = "import + load + first gradient: against `import torch, torchvision`"
    yield ratio(what, ours, theirs, 1.3, rounds=9, note="whole processes")

    for name in embedded.ARCHITECTURES:
        path = embedded.WEIGHTS / f"{name}.safetensors"
        load, note = partial(lv.load_network, name, device="cpu"), "with its checksum, and in single precision"
        yield ratio(f"load {name}: against reading the file's bytes", load, path.read_bytes, None, note=note)
