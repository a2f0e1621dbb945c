"""Pictures with the channel statistics of a photo."""

from panels import shows_what_its_code_makes

import lecture_viz as lv


def test_the_distribution_of_your_photo(network, cat):
    panel = lv.live.distribution(network, cat).set(steps=16)
    panel.start().wait()
    assert shows_what_its_code_makes(panel, photo=cat)
