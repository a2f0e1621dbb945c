"""What another order of sums does to an ascent, and which equalities survive it."""

import os

import pytest
import torch
from jupyter_client.manager import start_new_kernel
from order_of_sums import Shaken, in_kernels

import lecture_viz as lv


def difference(network, start, steps) -> float:
    """How far the same ascent ends from itself when every sum is off a little."""

    def ascent():
        return lv.last(lv.maximize(network, lv.logit("tabby"), steps, start=start, size=start.shape[-1])).image

    plain = ascent()
    with Shaken() as mode:
        shaken = ascent()
    assert mode.shaken >= 10 * steps
    return (plain - shaken).abs().max().item()


def test_an_ascent_from_grey_depends_on_it_and_one_in_double_precision_from_noise_does_not():
    """From grey every window of a max pool is a tie: the last digit of a sum decides which pixel wins."""
    noise = torch.rand(1, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    network = lv.load_network("alexnet64", device="cpu")
    assert difference(network, torch.full_like(noise, 0.5), 3) > 0.01
    assert difference(network.double(), noise.double(), 3) < 1e-6


def test_a_gradient_depends_on_it_by_rounding_only(network, cat):
    plain = lv.gradient(network, cat, lv.logit("tabby"))
    with Shaken():
        shaken = lv.gradient(network, cat, lv.logit("tabby"))
    assert 0 < (plain - shaken).abs().max() < 1e-4 * plain.abs().max()


@pytest.mark.long
def test_a_kernel_adds_in_another_order_from_its_first_cell_on(tmp_path):
    said = []
    manager, client = start_new_kernel(env=os.environ | in_kernels(tmp_path))
    try:
        cell = "import torch\nprint(len({torch.full((999,), 0.1).sum().item() for _ in range(9)}) > 1)"
        client.execute_interactive(cell, timeout=120, output_hook=lambda message: said.append(message["content"]))
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)
    assert [content["text"] for content in said if "text" in content] == ["True\n"]
