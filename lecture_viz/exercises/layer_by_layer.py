"""The exercises of notebook 08."""

from typing import Any

import torch

from .answers import Check, of


def _psnr(answer: Any) -> str:
    photo, image = torch.rand(2, 1, 3, 8, 8, generator=torch.Generator().manual_seed(0))
    error = (photo - image).square().mean()
    slips = {
        "the sign is the wrong way round: less error is more dB": 10 * error.log10(),
        "take the logarithm to the base 10": -10 * error.log(),
        "the error is the mean of the squares": -10 * (photo - image).square().sum().log10(),
        "10 times for squares; 20 times would be for their root": -20 * error.log10(),
    }
    return of(answer, (photo, image), -10 * error.log10(), "every 6 dB more halve the difference", slips)


def _quantized(answer: Any) -> str:
    a = torch.rand(4, 5, 5, generator=torch.Generator().manual_seed(0)) * 6
    low, steps = a.min(), (a.max() - a.min()) / 15
    slips = {
        "4 bits number 16 values, so there are 15 steps between the least and the greatest": low
        + ((a - low) / (a.max() - low) * 16).round() * (a.max() - low) / 16,
        "these are the numbers of the steps; turn them back into activations": ((a - low) / steps).round(),
        "add the least value again": ((a - low) / steps).round() * steps,
    }
    return of(answer, (a,), low + ((a - low) / steps).round() * steps, "an eighth of the memory", slips)


EXERCISES: dict[str, Check] = {"08.1": _psnr, "08.2": _quantized}
