"""The checks behind the notebooks' exercises: each says whether an answer is right, and if not, what is wrong.

A check never raises, so that a notebook with open exercises runs through.
"""

from collections.abc import Callable
from numbers import Real
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from .gradients import gradient, saliency
from .images import Box, load_image
from .localization import intersection_over_union
from .networks import load_network
from .priors import decode
from .regularizers import total_variation
from .relu_rules import relu_backward
from .smoothgrad import NOISE, smoothgrad
from .targets import Target, channel, layer, logit, neuron

RIGHT = "✓ right: "
OPEN = "not yet: "
# of the greatest magnitude: another device, or another order of sums, rounds differently, and where a ReLU is all but
# 0, that decides whether it passes a gradient on
TOLERANCE = 1e-3


def check(exercise: str, answer: Any) -> None:
    """Print what is to be said of an answer to an exercise such as ``"01.2"``; ``...`` means it is still open."""
    if not isinstance(exercise, str) or exercise not in CHECKS:
        print(f"there is no exercise {exercise!r}; there are {', '.join(CHECKS)}")
        return
    try:
        print(CHECKS[exercise](answer) if answer is not ... else OPEN + "replace the three dots ... with your line")
    except Exception as error:  # the student's own function failed
        print(f"{OPEN}your code stops with {type(error).__name__}: {error}")


def _near(answer: Tensor, other: Tensor) -> bool:
    return bool((answer - other).abs().max() <= TOLERANCE * other.abs().max())


def _same(answer: Any, expected: Tensor, praise: str, hints: dict[str, Tensor]) -> str:
    """``hints`` are the usual slips: what to say when the answer is this other tensor."""
    if not isinstance(answer, Tensor):
        return f"{OPEN}a tensor is expected, this is a {type(answer).__name__}"
    expected = expected.cpu()
    answer = answer.detach().to(expected)  # doubles and whole numbers are as good
    if answer.shape != expected.shape:
        return f"{OPEN}the shape is {tuple(answer.shape)}, it should be {tuple(expected.shape)}"
    if _near(answer, expected):
        return RIGHT + praise
    for hint, slip in hints.items():
        if slip.shape == answer.shape and _near(answer, slip.cpu()):
            return OPEN + hint
    return f"{OPEN}right shape, but values differ by up to {(answer - expected).abs().max():.3g}"


def _best_guess(answer: Any) -> str:
    best = load_network("alexnet64").top(load_image("coffee", 64), 1)[0][0]
    if answer == best:
        return f"{RIGHT}the network takes the cup for: {best}"
    if isinstance(answer, (list, tuple)):
        return f"{OPEN}top returns a list of (label, probability) pairs; take the label of the first pair"
    return f"{OPEN}{answer!r} is not its best guess; is the photo the coffee, at size=64?"


def _mirror(answer: Any) -> str:
    photo = load_image("cat", 64)
    slips = {
        "this is the photo as it was": photo,
        "this one stands on its head: columns are the last dimension": photo.flip(2),
        "this one has its colours swapped: dimension 1 holds red, green, blue": photo.flip(1),
    }
    return _same(answer, photo.flip(3), "same cat, other way round", slips)


def _two_classes(answer: Any) -> str:
    network, photo = load_network("alexnet64"), load_image("cat", 64)
    cat, dog = (gradient(network, photo, logit(label)) for label in ("tabby", "golden retriever"))
    slips = {
        "this is tabby alone": cat,
        "this is golden retriever minus tabby; the sign is the wrong way round": dog - cat,
        "this is the sum; you want what tells the two apart": cat + dog,
    }
    return _same(answer, cat - dog, "the gradient of a difference is the difference of the gradients", slips)


def _saliency(answer: Any) -> str:
    network, photo = load_network("alexnet64"), load_image("cat", 64)
    signed = gradient(network, photo, logit("tabby"))
    slips = {
        "without the absolute value, a strong minus counts as nothing": signed.amax(1, keepdim=True),
        "this is the mean over the colours; the paper takes the maximum": signed.abs().mean(1, keepdim=True),
        "take the absolute value first, then the maximum": signed.amax(1, keepdim=True).abs(),
    }
    return _same(answer, saliency(network, photo, logit("tabby")), "that is the paper's saliency map", slips)


def _rule(rule: str) -> Callable[[Any], str]:
    def check_rule(answer: Any) -> str:
        if not callable(answer):
            return f"{OPEN}write a function of (x, s) that returns a tensor"
        x = torch.tensor([-2.0, 0.0, 3.0, 1.0, -1.0, 0.0, 2.0])
        s = torch.tensor([4.0, 5.0, -6.0, 7.0, -8.0, -9.0, 0.0])
        result = answer(x, s)
        if result is ...:
            return OPEN + "replace the three dots ... with your line"
        others = {f"this is {other}": relu_backward(other, x, s) for other in ("backprop", "deconvnet", "guided")}
        others["a ReLU passes nothing back where x is exactly 0"] = s * (x >= 0) * (s > 0)
        return _same(result, relu_backward(rule, x, s), f"that is {rule}, exact zeros included", others)

    return check_rule


def _unpooled(answer: Any) -> str:
    a = torch.tensor([[[[1.0, 3, 0, 2], [0, 2, 5, 1], [4, 0, 1, 0], [1, 2, 0, 6]]]])
    s = torch.tensor([[[[10.0, 20], [30, 40]]]])
    pooled, switches = F.max_pool2d(a, 2, return_indices=True)
    slips = {
        "this spreads each number over its whole window; the switch names one place": F.interpolate(s, scale_factor=2),
        "this is the forward pass run backwards: what goes back is s, not the maxima": F.max_unpool2d(
            pooled, switches, 2
        ),
    }
    return _same(answer, F.max_unpool2d(s, switches, 2), "each number is where its maximum came from", slips)


def _transposed(answer: Any) -> str:
    network = load_network("alexnet64", device="cpu")
    s, weight = torch.zeros(1, 32, 64, 64), network.module.conv1.weight
    s[0, 12, 32, 32] = 1
    slips = {"this is turned by 180°: transpose the convolution itself": F.conv2d(s, weight.transpose(0, 1), padding=2)}
    painted = F.conv_transpose2d(s, weight, padding=2)
    return _same(answer, painted, "one activation stamps its filter into the photo", slips)


BOXES = [(0, 0, 4, 4), (2, 1, 6, 5), (1, 1, 3, 3), (5, 6, 8, 8), (4, 0, 6, 4)]  # some overlap, touch, lie apart


def _iou(answer: Any) -> str:
    if not callable(answer):
        return f"{OPEN}write a function of two boxes that returns a number"
    for a in BOXES:
        for b in BOXES:
            share, expected = answer(a, b), intersection_over_union(Box(*a), Box(*b))
            if share is ...:
                return OPEN + "replace the three dots ... with your lines"
            if abs(share - expected) < TOLERANCE:
                continue
            apart = " (they do not overlap: no height or width is negative)" if expected == 0 else ""
            double = abs(share - expected / (1 + expected)) < TOLERANCE
            why = " (the shared part is counted twice below the line)" if double else apart
            return f"{OPEN}for {a} and {b} it is {expected:.3g}, you get {share:.3g}{why}"
    return RIGHT + "the share of all their pixels that both boxes have"


def _smoothgrad(answer: Any) -> str:
    network, photo = load_network("alexnet64", device="cpu"), load_image("cat", 64)
    smooth = smoothgrad(network, photo, logit("tabby"), samples=8)
    epsilon = NOISE * torch.randn(8, *photo.shape[1:], generator=torch.Generator().manual_seed(0))
    gradients = gradient(network, photo.repeat(8, 1, 1, 1), lambda net, x: logit("tabby")(net, x + epsilon))
    slips = {
        "this is the sum; divide by the number of neighbours": 8 * smooth,
        "take the mean with signs, so that noise cancels; magnitudes come later": gradients.abs().mean(0, keepdim=True),
    }
    return _same(answer, smooth, "what is noise cancels, what all neighbours share stays", slips)


def _total_variation(answer: Any) -> str:
    if not callable(answer):
        return f"{OPEN}write a function of a picture that returns a number"
    x = torch.rand(1, 3, 6, 9, generator=torch.Generator().manual_seed(0))
    result = answer(x)
    if result is ...:
        return OPEN + "replace the three dots ... with your lines"
    if isinstance(result, Real):
        result = torch.tensor(float(result))
    if isinstance(result, Tensor) and result.numel() == 1:  # a number, or one for each picture
        result = result.reshape(())
    here = x[:, :, :-1, :-1]
    down, right = (x[:, :, 1:, :-1] - here).square(), (x[:, :, :-1, 1:] - here).square()
    slips = {
        "these are only the differences to the pixel below": down.mean(),
        "these are only the differences to the pixel on the right": right.mean(),
        "take the mean over pixels and colours, not the sum": (down + right).sum(),
        "this is the root; the exercise is |∇x|², β = 2": (down + right).sqrt().mean(),
    }
    expected = total_variation(1, epsilon=0)(x)[0]
    return _same(result, expected, "smooth pictures cost little, each edge costs", slips)


def _ascent(answer: Any) -> str:
    network, x = load_network("inception64", device="cpu"), load_image("coffee", 64)
    step = 0.2 * gradient(network, x, logit("tabby"))
    slips = {
        "this goes down: ascent adds the gradient": (x - step).clamp(0, 1),
        "some pixels left [0, 1]: clamp them": x + step,
        "this is the step alone; add it to the picture": step,
    }
    return _same(answer, (x + step).clamp(0, 1), "a step uphill, and still a picture", slips)


def _feature_map(answer: Any) -> str:
    expected, round_things = channel("inception4b", 29), "the feature map that likes round things"
    if answer == expected:
        return f"{RIGHT}{round_things}; try lv.dream(net, photo, target)"
    if not isinstance(answer, Target):
        return f"{OPEN}a target is expected, this is a {type(answer).__name__}"
    if answer == neuron("inception4b", 29):
        return f"{OPEN}this is a single neuron, in the middle of the map"
    return f"{OPEN}{answer!r} is not {round_things}: channel 29 of inception4b"


def _even_step(answer: Any) -> str:
    slope = gradient(load_network("inception64", device="cpu"), load_image("cat", 64), layer("inception4c"))
    even = slope / slope.abs().mean()
    slips = {
        "the average pixel moves by 1: that is black to white": even,
        "divide by the mean of the magnitudes: the mean of the signed gradient is nearly zero": 0.01
        * slope
        / slope.mean(),
        "this keeps the length of the gradient, which differs from layer to layer": 0.01 * slope,
    }
    return _same(answer, 0.01 * even, "every step is as long, at every layer", slips)


def _of(answer: Any, arguments: tuple, expected: Tensor, praise: str, slips: dict[str, Tensor]) -> str:
    """The answer is a function; it is called with ``arguments``."""
    if not callable(answer):
        return f"{OPEN}write a function"
    result = answer(*arguments)
    return (
        OPEN + "replace the three dots ... with your lines" if result is ... else _same(result, expected, praise, slips)
    )


def _feature_error(answer: Any) -> str:
    outputs, activations = torch.rand(2, 1, 4, 5, 5, generator=torch.Generator().manual_seed(0))
    difference = (outputs - activations).square().sum()
    slips = {
        "this is not normalised: divide by ‖y‖²": difference,
        "divide by ‖y‖², the sum of the squares of y": difference / activations.abs().sum(),
        "these are lengths; the formula has their squares": difference.sqrt() / activations.norm(),
        "divide by what is looked for, y, not by what is there": difference / outputs.square().sum(),
    }
    praise = "0 is the same, 1 as bad as nothing at all"
    return _of(answer, (outputs, activations), difference / activations.square().sum(), praise, slips)


def _soft_threshold(answer: Any) -> str:
    c = torch.tensor([-3.0, -1, -0.5, 0, 0.2, 1, 2.5])
    slips = {
        "this is the hard threshold: what is left moves towards 0 by t as well": c * (c.abs() > 1),
        "keep the sign": (c.abs() - 1).clamp(min=0),
        "what is smaller than t becomes 0, not negative": c.sign() * (c.abs() - 1),
    }
    return _of(answer, (c, 1.0), c.sign() * (c.abs() - 1).clamp(min=0), "small details go, edges stay", slips)


def _psnr(answer: Any) -> str:
    photo, image = torch.rand(2, 1, 3, 8, 8, generator=torch.Generator().manual_seed(0))
    error = (photo - image).square().mean()
    slips = {
        "the sign is the wrong way round: less error is more dB": 10 * error.log10(),
        "take the logarithm to the base 10": -10 * error.log(),
        "the error is the mean of the squares": -10 * (photo - image).square().sum().log10(),
        "10 times for squares; 20 times would be for their root": -20 * error.log10(),
    }
    return _of(answer, (photo, image), -10 * error.log10(), "every 6 dB more halve the difference", slips)


def _quantized(answer: Any) -> str:
    a = torch.rand(4, 5, 5, generator=torch.Generator().manual_seed(0)) * 6
    low, steps = a.min(), (a.max() - a.min()) / 15
    slips = {
        "4 bits number 16 values, so there are 15 steps between the least and the greatest": low
        + ((a - low) / (a.max() - low) * 16).round() * (a.max() - low) / 16,
        "these are the numbers of the steps; turn them back into activations": ((a - low) / steps).round(),
        "add the least value again": ((a - low) / steps).round() * steps,
    }
    return _of(answer, (a,), low + ((a - low) / steps).round() * steps, "an eighth of the memory", slips)


def _moments(answer: Any) -> str:
    a = torch.rand(1, 4, 5, 6, generator=torch.Generator().manual_seed(0))
    mean, spread = a.mean(dim=(2, 3)), a.std(dim=(2, 3), correction=0)
    slips = {
        "first the means, then the standard deviations": torch.cat([spread, mean], dim=1),
        "the second half holds variances; take their root": torch.cat([mean, spread**2], dim=1),
        "divide by the number of places: correction=0": torch.cat([mean, a.std(dim=(2, 3))], dim=1),
    }
    return _of(answer, (a,), torch.cat([mean, spread], dim=1), "where things are, it does not say", slips)


def _halfway(answer: Any) -> str:
    network = load_network("alexnet64", device="cpu")
    cat, coffee = (load_image(name, 64) for name in ("cat", "coffee"))
    one, other = (network.activations(photo, "pool5") for photo in (cat, coffee))
    slips = {
        "this is halfway between the photos; take the mean of their codes": (cat + coffee) / 2,
        "this is the sum of the codes; halve it": decode(network, one + other),
        "this is the mean of the two paintings; mix first, then paint": (decode(network, one) + decode(network, other))
        / 2,
    }
    praise = "a picture that neither photo is; the decoder has its say"
    return _same(answer, decode(network, (one + other) / 2), praise, slips)


CHECKS: dict[str, Callable[[Any], str]] = {
    "00.1": _best_guess,
    "00.2": _mirror,
    "01.1": _two_classes,
    "01.2": _saliency,
    "02.1": _rule("deconvnet"),
    "02.2": _rule("guided"),
    "03.1": _unpooled,
    "03.2": _transposed,
    "04.1": _iou,
    "04.2": _smoothgrad,
    "05.1": _total_variation,
    "05.2": _ascent,
    "06.1": _feature_map,
    "06.2": _even_step,
    "07.1": _feature_error,
    "07.2": _soft_threshold,
    "08.1": _psnr,
    "08.2": _quantized,
    "09.1": _moments,
    "09.2": _halfway,
}
