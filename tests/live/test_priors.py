"""One prior after the other, on the same activations."""

from panels import held

import lecture_viz as lv


def test_another_prior_while_it_runs_goes_on_from_the_picture(network, cat):
    panel = lv.live.priors(network, {"cat": cat}).set(steps=512, prior="total variation")
    with held(panel, 20) as gate:
        panel.controls["prior"].value = "decoder"
        gate.hold(1)  # the step that was under way
        assert panel.step.index == 21 and "total variation" in panel.step.terms
        gate.hold(1)
        assert panel.step.index == 1 and panel.step.total == 512 - 21
        assert "total variation" not in panel.step.terms
        assert panel.step.terms["feature error"] < 0.9  # from grey it is above 1
        panel.stop()
    panel.wait()
