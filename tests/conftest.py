import os

import pytest
import torch

import lecture_viz as lv
from lecture_viz import places

places.find_room()  # kernels and servers of the tests write, too: also where the home cannot be written


def pytest_configure(config):
    """Workers of pytest-xdist share the cores; several threads of each would only wait for one another."""
    workers = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", 1))
    if workers > 1:
        torch.set_num_threads(max(1, (os.cpu_count() or 1) // workers))


def pytest_collection_modifyitems(items):
    for item in items:
        if item.path.suffix == ".ipynb":
            item.add_marker("notebook")


@pytest.fixture(scope="session")
def network():
    return lv.load_network("alexnet64", device="cpu")


@pytest.fixture(scope="session")
def cat():
    return lv.load_image("cat", size=64)
