"""Activation maximisation and DeepDream: the objective rises for everything one can choose, and it is the lecture's."""

import itertools
import math
from functools import partial

import pytest
import torch
from every_regularizer import FILTERS, PENALTIES

import lecture_viz as lv
from lecture_viz.optimization_based import regularizers, robustness
from lecture_viz.optimization_based.maximization import class_images

TARGETS = [
    lv.neuron("conv3", 12),
    lv.channel("relu4", 7),
    lv.layer("pool2"),
    lv.likeness("conv4", torch.rand(1, 192, 4, 4, generator=torch.Generator().manual_seed(0))),
    lv.distribution("conv4", torch.rand(1, 192, 4, 4, generator=torch.Generator().manual_seed(0))),
    lv.logit("tabby"),
    lv.probability("tabby"),
    lv.logit("tabby") - 0.5 * lv.logit("lemon"),
]
TRANSFORMS = {"jitter": robustness.jitter(3), "rotation": robustness.rotation(8), "scale": robustness.scale(0.1)}


def climb(network, **choices) -> tuple[float, float]:
    """The target's mean over the first and the last five of 16 steps."""
    values = [
        next(iter(step.terms.values()))
        for step in lv.maximize(network, **{"target": lv.logit("tabby"), "steps": 16} | choices)
    ]
    return sum(values[:5]) / 5, sum(values[-5:]) / 5


@pytest.mark.parametrize("parameterization", ["pixels", "fourier"])
@pytest.mark.parametrize("target", TARGETS, ids=repr)
def test_every_target_rises(network, target, parameterization):
    first, final = climb(network, target=target, parameterization=parameterization)
    assert final > first + 0.1 * abs(first)


@pytest.mark.parametrize("name", TRANSFORMS)
def test_rises_under_every_transform(network, name):
    first, final = climb(network, transforms=[TRANSFORMS[name]])
    assert final > first + 1


@pytest.mark.parametrize("name", FILTERS)
def test_rises_under_every_filter(network, name):
    filter = FILTERS[name]()
    filter.strength *= 0.3
    first, final = climb(network, filters=[filter])
    assert final > first + 0.5


def test_clouds_are_faint_slow_and_about_grey(network):
    clouds = lv.start_image(network, "clouds", 3, 64, seed=2)
    assert clouds.mean().item() == pytest.approx(0.5, abs=0.02) and clouds.std().item() == pytest.approx(0.05, rel=1e-3)
    assert clouds.diff(dim=3).std() < clouds.std() / 2
    again, other = (lv.start_image(network, "clouds", 3, 64, seed=seed) for seed in (2, 3))
    assert torch.equal(clouds, again) and not torch.equal(clouds, other)


@pytest.mark.parametrize("start", ["noise", "grey", lv.load_image("coffee", 64)], ids=["noise", "grey", "photo"])
def test_rises_from_every_start(network, start):
    first, final = climb(network, start=start)
    assert final > first + 1


@pytest.mark.parametrize("name", PENALTIES)
def test_what_a_penalty_forbids_falls(network, name):
    penalty = PENALTIES[name]()

    def measured(weight):
        penalty.strength = weight
        step = lv.last(lv.maximize(network, lv.logit("tabby"), 30, penalties=[penalty]))
        assert (penalty.name in step.terms) and step.terms[penalty.name] <= 0  # counts minus
        return penalty.measure(step.image).item()

    assert measured(3000.0) < 0.9 * measured(0.0)


def test_is_gradient_ascent_on_the_lectures_formula(network):
    """argmax f(x) − λ R(x), spelled out."""
    x = torch.full((1, 3, 64, 64), 0.5, requires_grad=True)
    for step in lv.maximize(
        network,
        lv.logit("tabby"),
        5,
        start="grey",
        penalties=[regularizers.l2(3)],
        optimizer=partial(torch.optim.SGD, lr=0.1),
    ):
        f, r = network(x)[0, network.label_index("tabby")], (x - 0.5).square().mean()
        assert step.terms == pytest.approx({"logit('tabby')": f.item(), "L2": -3 * r.item()}, rel=1e-4, abs=1e-6)
        assert step.value == pytest.approx((f - 3 * r).item(), rel=1e-4)
        (gradient,) = torch.autograd.grad(f - 3 * r, x)
        x = (x + 0.1 * gradient).detach().clamp(0, 1).requires_grad_()
        torch.testing.assert_close(step.image, x.detach(), atol=1e-5, rtol=0)


def test_several_targets_are_a_batch_that_does_not_mix(network):
    targets = [lv.logit("tabby"), lv.neuron("conv4", 3, y=2, x=5)]
    sgd = partial(torch.optim.SGD, lr=0.05)
    both = lv.last(lv.maximize(network, targets, 4, start="grey", optimizer=sgd))
    for n, target in enumerate(targets):
        alone = lv.last(lv.maximize(network, target, 4, start="grey", optimizer=sgd))
        torch.testing.assert_close(both.image[n : n + 1], alone.image, atol=1e-5, rtol=0)
    assert list(both.terms) == ["2 targets"]


def test_runs_only_up_to_the_targets_layer(network):
    passed = []
    handles = [
        part.register_forward_hook(lambda *_, n=n: passed.append(n)) for n, part in network.module.named_children()
    ]
    try:
        next(lv.maximize(network, lv.neuron("conv2", 3)))
    finally:
        for handle in handles:
            handle.remove()
    assert passed == ["conv1", "relu1", "pool1", "conv2"]


@pytest.mark.long
def test_a_class_image_is_recognised_by_another_network():
    network, judge = (lv.load_network(name, device="cpu") for name in ("inception64", "alexnet64"))
    labels = ["king penguin", "ladybug", "golden retriever"]
    step = lv.last(
        lv.maximize(
            network,
            [lv.logit(label) for label in labels],
            64,
            parameterization="fourier",
            transforms=[robustness.jitter(6), robustness.rotation(8), robustness.scale(0.1)],
        )
    )
    for image, label in zip(step.image.split(1), labels):
        assert judge.top(image, 1)[0][0] == label


@pytest.mark.long
def test_class_images_are_of_their_class(network):
    labels = ["goldfish", "school bus", "king penguin"]
    pictures = class_images(network, labels, steps=40)
    assert pictures.shape == (3, 3, 64, 64) and pictures.min() >= 0 and pictures.max() <= 1
    for label, picture in zip(labels, pictures):
        assert network.top(picture[None], 1)[0][0] == label
    again = class_images(network, labels, steps=3)
    torch.testing.assert_close(again, class_images(network, labels, steps=3))
    assert not torch.equal(again, class_images(network, labels, steps=3, seed=1))


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"start": "photo"}, "start is 'noise', 'grey', 'clouds' or an image; got 'photo'"),
        ({"start": torch.rand(3, 3, 64, 64)}, "3 pictures to start with for 1 targets"),
        ({"start": torch.full((1, 3, 64, 64), torch.nan)}, "NaN"),
        ({"start": torch.rand(0, 3, 64, 64)}, "there is no picture in an image .* give at least one"),
        ({"target": []}, "there is no target; give at least one"),
        ({"target": lv.logit("no such label")}, "no label"),
        ({"target": lv.neuron("conv9", 1)}, "no layer 'conv9'; did you mean"),
        ({"target": lv.layer("covn3"), "steps": 3, "octaves": 4}, "no layer 'covn3'; did you mean"),
        ({"target": lv.neuron("conv3", 5) + lv.logit("tabbi"), "steps": 3, "octaves": 4}, "the nearest are tabby"),
        ({"target": [lv.logit(0), lv.channel("covn3", 5)], "start": "photo"}, "no layer 'covn3'; did you mean"),
        ({"target": lv.neuron("conv3", 999)}, "channel 0 … 191; got 999"),
        ({"parameterization": "waves"}, "there are pixels, fourier"),
    ],
)
def test_bad_input_says_the_mend(network, arguments, message):
    with pytest.raises(ValueError, match=message):
        next(lv.maximize(network, **{"target": lv.logit("tabby")} | arguments))


# --- DeepDream -----------------------------------------------------------------------------------------------------


def test_a_dream_makes_more_of_a_layer_and_keeps_the_photo(network):
    photo = lv.load_image("cat", 96)
    steps = list(lv.dream(network, photo, lv.layer("conv3"), 20, octaves=2))
    values = [step.value for step in steps]
    assert values[-1] > 2 * values[10]  # the second octave starts from the whole size
    assert steps[-1].image.shape == photo.shape and steps[0].image.shape[2] == round(96 / 1.4)
    assert lv.similarity(steps[-1].image, photo) > 0.5


def test_each_step_of_a_dream_has_the_same_length(network):
    photo = lv.load_image("cat", 64) * 0.5 + 0.25  # nothing is clipped
    images = [photo, *(step.image for step in lv.dream(network, photo, lv.layer("conv4"), 4, octaves=1, rate=0.02))]
    for before, after in itertools.pairwise(images):
        assert abs(after - before).mean().item() == pytest.approx(0.02, rel=0.05)


def test_a_dream_can_begin_with_noise(network):
    assert lv.last(lv.dream(network, "noise", lv.layer("conv3"), 4, size=80)).image.shape == (1, 3, 80, 80)


def test_a_guided_dream_makes_more_of_what_the_guide_has(network):
    photo, guide = lv.load_image("cat", 64), lv.load_image("bricks", 64)
    alike = lv.likeness("relu4", network.activations(guide, "relu4"))

    def gained(**choices):
        image = lv.last(lv.dream(network, photo, lv.layer("relu4"), 12, octaves=1, transforms=[], **choices)).image
        return [(target(network, image) / target(network, photo)).item() for target in (alike, lv.layer("relu4"))]

    (guided, _), (free, more) = gained(guide=guide), gained()
    assert guided > 1.5 * free and more > 2


@pytest.mark.parametrize("target", [lv.logit("tabby"), lv.layer("conv3") + lv.layer("conv4")], ids=repr)
def test_a_guide_needs_one_layer(network, cat, target):
    with pytest.raises(ValueError, match=r"a guide guides one layer, such as lv.layer\('conv3'\); the target is"):
        next(lv.dream(network, cat, target, guide=cat))


@pytest.mark.parametrize("rate", [-0.1, math.inf, math.nan])
def test_a_rate_is_not_negative_and_finite(network, cat, rate):
    with pytest.raises(ValueError, match=f"rate is 0 or more and finite, such as 0.01; got {rate}"):
        next(lv.dream(network, cat, lv.layer("conv3"), rate=rate))


def test_a_mistyped_layer_is_named_before_the_octaves_are_counted(cat):
    network = lv.load_network("inception64", device="cpu")
    with pytest.raises(ValueError, match="no layer 'inceptionn4c'; did you mean 'inception4c'"):
        next(lv.dream(network, cat, lv.layer("inceptionn4c"), 3))
