"""Which channels teach nothing: dead ones never fire, duplicates say what another channel of the layer says already."""

from typing import NamedTuple

import torch
from torch import Tensor

from ..networks import Network

SAME = 0.99  # correlation from which two channels are duplicates


class Report(NamedTuple):
    layer: str
    channels: int
    dead: list[int]  # channels that fire nowhere on any image
    duplicates: list[tuple[int, int]]  # pairs of living channels


def filter_reports(network: Network, images: Tensor, batch: int = 100) -> list[Report]:
    """One report for every layer that ends in a ReLU; ``images`` are ``(N, 3, H, W)`` in ``[0, 1]``.

    Correlations run over all images and places, in one pass and with a memory that does not grow with ``N``.
    """
    layers = [name for name in network.layers if name.startswith(("relu", "inception"))]
    count = dict.fromkeys(layers, 0)
    sums: dict[str, Tensor] = {}
    products: dict[str, Tensor] = {}
    for start in range(0, len(images), batch):
        with torch.no_grad():
            outputs = network.run(images[start : start + batch], layers)
        for name, output in outputs.items():
            values = output.movedim(1, -1).flatten(0, -2).double()  # (places, channels)
            count[name] += len(values)
            sums[name] = sums.get(name, 0) + values.sum(dim=0)
            products[name] = products.get(name, 0) + values.T @ values
    reports = []
    for name in layers:
        mean = sums[name] / count[name]
        covariance = products[name] / count[name] - mean.outer(mean)
        spread = covariance.diagonal().clamp(min=1e-12).sqrt()
        alive = sums[name] > 0  # a ReLU's outputs are ≥ 0: their sum is 0 only if all of them are
        same = (covariance / spread.outer(spread) > SAME) & alive[:, None] & alive
        pairs = same.triu(diagonal=1).nonzero().tolist()
        reports.append(Report(name, len(mean), (~alive).nonzero().flatten().tolist(), [tuple(pair) for pair in pairs]))
    return reports
