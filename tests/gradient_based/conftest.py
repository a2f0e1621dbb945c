import pytest
import torch
from torch import nn

import lecture_viz as lv


@pytest.fixture(scope="module")
def small():
    """A chain for pictures of 16 pixels, with random weights."""
    torch.manual_seed(0)
    chain = nn.Sequential(nn.Conv2d(3, 5, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(320, 4))
    return lv.wrap(chain, 16)
