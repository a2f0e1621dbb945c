"""Half the digits, where the device is made for it."""

import torch


def mixed_precision(device: torch.device, wanted: bool = True) -> torch.autocast:
    """A ``with`` block in which products are of bfloat16 numbers, if that is ``wanted`` and faster.

    A processor without AVX-512 imitates them, and takes five to ten times as long as with single precision.
    """
    imitated = device.type == "cpu" and torch.backends.cpu.get_cpu_capability() != "AVX512"
    return torch.autocast(device.type, torch.bfloat16, enabled=wanted and not imitated)
