"""Penalties against their formulas and finite differences; filters against scikit-image, PyWavelets and plain loops."""

import numpy as np
import pytest
import pywt
import torch
from every_regularizer import FILTERS, PENALTIES
from skimage.util import view_as_windows

import lecture_viz as lv
from lecture_viz.optimization_based import regularizers

RANDOM = torch.Generator().manual_seed(0)
IMAGE = torch.rand(2, 3, 12, 16, generator=RANDOM)
SLOPE = torch.randn(2, 3, 12, 16, generator=RANDOM)


@pytest.mark.parametrize("name", PENALTIES)
def test_gradients_of_penalties(name):
    x = IMAGE[:, :, :4, :5].double().requires_grad_()
    assert torch.autograd.gradcheck(PENALTIES[name](), x)


def test_penalties_are_their_formulas():
    x = IMAGE.double()
    away = (x - 0.5).flatten(1)
    torch.testing.assert_close(regularizers.l1(3)(x), 3 * away.abs().mean(dim=1))
    torch.testing.assert_close(regularizers.l2(3)(x), 3 * away.pow(2).mean(dim=1))
    torch.testing.assert_close(regularizers.alpha_norm(3, 2)(x), regularizers.l2(3)(x))
    torch.testing.assert_close(regularizers.alpha_norm(3)(x), 3 * away.pow(6).mean(dim=1))
    for beta in (1, 1.5, 2):
        total = [0.0, 0.0]
        for n, colour, i, j in np.ndindex(2, 3, 11, 15):
            here = x[n, colour, i, j]
            total[n] += ((x[n, colour, i + 1, j] - here) ** 2 + (x[n, colour, i, j + 1] - here) ** 2 + 1e-8).item() ** (
                beta / 2
            )
        expected = torch.tensor(total, dtype=torch.float64) / (3 * 11 * 15)
        torch.testing.assert_close(regularizers.total_variation(1, beta)(x), expected)


@pytest.mark.parametrize("beta", [0.5, 1, 1.5, 2])
def test_the_total_variation_of_a_flat_picture_has_a_gradient(beta):
    x = torch.full((1, 3, 8, 8), 0.3, requires_grad=True)
    regularizers.total_variation(1, beta)(x).sum().backward()
    assert x.grad.isfinite().all() and x.grad.abs().max() < 1e-3


def test_a_weight_means_the_same_at_every_size():
    for penalty in (regularizers.l1(1), regularizers.l2(1), regularizers.alpha_norm(1)):
        torch.testing.assert_close(penalty(IMAGE), penalty(IMAGE.repeat(1, 1, 2, 3)))


@pytest.mark.parametrize("name", FILTERS)
def test_filters_keep_shape_range_and_the_given_picture(name):
    before = IMAGE.clone()
    after = FILTERS[name]()(IMAGE, SLOPE)
    assert after.shape == IMAGE.shape and after.dtype == IMAGE.dtype
    assert torch.equal(IMAGE, before) and not torch.equal(after, before)
    assert after.min() >= -0.1 and after.max() <= 1.1


@pytest.mark.parametrize("name", FILTERS)
def test_strength_zero_leaves_the_picture_alone_and_flat_pictures_stay_flat(name):
    filter = FILTERS[name]()
    flat = torch.full((1, 3, 12, 16), 0.5)
    torch.testing.assert_close(filter(flat, torch.ones_like(flat)), flat)
    filter.strength = 0
    assert torch.equal(filter(IMAGE, SLOPE), IMAGE)


@pytest.mark.parametrize("name", FILTERS)
def test_no_filter_makes_the_edges_darker_step_by_step(name):
    before = image = 0.4 + 0.1 * torch.randn(1, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    made = FILTERS[name]()
    for _ in range(20):
        image = made(image, torch.ones_like(image))
    edge = torch.ones(32, 32, dtype=bool)
    edge[3:-3, 3:-3] = False
    inside = (image[..., ~edge] - before[..., ~edge]).mean()  # clipping makes the whole picture greyer
    assert abs((image[..., edge] - before[..., edge]).mean() - inside) < 0.03


def test_low_pass_is_a_gaussian():
    impulse = torch.zeros(1, 3, 21, 21)
    impulse[:, :, 10, 10] = 1
    offsets = torch.arange(-10.0, 11)
    bell = torch.exp(-offsets.square() / (2 * 1.5**2))
    expected = bell[:, None] * bell[None] / bell.sum() ** 2
    torch.testing.assert_close(regularizers.low_pass(1.5)(impulse, impulse)[0, 0], expected, atol=1e-4, rtol=0)


def test_median_is_the_median_of_the_window():
    inner = regularizers.median(1)(IMAGE, SLOPE)[0, :, 1:-1, 1:-1]
    windows = view_as_windows(IMAGE[0].numpy(), (1, 3, 3)).reshape(3, 10, 14, 9)
    torch.testing.assert_close(inner, torch.from_numpy(np.median(windows, axis=3)))


def test_bilateral_is_its_formula_and_keeps_edges():
    array = IMAGE[1].permute(1, 2, 0).double().numpy()
    padded = np.pad(array, ((2, 2), (2, 2), (0, 0)), mode="edge")
    expected = np.empty_like(array)
    for y, x in np.ndindex(12, 16):
        total, weights = 0, 0
        for i, j in np.ndindex(5, 5):
            near = padded[y + i, x + j]
            apart = ((near - array[y, x]) ** 2).sum()
            weight = np.exp(-apart / (2 * 0.2**2) - ((i - 2) ** 2 + (j - 2) ** 2) / (2 * 1.5**2))
            total, weights = total + weight * near, weights + weight
        expected[y, x] = total / weights
    after = regularizers.bilateral(0.2)(IMAGE, SLOPE)[1].permute(1, 2, 0).numpy()
    np.testing.assert_allclose(after, expected, atol=1e-5)
    edge = torch.zeros(1, 3, 12, 12)
    edge[:, :, :, 6:] = 1
    assert abs(regularizers.bilateral(0.1)(edge, edge) - edge).max() < 0.01
    assert abs(regularizers.low_pass(1.5)(edge, edge) - edge).max() > 0.3


@pytest.mark.parametrize("name", FILTERS)
def test_a_filter_goes_a_part_of_its_way_and_leaves_the_picture_in_its_place(name):
    filter, (image, slope) = FILTERS[name](), torch.rand(2, 1, 3, 16, 16, generator=RANDOM)
    whole = filter(image, slope)
    torch.testing.assert_close(filter(image, slope, 0.25), image + (whole - image) / 4)
    mirrored = filter(image.flip(2, 3), slope.flip(2, 3)).flip(2, 3)  # whatever it does, it does not drift
    torch.testing.assert_close(mirrored, whole)


def test_wavelet_threshold_is_the_soft_threshold_on_every_detail():
    array = IMAGE[0, 0].numpy()
    coefficients = pywt.wavedec2(array, "haar")
    soft = [coefficients[0]]
    for level in coefficients[1:]:
        soft.append(tuple(np.sign(part) * np.maximum(np.abs(part) - 0.2, 0) for part in level))
    after = regularizers.wavelet_threshold(0.2)(IMAGE, SLOPE)[0, 0].numpy()
    np.testing.assert_allclose(after, pywt.waverec2(soft, "haar"), atol=1e-5)
    odd = IMAGE[:, :, :11, :13]
    assert regularizers.wavelet_threshold(0.2)(odd, odd).shape == odd.shape


def test_clipping_greys_the_right_pixels():
    for filter, size in (
        (regularizers.clip_small(25), (IMAGE - 0.5).norm(dim=1)),
        (regularizers.clip_small_contribution(25), ((IMAGE - 0.5) * SLOPE).sum(dim=1).abs()),
    ):
        after = filter(IMAGE, SLOPE)
        grey = (after == 0.5).all(dim=1)
        for n in range(2):
            assert grey[n].sum() == 12 * 16 // 4
            assert size[n][grey[n]].max() <= size[n][~grey[n]].min()
        kept = ~grey[:, None].expand_as(IMAGE)
        assert torch.equal(after[kept], IMAGE[kept])


@pytest.mark.parametrize(
    "make, message",
    [
        (lambda: regularizers.l2(-1), "the strength of the L2 is 0 or more; got -1"),
        (lambda: regularizers.total_variation(float("nan")), "total variation is 0 or more; got nan"),
        (lambda: regularizers.total_variation(1, beta=0), "beta is above 0"),
        (lambda: regularizers.total_variation(1, beta=float("inf")), "beta is above 0"),
        (lambda: regularizers.alpha_norm(1, float("inf")), "alpha is 1 or more"),
        (lambda: regularizers.total_variation(1, epsilon=-1), "epsilon is 0 or more"),
        (lambda: regularizers.alpha_norm(1, 0.5), "alpha is 1 or more"),
        (lambda: regularizers.low_pass(-1), "the strength of the low-pass is 0 or more"),
        (lambda: regularizers.clip_small(float("inf")), "0 or more"),
    ],
)
def test_bad_strengths_are_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()


@pytest.mark.parametrize(
    "code",
    [
        *("l1(3)", "l2(640)", "alpha_norm(23, 6)", "alpha_norm(2, 3.5)", "total_variation(800)"),
        *("total_variation(1, beta=1)", "total_variation(1, beta=1.5, epsilon=0.01)", "low_pass(0.8)", "median(1)"),
        *("bilateral(0.1)", "bilateral(0.1, 2)", "wavelet_threshold(0.02)", "clip_small(5)"),
        "clip_small_contribution(5)",
    ],
)
def test_what_it_prints_makes_it_again(code):
    made = eval(f"lv.regularizers.{code}", {"lv": lv})
    again = eval(repr(made), {"lv": lv})
    assert repr(made) == repr(again) == f"lv.regularizers.{code}"
    image = torch.rand(1, 3, 16, 16, generator=torch.Generator().manual_seed(0))
    more = () if isinstance(made, regularizers.Penalty) else (image - 0.5,)
    assert torch.equal(made(image, *more), again(image, *more))
    made.strength = 7  # as a slider does
    assert repr(made).startswith(code.split("(")[0], len("lv.regularizers.")) and "(7" in repr(made)


def test_ones_own_prints_its_name():
    assert repr(regularizers.Penalty("mine", 2, lambda image: image.mean(dim=(1, 2, 3)))) == "<mine, 2>"
