"""Every preset's sentence is measured, or it is said why it has no number; those of lessons 0 to 4 hold."""

import of_gradients
import of_searches
import pytest
from sentences import WITHOUT_NUMBER, each, measured

from lecture_viz import languages, live


@pytest.mark.parametrize("panel", [panel.name for panel in live.panels().values()])
def test_no_sentence_is_left_out(panel):
    entered = [*of_gradients.SENTENCES, *of_searches.SENTENCES, *WITHOUT_NUMBER]
    assert len(entered) == len(set(entered))
    assert {preset for name, preset in entered if name == panel} == set(languages.of_panel(panel)["presets"])


@pytest.mark.long
@each(of_gradients.SENTENCES)
def test_the_sentence_holds(panel, preset, measure):
    measured(panel, preset, measure)
