"""Train the decoder: ``python -m lecture_viz.training.decoder --data tiny-imagenet-200``.

It learns to paint a photo x from the activations a = f(x) alone:

    min over the decoder D of E[ mean |D(a) − x| + w Σ over layers l of mean ‖φ_l(D(a)) − φ_l(x)‖² ]

Without the second term the mean of all photos that fit wins, a blur (Dosovitskiy and Brox 2016, "Generating images with
perceptual similarity metrics", section 2). φ_l are activations of `inception64`, another network than the one that is
inverted, at several depths, each place's scaled to length 1 (Zhang et al. 2018, "The unreasonable effectiveness of deep
features as a perceptual metric", equation 1). Before φ looks, both pictures are shifted by a few pixels, others in each
step: a pattern of dots that hides between the places of its pools in one step is seen in the next.
"""

import argparse
import json
from functools import partial
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ..networks import decoder, embedded
from ..optimization_based.inversion import feature_error
from ..photos import BUNDLED_PHOTOS, load_image
from .card import table
from .export import export
from .tiny_imagenet import Split, read_split
from .train import Recipe, Run, train

RECIPE = Recipe(stages=((64, 3),), batch=32, peak_rate=2e-3, averaging=0.999, smallest_crop=0.4, colour=0.3)
CRITIC, SEEN = "inception64", ("relu1", "relu2", "inception3b")  # φ
WEIGHT = 0.2  # w
SHIFTS = 4  # pixels: 0 … 3, down and to the right


class Painting(Run):
    """A decoder in training: pictures go through the network into a code, and should come back."""

    def __init__(self, model: nn.Module, recipe: Recipe, steps_per_epoch: int, weights: Path = embedded.WEIGHTS):
        """``weights`` is the folder of the network that is inverted, and of the critic."""
        super().__init__(model, recipe, steps_per_epoch)
        self.network, self.critic = (
            embedded.load_embedded(name, folder=weights).to(self.device, memory_format=torch.channels_last)
            for name in (decoder.NETWORK, CRITIC)
        )

    def make_optimiser(self, groups: list[dict]) -> torch.optim.Optimizer:
        return torch.optim.Adam(groups, lr=self.recipe.peak_rate)

    def loss(self, pictures: Tensor, classes: Tensor, taught: Tensor | None = None) -> Tensor:
        step = self.schedule.last_epoch
        shift = step % SHIFTS, step // SHIFTS % SHIFTS
        pictures = pictures.to(memory_format=torch.channels_last)
        with torch.autocast(self.device.type, torch.bfloat16):
            with torch.no_grad():
                code = self.network.activations(pictures, decoder.LAYER)
                wanted = self.critic.run(pictures.roll(shift, (2, 3)), SEEN)
            painted = self.model(code).float().sigmoid()
            seen = self.critic.run(painted.roll(shift, (2, 3)), SEEN)
        loss = F.l1_loss(painted, pictures)
        for layer in SEEN:
            one, other = (F.normalize(values[layer].float(), dim=1) for values in (seen, wanted))
            loss = loss + WEIGHT * (one - other).square().sum(dim=1).mean()
        return loss

    def evaluate(self, split: Split) -> dict[str, float]:
        """Mean distance to the photo in percent of the range, and the relative squared error of the code."""
        model, pixels, error, size = self.result.eval(), 0.0, 0.0, 0.0
        with torch.no_grad():
            for part in split.images.split(100):
                photos = part.to(self.device) / 255
                code = self.network.activations(photos, decoder.LAYER)
                painted = model(code).sigmoid()
                pixels += 100 * (painted - photos).abs().mean().item() * len(part)
                error += (self.network.activations(painted, decoder.LAYER) - code).square().sum().item()
                size += code.square().sum().item()
        return {"pixels": round(pixels / len(split.images), 2), "code": round(error / size, 3)}


def card(shipped: decoder.Decoder, validation: Split, log: list[dict], weights: Path) -> str:
    """The model card, measured on the file that ships, with the network in ``weights``."""
    network = embedded.load_embedded(decoder.NETWORK, folder=weights)

    def measure(photos: Tensor) -> list[str]:
        with torch.no_grad():
            codes = network.activations(photos, decoder.LAYER)
            painted = shipped(codes)
            error = feature_error(network.activations(painted, decoder.LAYER), codes).mean().item()
        away = painted - photos
        ratio = -10 * away.square().flatten(1).mean(dim=1).log10().mean().item()
        return [f"{100 * away.abs().mean().item():.1f} %", f"{ratio:.1f} dB", f"{error:.2f}"]

    rows = [["1,000 validation images", *measure(validation.images[::10] / 255)]]
    rows += [[name, *measure(load_image(name, 64))] for name in BUNDLED_PHOTOS]
    size = sum(p.numel() for p in shipped.parameters())
    return f"""# {decoder.NAME}

Paints a photo of 64×64 pixels from its activations in `{decoder.LAYER}` of `{decoder.NETWORK}`, {size:,} parameters.

Trained on the 100,000 training images of Tiny ImageNet (zoomed, mirrored, colours varied) by
`python -m lecture_viz.training.decoder`: Adam, one cycle up to {RECIPE.peak_rate:g}, {len(log)} epochs of
{RECIPE.batch} pictures a step, {sum(row["seconds"] for row in log) / 60:.0f} minutes; the loss compares pixels, and
what `{CRITIC}` sees in {", ".join(f"`{layer}`" for layer in SEEN)}.

{table("picture | mean difference | PSNR | feature error of the code", rows)}

Where it fails: fine details become a regular pattern of dots, because the loss asks for texture where the code does
not say which. What it never saw, text and stripes, it paints like something it saw. The pictures are partly its own:
see notebook 09.
"""


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m lecture_viz.training.decoder", description=__doc__.split("\n")[0])
    parser.add_argument("--data", type=Path, required=True, help="the folder tiny-imagenet-200")
    parser.add_argument("--out", type=Path, default=Path("training-run"), help="log, checkpoint (default: %(default)s)")
    parser.add_argument("--weights", type=Path, default=embedded.WEIGHTS, help="for the result (default: the package)")
    options = parser.parse_args()
    print("reading the images …", flush=True)
    training, validation = (read_split(options.data, split) for split in ("train", "val"))
    watched = Split(validation.images[::10], validation.classes[::10])
    torch.manual_seed(RECIPE.seed)
    device = torch.accelerator.current_accelerator(check_available=True) or torch.device("cpu")
    model = decoder.build(batch_norm=True).to(device)
    weights = options.weights if (options.weights / embedded.CHECKSUMS).exists() else embedded.WEIGHTS
    model = train(model, training, watched, RECIPE, options.out, kind=partial(Painting, weights=weights)).cpu().float()
    about = {"network": decoder.NETWORK, "layer": decoder.LAYER}
    with torch.no_grad():
        network = embedded.load_embedded(decoder.NETWORK, folder=weights)
        codes = network.activations(watched.images[:100] / 255, decoder.LAYER)
    export(model, about, codes, options.weights / f"{decoder.NAME}.safetensors")
    log = [json.loads(line) for line in (options.out / "log.jsonl").read_text().splitlines()]
    text = card(decoder.load_decoder(options.weights), validation, log, weights)
    (options.weights / f"{decoder.NAME}.md").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
