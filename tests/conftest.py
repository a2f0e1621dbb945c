import pytest

import lecture_viz as lv


@pytest.fixture(scope="session")
def network():
    return lv.load_network("alexnet64", device="cpu")


@pytest.fixture(scope="session")
def cat():
    return lv.load_image("cat", size=64)
