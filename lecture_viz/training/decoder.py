"""Train the decoder: ``python -m lecture_viz.training.decoder --data tiny-imagenet-200``.

It learns to paint a photo x from the activations a = f(x) alone:

    min over the decoder D of E[ mean |D(a) − x| + w Σ over layers l of mean ‖φ_l(D(a)) − φ_l(x)‖² − v mean C(D(a)) ]

Without the second term the mean of all photos that fit wins, a blur; the third asks that each part of the picture look
like one of a photo (Dosovitskiy and Brox 2016, "Generating images with perceptual similarity metrics", section 2). φ_l
are activations of `inception64`, another network than the one that is inverted, at several depths, each place's scaled
to length 1 (Zhang et al. 2018, "The unreasonable effectiveness of deep features as a perceptual metric", equation 1).
Before φ looks, both pictures are shifted by a few pixels, others in each step: a pattern of dots that hides between the
places of its pools in one step is seen in the next.

C is a third network, trained at the same time to tell photos (C ≥ 1) from what the decoder paints (C ≤ −1):

    min over C of E[ mean max(0, 1 − C(x)) + mean max(0, 1 + C(D(a))) ]      (Miyato et al. 2018, equation 16)
"""

import argparse
import json
from functools import partial
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils.parametrizations import spectral_norm

from ..networks import decoder, embedded
from ..optimization_based.inversion import feature_error, ssim
from ..photos import BUNDLED_PHOTOS, load_image
from .card import table
from .export import export
from .mixed_precision import mixed_precision
from .tiny_imagenet import Split, read_split
from .train import Recipe, Run, train

RECIPE = Recipe(stages=((64, 3),), batch=64, peak_rate=2e-3, smallest_crop=0.4, colour=0.3)
JUDGE, SEEN = "inception64", ("relu1", "relu2", "inception3b", "inception4b")  # φ
WEIGHT = 0.2  # w
SHIFTS = 4  # pixels: 0 … 3, down and to the right
CRITIC_WEIGHT, CRITIC_RATE = 0.03, 4e-4  # v, and the critic's rate of Adam


def critic() -> nn.Sequential:
    """C, untrained: a number for each of 8×8 overlapping parts of a picture ``(B, 3, 64, 64)``.

    The spectral norm keeps each of its convolutions from stretching anything (Miyato et al. 2018, section 2).
    """
    layers = nn.Sequential()
    incoming = 3
    for outgoing, stride in ((48, 2), (96, 2), (192, 2), (192, 1)):
        convolution = nn.Conv2d(incoming, outgoing, 4 if stride == 2 else 3, stride, padding=1)
        layers.extend([spectral_norm(convolution), nn.LeakyReLU(0.2)])
        incoming = outgoing
    return layers.append(spectral_norm(nn.Conv2d(incoming, 1, 1)))


class Painting(Run):
    """A decoder in training: pictures go through the network into a code, and should come back."""

    parts = (*Run.parts, "critic", "critic_optimiser")

    def __init__(self, model: nn.Module, recipe: Recipe, steps_per_epoch: int, weights: Path = embedded.WEIGHTS):
        """``weights`` is the folder of the network that is inverted, and of the one that compares."""
        super().__init__(model, recipe, steps_per_epoch)
        self.network, self.judge = (
            embedded.load_embedded(name, folder=weights).to(self.device, memory_format=torch.channels_last)
            for name in (decoder.NETWORK, JUDGE)
        )
        self.critic = critic().to(self.device, memory_format=torch.channels_last)
        self.critic_optimiser = torch.optim.Adam(self.critic.parameters(), lr=CRITIC_RATE, betas=(0.5, 0.99))

    def make_optimiser(self, groups: list[dict]) -> torch.optim.Optimizer:
        return torch.optim.Adam(groups, lr=self.recipe.peak_rate)

    def loss(self, pictures: Tensor, classes: Tensor, taught: Tensor | None = None) -> Tensor:
        step = self.schedule.last_epoch
        shift = step % SHIFTS, step // SHIFTS % SHIFTS
        pictures = pictures.to(memory_format=torch.channels_last)
        with mixed_precision(self.device):
            with torch.no_grad():
                code = self.network.activations(pictures, decoder.LAYER)
                wanted = self.judge.run(pictures.roll(shift, (2, 3)), SEEN)
            painted = self.model(code).float().sigmoid()
            seen = self.judge.run(painted.roll(shift, (2, 3)), SEEN)
            self.learn_to_tell(pictures, painted.detach())
            self.critic.requires_grad_(False)
            natural = self.critic(painted).float().mean()
            self.critic.requires_grad_(True)
        loss = F.l1_loss(painted, pictures) - CRITIC_WEIGHT * natural
        for layer in SEEN:
            one, other = (F.normalize(values[layer].float(), dim=1) for values in (seen, wanted))
            loss = loss + WEIGHT * (one - other).square().sum(dim=1).mean()
        return loss

    def learn_to_tell(self, photos: Tensor, painted: Tensor) -> None:
        """A step of the critic."""
        said = self.critic(torch.cat([photos, painted])).float()
        loss = F.relu(1 - said[: len(photos)]).mean() + F.relu(1 + said[len(photos) :]).mean()
        self.critic_optimiser.zero_grad()
        loss.backward()
        self.critic_optimiser.step()

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
    """The model card, measured on the file that ships, with the networks in ``weights``."""
    network, judge = (embedded.load_embedded(name, folder=weights) for name in (decoder.NETWORK, JUDGE))

    def measure(photos: Tensor) -> tuple[Tensor, list[str]]:
        with torch.no_grad():
            codes = network.activations(photos, decoder.LAYER)
            painted = shipped(codes)
            error = feature_error(network.activations(painted, decoder.LAYER), codes).mean().item()
        away = painted - photos
        ratio = -10 * away.square().flatten(1).mean(dim=1).log10().mean().item()
        alike = sum(ssim(*pair) for pair in zip(painted.split(1), photos.split(1))) / len(photos)
        return painted, [f"{100 * away.abs().mean().item():.1f} %", f"{ratio:.1f} dB", f"{alike:.2f}", f"{error:.2f}"]

    watched = Split(validation.images[::10], validation.classes[::10])
    photos = watched.images / 255
    painted, row = measure(photos)
    with torch.no_grad():
        named, best = (
            100 * (judge(x).argmax(dim=1) == watched.classes).float().mean().item() for x in (painted, photos)
        )
    rows = [["1,000 validation images", *row]]
    rows += [[name, *measure(load_image(name, 64))[1]] for name in BUNDLED_PHOTOS]
    size = sum(p.numel() for p in shipped.parameters())
    return f"""# {decoder.NAME}

Paints a photo of 64×64 pixels from its activations in `{decoder.LAYER}` of `{decoder.NETWORK}`, {size:,} parameters.

Trained on the 100,000 training images of Tiny ImageNet (zoomed, mirrored, colours varied) by
`python -m lecture_viz.training.decoder`: Adam, one cycle up to {RECIPE.peak_rate:g}, {len(log)} epochs of
{RECIPE.batch} pictures a step, {sum(row["seconds"] for row in log) / 60:.0f} minutes where it was trained. The
loss compares pixels and what `{JUDGE}` sees in {", ".join(f"`{layer}`" for layer in SEEN)}, and asks
a critic whether each part looks like one of a photo.

{table("picture | mean difference | PSNR | SSIM | feature error of the code", rows)}

`{JUDGE}`, which is another network, names the right class for {named:.0f} % of the painted validation images, and for
{best:.0f} % of the photos themselves.

Where it fails: letters and faces become something that looks like them, small lights on black a weave, because the code
does not say which, and the loss asks for texture all the same. The pictures are partly its own: see notebook 09.
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
