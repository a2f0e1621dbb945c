import pytest
from panels import back_to

import lecture_viz as lv


@pytest.fixture(autouse=True)
def few_steps(monkeypatch):
    """The microscope's four pictures that differ take seconds; here their first steps do."""
    recipe = lv.atlas.recipe
    monkeypatch.setattr(lv.atlas, "recipe", lambda network: (2, recipe(network)[1]))


@pytest.fixture
def passes(monkeypatch):
    """A list with an entry for each forward pass."""
    counted, forward = [], lv.Network.forward
    monkeypatch.setattr(lv.Network, "forward", lambda self, *asked: counted.append(1) or forward(self, *asked))
    return counted


@pytest.fixture(scope="module")
def again():
    """``again(make)``: one panel for the tests of a file, with its controls where they were at first."""
    made = {}

    def panel(make):
        if make.__code__ not in made:
            new = make()
            made[make.__code__] = new, new.values
        used, values = made[make.__code__]
        return back_to(values, used)

    return panel
