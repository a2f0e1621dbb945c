"""Inversion: it is the paper's formula, finds what can be found, and says what cannot."""

import math

import numpy as np
import pytest
import skimage
import torch
from torch import nn

import lecture_viz as lv
from lecture_viz.optimization_based import inversion, regularizers
from lecture_viz.optimization_based.inversion import best_recipe, by_depth, coarsely_alike, feature_error, quality, ssim
from lecture_viz.optimization_based.maximization import start_image
from lecture_viz.optimization_based.parameterization import Fourier, SmoothFourier


def activations(network, photo, layer):
    with torch.no_grad():
        return network.activations(photo, layer)


def inverted(network, photo, layer, steps=128, **choices):
    return lv.last(lv.invert(network, activations(network, photo, layer), layer, steps, **choices))


@pytest.fixture(scope="module")
def exact():
    """alexnet64 in double precision: what two ways of computing an ascent differ by stays small."""
    return lv.load_network("alexnet64", device="cpu").double()


@pytest.fixture(scope="module")
def noise():
    """A start without ties: in a grey picture all pixels of a pool's window are the same."""
    return torch.rand(1, 3, 64, 64, generator=torch.Generator().manual_seed(0)).double()


def linear(seed=0):
    """A network whose first layer is linear and can be undone: 48 pixels, 64 outputs."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        mixed = nn.Sequential(nn.Flatten(), nn.Linear(48, 64), nn.Linear(64, 5))
    return lv.wrap(mixed, input_size=4, name="linear")


@pytest.mark.long
def test_a_linear_network_is_inverted():
    """Against its known inverse, the pseudo-inverse of its weights."""
    network, photo = linear(), torch.rand(1, 3, 4, 4, generator=torch.Generator().manual_seed(1)) * 0.8 + 0.1
    y = activations(network, photo, "1")
    layer = network.module[1]
    known = (torch.linalg.pinv(layer.weight.double()) @ (y[0] - layer.bias).double()).view(1, 3, 4, 4).float()
    torch.testing.assert_close(known, photo, atol=1e-5, rtol=0)
    found = lv.last(lv.invert(network, y, "1", 2000, recipe="adam", penalties=[], size=4)).image
    assert abs(found - known).max() < 1e-4


def test_the_feature_error_is_its_formula():
    random = np.random.default_rng(0)
    a, b = random.normal(size=(2, 3, 4, 5, 5))
    expected = [((one - other) ** 2).sum() / (other**2).sum() for one, other in zip(a, b)]
    np.testing.assert_allclose(feature_error(torch.from_numpy(a), torch.from_numpy(b)), expected)


def test_is_the_papers_descent(network, cat):
    """The authors' loop in their units: pixels 0 … 255 about grey, sums over σ², momentum in steps."""
    y = activations(network, cat, "conv3")
    random = torch.Generator().manual_seed(0)
    sigma_squared = inversion.ENERGY * 255**2 * cat.numel()  # as 27098² is for 3·227² pixels
    x = sigma_squared**0.5 / cat.numel() ** 0.5 * torch.randn(1, 3, 64, 64, generator=random)
    x = x.clamp(-127.5, 127.5)
    momentum = torch.zeros_like(x)
    rates = [0.004] * 3 + [0.0004] * 6 + [0.00004] * 3
    for step, rate in zip(lv.invert(network, y, "conv3", 12, recipe="mahendran"), rates, strict=True):
        z = x.clone().requires_grad_()
        data = (network.activations(z / 255 + 0.5, "conv3") - y).square().sum() / y.square().sum()
        down, right = z[:, :, 1:, :-1] - z[:, :, :-1, :-1], z[:, :, :-1, 1:] - z[:, :, :-1, :-1]
        inner = (64 / 63) ** 2  # ours is the mean over the 63×63 pixels that have both neighbours
        variation = 10 / 2 * (down.square() + right.square()).sum() / sigma_squared * inner
        norm = 8e-10 / 2 * z.pow(6).sum() / sigma_squared
        assert step.terms["feature error"] == pytest.approx(data.item(), rel=0.02)
        assert step.terms["total variation"] == pytest.approx(variation.item(), rel=0.02)  # 69 for 68.6, 23 for 23.2
        assert step.terms["6-norm"] == pytest.approx(norm.item(), rel=0.03)
        (slope,) = torch.autograd.grad(data + variation + norm, z)
        momentum = 0.9 * momentum + slope
        x = (x - rate * sigma_squared * momentum).clamp(-127.5, 127.5)
        assert abs(step.image - (x / 255 + 0.5)).mean() < 0.003


def test_the_best_recipe_is_the_plain_loop(exact, cat, noise):
    y, kept = activations(exact, cat.double(), "relu2"), Fourier(noise)
    lbfgs = torch.optim.LBFGS(kept.parameters, max_iter=8, history_size=10, tolerance_grad=0, tolerance_change=0)
    seen = []

    def closure():
        image = kept.image()
        loss = feature_error(exact.activations(image, "relu2"), y) + regularizers.total_variation(0.3)(image)
        seen.append((image.detach(), loss.item()))
        lbfgs.zero_grad()
        loss.sum().backward()
        return loss

    lbfgs.step(closure)
    images, losses = zip(*seen, strict=True)
    steps = list(lv.invert(exact, y, "relu2", 8, start=noise))
    np.testing.assert_allclose([step.value for step in steps], losses, rtol=1e-6)
    for step, image in zip(steps, images[1:]):
        torch.testing.assert_close(step.image, image, atol=1e-6, rtol=0)


def test_the_adam_recipe_is_the_plain_loop(exact, cat, noise):
    y, x = activations(exact, cat.double(), "relu2"), noise.clone().requires_grad_()
    adam = torch.optim.Adam([x], 0.1)
    for n, step in enumerate(lv.invert(exact, y, "relu2", 8, recipe="adam", start=noise)):
        adam.param_groups[0]["lr"] = 0.1 * (1 + math.cos(math.pi * n / 8)) / 2
        loss = feature_error(exact.activations(x, "relu2"), y) + regularizers.total_variation(1)(x)
        adam.zero_grad()
        loss.sum().backward()
        adam.step()
        with torch.no_grad():
            x.clamp_(0, 1)
        torch.testing.assert_close(step.image, x.detach(), atol=1e-6, rtol=0)


def test_the_recipe_from_clouds_is_the_plain_loop(exact, cat):
    y, random = activations(exact, cat.double(), "relu3"), torch.Generator().manual_seed(3)
    clouds = start_image(exact, "clouds", 1, 64, seed=3)
    assert clouds.std() == pytest.approx(0.05) and clouds.mean() == pytest.approx(0.5, abs=0.02)
    kept = SmoothFourier(clouds.double())
    adam = torch.optim.Adam(kept.parameters, 0.02)
    for n, step in enumerate(lv.invert(exact, y, "relu3", 8, recipe="clouds", start=clouds.double(), seed=3)):
        adam.param_groups[0]["lr"] = 0.02 * (1 + math.cos(math.pi * n / 8)) / 2
        image = kept.image()
        down, right = torch.randint(17, (2,), generator=random).tolist()
        shifted = nn.functional.pad(image, (8, 8, 8, 8), mode="reflect")[:, :, down : down + 64, right : right + 64]
        loss = feature_error(exact.activations(shifted, "relu3"), y)
        loss = loss + regularizers.total_variation(0.1)(image) + regularizers.l2(0.1)(image)
        adam.zero_grad()
        loss.sum().backward()
        adam.step()
        torch.testing.assert_close(step.image, kept.image().detach(), atol=1e-6, rtol=0)


def test_in_the_last_layers_of_a_network_at_full_size_the_search_begins_with_clouds(network):
    large = lv.load_network("efficientnet_lite0", device="cpu")
    recipes = {layer: best_recipe(large, layer) for layer in large.layers}
    assert {recipes[layer] for layer in ("conv1", "block3b", "block6d")} == {"lbfgs"}
    assert {recipes[layer] for layer in ("block7a", "conv2", "average", "fc")} == {"clouds"}
    assert {best_recipe(network, layer) for layer in network.layers} == {"lbfgs"}


@pytest.mark.long
def test_clouds_bring_back_what_a_search_from_grey_does_not():
    """From the last block of the network at full size."""
    large, coffee = lv.load_network("efficientnet_lite0", device="cpu"), lv.load_image("coffee", 224)
    errors = {
        recipe: quality(large, inverted(large, coffee, "block7a", 64, recipe=recipe).image, coffee, "block7a")[0]
        for recipe in ("lbfgs", "clouds")
    }
    assert errors["clouds"] < 0.8 * errors["lbfgs"]
    default = inverted(large, coffee, "block7a", 1).image
    assert torch.equal(default, inverted(large, coffee, "block7a", 1, recipe="clouds").image)


def test_the_recipes_begin_with_mid_grey(network, cat):
    """One step from there: of Fourier coefficients along the slope, of pixels by Adam's whole rate."""
    y = activations(network, cat, "relu2")
    for recipe in ("lbfgs", "adam"):
        assert next(lv.invert(network, y, "relu2", recipe=recipe)).terms["feature error"] == pytest.approx(
            feature_error(activations(network, torch.full_like(cat, 0.5), "relu2"), y).item(), rel=1e-4
        )


def test_conv1_comes_back(network, cat):
    found = inverted(network, cat, "conv1", 200)
    assert quality(network, found.image, cat, "conv1").ssim >= 0.95


@pytest.mark.long
@pytest.mark.parametrize("layer", ["relu2", "relu3", "relu4"])
def test_ours_has_at_most_half_the_papers_error_on_the_middle_layers(network, cat, layer):
    ours, papers = (
        quality(network, inverted(network, cat, layer, 100, recipe=recipe).image, cat, layer).feature_error
        for recipe in ("lbfgs", "mahendran")
    )
    assert ours < papers / 2


@pytest.mark.long
def test_deeper_layers_know_less(network, cat):
    found = {layer: step for layer, step in lv.invert_all(network, cat, 64, layers=["conv1", "relu3", "relu5", "fc7"])}
    ssims = [quality(network, step.image, cat, layer).ssim for layer, step in found.items()]
    assert ssims == sorted(ssims, reverse=True) and ssims[0] > 0.9 and ssims[-1] < 0.3
    assert all(step.index == step.total == 64 for step in found.values())


@pytest.mark.long
def test_shuffled_activations_are_not_recovered(network, cat):
    """The control: the same numbers in other places know nothing of the photo."""
    y = activations(network, cat, "relu3")
    shuffled = y.flatten()[torch.randperm(y.numel(), generator=torch.Generator().manual_seed(0))].view_as(y)
    right, wrong = (lv.last(lv.invert(network, numbers, "relu3", 100)) for numbers in (y, shuffled))
    assert (
        quality(network, right.image, cat, "relu3").ssim > 0.5 > 0.2 > quality(network, wrong.image, cat, "relu3").ssim
    )
    assert right.terms["feature error"] < 0.05 and wrong.terms["feature error"] > 0.3


@pytest.mark.long
def test_a_seed_is_a_table(network, cat):
    """The same figures to 2 %, which is more than rounding can do."""
    once, again = (
        [quality(network, step.image, cat, layer) for layer, step in lv.invert_all(network, cat, 2, recipe="mahendran")]
        for _ in range(2)
    )
    assert len(once) == 2 * len(network.layers)
    np.testing.assert_allclose(once, again, rtol=0.02)


def test_quality_knows_the_same_picture(network, cat):
    error, psnr, ssim = quality(network, cat, cat, "conv3")
    assert error == 0 and psnr == float("inf") and ssim == pytest.approx(1)
    other = lv.load_image("coffee", 64)
    expected = skimage.metrics.peak_signal_noise_ratio(cat.numpy(), other.numpy(), data_range=1)
    assert quality(network, other, cat, "conv3").psnr == pytest.approx(expected, abs=1e-3)


def test_a_batch_is_several_photos(exact, cat, noise):
    photos = torch.cat([cat, lv.load_image("coffee", 64)]).double()
    both = lv.last(lv.invert(exact, activations(exact, photos, "relu2"), "relu2", 10, start=noise))
    for n, image in enumerate(both.image.split(1)):
        alone = inverted(exact, photos[n : n + 1], "relu2", 10, recipe="adam", start=noise).image
        torch.testing.assert_close(image, alone, atol=1e-6, rtol=0)


def test_larger_photos_are_inverted_at_their_size():
    network, photo = lv.load_network("inception64", device="cpu"), lv.load_image("cat", 96)
    step = lv.last(lv.invert(network, activations(network, photo, "inception3a"), "inception3a", 3, size=96))
    assert step.image.shape == (1, 3, 96, 96)


def test_weights_grow_with_depth(network):
    papers = [by_depth(network, layer, "mahendran") for layer in network.layers]
    assert papers == [6.9] * 5 + [69] * 5 + [690] * 8  # … relu2, pool2 … relu4, conv5 …, as in the paper
    assert by_depth(network, "grid", "mahendran") == 690


def test_what_changes_the_picture_takes_adam(network, cat):
    """With these, the default recipe is ``"adam"``."""
    both, y = torch.cat([cat, cat]), activations(network, cat, "conv2")
    for wanted, choices in (
        (activations(network, both, "conv2"), {}),
        (y, {"transforms": [lv.robustness.jitter(2)]}),
        (y, {"filters": [regularizers.low_pass(0.5)]}),
    ):
        one, other = (
            lv.last(lv.invert(network, wanted, "conv2", 3, **choices, **recipe)) for recipe in ({}, {"recipe": "adam"})
        )
        assert torch.equal(one.image, other.image)
    assert not torch.equal(*(lv.last(lv.invert(network, y, "conv2", 3, **r)).image for r in ({}, {"recipe": "adam"})))


@pytest.mark.parametrize(
    "layer, change, message",
    [
        ("relu2", {"layer": "conv1"}, r"conv1 of alexnet64 gives \(B, 32, 64, 64\) for 64×64 .* gives conv2, relu2"),
        ("relu2", {"size": 48}, r"for 48×48 pixels, .* \(1, 96, 32, 32\); they come from another network, or another"),
        ("conv3", {"layer": "relu3"}, "relu3 is a ReLU and never negative"),
        ("relu3", {"layer": "relu9"}, "no layer 'relu9'; did you mean"),
        ("relu3", {"recipe": "newton"}, "no recipe 'newton'; there are lbfgs, adam, clouds, mahendran"),
        ("relu3", {"strength": -1}, "strength is 0 or more; got -1"),
        ("relu3", {"start": "photo"}, "start is 'noise', 'grey', 'clouds' or an image"),
        ("relu3", {"steps": 0}, "steps is a whole number from 1"),
    ],
)
def test_bad_input_says_the_mend(network, cat, layer, change, message):
    with pytest.raises(ValueError, match=message):
        next(
            lv.invert(**{"network": network, "activations": activations(network, cat, layer), "layer": layer} | change)
        )


@pytest.mark.parametrize(
    "spoil, message", [(torch.zeros_like, "all activations of relu3 are zero"), (lambda y: y / 0, "NaN or infinite")]
)
def test_activations_that_say_nothing_are_refused(network, cat, spoil, message):
    with pytest.raises(ValueError, match=message):
        next(lv.invert(network, spoil(activations(network, cat, "relu3")), "relu3"))


def test_a_negative_weight_is_refused():
    with pytest.raises(ValueError, match="the strength of the total variation is 0 or more; got -1"):
        regularizers.total_variation(-1)


def test_nothing_is_left_behind(network, cat):
    before = network(cat)
    inverted(network, cat, "relu3", 3)
    assert torch.equal(network(cat), before) and not any(part._forward_hooks for part in network.modules())


@pytest.mark.long
@pytest.mark.parametrize("name", ["alexnet", "vgg11"])
def test_torchvisions_networks_are_inverted_layer_by_layer(at_random, name):
    network = at_random(name)
    photo, errors, layers = lv.load_image("cat", network.input_size), {}, [*network.layers[:2]]
    for layer, step in lv.invert_all(network, photo, 12, layers=layers):
        errors.setdefault(layer, []).append(step.terms["feature error"])
    assert [*errors] == layers and all(each[-1] < 0.5 * each[0] for each in errors.values())
    assert step.image.shape == photo.shape


def test_a_step_that_overshoots_is_taken_back():
    """A valley with a wall: without care, L-BFGS runs up the wall and stays there."""
    x = torch.tensor([3.0], requires_grad=True)
    careful, values = inversion.CarefulLBFGS([x]), []
    for _ in range(60):
        loss = (x**2).log1p().sum() + 50 * (x < -0.5)  # flat far out, so that the curvature misleads
        careful.zero_grad()
        loss.sum().backward()
        values.append(loss.item())
        careful.step(lambda loss=loss: loss.sum().detach())
    walls = [n for n, value in enumerate(values) if value > 40]
    assert all(values[n + 1] < 40 for n in walls if n + 1 < len(values))
    assert min(values) < 1e-3


def test_a_photo_under_noise_is_coarsely_alike(cat):
    """Where SSIM finds nothing; and colours do not count."""
    noise = torch.rand(cat.shape, generator=torch.Generator().manual_seed(0))
    buried = (cat + 2 * noise - 1).clamp(0, 1)
    assert coarsely_alike(cat, cat) == pytest.approx(1)
    assert coarsely_alike(buried, cat) > 0.7 and ssim(buried, cat) < 0.3
    assert coarsely_alike(cat.flip(1), cat) == pytest.approx(1)
    assert abs(coarsely_alike(noise, cat)) < 0.2
