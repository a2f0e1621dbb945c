"""Training on a tiny generated data set: it learns, resumes to the same weights, and exports what it trained."""

import subprocess
import sys

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors import safe_open

from lecture_viz.networks import embedded
from lecture_viz.training import tiny_imagenet
from lecture_viz.training.export import export, fold
from lecture_viz.training.train import Recipe, accuracy, augment, normalise, train

CLASSES = {"n02": ("red thing, scarlet", 0), "n01": ("green thing", 1), "n03": ("blue thing", 2)}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """The standard layout with three classes of coloured noise: ten training and four validation images each."""
    folder = tmp_path_factory.mktemp("data") / "tiny-imagenet-200"
    random = np.random.default_rng(0)

    def write(path, channel):
        path.parent.mkdir(parents=True, exist_ok=True)
        pixels = random.integers(0, 120, (64, 64, 3), np.uint8)
        pixels[:, :, channel] += 120
        Image.fromarray(pixels).save(path, "JPEG")

    rows = []
    for class_id, (_, channel) in CLASSES.items():
        for n in range(10):
            write(folder / "train" / class_id / "images" / f"{class_id}_{n}.JPEG", channel)
        for n in range(4):
            write(folder / "val" / "images" / f"val_{class_id}_{n}.JPEG", channel)
            rows.append(f"val_{class_id}_{n}.JPEG\t{class_id}\t0\t0\t62\t62")
    (folder / "val" / "val_annotations.txt").write_text("\n".join(rows) + "\n")
    (folder / "wnids.txt").write_text("\n".join(CLASSES) + "\n")
    words = [f"{class_id}\t{names}" for class_id, (names, _) in CLASSES.items()] + ["n99\tnot in the set"]
    (folder / "words.txt").write_text("\n".join(words) + "\n")
    return folder


def data(folder):
    return tiny_imagenet.read_split(folder, "train"), tiny_imagenet.read_split(folder, "val")


RECIPE = Recipe(stages=((32, 2), (64, 1)), batch=15, peak_rate=0.05)


def fresh() -> torch.nn.Sequential:
    torch.manual_seed(0)
    return embedded.alexnet64(3, batch_norm=True)


def test_the_folder_is_read_as_it_is_laid_out(folder):
    ids, labels = tiny_imagenet.read_labels(folder)
    assert ids == ["n01", "n02", "n03"] and labels == ["green thing", "red thing", "blue thing"]
    training, validation = data(folder)
    assert training.images.shape == (30, 3, 64, 64) and validation.images.shape == (12, 3, 64, 64)
    for split in (training, validation):
        brightest = split.images.float().mean(dim=(2, 3)).argmax(dim=1)
        assert torch.equal(split.classes, torch.tensor([1, 0, 2])[brightest])
    with pytest.raises(FileNotFoundError, match="standard Tiny ImageNet folder"):
        (folder / "empty").mkdir(exist_ok=True)
        (folder / "empty" / "wnids.txt").write_text("n01\n")
        (folder / "empty" / "words.txt").write_text("n01\tgreen thing\n")
        tiny_imagenet.read_split(folder / "empty", "train")


def test_augmentation_keeps_pictures_pictures(folder):
    training, _ = data(folder)
    for pixels in (32, 48, 64):
        x = augment(training.images, pixels, RECIPE, torch.Generator().manual_seed(0))
        assert x.shape == (30, 3, pixels, pixels) and x.min() >= 0 and x.max() <= 1
    again = augment(training.images, 64, RECIPE, torch.Generator().manual_seed(0))
    assert torch.equal(x, again)
    left_bright = torch.zeros(200, 3, 64, 64, dtype=torch.uint8)
    left_bright[..., :32] = 255
    plain = Recipe(smallest_crop=1, colour=0)
    x = augment(left_bright, 64, plain, torch.Generator().manual_seed(0))
    mirrored = x[..., 32:].mean(dim=(1, 2, 3)) > x[..., :32].mean(dim=(1, 2, 3))
    assert 60 < mirrored.sum() < 140
    assert x.min() == 0 and x.max() == 1  # colours as they were


def test_it_learns_and_resumes_to_the_same_weights(folder, tmp_path):
    training, validation = data(folder)
    straight = train(fresh(), training, validation, RECIPE, tmp_path / "straight")
    first = train(fresh(), training, validation, RECIPE, tmp_path / "stopped", stop_after=1)
    assert not torch.equal(first.fc8.weight, straight.fc8.weight)
    resumed = train(fresh(), training, validation, RECIPE, tmp_path / "stopped")
    for key, value in straight.state_dict().items():
        assert torch.equal(value, resumed.state_dict()[key]), key
    assert len((tmp_path / "stopped" / "log.jsonl").read_text().splitlines()) == 3
    assert not torch.equal(straight.conv1.weight, fresh().conv1.weight)
    with pytest.raises(ValueError, match="another recipe"):
        train(fresh(), training, validation, Recipe(), tmp_path / "stopped")


def test_accuracy_counts(folder):
    _, validation = data(folder)

    class Colour(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.unused = torch.nn.Parameter(torch.zeros(1))

        def forward(self, x):
            return x.mean(dim=(2, 3))[:, [1, 0, 2]]

    assert accuracy(Colour(), validation) == {"top1": 100.0, "top5": 100.0}
    wrong = tiny_imagenet.Split(validation.images, (validation.classes + 1) % 3)
    assert accuracy(Colour(), wrong)["top1"] == 0


def test_folding_changes_no_logit(folder):
    training, _ = data(folder)
    chain = fresh()
    chain(normalise(training.images))  # gives batch norm statistics of its own
    folded = fold(chain)
    assert not any("bn" in name for name, _ in folded.named_children())
    with torch.no_grad():
        pictures = normalise(training.images)
        torch.testing.assert_close(folded(pictures), chain.eval()(pictures), atol=1e-4, rtol=1e-4)


def test_export_ships_what_was_trained(folder, tmp_path, monkeypatch):
    training, _ = data(folder)
    path = tmp_path / "alexnet64.safetensors"
    shipped = export(fresh(), ["a", "b", "c"], training.images, path)
    with safe_open(path, "pt") as file:
        assert file.get_tensor("conv1.weight").dtype == torch.float16
    monkeypatch.setattr(embedded, "WEIGHTS", tmp_path)
    network = embedded.load_embedded("alexnet64")
    assert network.labels == ("a", "b", "c")
    with torch.no_grad():
        torch.testing.assert_close(network(training.images / 255), shipped(normalise(training.images)))


def test_the_command_trains_exports_and_writes_the_card(folder, tmp_path):
    """The real recipe, on 30 images: 19 epochs of one step."""
    command = [sys.executable, "-m", "lecture_viz.training", "alexnet64", "--data", folder, "--out", tmp_path / "run"]
    weights = tmp_path / "weights"
    weights.mkdir()
    result = subprocess.run([*command, "--weights", weights], capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    assert (weights / "alexnet64.safetensors").stat().st_size < 8_000_000
    card = (weights / "alexnet64.md").read_text()
    assert "% top-1" in card and "smallest crop: 0.25" in card
    assert card.count("\n| ") == len(Recipe().epochs) + 2
