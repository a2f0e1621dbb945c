"""Gradient and saliency: which pixels would change this number the most?

Take a target S (a neuron, a class score) as a pseudo-loss and propagate it back to the picture x:

    gradient   G[k, y, x] = ∂S / ∂x[k, y, x]           signed, one number per pixel and colour
    saliency   M[y, x]    = max over k of |G[k, y, x]|  Simonyan et al. 2014 [20], section 3.1

What it shows: G > 0 means "more of this colour here raises S", to first order, *for this photo*. The picture is
noisy but sits on the object. Where it misleads: it says what a tiny change would do, not what the network used; and
under the rules ``deconvnet`` and ``guided`` (see `relu_rules`) it is no longer the gradient of anything.

Use the unnormalised score (`logit`): a probability also rises when other classes fall, so its gradient shows those
too.
"""

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor

from ..networks.network import Network
from ..targets import Target, as_target
from .relu_rules import Rule, relu_rule

Explained = Target | Callable[[Network, Tensor], Tensor]  # a number for each image (B,)


class Sensitivity(NamedTuple):
    """``value`` of the target ``(B,)``, ``gradient`` ``(B, 3, H, W)``, and how many ``relus`` it came back through."""

    value: Tensor
    gradient: Tensor
    relus: int


def _forward(network: Network, image: Tensor, target: Explained) -> tuple[Tensor, Tensor]:
    """The picture as a leaf of a new graph, and the target's value on it ``(B,)``."""
    image = network.check(image).detach().requires_grad_()
    with torch.enable_grad():
        return image, as_target(target)(network, image)


def _back(image: Tensor, value: Tensor) -> Tensor:
    if not value.requires_grad:
        raise ValueError("the target does not depend on the picture: somewhere the network detaches it")
    (gradient,) = torch.autograd.grad(value, image, torch.ones_like(value))  # images of a batch do not see each other
    return gradient


def gradient(network: Network, image: Tensor, target: Explained, rule: Rule = "backprop") -> Tensor:
    """What ``target`` propagates back to the pixels of ``image`` ``(B, 3, H, W)``: signed, same shape and device.

    Computed on the network's device.

    Args:
        rule: ``"backprop"`` (the gradient), ``"deconvnet"`` or ``"guided"``.

    Raises:
        ValueError: not an image; unknown layer, label, channel or rule; a network without ReLU under the last two.
    """
    if rule == "backprop":  # the way back is PyTorch's own: nobody needs to watch the ReLUs
        return _back(*_forward(network, image, target))
    return sensitivity(network, image, target, rule).gradient


def sensitivity(network: Network, image: Tensor, target: Explained, rule: Rule = "backprop") -> Sensitivity:
    """`gradient`, with the value of the target and the count of ReLUs on the way back beside it."""
    with relu_rule(rule, refuse_none=False) as seen:
        image, value = _forward(network, image, target)
    if seen.count == 0:  # fine before the first ReLU, where the three rules agree; refused if there is none at all
        with torch.enable_grad(), relu_rule(rule):
            network(image)
    return Sensitivity(value.detach(), _back(image, value), seen.count)


def magnitude(gradient: Tensor) -> Tensor:
    """The maximum over the colour channels of ``|gradient|`` ``(B, 3, H, W)``: ``(B, 1, H, W)``, ≥ 0."""
    return gradient.abs().amax(dim=1, keepdim=True)


def saliency(network: Network, image: Tensor, target: Target) -> Tensor:
    """The `magnitude` of the gradient: ``(B, 1, H, W)``, ≥ 0."""
    return magnitude(gradient(network, image, target))
