"""One look at all layers, against the activations of each."""

import torch

import lecture_viz as lv
from lecture_viz.networks.responses import Response, responses


def test_are_those_of_each_layer(network, cat):
    found, best = responses(network, cat)
    assert tuple(found) == network.layers
    assert network.labels[best] == network.top(cat, 1)[0][0]
    for layer, response in found.items():
        a = network.activations(cat, layer)[0]
        assert response.shape == a.shape and response.spatial == (a.ndim == 3)
        assert response.loudest == a.reshape(len(a), -1).amax(dim=1).argmax()
        if response.spatial:
            for channel in range(len(a)):
                row, column = response.place(channel)
                assert a[channel, row, column] == a[channel].max()


def test_several_neurons_at_the_largest_activation_are_saturated():
    """As at 6, behind a ReLU6: there the slope is 0."""
    a = torch.tensor([[[1.0, 6, 2]], [[6, 0, 3]]])
    assert Response(a).saturated and not Response(a - torch.tensor([0.0, 1]).view(2, 1, 1)).saturated


def test_the_loudest_neuron_of_a_preset_can_answer():
    network = lv.load_network("efficientnet_lite0", device="cpu")
    panel = lv.live.gradients(network, lv.load_image("cat", 224))
    for preset in ("deep", "middle", "early"):
        panel.set(preset=preset)
        assert (panel.image("gradient") - 0.5).abs().max() > 0.3, "silent"


def test_layers_of_a_transformer_have_no_places():
    network = lv.load_network("vit_b_32", weights=None, device="cpu")
    found, _ = responses(network, torch.rand(1, 3, 224, 224))
    assert not any(response.spatial for layer, response in found.items() if layer.startswith("encoder"))
