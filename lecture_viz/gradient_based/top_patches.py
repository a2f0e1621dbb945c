"""Top nine: what does a feature map look for? (Zeiler & Fergus 2014 [26], figure 2)

Send many pictures through the network and keep, for one channel, the nine that excite it most, each at its strongest
place. Put the patches of pixels that the neuron could see there (its receptive field) beside what the reversed network
paints for them. The patches say what the pictures have in common, the reconstructions which part of it counted: nine
animals on nine lawns, and what is painted is the grass.

Where it misleads: nine of a thousand pictures are the extremes, not the rule. And what is not in the pictures cannot be
found in them.
"""

import hashlib
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor
from tqdm.auto import tqdm

from ..networks.network import Network
from ..networks.receptive_fields import receptive_field
from ..photos import Box, Pictures
from ..targets import Target, neuron
from .deconvnet import NoChain, deconvnet
from .gradients import gradient

BATCH = 16  # stays in a CPU's cache: a quarter faster there than 64


class Strongest(NamedTuple):
    """The strongest activations of every channel of some layers, at most one from each picture.

    ``activations[layer]`` is ``(C, k)``, strongest first; ``places[layer]`` ``(C, k, 3)`` says in which picture, row
    and column. ``seen`` pictures were looked at so far; those in ``skipped`` could not be read.
    """

    activations: dict[str, Tensor]
    places: dict[str, Tensor]
    seen: int
    skipped: list[str]


class CutOut(NamedTuple):
    """Some neurons of one channel: in each of ``photos`` one, which sees the ``patches`` inside ``boxes``."""

    photos: list[Tensor]
    names: list[str]
    targets: list[Target]
    boxes: list[Box]
    patches: list[Tensor]


class TopPatches(NamedTuple):
    """For one channel, strongest first: ``activations`` ``(n,)``, and what caused them.

    In each of ``photos`` ``(1, 3, H, W)`` the neuron of ``targets`` sees the pixels inside ``boxes``: the ``patches``
    ``(1, 3, h, w)`` of the photo and of its signed ``reconstructions``. ``skipped`` pictures could not be read.
    """

    activations: Tensor
    photos: list[Tensor]
    names: list[str]
    targets: list[Target]
    boxes: list[Box]
    patches: list[Tensor]
    reconstructions: list[Tensor]
    skipped: list[str]


def scan(network: Network, pictures: Pictures, layers: Sequence[str], k: int = 9) -> Iterator[Strongest]:
    """Look at the pictures batch by batch; yields what is the strongest so far. Memory does not grow with their number.

    What was found in a folder or in the bundled crops is kept in PyTorch's cache folder: next time it is there at once.

    Raises:
        ValueError: unknown layer, or not one picture could be read.
    """
    cache = _cache_file(network, pictures, layers, k)
    found = _read(cache) if cache else None
    if found:
        yield found
        return
    activations: dict[str, Tensor] = {}
    places: dict[str, Tensor] = {}
    skipped: list[str] = []
    for seen, strongest in strongest_of_each(network, pictures, layers, skipped):
        for layer, (best, where) in strongest.items():
            if layer in activations:
                best, where = torch.cat([activations[layer], best], 1), torch.cat([places[layer], where], 1)
            activations[layer], order = best.topk(min(k, best.shape[1]), dim=1)
            places[layer] = where.gather(1, order[..., None].expand(*order.shape, 3))
        found = Strongest(dict(activations), dict(places), seen, [*skipped])
        if activations:
            yield found
    if cache and found:
        _write(cache, found)


def strongest_of_each(
    network: Network, pictures: Pictures, layers: Sequence[str], skipped: list[str]
) -> Iterator[tuple[int, dict[str, tuple[Tensor, Tensor]]]]:
    """Batch by batch: how many pictures are seen, and where each of the last ones excites the channels most.

    Per layer the maximum ``(C, B)``, and its picture, row and column ``(C, B, 3)``. Names of pictures that cannot be
    read are appended to ``skipped``; of a batch without any that can, there are no layers.

    Raises:
        ValueError: unknown layer, or, in the end, not one picture could be read.
    """
    for start in range(0, len(pictures), BATCH):
        numbers, batch = [], []
        stop = min(start + BATCH, len(pictures))
        for n in range(start, stop):
            try:
                batch.append(pictures[n])
                numbers.append(n)
            except (OSError, ValueError):
                skipped.append(pictures.name(n))
        yield stop, _strongest_places(network, torch.cat(batch), torch.tensor(numbers), layers) if batch else {}
    if len(skipped) == len(pictures):
        raise ValueError(f"not one of these {len(pictures)} pictures can be read, such as {skipped[0]!r}")


def _strongest_places(
    network: Network, batch: Tensor, numbers: Tensor, layers: Sequence[str]
) -> dict[str, tuple[Tensor, Tensor]]:
    """Per layer, for each channel and picture of ``batch``: the maximum ``(C, B)``, and where it is ``(C, B, 3)``."""
    found = {}
    with torch.no_grad():
        for layer, output in network.run(batch, layers).items():
            columns = output.shape[-1] if output.ndim == 4 else 1
            best, where = output.reshape(*output.shape[:2], -1).max(dim=2)
            best, where = best.T.cpu(), where.T.cpu()
            found[layer] = best, torch.stack([numbers.expand_as(where), where // columns, where % columns], dim=-1)
    return found  # and the activations themselves are let go before the next batch


def top_patches(
    network: Network, images: Any, layer: str, channel: int, k: int = 9, progress: bool = True
) -> TopPatches:
    """The ``k`` pictures that excite a channel most: what it saw there, and what of it counted.

    Args:
        images: ``"bundled"``, a folder, a list, or a data set; see `Pictures`. One that cannot be read is skipped and
            listed in ``skipped``.
        progress: show a progress bar.

    Raises:
        ValueError: unknown layer, no such channel, no readable picture, or a channel that never fires on them; see
            also `Pictures`.
    """
    pictures = Pictures(images, network.input_size)
    found = look(network, pictures, [layer], k, progress)
    return patches(network, pictures, found, layer, channel)


def look(network: Network, pictures: Pictures, layers: Sequence[str], k: int = 9, progress: bool = True) -> Strongest:
    """`scan` to its end, with a progress bar."""
    with tqdm(total=len(pictures), desc="looking at pictures", disable=not progress, leave=False) as bar:
        for found in scan(network, pictures, layers, k):
            bar.update(found.seen - bar.n)
    return found


def patches(network: Network, pictures: Pictures, found: Strongest, layer: str, channel: int) -> TopPatches:
    """Cut out and reconstruct what `scan` found for one channel."""
    activations, places = found.activations[layer], found.places[layer]
    check_channel(layer, channel, len(activations))
    fires = activations[channel] > 0
    if not fires.any():
        raise ValueError(
            f"channel {channel} of {layer!r} never fires on these pictures ({found.seen} seen); try another one"
        )
    seen = cut_out(network, pictures, layer, channel, places[channel][fires].tolist())
    painted = (_reconstruct(network, photo, target) for photo, target in zip(seen.photos, seen.targets))
    reconstructions = [box.crop(whole) for box, whole in zip(seen.boxes, painted)]
    return TopPatches(activations[channel][fires], *seen, reconstructions, found.skipped)


def check_channel(layer: str, channel: int, channels: int) -> None:
    """Raise a ValueError if ``layer`` has no such channel."""
    if not 0 <= channel < channels:
        raise ValueError(f"layer {layer!r} has channels 0 … {channels - 1}; got {channel}")


def cut_out(network: Network, pictures: Pictures, layer: str, channel: int, places: list[list[int]]) -> CutOut:
    """What a channel sees at ``places``, each a picture's number, a row and a column."""
    field = receptive_field(network, layer)
    flat = field.shape == (1, 1)
    photos = [pictures[n] for n, _, _ in places]
    boxes = [field[y, x] for _, y, x in places]
    return CutOut(
        photos,
        [pictures.name(n) for n, _, _ in places],
        [neuron(layer, channel) if flat else neuron(layer, channel, y=y, x=x) for _, y, x in places],
        boxes,
        [box.crop(photo) for box, photo in zip(boxes, photos)],
    )


def _reconstruct(network: Network, photo: Tensor, target: Target) -> Tensor:
    """By the reversed network where there is one, in branching networks by the rule, which needs no chain."""
    try:
        return deconvnet(network, photo, target)
    except NoChain:
        return gradient(network, photo, target, rule="deconvnet")


# --- what was found is kept on disk ------------------------------------------------------------------------------


def _cache_file(network: Network, pictures: Pictures, layers: Sequence[str], k: int) -> Path | None:
    """Its name changes with the weights, the pictures and the question; ``None`` for pictures without a fingerprint."""
    fingerprint = pictures.fingerprint()
    if fingerprint is None:
        return None
    digest = hashlib.sha256(repr([fingerprint, pictures.size, [*layers], k]).encode())
    for tensor in (*network.module.state_dict().values(), network.mean, network.std):
        digest.update(tensor.detach().cpu().contiguous().flatten().view(torch.uint8).numpy())
    return Path(torch.hub.get_dir()) / "lecture_viz" / f"top_{digest.hexdigest()[:32]}.safetensors"


def _read(file: Path) -> Strongest | None:
    try:
        with safe_open(file, framework="pt") as stored:
            about = json.loads(stored.metadata()["about"])
            activations, places = (
                {layer: stored.get_tensor(f"{kind} {layer}") for layer in about["layers"]}
                for kind in ("activations", "places")
            )
    except (OSError, SafetensorError, KeyError, ValueError):  # not there, or damaged: look again
        return None
    return Strongest(activations, places, about["seen"], about["skipped"])


def _write(file: Path, found: Strongest) -> None:
    about = {"layers": [*found.activations], "seen": found.seen, "skipped": found.skipped}
    tensors = {f"activations {layer}": values.contiguous() for layer, values in found.activations.items()}
    tensors |= {f"places {layer}": values.contiguous() for layer, values in found.places.items()}
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        save_file(tensors, file.with_suffix(".part"), metadata={"about": json.dumps(about)})
        file.with_suffix(".part").replace(file)  # never a half-written one
    except OSError:
        pass  # a read-only home: the next time takes as long as this time
