"""The sentences of lessons 5 to 9 hold: each search is run to its end; one of each panel, and all in `make sweep`."""

import of_searches
import pytest
from sentences import each, measured


@pytest.mark.long
@each(of_searches.SENTENCES, rest=[pytest.mark.sweep])
def test_the_sentence_holds(panel, preset, measure):
    measured(panel, preset, measure)
