"""Train the decoder: ``python -m lecture_viz.training.decoder --data tiny-imagenet-200``.

It learns to paint a photo x from the activations a = f(x) alone:

    min over the decoder D of E[ |D(a) − x| + 0.1 ‖φ(D(a)) − φ(x)‖² / ‖φ(x)‖² ]

The second term compares what an early layer φ of the network sees. Without it the mean of all photos that fit wins, a
blur (Dosovitskiy and Brox 2016, "Generating images with perceptual similarity metrics", section 2).
"""

import argparse
import json
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ..networks import decoder, embedded, load_network
from ..optimization_based.inversion import feature_error
from ..photos import BUNDLED_PHOTOS, load_image
from .card import table
from .export import export
from .tiny_imagenet import Split, read_split
from .train import Recipe, Run, normalise, train

RECIPE = Recipe(stages=((64, 1),), batch=32, peak_rate=2e-3, smallest_crop=0.5, colour=0.2)
SEEN = "relu2"  # φ
WEIGHT = 0.1  # of what φ sees


class Painting(Run):
    """A decoder in training: pictures go through the network into a code, and should come back."""

    def __init__(self, model: nn.Module, recipe: Recipe, steps_per_epoch: int):
        super().__init__(model, recipe, steps_per_epoch)
        chain = embedded.load_embedded(decoder.NETWORK).module.to(self.device, memory_format=torch.channels_last)
        names = [name for name, _ in chain.named_children()]
        end, seen = names.index(decoder.LAYER) + 1, names.index(SEEN) + 1
        self.early, self.late = chain[:seen], chain[seen:end]

    def make_optimiser(self, groups: list[dict]) -> torch.optim.Optimizer:
        return torch.optim.Adam(groups, lr=self.recipe.peak_rate)

    def loss(self, pictures: Tensor, classes: Tensor, taught: Tensor | None = None) -> Tensor:
        with torch.no_grad(), torch.autocast(self.device.type, torch.bfloat16):
            wanted = self.early(normalise(pictures).to(memory_format=torch.channels_last))
            code = self.late(wanted)
        with torch.autocast(self.device.type, torch.bfloat16):
            painted = self.model(code).float().sigmoid()
            seen = self.early(normalise(painted))
        wanted, seen = wanted.float(), seen.float()
        return F.l1_loss(painted, pictures) + WEIGHT * (seen - wanted).square().mean() / wanted.square().mean()

    def evaluate(self, split: Split) -> dict[str, float]:
        """Mean distance to the photo in percent of the range, and the relative squared error of the code."""
        model, pixels, error, size = self.result.eval(), 0.0, 0.0, 0.0
        with torch.no_grad():
            for part in split.images.split(100):
                x = normalise(part.to(self.device))
                code = self.late(self.early(x))
                painted = model(code).sigmoid()
                pixels += 100 * (painted - part.to(self.device) / 255).abs().mean().item() * len(part)
                again = self.late(self.early(normalise(painted)))
                error += (again - code).square().sum().item()
                size += code.square().sum().item()
        return {"pixels": round(pixels / len(split.images), 2), "code": round(error / size, 3)}


def card(shipped: decoder.Decoder, validation: Split, log: list[dict]) -> str:
    """The model card, measured on the file that ships."""
    network = load_network(decoder.NETWORK, device="cpu")

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
`python -m lecture_viz.training.decoder`: Adam, one cycle up to {RECIPE.peak_rate:g}, {len(log)} epoch of
{RECIPE.batch} pictures a step, {log[-1]["seconds"] / 60:.0f} minutes on one core of a CPU.

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
    model = train(model, training, watched, RECIPE, options.out, kind=Painting).cpu().float()
    about = {"network": decoder.NETWORK, "layer": decoder.LAYER}
    with torch.no_grad():
        codes = embedded.load_embedded(decoder.NETWORK).activations(watched.images[:100] / 255, decoder.LAYER)
    export(model, about, codes, options.weights / f"{decoder.NAME}.safetensors")
    log = [json.loads(line) for line in (options.out / "log.jsonl").read_text().splitlines()]
    text = card(decoder.load_decoder(options.weights), validation, log)
    (options.weights / f"{decoder.NAME}.md").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
