import pytest
from panels import back_to


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
