"""Re-identification: the store spoils what it says, ranks count, and chance is chance."""

import numpy as np
import pytest
import torch

import lecture_viz as lv
from lecture_viz.optimization_based.reidentification import looks, ranks, rates, similarities, store
from lecture_viz.photos import Pictures

RANDOM = torch.Generator().manual_seed(0)
A = torch.rand(2, 3, 6, 5, generator=RANDOM) * 4


def test_a_store_that_spoils_nothing():
    assert torch.equal(store(A), A)
    torch.testing.assert_close(store(A, bits=16), A, atol=2e-3, rtol=0)


@pytest.mark.parametrize("bits", [8, 4, 2])
def test_bits_are_whole_steps_of_each_photo(bits):
    spoilt = store(A, bits=bits)
    for one, other in zip(A.double().numpy(), spoilt.numpy()):
        low, high = one.min(), one.max()
        values = low + np.arange(2**bits) * (high - low) / (2**bits - 1)
        nearest = values[abs(one[..., None] - values).argmin(axis=-1)]
        np.testing.assert_allclose(other, nearest, atol=1e-5)
    flat = torch.full((1, 3, 2, 2), 1.5)
    assert torch.equal(store(flat, bits=bits), flat)


def test_means_of_places():
    spoilt = store(A, average=2).numpy()
    for n, c, y, x in np.ndindex(*A.shape):
        rows, columns = (slice(2 * (p // 2), 2 * (p // 2) + 2) for p in (y, x))
        assert spoilt[n, c, y, x] == pytest.approx(A[n, c, rows, columns].mean().item(), rel=1e-5)
    vector = torch.rand(2, 7)
    assert torch.equal(store(vector, average=2), vector)  # has no places


def test_dropout_sets_this_part_to_zero():
    a = torch.ones(1, 64, 16, 16)
    spoilt = store(a, dropout=0.3)
    assert set(spoilt.unique().tolist()) == {0, 1} and abs((spoilt == 0).float().mean() - 0.3) < 0.02
    assert torch.equal(store(a, dropout=0.3), spoilt) and not torch.equal(store(a, dropout=0.3, seed=1), spoilt)


@pytest.mark.parametrize(
    "choices, message",
    [
        ({"bits": 3}, "bits are 32, 16, 8, 4, 2; got 3"),
        ({"average": 0}, "average is a whole number"),
        ({"average": 1.5}, "average is a whole number"),
        ({"dropout": 1}, "dropout is a part: 0 … below 1; got 1"),
        ({"dropout": -0.1}, "dropout is a part"),
    ],
)
def test_bad_input_says_the_mend(choices, message):
    with pytest.raises(ValueError, match=message):
        store(A, **choices)


def test_similarities_are_cosines_about_the_mean():
    one, other = torch.rand(3, 4, 2, 2, generator=RANDOM), torch.rand(5, 4, 2, 2, generator=RANDOM)
    mean = other.flatten(1).mean(dim=0).numpy()
    for i, j in np.ndindex(3, 5):
        a, b = one[i].flatten().numpy() - mean, other[j].flatten().numpy() - mean
        expected = (a * b).sum() / np.sqrt((a * a).sum() * (b * b).sum())
        assert similarities(one, other)[i, j].item() == pytest.approx(expected, abs=1e-5)


def test_ranks_count_those_that_are_more_alike():
    gallery = torch.eye(4)
    one = torch.tensor([[1.0, 0.5, 0, 0], [0, 0, 0.1, 1]])
    assert ranks(one, gallery, [0, 3]).tolist() == [0, 0]
    assert ranks(one, gallery, [1, 2]).tolist() == [1, 1]
    assert ranks(one, gallery, [3, 1]).min() >= 2


@pytest.mark.long
def test_early_layers_give_the_photo_away_and_noise_only_by_chance(network):
    judge, crops = lv.load_network("inception64", device="cpu"), Pictures("bundled", 64)
    gallery = torch.cat([crops[n] for n in range(len(crops)) if crops.name(n) in ("cat", "astronaut")][::6])
    right = range(0, len(gallery), len(gallery) // 5)
    found = rates(network, judge, gallery, right, "relu2", 40)
    assert found.by_picture.mean() >= 0.8 and found.by_numbers.mean() == 1
    noise = looks(judge, torch.rand(32, 3, 64, 64, generator=RANDOM))
    assert (ranks(noise, looks(judge, gallery), [3] * 32) == 0).float().mean() < 0.5
