"""Learned priors: a code or untrained weights in the place of pixels, and how photo-like a picture is."""

import math

import numpy as np
import pytest
import torch

import lecture_viz as lv
from lecture_viz.networks import WeightsUnavailable
from lecture_viz.networks.decoder import Decoder, build, load_decoder
from lecture_viz.networks.random_weights import seeded
from lecture_viz.optimization_based import priors
from lecture_viz.optimization_based.inversion import feature_error


def codes(network, photo):
    with torch.no_grad():
        return network.activations(photo, "pool5")


def test_the_decoder_paints_the_photo(network):
    photos = {name: lv.load_image(name, 64) for name in ("cat", "coffee", "astronaut")}
    for name, photo in photos.items():
        painted = lv.decode(network, codes(network, photo))
        assert painted.shape == photo.shape and painted.min() >= 0 and painted.max() <= 1
        found = lv.quality(network, painted, photo, "pool5")
        assert found.feature_error < 0.7 and found.psnr > 14
        alike = {other: lv.similarity(painted, picture) for other, picture in photos.items()}
        assert max(alike, key=alike.get) == name and alike[name] > 0.75


def test_the_decoder_prior_is_the_plain_loop_over_codes(network, cat):
    decoder = load_decoder()
    y, z = network.activations(cat, "relu3").detach(), codes(network, torch.full((1, 3, 64, 64), 0.5)).requires_grad_()
    adam = torch.optim.Adam([z], 0.1)
    for n, step in enumerate(lv.invert(network, y, "relu3", 6, **lv.decoder_prior(network))):
        adam.param_groups[0]["lr"] = 0.1 * (1 + math.cos(math.pi * n / 6)) / 2
        error = feature_error(network.activations(decoder(z), "relu3"), y)
        assert step.terms == {"feature error": pytest.approx(error.item(), rel=1e-3)}
        adam.zero_grad()
        error.sum().backward()
        adam.step()
        with torch.no_grad():
            z.clamp_(min=0)
        torch.testing.assert_close(step.image, decoder(z).detach(), atol=1e-3, rtol=0)


@pytest.mark.long
@pytest.mark.parametrize(
    "prior", [lv.decoder_prior, lambda network: lv.deep_image_prior()], ids=["decoder", "untrained"]
)
def test_the_feature_error_falls_and_a_seed_is_a_picture(network, cat, prior):
    y = network.activations(cat, "relu4").detach()
    before = network(cat)
    steps = list(lv.invert(network, y, "relu4", 40, **prior(network)))
    assert steps[-1].value < 0.5 * steps[0].value
    assert steps[-1].image.shape == (1, 3, 64, 64) and 0 <= steps[-1].image.min() <= steps[-1].image.max() <= 1
    again = next(lv.invert(network, y, "relu4", 40, **prior(network)))
    assert torch.equal(again.image, steps[0].image)
    assert torch.equal(network(cat), before)


def test_an_untrained_network_paints_from_faint_noise(cat):
    start = lv.deep_image_prior(3)["parameterization"](cat).image()
    with seeded(3):
        painter = priors.Hourglass()
        noise = 0.1 * torch.randn(1, priors.Hourglass.DEPTH, 64, 64)
    with torch.no_grad():
        torch.testing.assert_close(start, painter(noise))


def test_the_decoder_begins_with_the_picture_it_is_given(network, cat):
    y = network.activations(cat, "relu4").detach()
    first = next(lv.invert(network, y, "relu4", start=cat, **lv.decoder_prior(network)))
    grey = next(lv.invert(network, y, "relu4", **lv.decoder_prior(network)))
    assert first.value < 0.8 * grey.value


def test_filters_change_a_decoders_picture_but_not_an_untrained_networks(network, cat):
    y, calm = network.activations(cat, "relu4").detach(), [lv.regularizers.low_pass(1)]
    assert lv.last(lv.invert(network, y, "relu4", 3, filters=calm, **lv.decoder_prior(network))).image.isfinite().all()
    with pytest.raises(ValueError, match="has no pixels; leave the filters out"):
        lv.last(lv.invert(network, y, "relu4", 3, filters=calm, **lv.deep_image_prior()))


@pytest.mark.long
def test_a_class_image_may_have_a_prior_too(network):
    prior = lv.decoder_prior(network)
    steps = list(lv.maximize(network, lv.logit("tabby"), 20, start="grey", **prior))
    assert steps[-1].value > steps[0].value + 2


def test_another_decoder_can_be_brought(network, cat):
    mine = Decoder(build())
    assert lv.decode(network, codes(network, cat), mine).shape == cat.shape
    other = lv.load_network("inception64", device="cpu")
    with pytest.raises(ValueError, match="reads pool5 of alexnet64, not of inception64"):
        lv.decoder_prior(other)


@pytest.mark.parametrize(
    "call, message",
    [
        (
            lambda n, x: lv.decode(n, torch.zeros(1, 128, 4, 4)),
            r"got \(1, 128, 4, 4\): net.activations\(photo, 'pool5'\)",
        ),
        (
            lambda n, x: next(lv.maximize(n, lv.logit(1), size=96, **lv.decoder_prior(n))),
            "paints 64×64 pixels; got 96×96",
        ),
        (lambda n, x: next(lv.maximize(n, lv.logit(1), size=60, **lv.deep_image_prior())), "multiples of 8"),
        (lambda n, x: next(lv.maximize(n, [lv.logit(1)] * 2, **lv.deep_image_prior())), "of one picture"),
    ],
)
def test_bad_input_says_the_mend(network, cat, call, message):
    with pytest.raises(ValueError, match=message):
        call(network, cat)


def test_missing_weights_say_the_mend(tmp_path):
    with pytest.raises(WeightsUnavailable, match="alexnet64_pool5_decoder .* install the package again"):
        load_decoder(tmp_path)


def test_the_spectral_slope_of_known_spectra():
    """Pictures made with power f⁻ⁿ, against a slow count over all frequencies."""
    random = np.random.default_rng(0)
    frequency = np.hypot(*np.meshgrid(np.fft.fftfreq(64) * 64, np.fft.fftfreq(64) * 64, indexing="ij"))
    for n in (0, 1, 2, 3):
        amplitude = np.maximum(frequency, 1) ** (-n / 2)
        waves = np.fft.fft2(random.normal(size=(64, 64))) * amplitude
        picture = torch.from_numpy(np.fft.ifft2(waves).real).float().expand(1, 3, 64, 64)
        assert priors.spectral_slope(picture) == pytest.approx(n, abs=0.35)


def test_photos_are_more_photo_like_than_noise(cat):
    noise = torch.rand(1, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    assert 2 < priors.spectral_slope(cat) < 3.5 and abs(priors.spectral_slope(noise)) < 0.5
