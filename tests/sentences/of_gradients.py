"""Lessons 0 to 4, and 10: what their presets say, and how it is measured."""

import re

import torch
from sentences import WITHOUT_NUMBER, Sentences, calm, concentration, frequency, noisy, slopes

import lecture_viz as lv
from lecture_viz.live.collage import TRIED, smoothed
from lecture_viz.live.saliency import whole
from lecture_viz.networks.receptive_fields import receptive_fields
from lecture_viz.photos.collage import opacity

SENTENCES = Sentences()
WITHOUT_NUMBER |= {
    ("saliency", "deep"): "defines: the four maps of a neuron are drawn as those of a class",
    ("occlusion", "whole"): "asks to paint",
}
EYES = (lv.images.Box(60, 42, 112, 102), lv.images.Box(80, 164, 126, 202))  # of the cat, 224 pixels wide
CATS = ("tabby", "tiger cat", "Egyptian cat")


# --- lesson 0 ----------------------------------------------------------------------------------------------------


@SENTENCES.of("start", "cat")
def a_photo_becomes_a_class(panel):
    """Its best guess is one of the classes of domestic cats."""
    assert panel.network.top(panel.photo, 1)[0][0] in CATS


@SENTENCES.of("start", "second")
def two_guesses_nearly_the_same_picture(panel):
    """The similarity of guided backprop's maps of the two best guesses."""
    (best, _), (second, _) = panel.network.top(panel.photo, 2)
    one, other = (lv.gradient(panel.network, panel.photo, lv.logit(label), "guided") for label in (best, second))
    assert best != second and lv.similarity(one, other) > 0.95


@SENTENCES.of("start", "coffee")
def it_is_sure_of_an_espresso(panel):
    """The probability of its best guess."""
    label, p = panel.network.top(panel.photo, 1)[0]
    assert label == "espresso" and p > 0.5


@SENTENCES.of("start", "astronaut")
def it_is_unsure_without_a_class(panel):
    """None of the 1,000 classes is an astronaut; the probabilities are spread wider than for the cat and the cup."""
    assert len(panel.network.labels) == 1000 and not any("astronaut" in label for label in panel.network.labels)

    def entropy(photo):
        p = panel.network(photo).softmax(dim=1)
        return -(p * p.log()).sum().item()

    others = [lv.load_image(name, panel.network.input_size) for name in ("cat", "coffee")]
    assert entropy(panel.photo) > 2 * max(map(entropy, others))
    assert panel.network.top(panel.photo, 1)[0][1] < 0.5


@SENTENCES.of("start", "robust")
def shapes_instead_of_fine_patterns(panel):
    """The gradient is coarser than that of the same network before, and survives faint noise better; what guided
    backprop lets through is coarser, too."""
    before, photo = lv.load_network("inception64", device="cpu"), panel.photo
    target = lv.logit(panel.network.top(photo, 1)[0][0])
    robust, fine = (lv.gradient(network, photo, target) for network in (panel.network, before))
    assert frequency(robust) < 0.8 * frequency(fine)
    assert frequency(panel.made.result.gradient) < 0.8 * frequency(lv.gradient(before, photo, target, "guided"))
    assert calm(panel.network, photo, target) > calm(before, photo, target) + 0.2


# --- lesson 1 ----------------------------------------------------------------------------------------------------


@SENTENCES.of("gradients", "class")
def every_pixel_has_its_sensitivity(panel):
    """A small step along the gradient changes the score as much as the gradient says."""
    target = panel._made.call.arguments[2]
    claimed = panel._made.result.gradient
    measured_slope, length = slopes(panel.network, panel.photo, target, claimed)
    assert abs(measured_slope / length - 1) < 0.05 and claimed.count_nonzero() > 0.99 * claimed.numel()


@SENTENCES.of("gradients", "deep")
def any_neuron_will_do_but_only_an_output_has_a_name(panel):
    """The gradient of the deep neuron is its slope, too; only at the last layer are the neurons classes."""
    target, claimed = panel._made.call.arguments[2], panel._made.result.gradient
    measured_slope, length = slopes(panel.network, panel.photo, target, claimed)
    assert abs(measured_slope / length - 1) < 0.05
    assert [layer for layer in panel.network.layers if panel.is_output(layer)] == [panel.network.layers[-1]]


@SENTENCES.of("gradients", "middle")
def the_earlier_the_smaller_the_part(panel):
    """The receptive field of the middle neuron never shrinks from layer to layer, and is smaller half-way."""
    fields = receptive_fields(panel.network, [*panel.network.layers], panel.photo.shape[-1])
    areas = [field[field.shape[0] // 2, field.shape[1] // 2].area for field in fields.values()]
    assert areas == sorted(areas)
    here = areas[panel.network.layers.index(panel.values["layer"])]
    assert areas[0] < here < areas[-1] == panel.photo[0, 0].numel()


@SENTENCES.of("gradients", "early")
def in_the_first_layer_it_is_the_filter(panel):
    """The gradient is the filter, each colour divided by its standard deviation, and 0 outside."""
    values, gradient = panel.values, panel._made.result.gradient
    box = panel.receptive_field(values["layer"])[values["row"], values["column"]]
    filters = panel.network.module.conv1.weight[values["neuron"]] / panel.network.std[0]
    assert values["layer"] == panel.network.layers[0] and box.crop(gradient)[0].shape == filters.shape
    assert torch.allclose(box.crop(gradient)[0], filters, atol=1e-4)
    assert gradient.count_nonzero() == filters.count_nonzero()


@SENTENCES.of("gradients", "deconvnet")
def it_zeroes_what_arrives_negative_and_needs_no_memory(panel):
    """What leaves is never negative, and the same whatever the forward pass was."""
    random = torch.Generator().manual_seed(0)
    arriving, *forward = torch.randn(3, 100, generator=random)
    one, other = (lv.relu_backward("deconvnet", x, arriving) for x in forward)
    assert torch.equal(one, other) and torch.equal(one, arriving.clamp(min=0))
    assert panel.values["rule"] == "deconvnet"


@SENTENCES.of("gradients", "guided")
def sharp_but_no_gradient(panel):
    """More of it lies in few pixels than of the gradient; and a step along it changes the score by another amount."""
    target, guided = panel._made.call.arguments[2], panel._made.result.gradient
    gradient = lv.gradient(panel.network, panel.photo, target)
    assert concentration(guided) > 1.5 * concentration(gradient)
    measured_slope, length = slopes(panel.network, panel.photo, target, guided)
    assert abs(measured_slope / length - 1) > 0.5


# --- lesson 2 ----------------------------------------------------------------------------------------------------


@SENTENCES.of("ReLU rules", "figure")
def one_way_forward_three_ways_back(panel):
    """The three matrices differ, and are the lecture's."""
    backprop, deconvnet, guided = panel._made.result
    assert backprop.tolist() == [[-2, 0, -1], [6, 0, 0], [0, -1, 3]]
    assert deconvnet.tolist() == [[0, 3, 0], [6, 0, 1], [2, 0, 3]]
    assert guided.tolist() == [[0, 0, 0], [6, 0, 0], [0, 0, 3]]


@SENTENCES.of("ReLU rules", "zeros")
def at_zero_they_take_zero(panel):
    """Where x is exactly 0, PyTorch, backprop and guided backprop send back 0; Deconvnet does not look."""
    x, s = (torch.tensor([[panel.values[f"{letter}{y}{x}"] for x in (1, 2, 3)] for y in (1, 2, 3)]) for letter in "xs")
    backprop, deconvnet, guided = panel._made.result
    x.requires_grad_()
    torch.relu(x).backward(s)
    zero = x == 0
    assert zero.any() and torch.equal(x.grad, backprop)
    assert not backprop[zero].any() and not guided[zero].any() and deconvnet[zero].any()


@SENTENCES.of("ReLU rules", "two")
def only_backprop_is_the_chain_rule(panel):
    """What autograd says about both ReLUs and the matrix between them is backprop's, and neither of the others'."""
    x, s = (torch.tensor([[panel.values[f"{letter}{y}{x}"] for x in (1, 2, 3)] for y in (1, 2, 3)]) for letter in "xs")
    x.requires_grad_()
    lv.two_relus(x).backward(s)
    backprop, deconvnet, guided = panel._made.result
    assert torch.equal(x.grad, backprop)
    assert not torch.equal(x.grad, deconvnet) and not torch.equal(x.grad, guided)


# --- lesson 3 ----------------------------------------------------------------------------------------------------


def nine(panel):
    return panel._of(panel.values["layer"], panel.values["channel"])


def orientation(patch: torch.Tensor) -> complex:
    """Twice the angle of its edges and how clear it is (0 … 1), from the structure tensor."""
    down, right = torch.gradient(patch.mean(dim=(0, 1)))
    double = torch.complex(right**2 - down**2, 2 * right * down).sum()
    return (double / (right**2 + down**2).sum()).item()


@SENTENCES.of("deconvnet", "early")
def it_looks_for_edges(panel):
    """The nine reconstructions have edges of one direction."""
    assert abs(sum(map(orientation, nine(panel).reconstructions))) / 9 > 0.5


@SENTENCES.of("deconvnet", "middle")
def it_looks_for_bright_dots(panel):
    """In all nine patches the middle is brighter than what is around it."""
    for patch in nine(panel).patches:
        bright, side = patch.mean(dim=(0, 1)), patch.shape[-1]
        third = slice(side // 3, side - side // 3)
        around = (bright.sum() - bright[third, third].sum()) / (bright.numel() - bright[third, third].numel())
        assert bright[third, third].mean() > around


@SENTENCES.of("deconvnet", "deep")
def the_nine_show_what_it_looks_for(panel):
    """They excite it far more than other pictures do."""
    found, (layer, channel) = nine(panel), (panel.values["layer"], panel.values["channel"])
    with torch.no_grad():
        others = [panel.network.activations(panel.pictures[n], layer)[0, channel].max() for n in range(0, 800, 20)]
    assert found.activations[-1] > 2 * torch.stack(others).mean()


@SENTENCES.of("deconvnet", "sum")
def unpooling_writes_and_backprop_sums(panel):
    """Summed, the reversed network sends back what the rule does; written, something else."""
    network, photo, target = panel.network, nine(panel).photos[0], panel._made.call.arguments[2]
    rule = lv.gradient(network, photo, target, "deconvnet")
    found = {how: lv.deconvnet(network, photo, target, how) for how in ("sum", "write")}
    off = {how: (image - rule).norm() / rule.norm() for how, image in found.items()}
    assert off["sum"] < 1e-4 and off["write"] > 0.2


# --- lesson 4 ----------------------------------------------------------------------------------------------------


@SENTENCES.of("saliency", "class")
def noisy_sparse_and_the_eyes(panel):
    """Faint noise makes another gradient; guided backprop is in few pixels; many of them about the eyes."""
    maps, target = whole(panel._made.result), lv.logit("tabby")
    assert calm(panel.network, panel.photo, target) < 0.3
    assert concentration(maps.guided) > 1.5 * concentration(maps.backprop)
    strength = lv.magnitude(maps.guided)
    for eye in EYES:
        assert eye.crop(strength).mean() > 2 * strength.mean()


@SENTENCES.of("saliency", "probability")
def a_probability_rises_when_others_fall(panel):
    """A step that lowers only the other classes' scores raises the probability, and the maps differ for that."""
    logits = panel.network(panel.photo).detach().requires_grad_()
    chosen = panel.network.label_index("tabby")
    logits.softmax(dim=1)[0, chosen].backward()
    others = torch.arange(logits.shape[1]) != chosen
    assert (logits.grad[0, others] < 0).all() and logits.grad[0, chosen] > 0
    of_score = lv.gradient(panel.network, panel.photo, lv.logit("tabby"))
    assert lv.similarity(of_score, whole(panel._made.result).backprop) < 0.95


@SENTENCES.of("saliency", "smooth")
def it_keeps_what_noisy_copies_share(panel):
    """Two means, each of sixteen other copies, are more alike than two single copies' gradients."""
    about = panel.network, panel.photo, lv.logit("tabby")
    single, means = ([lv.smoothgrad(*about, count, seed=seed) for seed in (1, 2)] for count in (1, 16))
    assert lv.similarity(*means) > 3 * lv.similarity(*single) and lv.similarity(*means) > 0.1


@SENTENCES.of("saliency", "random")
def guided_backprop_hardly_notices(panel):
    """The similarity to the trained network's map, with random weights in the last layer."""
    target = lv.logit("tabby")
    alike = {}
    for rule, random in zip(lv.RULES, panel._made.result):
        alike[rule] = lv.similarity(random, lv.gradient(panel.network, panel.photo, target, rule))
    assert alike["guided"] > 0.8 and alike["backprop"] < 0.5


def cup(panel) -> torch.Tensor:
    """Where it is in the photo of the coffee: ``(H, W)`` of bool."""
    return opacity("coffee", panel.photo.shape[-1])[0, 0] > 0.5


def overlap(one: torch.Tensor, other: torch.Tensor) -> float:
    return ((one & other).sum() / (one | other).sum()).item()


@SENTENCES.of("localization", "box")
def it_finds_the_cup(panel):
    """Intersection over union of the box found and the box about the cup: at least ½, as the field counts."""
    assert lv.localization.intersection_over_union(panel._made.result, lv.localization.box(cup(panel))) >= 0.5


@SENTENCES.of("localization", "strict")
def fewer_pixels_and_a_smaller_box(panel):
    """Against the foreground and the box at half of the maximum."""
    strength, mask, box = panel._made.known["saliency"], panel._made.known["mask"], panel._made.result
    wider = lv.localization.foreground(strength, 0.5)
    assert mask.sum() < 0.5 * wider.sum() and box.area < lv.localization.box(wider).area


@SENTENCES.of("localization", "colour")
def colours_fill_the_object(panel):
    """The foreground overlaps with the cup, pixel by pixel, more than by the threshold."""
    mask, strength = panel._made.known["mask"], panel._made.known["saliency"]
    assert overlap(mask, cup(panel)) > overlap(lv.localization.foreground(strength, 0.5), cup(panel))


@SENTENCES.of("localization", "raw")
def one_map_is_noisy_and_so_is_the_box(panel):
    """Faint noise changes it more than other noise changes SmoothGrad's; and its box misses the cup."""
    about = panel.network, panel.photo, panel.at_strongest(panel.values["layer"], panel.values["neuron"])
    raw, smooth = panel._made.known["saliency"], lv.magnitude(lv.smoothgrad(*about, 32))
    other = lv.saliency(panel.network, noisy(panel.photo), about[2])
    other_smooth = lv.magnitude(lv.smoothgrad(*about, 32, seed=1))
    assert lv.similarity(raw, other) < lv.similarity(smooth, other_smooth) - 0.1
    true = lv.localization.box(cup(panel))
    assert lv.localization.intersection_over_union(panel._made.result, true) < 0.5


def hits(panel, strength: torch.Tensor) -> bool:
    """Whether the strongest place of a smoothed map lies on the thing."""
    return panel._made.known["laid"].box.holds(*lv.localization.peak(smoothed(strength)))


@SENTENCES.of("collage", "corner", "elsewhere")
def the_map_is_where_the_cat_is(panel):
    """Its strongest place lies on the cat, which is not in the middle of the picture."""
    box, middle = panel._made.known["laid"].box, panel.photo.shape[-1] // 2
    assert not box.holds(middle, middle)
    assert hits(panel, panel._made.known["strength"])


@SENTENCES.of("collage", "small")
def a_fifth_is_enough_and_half_of_it_too_little(panel):
    """The strongest place lies on the small cat; in `inception64`, of the panel's fifteen places: all, then a few."""
    the_map_is_where_the_cat_is(panel)
    other, found = lv.live.collage(lv.load_network("inception64", device="cpu")), {}
    for scale in (20, 10):
        other.set(preset="small", scale=scale, places=True)
        found[scale] = sum(hit for hit, *_ in other._tried)
    assert len(other._tried) == 15 and found[20] >= 14 and found[10] <= 6


@SENTENCES.of("collage", "cup")
def the_cup_is_found_and_the_bricks_take_some(panel):
    """The strongest place is on the cup; a good part of the map's sum is not."""
    strength, box = panel._made.known["strength"], panel._made.known["laid"].box
    assert hits(panel, strength)
    outside = 1 - box.crop(strength).sum() / strength.sum()
    assert 0.2 < outside < 1 - box.area / strength.numel()


@SENTENCES.of("collage", "places")
def it_finds_the_thing_and_not_the_class(panel):
    """The numbers that the panel counts."""
    hit, others, central, _ = (sum(column) for column in zip(*panel._tried))
    assert len(panel._tried) == len(TRIED) == 15 and hit >= 13 and others >= 13 and central <= 3
    assert re.search(rf"\b{hit}\b", panel.outputs["tally"].value)


def answer(panel, label: str) -> tuple[str, float]:
    """The best guess about the painted photo, and the probability of ``label``."""
    shown = panel._made.known.get("painted", panel._made.known.get("covered", panel.photo))
    return panel.network.top(shown, 1)[0][0], dict(panel.network.top(shown, 1000))[label]


@SENTENCES.of("occlusion", "coffee")
def the_cup_tells_it_too(panel):
    """Less probable than for the whole photo, and still the best guess."""
    best, p = answer(panel, "espresso")
    assert best == "espresso" and p < dict(panel.network.top(panel.photo, 5))["espresso"] - 0.05


@SENTENCES.of("occlusion", "most", "least")
def the_strong_squares_count_more(panel):
    """The score falls further without the map's strongest squares than without its weakest."""
    scores = panel._compared(panel._made)
    assert scores.without_most < scores.without_least - 1


@SENTENCES.of("occlusion", "cat")
def any_part_of_a_cat_is_a_cat(panel):
    """Without its strongest squares the score does not fall."""
    scores = panel._compared(panel._made)
    assert scores.without_most > 0.95 * scores.photo


# --- lesson 10 ---------------------------------------------------------------------------------------------------


@SENTENCES.of("weighted sum", "colours")
def its_weights_are_colours(panel):
    """The sum is the neuron; it reads the photo, and red, green and blue have weights as different as places have."""
    found, weights = panel._made.result, panel._made.result.weights
    neuron = panel._made.call.arguments[2:]
    assert found.before is None and len(found.channels) == 3
    activation = panel.network.activations(panel.photo, neuron[0])[0, neuron[1]]
    assert torch.isclose(activation.max(), torch.tensor(found.value), rtol=1e-4)
    assert weights.std(dim=0).mean() > 0.8 * weights.std()


@SENTENCES.of("weighted sum", "pool")
def a_pool_has_no_weights_to_learn(panel):
    """Nothing to train in it; what it passes on is the largest number of its window."""
    found, part = panel._made.result, panel.network.part(panel.values["layer"])
    assert found.kind == "max pool" and not [*part.parameters()]
    assert found.value == found.window.max().item() and found.window.numel() == 9


@SENTENCES.of("weighted sum", "deep")
def most_products_are_zero_behind_a_relu(panel):
    """More than half, in more than a hundred channels; a number is 0 where the one before the ReLU is not above 0."""
    found = panel._made.result
    assert panel.network.name == "alexnet64" and len(found.channels) > 100
    assert (found.products == 0).float().mean() > 0.6 and found.before.startswith("relu")
    before = lv.weighted_sum(panel.network, panel.photo, found.before, 0).before
    given = panel.network.activations(panel.photo, before)[0]
    window = given[:, found.rows.start : found.rows.stop, found.columns.start : found.columns.stop]
    assert ((found.window == 0) == (window <= 0)).float().mean() > 0.99


@SENTENCES.of("weighted sum", "class")
def four_of_320_outweigh_the_others(panel):
    """The magnitudes of the four largest parts against those of all others."""
    parts = panel._made.result.parts.abs().sort(descending=True).values
    assert panel.network.name == "alexnet64" and len(parts) == 320
    assert parts[:3].sum() < parts[3:].sum() and parts[:4].sum() > parts[4:].sum()


@SENTENCES.of("microscope", "early")
def maps_of_the_first_layer_draw_the_outlines_together(panel):
    """The sum of all maps goes with the photo's light edges, that of a deep layer does not."""
    light = panel.photo.mean(dim=1, keepdim=True)
    corner = light[:, :, :-1, :-1]
    edges = torch.hypot(light[:, :, 1:, :-1] - corner, light[:, :, :-1, 1:] - corner)

    def with_edges(layer: str) -> float:
        summed = panel.response(layer).activations.sum(dim=0)
        drawn = torch.nn.functional.adaptive_avg_pool2d(edges, summed.shape)
        return torch.corrcoef(torch.stack([summed.flatten(), drawn.flatten()]))[0, 1].item()

    assert panel.values["layer"] == "relu1" and with_edges("relu1") > 0.6 > 0.4 > with_edges("relu5")


@SENTENCES.of("microscope", "middle")
def their_strongest_places_are_spread(panel):
    """There are more than half as many different strongest places as channels."""
    strongest = panel.response(panel.values["layer"]).strongest
    assert len(strongest.unique()) > len(strongest) / 2


@SENTENCES.of("microscope", "deep")
def in_a_deep_layer_a_channel_fires_at_few_places(panel):
    """On average at less than a fifth, half-way at twice as many."""
    deep, middle = (panel.response(layer).activations.gt(0).float().mean() for layer in ("relu5", "relu3"))
    assert panel.values["layer"] == "relu5" and deep < 0.2 and middle > 2 * deep


@SENTENCES.of("microscope", "looks for")
def each_picture_of_the_atlas_excites_its_channel(panel):
    """Each channel fires more on its own picture than on any other one of the atlas, and than on the photo."""
    pictures = lv.atlas.read(panel.network, "relu5")
    fires = panel.network.activations(pictures, "conv5").mean(dim=(2, 3))
    own, photo = fires.diagonal(), panel.network.activations(panel.photo, "conv5").mean(dim=(2, 3))[0]
    assert (fires.argmax(dim=0) == torch.arange(len(own))).float().mean() > 0.95
    assert (own > photo).float().mean() > 0.95


@SENTENCES.of("microscope", "class")
def the_strongest_channel_of_the_last_layer_is_the_answer(panel):
    """It is the network's first answer, and what the layer before gives it adds up to its score, but for the bias."""
    answer, _ = panel.network.top(panel.photo, 1)[0]
    assert panel.network.labels[panel.values["neuron"]] == answer
    fed = lv.attribution.feeders(panel.network, panel.photo, lv.logit(answer))
    score = lv.logit(answer)(panel.network, panel.photo).item()
    bias = panel.network.module.fc8.bias[panel.values["neuron"]].item()
    assert fed.layer == "relu7" and abs(fed.contributions.sum().item() + bias - score) < 1e-3 * abs(score)
