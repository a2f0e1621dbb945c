"""Training on a tiny generated data set: it learns, resumes to the same weights, and exports what it trained."""

import json
import subprocess
import sys
from dataclasses import asdict, replace

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors import safe_open

from lecture_viz.networks import Network, decoder, embedded, load_network
from lecture_viz.photos import load_image
from lecture_viz.training import card, study, teacher, tiny_imagenet
from lecture_viz.training import decoder as training_decoder
from lecture_viz.training.__main__ import main
from lecture_viz.training.adversarial import attack
from lecture_viz.training.augmentation import crop, recolour, views
from lecture_viz.training.export import about, export, fold, unfold
from lecture_viz.training.filters import filter_reports
from lecture_viz.training.soft_labels import SoftLabels
from lecture_viz.training.train import (
    MEAN,
    RECIPES,
    STD,
    TAUGHT,
    Recipe,
    Run,
    accuracy,
    fit_to_time,
    normalise,
    train,
)

pytestmark = pytest.mark.training
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
NETWORKS = sorted(embedded.ARCHITECTURES)


def fresh(name: str = "alexnet64") -> torch.nn.Sequential:
    torch.manual_seed(0)
    return embedded.ARCHITECTURES[name](3, batch_norm=True)


def as_network(module: torch.nn.Module) -> Network:
    return Network(module, name="small", input_size=64, mean=MEAN, std=STD, labels=["green thing", "red", "tabby"])


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

    def augment(images, pixels, smallest_crop=0.25, colour=0.4):
        random = torch.Generator().manual_seed(0)
        return recolour(crop(images, views(len(images), smallest_crop, random), pixels), colour, random)

    for pixels in (32, 48, 64):
        x = augment(training.images, pixels)
        assert x.shape == (30, 3, pixels, pixels) and x.min() >= 0 and x.max() <= 1
    assert torch.equal(x, augment(training.images, 64))
    left_bright = torch.zeros(200, 3, 64, 64, dtype=torch.uint8)
    left_bright[..., :32] = 255
    x = augment(left_bright, 64, smallest_crop=1, colour=0)
    mirrored = x[..., 32:].mean(dim=(1, 2, 3)) > x[..., :32].mean(dim=(1, 2, 3))
    assert 60 < mirrored.sum() < 140
    assert x.min() == 0 and x.max() == 1  # colours as they were


@pytest.mark.parametrize("change", [{}, {"averaging": 0.5}, {"attack": 0.5}])
def test_it_learns_and_resumes_to_the_same_weights(folder, tmp_path, change):
    training, validation = data(folder)
    recipe = replace(RECIPE, **change)
    straight = train(fresh(), training, validation, recipe, tmp_path / "straight")
    first = train(fresh(), training, validation, recipe, tmp_path / "stopped", stop_after=1)
    assert not torch.equal(first.fc8.weight, straight.fc8.weight)
    resumed = train(fresh(), training, validation, recipe, tmp_path / "stopped")
    for key, value in straight.state_dict().items():
        assert torch.equal(value, resumed.state_dict()[key]), key
    assert len((tmp_path / "stopped" / "log.jsonl").read_text().splitlines()) == 3
    assert not torch.equal(straight.conv1.weight, fresh().conv1.weight)
    with pytest.raises(ValueError, match="another recipe"):
        train(fresh(), training, validation, RECIPES["alexnet64"], tmp_path / "stopped")


def test_the_loss_with_a_teacher_is_its_formula(folder):
    torch.manual_seed(0)
    recipe = replace(RECIPE, teacher=0.7, temperature=3.0)
    run, x, classes = Run(fresh(), recipe, 10), torch.rand(4, 3, 64, 64), torch.tensor([0, 2, 1, 0])
    taught = 5 * torch.randn(4, 3)
    run.model.eval()
    said = run.logits(x).detach()
    p, q = (taught / 3).softmax(dim=1), (said / 3).softmax(dim=1)
    distance = sum(p[n, c] * (p[n, c] / q[n, c]).log() for n in range(4) for c in range(3)) / 4
    smooth = (
        sum(-(0.9 * said[n].log_softmax(0)[classes[n]] + 0.1 * said[n].log_softmax(0).mean()) for n in range(4)) / 4
    )
    torch.testing.assert_close(run.loss(x, classes, taught), 0.3 * smooth + 0.7 * 9 * distance, rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(run.loss(x, classes), smooth, rtol=1e-4, atol=1e-4)


def test_a_student_sees_what_its_teacher_saw(folder, tmp_path):
    """In each epoch the pictures are the views to which it answered, with its answers; in the third, mirrored."""
    training, validation = data(folder)
    soft = SoftLabels([torch.randn(30, 3).half() for _ in range(2)], "a test")
    soft.write(tmp_path / "teacher.safetensors")
    again = SoftLabels.read(tmp_path / "teacher.safetensors")
    assert again.teacher == "a test" and all(torch.equal(a, b) for a, b in zip(again.logits, soft.logits))
    seen = []

    class Watched(Run):
        def step(self, pictures, classes, generator, taught=None):
            seen.append((pictures, taught))
            return super().step(pictures, classes, generator, taught)

    recipe = replace(RECIPE, stages=((64, 3),), colour=0.0, teacher=0.5)
    train(fresh(), training, validation, recipe, tmp_path / "run", kind=Watched, teacher=again)
    for epoch in range(3):
        order = torch.randperm(30, generator=torch.Generator().manual_seed(recipe.seed + epoch))
        pictures, taught = (torch.cat(parts) for parts in zip(*seen[2 * epoch : 2 * epoch + 2]))
        theta = SoftLabels.view(epoch % 2, 30)
        if epoch == 2:  # the second time round, mirrored
            theta = theta * torch.tensor([[-1.0, 1, 1], [1, 1, 1]])
        torch.testing.assert_close(pictures, crop(training.images, theta, 64)[order], atol=1e-5, rtol=1e-5)
        assert torch.equal(taught, soft.logits[epoch % 2][order])
    few = SoftLabels(soft.logits, "a test", every=5)
    assert len(few) == 6
    for whole, part in zip(soft.of_epoch(3), few.of_epoch(3)):
        assert torch.equal(whole[::5], part)
    with pytest.raises(ValueError, match="soft labels of 30 photos for 12"):
        train(fresh(), validation, validation, recipe, tmp_path / "other", teacher=again)
    with pytest.raises(FileNotFoundError, match="lecture_viz.training teach"):
        SoftLabels.read(tmp_path / "nothing.safetensors")


@pytest.mark.parametrize("whole", [False, True])
def test_the_teacher_is_fitted_and_goes_on_where_it_was_stopped(folder, tmp_path, monkeypatch, whole):
    """Of red, green and blue noise it knows every training picture; what it has learned and said it does not again."""
    training, validation = data(folder)
    asked = []
    ask = teacher.ask
    monkeypatch.setattr(teacher, "ask", lambda *given: asked.append(given[2]) or ask(*given))
    short = {"stages": ((teacher.PIXELS, 6),), "batch": 15, "averaging": 0.5}
    monkeypatch.setattr(teacher, "LAST_LAYER", replace(teacher.WHOLE if whole else teacher.LAST_LAYER, **short))
    monkeypatch.setattr(teacher, "LAST_RATE", 1e-2)
    soft = SoftLabels.read(teacher.teach(training, validation, 3, tmp_path))
    assert "efficientnet_lite0 at 160 pixels, right for 100.0 / 100.0 %" in soft.teacher
    assert len(soft.logits) == teacher.VIEWS and asked == list(range(teacher.VIEWS))
    for logits in soft.logits:
        assert logits.shape == (30, 3) and torch.equal(logits.argmax(dim=1), training.classes)
    SoftLabels(soft.logits[:1], "cut short").write(tmp_path / "teacher.safetensors")
    asked.clear()
    again = SoftLabels.read(teacher.teach(training, validation, 3, tmp_path))
    assert asked == list(range(1, teacher.VIEWS)) and again.teacher == soft.teacher
    assert all(torch.equal(a, b) for a, b in zip(soft.logits, again.logits))
    learned = torch.load(tmp_path / "checkpoint.pt", weights_only=True)["run"]["model"]["network.module.conv2.weight"]
    assert torch.equal(learned, load_network(teacher.TEACHER).module.conv2.weight) != whole


def test_a_teacher_enlarges_what_its_students_take():
    """Its logits of a small picture are those of the network for the enlarged one, if its last layer is the old one."""
    network = load_network(teacher.TEACHER)
    fitted = teacher.Teacher(1000).eval()
    fitted.network.module.fc = network.module.fc
    small = torch.rand(2, 3, 64, 64)
    large = torch.nn.functional.interpolate(small, size=teacher.PIXELS, mode="bilinear")
    torch.testing.assert_close(fitted(normalise(small)), network(large), atol=1e-3, rtol=1e-3)
    torch.testing.assert_close(fitted(normalise(large)), network(large), atol=1e-3, rtol=1e-3)


def test_averaging_is_the_moving_average_of_the_steps(folder, tmp_path):
    training, validation = data(folder)
    steps = []

    class Watched(torch.nn.Linear):
        def forward(self, x):
            if self.training:
                steps.append(self.weight.detach().clone())
            return super().forward(x)

    torch.manual_seed(0)
    model = torch.nn.Sequential(torch.nn.AdaptiveAvgPool2d(1), torch.nn.Flatten(), Watched(3, 3))
    recipe = Recipe(stages=((32, 1),), batch=15, peak_rate=0.05, averaging=0.9)
    averaged = train(model, training, validation, recipe, tmp_path)
    after = [*steps[1:], model[2].weight.detach()]  # the weights after each of the two steps
    assert len(after) == 2 and not torch.equal(*after)
    torch.testing.assert_close(averaged[2].weight, 0.9 * after[0] + 0.1 * after[1])


def test_an_attack_finds_the_worst_change_of_a_linear_network():
    """Two classes with logits w·x: the worst change of length ε is ε times the direction of (w_other − w_class)."""
    random = torch.Generator().manual_seed(0)
    pictures = torch.full((4, 3, 64, 64), 0.5)
    classes = torch.tensor([0, 1, 0, 1])
    w = 0.01 * torch.randn(2, 3 * 64 * 64, generator=random)  # so small that no probability rounds to 1
    changed = attack(lambda x: x.flatten(1) @ w.T, pictures, classes, 0.5, random, steps=10)
    away = torch.nn.functional.normalize(w[1 - classes] - w[classes])
    along = ((changed - pictures).flatten(1) * away).sum(dim=1)
    assert (along > 0.97 * 0.5).all() and (along <= 0.5 + 1e-4).all()


def test_an_attack_is_small_and_misleads(network, cat):
    guess = network(cat).argmax(dim=1)
    confidence = network(cat).softmax(dim=1)[0, guess].item()
    for steps, at_most in ((1, confidence / 2), (10, confidence / 4)):
        changed = attack(network, cat, guess, 0.5, torch.Generator().manual_seed(0), steps)
        assert (changed - cat).norm() <= 0.5 + 1e-4 and changed.min() >= 0 and changed.max() <= 1
        assert network(changed).softmax(dim=1)[0, guess].item() < at_most
        again = attack(network, cat, guess, 0.5, torch.Generator().manual_seed(0), steps)
        assert torch.equal(changed, again) and not changed.requires_grad
    half = torch.nn.functional.avg_pool2d(cat, 2)  # half the side: half the length, the same change per pixel
    assert (attack(network, half, guess, 0.5, torch.Generator()) - half).norm() <= 0.25 + 1e-4


def test_a_time_budget_scales_the_epochs():
    recipe = Recipe(stages=((32, 8), (64, 4)), batch=8)
    short, long = (fit_to_time(fresh(), recipe, 800, minutes) for minutes in (0.02, 20))
    assert all(a[1] < b[1] for a, b in zip(short.stages, long.stages))
    assert [pixels for pixels, _ in long.stages] == [32, 64] and short.stages[1][1] >= 1
    assert 1.5 < long.stages[0][1] / long.stages[1][1] < 2.5  # the recipe's proportions


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


@pytest.mark.parametrize("name", NETWORKS)
def test_folding_changes_no_logit(folder, name):
    training, _ = data(folder)
    model = fresh(name)
    model(normalise(training.images))  # gives batch norm statistics of its own
    folded = fold(model)
    assert not any(isinstance(part, torch.nn.modules.batchnorm._BatchNorm) for part in folded.modules())
    assert {*folded.state_dict()} == {*embedded.ARCHITECTURES[name](3).state_dict()}
    with torch.no_grad():
        pictures = normalise(training.images)
        torch.testing.assert_close(folded(pictures), model.eval()(pictures), atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("name", NETWORKS)
def test_unfolding_is_the_inverse(folder, name):
    """Batch norm put back changes no logit, and in training its statistics are those of the pictures."""
    training, _ = data(folder)
    pictures = normalise(training.images)
    model = fresh(name)
    model(pictures)
    folded = fold(model)
    again = unfold(folded, embedded.ARCHITECTURES[name](3, batch_norm=True), pictures)
    with torch.no_grad():
        wanted = folded(pictures)
        torch.testing.assert_close(again.eval()(pictures), wanted, atol=1e-4, rtol=1e-4)
        torch.testing.assert_close(again.train()(pictures), wanted, atol=0.05, rtol=0.05)


@pytest.mark.parametrize("name", NETWORKS)
def test_export_ships_what_was_trained(folder, tmp_path, monkeypatch, name):
    training, _ = data(folder)
    path = tmp_path / f"{name}.safetensors"
    shipped = export(fresh(name), about(["a", "b", "c"]), normalise(training.images), path)
    with safe_open(path, "pt") as file:
        assert file.get_tensor("conv1.weight").dtype == torch.float16
    monkeypatch.setattr(embedded, "WEIGHTS", tmp_path)
    network = embedded.load_embedded(name)
    assert network.labels == ("a", "b", "c")
    with torch.no_grad():
        torch.testing.assert_close(network(training.images / 255), shipped(normalise(training.images)))


def test_export_refuses_a_fold_that_changes_the_logits(folder, tmp_path, monkeypatch):
    training, _ = data(folder)
    wrong = fold(fresh())
    wrong.fc8.bias.data += 1
    monkeypatch.setattr("lecture_viz.training.export.fold", lambda model: wrong)
    with pytest.raises(ValueError, match="changed the outputs by 1"):
        export(fresh(), about(["a", "b", "c"]), normalise(training.images), tmp_path / "alexnet64.safetensors")


def test_dead_and_duplicate_filters_are_found(folder):
    _, validation = data(folder)
    chain = fold(fresh())
    with torch.no_grad():
        chain.conv3.bias += 0.5  # an untrained layer has dead channels of its own
        chain.conv3.weight[5], chain.conv3.bias[5] = 0, -1  # never fires
        chain.conv3.weight[7], chain.conv3.bias[7] = 3 * chain.conv3.weight[2], 3 * chain.conv3.bias[2]
    reports = {r.layer: r for r in filter_reports(as_network(chain), validation.images / 255, batch=5)}
    assert list(reports) == [f"relu{n}" for n in range(1, 8)]
    assert reports["relu3"].channels == 192
    assert reports["relu3"].dead == [5] and (2, 7) in reports["relu3"].duplicates
    # the slow twin: torch's own correlation of one layer's channels, all images at once
    values = as_network(chain).activations(validation.images / 255, "relu3").movedim(1, 0).flatten(1).double()
    alive = [c for c in range(192) if c != 5]
    same = torch.corrcoef(values[alive]).triu(1) > 0.99
    assert [(alive[a], alive[b]) for a, b in same.nonzero().tolist()] == reports["relu3"].duplicates


def test_groups_of_the_card_name_real_classes_once(network):
    members = [label for group in card.GROUPS.values() for label in group.split(", ")]
    assert len(members) == len({*members}) and {*members} <= {*network.labels}
    assert card.group_of("golden retriever") == "dogs" and card.group_of("abacus") == card.THINGS


def test_the_card_counts_what_the_network_says(folder, tmp_path):
    _, validation = data(folder)
    network = as_network(fold(fresh()))
    log = tmp_path / "log.jsonl"
    epoch = {"epoch": 1, "pixels": 32, "loss": 1.25, "top1": 33.3, "top5": 100.0, "seconds": 7}
    log.write_text(json.dumps(asdict(RECIPE)) + "\n" + json.dumps(epoch) + "\n")
    (tmp_path / card.STUDY).write_text("## Recipe study\n")
    text = card.model_card(network, validation, log, log)
    with torch.no_grad():
        right = network(validation.images / 255).argmax(dim=1) == validation.classes
    assert f"**{100 * right.float().mean():.1f} % top-1, 100.0 % top-5**" in text
    cats = right[validation.classes == 2].float().mean()
    assert f"| cats | 1 | {100 * cats:.1f} | 100.0 |" in text
    for part in ("| 1 | 32 | 1.250 | 33.3 | 100.0 | 7 |", "peak rate: 0.05", "Recipe study", "| coffee |", "| relu7 |"):
        assert part in text


def test_the_study_changes_one_thing_at_a_time(network, cat):
    for name, (recipe, change) in study.VARIANTS.items():
        model = embedded.alexnet64(200, batch_norm=True)
        before = str(model)
        change(model)
        assert (str(model) != before) + (recipe != study.BASE) == (0 if name == study.BASELINE else 1) or "rate" in name
        assert model(torch.zeros(2, 3, 64, 64)).shape == (2, 200)
    figures = dict.fromkeys(("top1", "top5", "recognised1", "recognised5", "checkerboard"), 1.0)
    results = {name: dict(figures) for name in study.VARIANTS}
    results["no zoom"]["top1"] = 3.5
    assert "| no zoom | 3.5 | 1.0 | +2.5 | 1 | 1 | 1.00 |" in study.report(results, 20000)
    for name, recipe in study.WITH_TEACHER.items():
        changed = {key for key, value in asdict(recipe).items() if value != asdict(study.TAUGHT)[key]}
        if "labels alone" in name:
            changed -= {"teacher", "temperature"}
        assert changed <= {"teacher", "temperature", "seed", "stages"} and len(changed) <= 1
    assert study.WITH_TEACHER[study.ONE_VIEW] == study.TAUGHT


@pytest.mark.parametrize("taught", [False, True])
def test_the_study_trains_measures_and_reports(folder, tmp_path, monkeypatch, taught):
    """The whole command on six photos: the rows with a teacher come when its file is given; finished ones are kept."""
    file = tmp_path / "teacher.safetensors"
    soft = SoftLabels([torch.randn(30, 3).half() for _ in range(2)], "a test")
    soft.write(file)
    short = {"stages": ((32, 1),)}
    monkeypatch.setattr(study, "load_network", lambda name, device: as_network(embedded.alexnet64(3)))
    monkeypatch.setattr(study, "STEPS", 1)
    kept = (study.BASELINE, "the recipe, another seed")
    variants = {name: (replace(study.VARIANTS[name][0], **short), study.unchanged) for name in kept}
    monkeypatch.setattr(study, "VARIANTS", variants)
    recipes = {name: replace(study.TAUGHT, **short) for name in ("a teacher", study.ONE_VIEW)}
    monkeypatch.setattr(study, "WITH_TEACHER", recipes)
    given = []

    def watched(model, training, validation, recipe, folder, teacher):
        given.append(teacher)
        return train(model, training, validation, recipe, folder, teacher=teacher)

    monkeypatch.setattr(study, "train", watched)
    command = ["study", "--data", str(folder), "--out", str(tmp_path / "runs"), "--weights", str(tmp_path)]
    monkeypatch.setattr(sys, "argv", [*command, *(["--teacher", str(file)] if taught else [])])
    study.main()
    text = (tmp_path / card.STUDY).read_text()
    assert all(f"| {name} |" in text for name in (*kept, "no averaging of weights"))
    assert all((f"| {name} |" in text) == taught for name in recipes)
    views = [len(teacher.logits) if teacher else 0 for teacher in given]
    assert views == [0, 0, *([2, 1] if taught else [])]
    assert all(len(teacher) == 6 for teacher in given if teacher)
    study.main()
    assert len(given) == len(views)


def test_the_checkerboard_of_a_strided_stem_shows(network, cat):
    assert study.checkerboard(network, cat) < 1.5
    model = embedded.alexnet64(200)
    study.strided(model)
    with torch.no_grad():
        model.conv1.weight[:, :, ::2] *= 0.1  # a kernel that looks mostly at every other row
    assert study.checkerboard(as_network(model), cat) > 2


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[pytest.mark.sweep] * (name == "inception64")) for name in NETWORKS]
)
def test_the_command_trains_exports_and_writes_the_card(folder, tmp_path, name, monkeypatch, capsys):
    """The real recipes, on 30 images: each epoch is one step. Then the card once more, from the shipped file.

    First from the labels, then on with a teacher: the card has both trainings.
    """
    command = ["training", name, "--data", str(folder)]
    weights, epochs = tmp_path / "weights", 0
    before = RECIPES[name].start
    if before:
        weights.mkdir()
        torch.manual_seed(1)
        model = embedded.ARCHITECTURES[before](3, batch_norm=True)
        labels = about(["green thing", "red thing", "blue thing"])
        trained = export(model, labels, normalise(data(folder)[0].images), weights / f"{before}.safetensors")
    file = tmp_path / "teacher.safetensors"
    SoftLabels([10 * torch.eye(3)[data(folder)[0].classes].half()], "one who knows").write(file)
    for recipe, options in (
        (RECIPES[name], []),
        (RECIPES[name], ["--card-only"]),
        (TAUGHT[name], ["--teacher", str(file)]),
    ):
        run = str(tmp_path / f"run{len(options)}")
        monkeypatch.setattr(sys, "argv", [*command, "--out", run, "--weights", str(weights), *options])
        main()
        trains, goes_on = "--card-only" not in options, recipe.start == name
        assert f"epoch 1/{len(recipe.epochs)}, {recipe.epochs[0]} pixels" in capsys.readouterr().err or not trains
        epochs = len(recipe.epochs) + (epochs if goes_on else 0) if trains else epochs
        text = (weights / f"{name}.md").read_text()
        assert "% top-1" in text and "smallest crop: 0." in text and ("one who knows" in text) == bool(recipe.teacher)
        assert text.split("training loss")[1].count("\n| ") == epochs + 1
        (weights / f"{name}.md").unlink()
        assert (weights / f"{name}.safetensors").stat().st_size < 8_000_000
        network = embedded.load_embedded(name, folder=weights)
        assert network.labels == ("green thing", "red thing", "blue thing")
        if before:  # a few steps away from where it went on
            assert (network.module.conv2.weight - trained.conv2.weight).abs().mean() < 0.1 * trained.conv2.weight.std()


def test_it_is_a_command():
    command = [sys.executable, "-m", "lecture_viz.training", "--help"]
    result = subprocess.run(command, capture_output=True, text=True, check=True)
    assert all(name in result.stdout for name in NETWORKS) and "tiny-imagenet-200" in result.stdout


def test_the_decoder_learns_and_is_exported(folder, tmp_path):
    """The whole command, on the small folder; what it ships paints, and with more epochs it paints better."""
    command = [sys.executable, "-m", "lecture_viz.training.decoder", "--data", folder, "--out", tmp_path / "run"]
    result = subprocess.run([*command, "--weights", tmp_path], capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    rows = [json.loads(line) for line in (tmp_path / "run" / "log.jsonl").read_text().splitlines()]
    assert len(rows) == len(training_decoder.RECIPE.epochs) and {"pixels", "code", "loss"} <= rows[0].keys()
    shipped = decoder.load_decoder(tmp_path)
    assert shipped(torch.rand(2, *decoder.CODE)).shape == (2, 3, 64, 64)
    assert not any("bn" in name for name, _ in shipped.named_modules())
    recipe = replace(training_decoder.RECIPE, stages=((64, 6),), batch=15)
    model = decoder.build(batch_norm=True)
    train(model, *data(folder), recipe, tmp_path / "longer", kind=training_decoder.Painting)
    losses = [json.loads(line)["loss"] for line in (tmp_path / "longer" / "log.jsonl").read_text().splitlines()]
    assert len(losses) == 6 and losses[-1] < 0.9 * losses[0]


def test_the_decoders_loss_is_its_formula():
    """Pixels, what the judge sees, and the critic, whose share is told by two critics that differ by a constant."""
    torch.manual_seed(0)
    run = training_decoder.Painting(decoder.build(batch_norm=True), training_decoder.RECIPE, 10)
    network, judge = (embedded.load_embedded(name) for name in ("alexnet64", "inception64"))
    x = torch.rand(4, 3, 64, 64)
    with torch.no_grad():
        painted = run.model(network.activations(x, "pool5")).sigmoid()
        expected = (painted - x).abs().mean()
        for layer in ("relu1", "relu2", "inception3b", "inception4b"):
            seen, wanted = (judge.activations(pictures, layer) for pictures in (painted, x))  # the first shift is 0
            seen, wanted = (values / values.square().sum(dim=1, keepdim=True).sqrt() for values in (seen, wanted))
            expected += 0.2 * (seen - wanted).square().sum(dim=1).mean()
    run.learn_to_tell = lambda photos, painted: None
    losses = []
    for says in (0.0, 10.0):
        torch.nn.init.constant_(run.critic[-1].bias, says)
        with torch.no_grad():
            natural = run.critic(painted).mean().item()
        losses.append(run.loss(x, torch.zeros(4)).item())
        assert losses[-1] + 0.03 * natural == pytest.approx(expected.item(), rel=0.03)  # bf16 in training
    assert losses[0] - losses[1] == pytest.approx(0.3, rel=0.05)


def test_the_critic_learns_to_tell_photos_from_what_is_painted():
    """Photos from pictures in one colour; and none of its convolutions stretches anything."""
    torch.manual_seed(0)
    run = training_decoder.Painting(decoder.build(batch_norm=True), training_decoder.RECIPE, 10)
    photos = torch.stack([load_image(name, 64)[0] for name in ("cat", "coffee", "rocket", "astronaut")])
    flat = photos.mean(dim=(2, 3), keepdim=True).expand_as(photos)

    def told() -> float:
        with torch.no_grad():
            return (run.critic(photos).mean() - run.critic(flat).mean()).item()

    assert abs(told()) < 0.5
    for _ in range(40):
        run.learn_to_tell(photos, flat)
    with torch.no_grad():
        for _ in range(30):
            run.critic(photos)  # each pass finds the direction that is stretched most a little better
    run.critic.eval()
    assert told() > 1
    stretched = [layer.weight.flatten(1).svd().S[0] for layer in run.critic if hasattr(layer, "weight")]
    assert len(stretched) == 5 and all(abs(value - 1) < 0.05 for value in stretched)
    kept = run.state_dict()
    assert {"critic", "critic_optimiser"} < kept.keys()
