import functools
import os

import pytest


def pytest_configure(config):
    if hasattr(config, "workerinput") or not config.getoption("numprocesses"):
        prepare()  # the process that only hands out the tests need not wait for torch


def prepare():
    # workers of pytest-xdist share the cores: several threads of each would only wait for one another, and those of the
    # kernels that they start, which are as many as a newcomer's, give their core away at once while they wait
    workers = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", 1))
    if workers > 1:
        os.environ.setdefault("GOMP_SPINCOUNT", "0")

    import torch

    from lecture_viz.machine import places, warm_kernels

    places.find_room()  # kernels and servers of the tests write, too: also where the home cannot be written
    warm_kernels.offer(now=False)  # as the kernels of `make lab`
    if workers > 1:
        torch.set_num_threads(max(1, (os.cpu_count() or 1) // workers))


def pytest_collection_modifyitems(items):
    for item in items:
        if item.path.suffix == ".ipynb":
            item.add_marker("notebook")


@pytest.fixture(scope="session")
def network():
    import lecture_viz as lv

    return lv.load_network("alexnet64", device="cpu")


@pytest.fixture(scope="session")
def cat():
    import lecture_viz as lv

    return lv.load_image("cat", size=64)


@pytest.fixture(scope="session")
def at_random():
    """``at_random(name)``: a torchvision classifier with random weights; making them takes longer than most tests."""
    import lecture_viz as lv

    return functools.lru_cache(maxsize=4)(lambda name: lv.load_network(name, weights=None, device="cpu"))
