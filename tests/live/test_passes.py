"""How often the network runs to build a panel, and for a move: as often as there is something to learn, and no more."""

import pytest
from panels import make

import lecture_viz as lv

# forward passes at most: to build it, a move, and for the move. A panel that compares several maps needs one for each;
# a run that has not begun needs none.
LIMITS = {
    "start": (2, {"rank": 2}, 1),  # what it takes the photo for, and the gradient
    "gradients": (2, {"neuron": 5}, 1),  # all layers at once, and the gradient
    "relu_rules": (0, {"x11": 3}, 0),
    "deconvnet": (15, {"which": 2}, 2),  # nine patches, painted one by one
    "saliency": (8, {"neuron": 5}, 7),  # three rules, three of another neuron, the value
    "localization": (2, {"neuron": 5}, 1),
    "collage": (2, {"row": 60}, 1),  # what it takes the thing for, and the map
    # all layers, the gradient; the map, the score without some squares; what it takes the picture for
    "occlusion": (5, {"neuron": 5}, 4),
    "maximization": (1, {"L2": 5}, 0),
    "planted_bias": (0, {"steps": 200}, 0),
    "interpolation": (1, {"angle": 0}, 0),  # how many channels its layers have
    "dreaming": (0, {"octaves": 2}, 0),
    "inversion": (0, {"L2": 3}, 0),
    "layers": (0, {"strength": 3}, 0),
    "reidentification": (4, {"bits": 4}, 1),  # the gallery's looks and its activations; what is stored
    "priors": (0, {"weight": 10}, 0),
    "distribution": (1, {"L2": 3}, 0),  # which layers have rows and columns
    # all layers, all receptive fields; the dossier: a map, three rules, what it reads and moves, nine patches as above,
    # a start and a few steps of the four pictures (`few_steps`)
    "microscope": (23, {"neuron": 5}, 21),
    "weighted_sum": (3, {"neuron": 5}, 1),  # all layers at once, all receptive fields, the sum
}


def test_every_panel_is_counted():
    assert [*LIMITS] == [*lv.live.panels()]


@pytest.mark.parametrize("name", LIMITS)
def test_the_network_runs_no_more_than_it_must(name, network, cat, passes, monkeypatch):
    monkeypatch.setattr("lecture_viz.live.kit.panel.SLOW", float("inf"))  # on busy cores coarse pictures would count
    to_build, move, to_move = LIMITS[name]
    if name in ("deconvnet", "microscope"):
        make(name, network, cat).wait()  # the first look at all pictures, which is remembered from then on
        passes.clear()
    panel = make(name, network, cat)
    panel.wait()
    assert len(passes) <= to_build
    passes.clear()
    panel.set(**move)
    assert len(passes) <= to_move
    passes.clear()
    panel.worker.ask()
    panel.wait()
    assert not passes  # nothing has changed


def test_another_layer_costs_no_look(network, cat, passes):
    panel = lv.live.gradients(network, cat).set(layer="conv5")  # asks once for all receptive fields
    for move in ({"layer": "conv3"}, {"preset": "deep"}, {"strongest": False, "row": 2}):
        passes.clear()
        panel.set(**move)
        assert len(passes) == 1, move
