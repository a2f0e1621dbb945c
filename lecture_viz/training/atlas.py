"""Make the atlas of a network: ``python -m lecture_viz.training atlas alexnet64``.

For every channel of the layers that ship (or of those named) an optimised picture; a layer that is there already, with
these weights and by this recipe, is left as it is, so the same command goes on after an interruption.
"""

import argparse

import torch
from tqdm import tqdm

from ..networks import load_network
from ..optimization_based import atlas


def main(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser(prog="python -m lecture_viz.training atlas", description=__doc__)
    parser.add_argument("network", help="such as alexnet64")
    parser.add_argument("--layers", nargs="+", help="layers (default: those that ship)")
    options = parser.parse_args(arguments)
    network = load_network(options.network)
    for layer in options.layers or atlas.LAYERS.get(options.network.removesuffix("_robust"), network.layers):
        about = atlas.index(network.name)
        there = about.get("layers", {}).get(layer)
        if there and about["weights"] == atlas.fingerprint(network.module) and there["recipe"] == atlas.told(network):
            continue
        with torch.no_grad():
            photo = torch.full((1, 3, network.input_size, network.input_size), 0.5)
            channels = [*range(network.activations(photo, layer).shape[1])]
        batches = [channels[start : start + atlas.BATCH] for start in range(0, len(channels), atlas.BATCH)]
        made = [atlas.draw(network, layer, batch) for batch in tqdm(batches, desc=layer)]
        atlas.keep(network, layer, torch.cat(made))
