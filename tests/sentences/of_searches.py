"""Lessons 5 to 9: what their presets say, and how it is measured."""

import re

import torch
from sentences import WITHOUT_NUMBER, Sentences, found_at, frequency, steps_between
from torch.nn import functional as F

import lecture_viz as lv
from lecture_viz.live import Panel
from lecture_viz.live.kit.strengths import OFF
from lecture_viz.live.kit.worth_seeing import layers as worth_seeing
from lecture_viz.optimization_based.inversion import coarsely_alike

SENTENCES = Sentences()
WITHOUT_NUMBER |= {
    ("maximization", "dumbbell"): "asks, and says that the picture is no answer",
    ("planted bias", "sometimes"): "asks: the answer is the student's",
}
PAIR = ("first", "second")  # controls
ANIMALS = range(147, 389)  # mammals and insects among ImageNet's classes


def painted(panel: Panel) -> torch.Tensor:
    return panel.image("image")


def animals(network: lv.Network, image: torch.Tensor) -> float:
    """The probability that ``network`` gives to mammals and insects."""
    numbers = {label: n for n, label in enumerate(lv.load_network("efficientnet_lite0", device="cpu").labels)}
    chosen = [n for n, label in enumerate(network.labels) if numbers[label] in ANIMALS]
    side = 2 * [network.input_size]
    small = F.interpolate(image, side, mode="bilinear", antialias=True).clamp(0, 1)
    return network(small).softmax(dim=1)[0, chosen].sum().item()


def judged(image: torch.Tensor) -> float:
    """The same by a small network, which had no part in the picture."""
    return animals(lv.load_network("alexnet64", device="cpu"), image)


def extremes(image: torch.Tensor) -> float:
    """The part of all values that are as dark or as bright as can be."""
    return ((image < 0.02) | (image > 0.98)).float().mean().item()


def strongest(steps: torch.Tensor) -> torch.Tensor:
    """The part of all gradients that the strongest tenth holds."""
    return steps.sort(descending=True).values[: len(steps) // 10].sum() / steps.sum()


def shapes(image: torch.Tensor, other: torch.Tensor, side: int = 56) -> float:
    """How alike the light and dark of two pictures are, against what is around, at ``side`` pixels (-1 … 1)."""
    both = [F.interpolate(one.mean(dim=1, keepdim=True), 2 * [side], mode="area") for one in (image, other)]
    local = [(one - F.avg_pool2d(one, 11, 1, 5, count_include_pad=False)).flatten() for one in both]
    return torch.corrcoef(torch.stack(local))[0, 1].item()


# --- lesson 5 ----------------------------------------------------------------------------------------------------


@SENTENCES.of("maximization", "noise, no regulariser")
def it_looks_like_noise(panel):
    """The spectral slope is a noise's, not a photo's, and the network is nearly sure of its class."""
    assert lv.spectral_slope(painted(panel)) < 1 and extremes(painted(panel)) > 0.1
    assert panel.network.top(painted(panel), 1)[0][1] > 0.99


@SENTENCES.of("maximization", "noise + L2")
def colours_do_not_run_away(panel):
    """Hardly a value is as dark or as bright as can be; it is still noise."""
    assert extremes(painted(panel)) < 0.03 and lv.spectral_slope(painted(panel)) < 1


@SENTENCES.of("maximization", "smooth")
def neighbours_are_alike(panel):
    """The mean squared gradient, against that of noise with the same contrast; and it is less noise than without."""
    steps = (steps_between(painted(panel)) ** 2).mean() / painted(panel).var(dim=(2, 3)).mean()
    assert steps < 0.6 * 4  # differences of independent pixels have twice the variance, in each of two directions
    assert frequency(painted(panel)) < 0.25


@SENTENCES.of("maximization", "four regularisers (Yosinski)")
def it_is_those_four(panel):
    """The strengths that are not 0."""
    used = {name for name in OFF if panel.values[name] != OFF[name]}
    assert used == {"L2", "low-pass", "clip small", "clip small contribution"}


@SENTENCES.of("maximization", "natural")
def it_looks_natural(panel):
    """The spectral slope is a photo's, and a network that had no part in it sees an animal."""
    assert 2 < lv.spectral_slope(painted(panel)) < 4 and judged(painted(panel)) > 0.15


@SENTENCES.of("maximization", "small to large")
def no_room_for_noise(panel):
    """The mean spatial frequency, against the half wave per pixel that is possible."""
    assert panel.values["octaves"] > 1 and frequency(painted(panel)) < 0.03


@SENTENCES.of("maximization", "early layer: strokes", "deep layer: animals")
def strokes_or_animals(panel):
    """What a network that had no part in it sees in the picture; strokes are finer."""
    deep = panel.preset.startswith("deep")
    assert (judged(painted(panel)) > 0.25) == deep
    assert (frequency(painted(panel)) < 0.025) == deep


@SENTENCES.of("planted bias", "always", "never")
def the_companion_or_the_dumbbell(panel):
    """How armlike the class image is: more than any picture is somewhere, or not."""
    assert panel.step.terms["armlike"] > 0.6 if panel.preset == "always" else panel.step.terms["armlike"] < 0.5


@SENTENCES.of("planted bias", "arm", "fair")
def who_takes_an_arm_for_a_dumbbell(panel):
    """The probability of a dumbbell when an arm alone is drawn, with the bias and without."""
    p = dict(panel.student.network.top(panel.image("sheet"), 3))["dumbbell"]
    assert p > 0.8 if panel.preset == "arm" else p < 0.4


@SENTENCES.of("interpolation", "mixed", "cup", "alike")
def what_is_kept_at_the_sum(panel):
    """Of each one's logit alone; without the other, two that are alike fire less."""
    logits = [lv.logit(panel.network.labels[panel.values[name]])(panel.network, panel.step.image) for name in PAIR]
    kept = [(fires[4] / fires[alone]).item() for fires, alone in zip(logits, (2, 6))]
    without = [(fires[end] / fires[alone]).item() for fires, end, alone in zip(logits, (0, 8), (2, 6))]
    if panel.preset == "alike":
        assert min(kept) > 0.8 and max(without) < 0.87
    elif panel.preset == "mixed":
        assert min(kept) > 0.4 and max(kept) < 0.7  # in seven orders of sums: 0.45 … 0.66
    else:
        assert max(kept) < 0.9


@SENTENCES.of("interpolation", "channels")
def what_the_other_one_sees_is_given_up(panel):
    """How much B fires in the picture of A, and in that of A without B."""
    other = lv.channel(panel.values["layer"], panel.values["second"])(panel.network, panel.step.image)
    assert other[0] < 0.3 * other[2] and other[2] > 0.3 * other[6]


# --- lesson 6 ----------------------------------------------------------------------------------------------------


def dreamt(panel: Panel, layer: str) -> tuple[torch.Tensor, torch.Tensor]:
    """A photo without animals, and the dream of a layer about it."""
    cup = lv.load_image("coffee", 224)
    return cup, lv.last(lv.dream(panel.network, cup, lv.layer(layer), 32)).image


def coherence(change: torch.Tensor) -> float:
    """How much of the edges near each place has one direction: 1 are strokes, noise has about 0.15."""
    down, right = torch.gradient(change.mean(dim=(0, 1)))
    tensor = [F.avg_pool2d(part[None, None], 9, 4) for part in (down**2, right**2, down * right)]
    one_way = ((tensor[0] - tensor[1]) ** 2 + 4 * tensor[2] ** 2).sqrt()
    return (one_way.sum() / (tensor[0] + tensor[1]).sum()).item()


@SENTENCES.of("dreaming", "strokes")
def what_is_painted_has_one_direction_at_each_place(panel):
    """The coherence of the change, against that of a deep layer's."""
    *_, deep = worth_seeing(panel.network, panel.network.layers)
    (cup, dream), (_, other) = (dreamt(panel, layer) for layer in (panel.values["layer"], deep))
    strokes, others = coherence(dream - cup), coherence(other - cup)
    assert strokes > 0.5 and strokes > 1.3 * others


@SENTENCES.of("dreaming", "patterns")
def the_same_everywhere(panel):
    """What the layer finds differs less from quarter to quarter than in the photo: that is a texture."""

    def uneven(image):
        a = panel.network.activations(image, panel.values["layer"])
        means = F.adaptive_avg_pool2d(a, 2)[0].flatten(1)
        return (means.std(dim=1).norm() / means.mean(dim=1).norm()).item()

    assert uneven(painted(panel)) < 0.75 * uneven(lv.load_image("cat", painted(panel).shape[-1]))


@SENTENCES.of("dreaming", "animals")
def animals_where_there_were_none(panel):
    """The probability of animals in the dream about a cup, against that in the cup."""
    cup, dream = dreamt(panel, panel.values["layer"])
    assert animals(panel.network, dream) > animals(panel.network, cup) + 0.2


@SENTENCES.of("dreaming", "noise")
def nothing_comes_from_a_photo(panel):
    """No photo stands in the code that makes the picture, and it shows more of the layer than noise does."""
    assert "load_image" not in panel.code()
    target, noise = lv.layer(panel.values["layer"]), torch.rand(painted(panel).shape)
    assert target(panel.network, painted(panel)) > 2 * target(panel.network, noise)


@SENTENCES.of("dreaming", "guided")
def it_has_the_guides_features(panel):
    """The likeness to the guide's activations, of the dream and of the one without a guide."""
    layer = panel.values["layer"]
    target = lv.likeness(layer, panel.network.activations(lv.load_image("coffee", 224), layer))
    guided = target(panel.network, painted(panel)).item()
    panel.set(guide="none").start().wait()
    assert guided > 1.1 * target(panel.network, painted(panel)).item()


# --- lesson 7 ----------------------------------------------------------------------------------------------------


def without_regulariser(panel: Panel) -> torch.Tensor:
    """From the same activations, with as many steps."""
    return found_at(panel, "no regulariser")


@SENTENCES.of("inversion", "no regulariser")
def the_photo_under_another_noise_from_another_start(panel):
    """Both pictures have a noise's spectral slope, and are unlike each other; large light and dark are the photo's."""
    layer, network, pictures = panel.values["layer"], panel.network, [painted(panel)]
    with torch.no_grad():
        y = network.activations(panel.photo, layer)
    search = lv.invert(network, y, layer, panel.values["steps"], recipe="adam", penalties=[], start="noise")
    pictures.append(lv.last(search).image)
    assert all(lv.spectral_slope(picture) < 1 for picture in pictures) and lv.similarity(*pictures) < 0.3
    assert coarsely_alike(pictures[0], panel.photo) > 0.3


@SENTENCES.of("inversion", "L2")
def colours_stay_small(panel):
    """The standard deviation, and the values as dark or bright as can be, against no regulariser."""
    held = painted(panel)
    free = without_regulariser(panel)
    assert held.std() < 0.9 * free.std() and extremes(held) < 0.5 * extremes(free)


@SENTENCES.of("inversion", "total variation")
def sparse_gradients(panel):
    """The gradients are smaller than without, and more of what is left lies in few places."""
    held, free = (steps_between(image).flatten() for image in (painted(panel), without_regulariser(panel)))
    assert held.median() < 0.5 * free.median() and strongest(held) > 1.2 * strongest(free)


@SENTENCES.of("inversion", "low-pass")
def noise_goes_and_edges_with_it(panel):
    """The picture is coarser than without, and its strongest gradients are weaker, each against its contrast."""
    held, free = painted(panel), without_regulariser(panel)
    assert frequency(held) < 0.5 * frequency(free)
    held_edges, free_edges = (steps_between(image).flatten().quantile(0.99) / image.std() for image in (held, free))
    assert held_edges < 0.7 * free_edges


@SENTENCES.of("inversion", "edge-preserving")
def surfaces_are_smooth_and_edges_stay(panel):
    """Most places are flatter than after a low-pass; more of the gradient lies where the photo has its edges."""
    flat, blurred = painted(panel), found_at(panel, "low-pass")
    photo = steps_between(panel.photo).mean(dim=1)
    edge = photo > photo.flatten().quantile(0.95)

    def at_edges(image):
        steps = steps_between(image).mean(dim=1)
        return (steps[edge].mean() / steps[~edge].mean()).item()

    assert steps_between(flat).median() < steps_between(blurred).median() and at_edges(flat) > at_edges(blurred)


@SENTENCES.of("inversion", "wavelets")
def few_waves(panel):
    """The part of the wavelet coefficients that hold 95 % of the picture's power, against no regulariser."""
    import numpy as np
    import pywt

    def part(image):
        coefficients = pywt.wavedec2((image[0] - 0.5).numpy(), "haar", mode="periodization", axes=(1, 2))
        power = np.sort(pywt.coeffs_to_array(coefficients, axes=(1, 2))[0].ravel() ** 2)[::-1].cumsum()
        return float((power < 0.95 * power[-1]).mean())

    few = part(painted(panel))
    assert few < 0.8 * part(without_regulariser(panel))


@SENTENCES.of("inversion", "jitter, rotation, scale")
def it_asks_too_much(panel):
    """The feature error is larger than without any regulariser."""
    layer, network, photo = panel.values["layer"], panel.network, panel.photo
    moved = lv.quality(network, painted(panel), photo, layer).feature_error
    assert moved > lv.quality(network, without_regulariser(panel), photo, layer).feature_error


@SENTENCES.of("inversion", "paper")
def it_is_the_papers(panel):
    """The strengths that are not 0, and the recipe."""
    assert {name for name in OFF if panel.values[name] != OFF[name]} == {"total variation", "6-norm"}
    assert panel.values["recipe"] == "mahendran"


@SENTENCES.of("inversion", "best")
def the_photo_comes_back_but_not_its_pixels(panel):
    """Among it and a hundred others, a network that had no part in it takes the photo for the one most like it."""
    judge, crops = lv.load_network("inception64", device="cpu"), lv.Pictures("bundled", 64)
    photo, found = (F.interpolate(image, (64, 64), mode="area") for image in (panel.photo, painted(panel)))
    gallery = torch.cat([photo, *(crops[n] for n in range(0, len(crops), len(crops) // 100))])
    thief = lv.reidentification
    assert thief.ranks(thief.looks(judge, found), thief.looks(judge, gallery), [0]).item() == 0
    assert lv.quality(panel.network, painted(panel), panel.photo, panel.values["layer"]).ssim < 0.5
    assert shapes(painted(panel), panel.photo) > 0.4


# --- lesson 8 ----------------------------------------------------------------------------------------------------


def ssims(panel: Panel) -> dict[str, float]:
    return {layer: quality.ssim for layer, (_, quality) in panel._found.items()}


@SENTENCES.of("layers", "best")
def near_perfect_and_lost(panel):
    """SSIM of the picture of each layer; of those plain to see, the likeness of light and dark, as at full size."""
    found = ssims(panel)
    before = list(found)[: list(found).index("pool2") + 1]
    seen = list(found)[: list(found).index("pool5") + 1]
    likeness = {layer: shapes(image, panel.photo, 32) for layer, (image, _) in panel._found.items()}
    assert all(found[layer] > 0.9 for layer in before) and all(likeness[layer] > 0.4 for layer in seen)
    assert all(likeness[layer] < 0.25 for layer in found if layer.startswith(("fc", "relu6", "relu7")))
    assert all(ssim < 0.2 for layer, ssim in found.items() if layer.startswith(("fc", "relu6", "relu7")))
    large, photo = lv.load_network("efficientnet_lite0", device="cpu"), lv.load_image("coffee", 224)
    for layer in ("block5c", "fc"):
        with torch.no_grad():
            y = large.activations(photo, layer)
        image = lv.stored(lv.invert, large, y, layer, 128).image  # as in the lesson
        assert (shapes(image, photo) > 0.4) == (layer == "block5c")


@SENTENCES.of("layers", "unregularised")
def contrast_runs_away(panel):
    """The contrast of the deep layers' pictures, and of the first one's, against those with the regulariser."""

    def more(layer):
        return (panel._found[layer][0].std() / found_at(panel, "best", layer).std()).item()

    ratios = {layer: more(layer) for layer in ("conv1", "conv5", "fc6")}
    assert ratios.pop("conv1") < 1.05 and all(ratio > 1.5 for ratio in ratios.values())


@SENTENCES.of("layers", "strong")
def smooth_and_pale_and_less_of_the_photo(panel):
    """Gradients, contrast, and PSNR, against the recipe's own strength."""
    for layer in ("pool2", "relu3", "relu4"):
        strong, own = panel._found[layer][0], found_at(panel, "best", layer)
        assert steps_between(strong).mean() < steps_between(own).mean() and strong.std() < own.std()
        assert (strong - panel.photo).square().mean() > (own - panel.photo).square().mean()


def found_by(panel: Panel) -> tuple[bool, bool]:
    """Whether the photo is found by the picture, and by the stored numbers."""
    texts = (panel.outputs[name].value for name in ("matches caption", "photo caption"))
    picture, numbers = (re.sub(r"<[^>]*>", "", text).endswith("found among 187") for text in texts)
    return picture, numbers


@SENTENCES.of("re-identification", "early", "middle", "bits")
def it_is_found(panel):
    """Of all of the gallery the photo is the most like the picture, and light and dark are where they are in it."""
    assert found_by(panel) == (True, True) and shapes(painted(panel), panel.image("photo"), 32) > 0.4


@SENTENCES.of("re-identification", "last", "defended")
def the_picture_is_lost_the_numbers_find_it(panel):
    """Light and dark are hardly where they are in the photo; of all stored numbers its own are the most like them."""
    assert shapes(painted(panel), panel.image("photo"), 32) < 0.3 and found_by(panel)[1]


# --- lesson 9 ----------------------------------------------------------------------------------------------------


@SENTENCES.of("priors", "total variation")
def surfaces_are_smooth(panel):
    """Most gradients are smaller than after the search without it; nothing in the recipe was trained."""
    held = steps_between(painted(panel)).median()
    panel.set(weight=0).start().wait()
    assert held < 0.95 * steps_between(painted(panel)).median()


@SENTENCES.of("priors", "decoder", "noise")
def what_it_paints_looks_like_a_photo(panel):
    """The spectral slope is a photo's: also where noise was given, whose slope is 0."""
    assert 1.7 < lv.spectral_slope(painted(panel)) < 3.8
    if panel.preset == "noise":
        assert abs(lv.spectral_slope(panel.image("given"))) < 0.3


@SENTENCES.of("priors", "deep image prior")
def untrained_it_prefers_smooth_shapes(panel):
    """Its picture is smoother than the photo, and its weights are drawn at random."""
    assert lv.spectral_slope(painted(panel)) > lv.spectral_slope(lv.load_image("cat", 64))
    assert "deep_image_prior" in panel.code()


@SENTENCES.of("priors", "deep")
def the_less_it_knows_the_more_is_the_priors(panel):
    """Two priors' pictures from the deep layer are less alike than from an earlier one."""
    decoded = painted(panel)
    panel.set(prior="total variation").start().wait()
    deep = shapes(decoded, painted(panel), 32)
    assert deep < shapes(found_at(panel, "decoder"), found_at(panel, "total variation"), 32) - 0.1


@SENTENCES.of("distribution", "early", "middle", "deep")
def the_distribution_and_not_the_places(panel):
    """The moments agree, and light and dark are not where they are in the photo."""
    layer = panel.values["layer"]
    target = lv.distribution(layer, panel.network.activations(lv.load_image("coffee", 64), layer))
    assert -0.05 < target(panel.network, painted(panel)).item() <= 0  # minus the distance, as a share
    assert abs(shapes(painted(panel), lv.load_image("coffee", 64), 32)) < 0.3


@SENTENCES.of("distribution", "cat")
def shapes_stay_and_the_texture_changes(panel):
    """Light and dark are still where they are in the cat, and not where they are in the coffee."""
    cat, coffee = (lv.load_image(name, 64) for name in ("cat", "coffee"))
    assert shapes(painted(panel), cat, 32) > 0.4 > 0.3 > shapes(painted(panel), coffee, 32)
