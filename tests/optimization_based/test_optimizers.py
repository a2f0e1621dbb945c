"""Our optimisers are PyTorch's, number for number, and load nothing."""

import subprocess
import sys

import pytest
import torch

from lecture_viz.optimization_based import optimizers

ASCENT = """
import sys
import lecture_viz as lv
net, photo = lv.load_network("alexnet64", device="cpu"), lv.load_image("cat", 64)
lv.last(lv.maximize(net, lv.logit("tabby"), 2))
lv.last(lv.dream(net, photo, lv.layer("conv3"), 2, octaves=1))
found = lv.last(lv.invert(net, net.activations(photo, "fc8"), "fc8", 2, recipe="lbfgs")).image
lv.quality(net, found, photo, "fc8")
print(*{"torch._dynamo", "scipy.stats"} & sys.modules.keys())
"""


@pytest.mark.parametrize(
    "name, choices", [("Adam", {"lr": 0.1}), ("SGD", {"lr": 0.03, "momentum": 0.5}), ("LBFGS", {})]
)
def test_they_are_pytorchs_to_the_last_bit(name, choices):
    """Down a valley that bends."""
    ways = []
    for kind in (getattr(optimizers, name), getattr(torch.optim, name)):
        x = torch.tensor([1.5, -1.0], requires_grad=True)
        optimizer = kind([x], **choices)

        def value(x=x, optimizer=optimizer):
            optimizer.zero_grad()
            height = (x[0] - 0.3) ** 4 + (x[1] - x[0] ** 2) ** 2
            height.backward()
            return height

        way = []
        for _ in range(12):
            value()
            optimizer.step(value)
            way.append(x.detach().clone())
        assert value() < 0.2 * 1.2**4
        ways.append(torch.stack(way))
    assert torch.equal(*ways)


@pytest.mark.long
def test_an_ascent_loads_no_compiler_and_no_statistics():
    """A second, and 160 MB in each kernel."""
    ran = subprocess.run([sys.executable, "-c", ASCENT], check=True, capture_output=True, text=True, timeout=300)
    assert ran.stdout.strip() == ""
