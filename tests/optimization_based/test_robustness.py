"""Random changes of the picture: what they do, how far they go, and that gradients pass."""

import pytest
import torch

import lecture_viz as lv
from lecture_viz.optimization_based.robustness import jitter, rotation, scale


@pytest.fixture
def random():
    return torch.Generator().manual_seed(0)


def test_jitter_shifts_within_its_reach_and_mirrors_what_comes_in(random):
    image = torch.rand(1, 3, 10, 12, generator=random)
    seen = set()
    for _ in range(300):
        shifted = jitter(2)(image, random)
        matches = []
        for y in range(-2, 3):
            for x in range(-2, 3):
                rows, columns = torch.arange(10) + y, torch.arange(12) + x
                rows = rows.abs().where(rows < 10, 18 - rows)  # mirrored about the first and the last one
                columns = columns.abs().where(columns < 12, 22 - columns)
                if torch.equal(shifted, image[:, :, rows][:, :, :, columns]):
                    matches.append((y, x))
        seen.add(*matches)
    assert seen == {(y, x) for y in range(-2, 3) for x in range(-2, 3)}


@pytest.mark.parametrize("size, reach", [((5, 9), 4), ((9, 5), 4), ((6, 6), 5)])
def test_jitter_wider_than_the_picture_goes_as_far_as_it_can(random, size, reach):
    """As far as its shorter side less one: the pixel in the middle of the view comes from that far away."""
    rows = torch.arange(size[0]).float().view(1, 1, -1, 1).expand(1, 3, *size)
    firsts = {jitter(99)(rows, random)[0, 0, 0, 0].item() for _ in range(200)}
    assert jitter(99)(rows, random).shape == (1, 3, *size)
    assert max(firsts) == min(reach, size[0] - 1)


def disc(y: float, x: float, radius: float = 4, size: int = 64, width: int = 64) -> torch.Tensor:
    rows, columns = torch.meshgrid(torch.arange(size) + 0.5, torch.arange(width) + 0.5, indexing="ij")
    inside = ((rows - y) ** 2 + (columns - x) ** 2 < radius**2).float()
    return inside.expand(1, 3, size, width)


def centre(image: torch.Tensor) -> tuple[float, float]:
    weight = image[0, 0] / image[0, 0].sum()
    rows, columns = torch.arange(image.shape[2]) + 0.5, torch.arange(image.shape[3]) + 0.5
    return (weight.sum(dim=1) @ rows).item(), (weight.sum(dim=0) @ columns).item()


@pytest.mark.parametrize("width", [64, 96])
def test_rotation_turns_about_the_middle_and_no_further(random, width):
    angles = []
    for _ in range(100):
        y, x = centre(rotation(20)(disc(32, width / 2 + 20, width=width), random))
        offset = torch.tensor([y - 32, x - width / 2])
        assert offset.norm().item() == pytest.approx(20, abs=0.3)  # no stretching, whatever the shape
        angles.append(torch.rad2deg(torch.atan2(offset[0], offset[1])).item())
    assert -20.5 < min(angles) < -15 and 15 < max(angles) < 20.5


def test_scale_enlarges_and_shrinks_about_the_middle(random):
    factors = []
    for _ in range(100):
        changed = scale(0.2)(disc(32, 32 + 20), random)
        y, x = centre(changed)
        assert y == pytest.approx(32, abs=0.1)
        factors.append((x - 32) / 20)
    assert 0.79 < min(factors) < 0.85 and 1.15 < max(factors) < 1.21


@pytest.mark.parametrize("transform", [jitter(3), rotation(10), scale(0.1)], ids=lambda t: t.name)
def test_gradients_pass_and_the_generator_decides(transform):
    x = torch.rand(2, 3, 8, 9, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda x: transform(x, torch.Generator().manual_seed(1)), x)
    one, again, other = (transform(x, torch.Generator().manual_seed(seed)) for seed in (1, 1, 3))
    assert torch.equal(one, again) and not torch.equal(one, other)


@pytest.mark.parametrize("transform", [jitter(3), rotation(10), scale(0.1)], ids=lambda t: t.name)
def test_what_it_prints_makes_it_again(transform, cat):
    again = eval(repr(transform), {"lv": lv})
    assert repr(again) == repr(transform) == f"lv.robustness.{transform.name}({transform.strength:g})"
    one, other = (each(cat, torch.Generator().manual_seed(1)) for each in (transform, again))
    assert torch.equal(one, other)


@pytest.mark.parametrize("transform", [jitter(0), rotation(0), scale(0)], ids=lambda t: t.name)
def test_strength_zero_leaves_the_picture_alone(transform, random):
    image = lv.load_image("cat", 32)
    assert transform(image, random) is image


def test_edges_are_mirrored_not_black(random):
    white = torch.ones(1, 3, 32, 32)
    for transform in (jitter(9), rotation(45), scale(0.5)):
        for _ in range(20):
            torch.testing.assert_close(transform(white, random), white)


@pytest.mark.parametrize(
    "make, message",
    [
        (lambda: jitter(-1), "the strength of the jitter is 0 or more; got -1"),
        (lambda: rotation(float("nan")), "0 or more"),
        (lambda: scale(1), "a part below 1"),
    ],
)
def test_bad_strengths_are_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()
