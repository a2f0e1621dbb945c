"""Both ways to keep a picture hold the same pictures; noise and its statistics."""

from functools import partial

import pytest
import torch

import lecture_viz as lv
from lecture_viz.optimization_based.optimization import optimize
from lecture_viz.optimization_based.parameterization import COLOURS, CONTRAST, PARAMETERIZATIONS, Fourier, Pixels


@pytest.mark.parametrize("kind", PARAMETERIZATIONS.values())
@pytest.mark.parametrize("shape", [(64, 64), (33, 48), (17, 21)])
def test_holds_any_picture(kind, shape):
    image = 0.01 + 0.98 * torch.rand(2, 3, *shape, generator=torch.Generator().manual_seed(0))
    picture = kind(image)
    torch.testing.assert_close(picture.image().detach(), image, atol=1e-4, rtol=0)
    other = image.flip(3)
    picture.put(other)
    torch.testing.assert_close(picture.image().detach(), other, atol=1e-4, rtol=0)
    assert picture.parameters[0].requires_grad


@pytest.mark.parametrize("kind", PARAMETERIZATIONS.values())
def test_stays_in_range_whatever_the_optimiser_does(kind):
    picture = kind(lv.load_image("cat", 32))
    with torch.no_grad():
        picture.parameters[0].add_(1e3 * torch.randn(picture.parameters[0].shape))
    picture.settle()
    assert picture.image().min() >= 0 and picture.image().max() <= 1


def test_fourier_is_the_formula_wave_by_wave():
    """One coefficient: a cosine in one direction of colour, through the sigmoid."""
    picture = Fourier(torch.full((1, 3, 16, 16), 0.5))
    with torch.no_grad():
        picture.parameters[0].zero_()
        picture.parameters[0][0, 1, 3, 2, 0] = 0.7  # blue–yellow, 3 periods down, 2 to the right, real part
    rows, columns = torch.meshgrid(torch.arange(16), torch.arange(16), indexing="ij")
    amplitude = 1 / torch.hypot(torch.tensor(3 / 16), torch.tensor(2 / 16)) * 16
    wave = 2 * 0.7 * amplitude / 16**2 * torch.cos(2 * torch.pi * (3 * rows + 2 * columns) / 16)
    expected = torch.sigmoid(CONTRAST * COLOURS[:, 1].view(3, 1, 1) * wave)
    torch.testing.assert_close(picture.image()[0].detach(), expected, atol=1e-5, rtol=0)


@pytest.mark.parametrize("kind", [Pixels, Fourier])
def test_noise_is_faint_and_decided_by_the_generator(kind):
    one, again = (kind.noise(2, 32, torch.Generator().manual_seed(3)) for _ in range(2))
    assert one.shape == (2, 3, 32, 32) and torch.equal(one, again)
    assert abs(one.mean() - 0.5) < 0.05 and 0.005 < one.std() < 0.15
    assert not torch.equal(one[0], one[1])


def test_clouds_are_smoother_than_grains():
    def roughness(image):
        return (image[:, :, 1:] - image[:, :, :-1]).std() / image.std()

    random = torch.Generator().manual_seed(0)
    assert roughness(Fourier.noise(1, 64, random)) < 0.6 * roughness(Pixels.noise(1, 64, random))


def test_pixels_stay_within_their_range_whatever_the_optimiser_does():
    up = {"brighter": torch.ones(1, 3, 1, 1), "darker": -torch.ones(1, 3, 1, 1)}
    for name, slope in up.items():
        loss = lambda image, slope=slope, name=name: {name: -(slope * image).sum(dim=(1, 2, 3))}  # noqa: E731
        run = optimize(loss, torch.full((1, 3, 8, 8), 0.5), 3, optimizer=partial(torch.optim.SGD, lr=0.3))
        edge = 1.0 if name == "brighter" else 0.0
        assert [(step.image == edge).all().item() for step in run] == [False, True, True]
