"""What the notebooks say below their figures, measured; each claim is quoted, so that it cannot change unnoticed."""

import re
from collections.abc import Callable
from functools import cache
from pathlib import Path

import nbformat
import pytest
import torch
from sentences import NOTEBOOKS, calm, concentration, frequency, noisy, steps_between

import lecture_viz as lv

CLAIMS: list[tuple[str, str, Callable[[], None]]] = []


def claim(notebook: str, quote: str) -> Callable:
    """A decorator: the function measures what stands in the notebook."""

    def enter(measure: Callable[[], None]) -> Callable[[], None]:
        CLAIMS.append((notebook, quote, measure))
        return measure

    return enter


@cache
def network(name: str = "efficientnet_lite0") -> lv.Network:
    return lv.load_network(name, device="cpu")


@cache
def photo(name: str = "cat", size: int = 224) -> torch.Tensor:
    return lv.load_image(name, size)


TABBY = lv.logit("tabby")

# --- gradient-based ------------------------------------------------------------------------------------------------


@claim("01_gradients", "nearly all of the strongest pixels lie on it")
def the_strongest_pixels_lie_on_the_cat():
    """The strongest hundredth, inside the box about the cat, which is a quarter of the picture."""
    laid = lv.images.lay(lv.images.cut(photo(), "cat"), photo("grass"), row=0.35, column=0.3, scale=0.5)
    strength = lv.saliency(network(), laid.image, TABBY)
    strongest = strength >= strength.flatten().quantile(0.99)
    assert laid.box.crop(strongest).sum() > 0.9 * strongest.sum() and laid.box.area < 0.25 * strength.numel()


@claim("01_gradients", "The score hardly moves, but the gradient does")
def the_score_stays_and_the_gradient_does_not():
    with torch.no_grad():
        before, after = (TABBY(network(), image).item() for image in (photo(), noisy(photo())))
    assert abs(after - before) < 0.02 * before and calm(network(), photo(), TABBY) < 0.3


@claim("03_deconvnet", "even an untrained network (`weights=None`) paints edges of the photo")
def switches_carry_the_photo():
    """Where neurons of layer 5 see the photo, their pictures follow the edges of that photo, not of another one."""
    untrained = lv.load_network("alexnet64", weights=None, device="cpu")
    photos = [lv.load_image(name, 64) for name in lv.images.BUNDLED_PHOTOS]
    edges = [torch.nn.functional.pad(steps_between(image).mean(dim=1)[0], (0, 1, 0, 1)) for image in photos]
    for number, image in enumerate(photos):
        maps, follows = untrained.activations(image, "relu5")[0], torch.zeros(len(photos))
        for channel in maps.amax(dim=(1, 2)).topk(12).indices.tolist():
            y, x = divmod(maps[channel].argmax().item(), maps.shape[2])
            painted = lv.magnitude(lv.deconvnet(untrained, image, lv.neuron("relu5", channel, y, x)))[0, 0]
            seen = painted > 0
            follows += torch.stack([torch.stack([painted[seen], one[seen]]).corrcoef()[0, 1] for one in edges]) / 12
        assert follows.argmax() == number and follows[number] > 0.2


GROUNDS, THINGS = ("grass", "bricks", "gravel"), ("cat", "coffee", "astronaut", "rocket")


@cache
def laid_on(ground: str) -> list[torch.Tensor]:
    """Each thing in four places before a ground."""
    cuts = {thing: lv.images.cut(photo(thing), thing) for thing in THINGS}
    return [
        lv.images.lay(cuts[thing], photo(ground), row, column, 0.45).image
        for thing in THINGS
        for row in (0.3, 0.7)
        for column in (0.3, 0.7)
    ]


@cache
def on_three_grounds(name: str) -> dict[str, torch.Tensor]:
    """By layer, the strongest activation of each channel: grounds, things, places, channels."""
    net = network(name)
    found: dict[str, list[torch.Tensor]] = {layer: [] for layer in net.layers}
    for ground in GROUNDS:
        laid = [lv.load_image(image, net.input_size) for image in laid_on(ground)]
        with torch.no_grad():
            for layer, outputs in net.run(torch.cat(laid), net.layers).items():
                found[layer].append(outputs.reshape(4, 4, outputs.shape[1], -1).amax(dim=3))
    return {layer: torch.stack(excited) for layer, excited in found.items()}


def beside(excited: torch.Tensor, ground: str) -> tuple[torch.Tensor, torch.Tensor]:
    """Of each channel its weakest answer to a ground, and its strongest to the others."""
    chosen = torch.tensor([one == ground for one in GROUNDS])
    return excited[chosen].amin(dim=(0, 1, 2)), excited[~chosen].amax(dim=(0, 1, 2))


@claim("03_deconvnet", "what they share is the *background*")
def a_feature_map_looks_for_the_wall():
    """Of things on three grounds, its nine strongest pictures are all of the wall, with several things before it."""
    excited = on_three_grounds("alexnet64")["relu5"]
    wall, elsewhere = beside(excited, "bricks")
    channel = (wall / elsewhere.clamp(min=0.5)).argmax().item()
    assert wall[channel] > 1.5 * elsewhere[channel]
    nine = [torch.unravel_index(n, excited.shape[:3]) for n in excited[..., channel].flatten().topk(9).indices]
    assert {GROUNDS[ground] for ground, *_ in nine} == {"bricks"} and len({thing.item() for _, thing, _ in nine}) >= 3


@claim("03_deconvnet", "on average the reconstructions are stronger along its joints than on its bricks")
def the_joints_of_the_wall_count():
    """In each of the nine a pixel of a joint, which is lighter, has more of the power than a pixel of a brick."""
    pictures = [image for ground in GROUNDS for image in laid_on(ground)]
    found = lv.top_patches(network("alexnet64"), pictures, "relu5", 47, progress=False)
    light = lv.load_image(photo("bricks"), 64).mean(dim=1)[0]
    for box, painted in zip(found.boxes, found.reconstructions):
        joints, power = box.crop(light) > light.median() + 0.05, painted.square().sum(dim=(0, 1))
        assert power[joints].mean() > 1.4 * power[~joints].mean()


@claim("03_deconvnet", "its rows differ and its columns are alike, it follows the astronaut")
def one_map_follows_the_ground_and_one_the_thing():
    strongest = on_three_grounds("alexnet64")["relu5"].amax(dim=2)
    wall, astronaut = strongest[..., 47], strongest[..., 100]  # grounds, things
    assert wall[1].min() > 4 * wall[[0, 2]].max() and wall[1].max() < 1.2 * wall[1].min()
    assert astronaut[:, 2].min() > 3 * astronaut[:, [0, 1, 3]].max()
    assert astronaut[:, 2].max() < 1.2 * astronaut[:, 2].min()


@claim("03_deconvnet", "1232 of `relu2` in `efficientnet_lite0`, with the grass at least 2.5, without it at most 0.6.")
def one_feature_map_follows_the_grass():
    """`conv2` is the same map before its ReLU; below 0.5 a map is all but silent, as in the notebook."""
    clear = set()
    for name in ("alexnet64", "inception64", "efficientnet_lite0"):
        for layer, excited in on_three_grounds(name).items():
            grass, elsewhere = beside(excited, "grass")
            clear |= {(name, layer, n.item()) for n in (grass > 2 * elsewhere.clamp(min=0.5)).nonzero()}
    assert clear == {("efficientnet_lite0", layer, 1232) for layer in ("conv2", "relu2")}
    grass, elsewhere = beside(on_three_grounds("efficientnet_lite0")["relu2"], "grass")
    assert 2.5 < grass[1232] < 2.6 and 0.5 < elsewhere[1232] < 0.6


@claim("03_deconvnet", "the nearest is 59 of `inception3b` in `inception64`: at least 3.86, at most 3.15")
def the_small_networks_have_no_map_of_the_grass():
    most = {}
    for name in ("alexnet64", "inception64"):
        for layer, excited in on_three_grounds(name).items():
            grass, elsewhere = beside(excited, "grass")
            most[name, layer] = (grass / elsewhere.clamp(min=0.5)).max()
    grass, elsewhere = beside(on_three_grounds("inception64")["inception3b"], "grass")
    assert max(most.values()) == grass[59] / elsewhere[59]
    assert 3.85 < grass[59] < 3.87 and 3.14 < elsewhere[59] < 3.16


@claim("03_deconvnet", "paint the lawn over, or take the photo of the astronaut")
def the_microscope_shows_the_map_of_the_grass():
    """On the lawn it is loud, without it all but silent."""
    black = ("black", 0.5, tuple((row / 4, column) for row in range(5) for column in (0.0, 1.0)))
    images = torch.cat([photo("grass"), lv.images.paint(photo("grass"), [black]), photo("astronaut")])
    with torch.no_grad():
        lawn, painted, astronaut = network().activations(images, "relu2")[:, 1232].amax(dim=(1, 2))
    assert lawn > 5 and painted < 1 and astronaut < 1


@claim("10_microscope", "Of the 16 maps of <code>relu3</code> that come first by selectivity, 7 fire most at the edge")
def most_maps_at_the_edge_fire_there_on_an_even_photo_too():
    """Most of the seven, on dark, on grey and on light."""
    net = network("alexnet64")
    first = lv.activation_maps(net, photo(size=64), "relu3", order="selectivity").channels[:16]
    with torch.no_grad():
        maps = net.activations(photo(size=64), "relu3")[0, first]
        even = [net.activations(torch.full((1, 3, 64, 64), grey), "relu3")[0, first] for grey in (0.2, 0.5, 0.8)]
    strongest = maps == maps.amax(dim=(1, 2), keepdim=True)
    at_edge = strongest[:, 1:-1, 1:-1].flatten(1).sum(dim=1) == 0
    assert at_edge.sum() == 7
    assert all((one[at_edge] * strongest[at_edge]).amax(dim=(1, 2)).gt(0).sum() >= 4 for one in even)


@claim("04_saliency", "Guided backprop still draws the cat when the last layer and all blocks from 6a on are random")
def guided_backprop_still_draws_the_cat():
    alike = {}
    random = lv.randomized(network(), down_to="block6a")
    for rule in ("guided", "backprop"):
        alike[rule] = lv.similarity(*(lv.gradient(net, photo(), TABBY, rule) for net in (network(), random)))
    assert alike["guided"] > 0.5 and alike["backprop"] < 0.3


@claim("04_saliency", "Backprop's gradient changes under both tests")
def backprop_changes_under_both():
    trained = lv.gradient(network(), photo(), TABBY)
    assert lv.similarity(trained, lv.gradient(network(), photo(), lv.logit("school bus"))) < 0.4
    assert lv.similarity(trained, lv.gradient(lv.randomized(network(), down_to="fc"), photo(), TABBY)) < 0.4


@claim("04_saliency", "Backprop's map changes most, guided backprop's is sparsest, in both networks")
def noise_and_sparsity():
    """The likeness to the map under faint noise; the part of the strength in few pixels."""
    for name in ("efficientnet_lite0", "alexnet64"):
        looked = network(name), photo(size=network(name).input_size)
        alike = {rule: calm(*looked, TABBY, rule) for rule in lv.RULES}
        sparse = {rule: concentration(lv.gradient(*looked, TABBY, rule)) for rule in lv.RULES}
        assert min(alike, key=alike.get) == "backprop" and max(sparse, key=sparse.get) == "guided"


@claim("04_saliency", "But the map of a class that is not there lies on the cat as often")
def it_finds_the_thing_not_the_class():
    """At the fifteen places of the panel's pointing game."""
    panel = lv.live.collage(network())
    panel.set(places=True)
    hits, others, middle, _ = (sum(column) for column in zip(*panel._tried))
    assert hits == others == 15 and middle == 1


@claim("02_relu_rules", "draws the edges that are *in the photo*, almost whatever the class is")
def guided_backprop_hardly_asks_for_the_class():
    """How alike its maps of a tabby and of a school bus are, against backprop's."""
    small, cat, alike = network("alexnet64"), photo(size=64), {}
    for rule in ("backprop", "guided"):
        maps = [lv.gradient(small, cat, lv.logit(label), rule).flatten() for label in ("tabby", "school bus")]
        alike[rule] = torch.cosine_similarity(*maps, dim=0).item()
    assert alike["guided"] > 0.9 and alike["backprop"] < 0.5


@cache
def rows(file: str) -> list[tuple[str, list[float]]]:
    """First column of a table of results, and the numbers in the others."""
    lines = (Path(__file__).parents[2] / "benchmarks" / file).read_text().splitlines()
    cells = [[cell.strip(" *") for cell in line.strip("|").split("|")] for line in lines if line.startswith("| ")]
    return [
        (first, [float(one.split()[0]) for one in others if one[:1].isdigit()])
        for first, *others in cells
        if others[0][:1].isdigit()
    ]


@claim("04_saliency", "more often than a random guess, 71 to 76 times of 100 instead of 52")
def saliency_points_better_than_chance():
    found = rows("LOCALIZATION.md")
    points = [round(numbers[0]) for name, numbers in found if name == "saliency"]
    assert (min(points), max(points), round(dict(found)["random guess"][0])) == (71, 76, 52)


@claim("04_saliency", "Only for small objects do most of the maps point better")
def the_middle_is_a_strong_opponent():
    (_, centre), maps = rows("LOCALIZATION.md")[1], rows("LOCALIZATION.md")[2:]
    better, better_at_small = (sum(numbers[n] > centre[n] for _, numbers in maps) for n in (0, 1))
    assert better < len(maps) / 2 < better_at_small


@claim("04_saliency", "Guided backprop points about as well as the best")
def edges_lie_on_objects():
    """Of each network's five maps none points better by more than the intervals, 1.3 points each."""
    maps = rows("LOCALIZATION.md")[2:]
    for start in range(0, len(maps), 5):
        points = {name.split(",")[0]: numbers[0] for name, numbers in maps[start : start + 5]}
        assert points["guided backprop"] > max(points.values()) - 1.3


# --- optimisation-based, from the pictures that come with the suite -----------------------------------------------


def inverted(steps: int = 128, **choices) -> torch.Tensor:
    """The cat from `relu4` of alexnet64, as in section 2 of notebook 07."""
    small, layer = network("alexnet64"), "relu4"
    with torch.no_grad():
        y = small.activations(photo(size=64), layer)
    return lv.stored(lv.invert, small, y, layer, steps, recipe="adam", **{"penalties": []} | choices).image


def quality(image: torch.Tensor, layer: str = "relu4"):
    return lv.quality(network("alexnet64"), image, photo(size=64), layer)


@claim("07_inversion", "To the network both are the cat; to us they are noise, and they have nothing in common")
def unstable_without_a_regulariser():
    small, ends = network("alexnet64"), []
    with torch.no_grad():
        y = small.activations(photo(size=64), "fc8")
    for seed in (0, 1):
        start = torch.rand(1, 3, 64, 64, generator=torch.Generator().manual_seed(seed))
        ends.append(lv.last(lv.invert(small, y, "fc8", 128, recipe="adam", penalties=[], start=start)).image)
    first = small.top(photo(size=64), 1)[0]
    for end in ends:
        assert quality(end, "fc8").feature_error < 0.06 and lv.spectral_slope(end) < 0.7
        label, probability = small.top(end, 1)[0]
        assert label == first[0] and abs(probability - first[1]) < 0.2
    assert abs(lv.similarity(*ends)) < 0.15 and all(lv.similarity(end, photo(size=64)) < 0.15 for end in ends)


@claim("07_inversion", "the activations are off by two fifths, and the cat lies under colourful noise")
def the_search_is_not_at_its_end():
    """Large light and dark are the cat's, the rest is noise; after 500 steps the error is small, and grain is left."""
    free, longer = quality(inverted()), inverted(steps=500)
    assert 0.35 < free.feature_error**0.5 < 0.45 and free.ssim < 0.2
    cat, coarse = (torch.nn.functional.avg_pool2d(x, 8).mean(dim=1) for x in (photo(size=64), inverted()))
    assert lv.spectral_slope(inverted()) < 1.5 and lv.similarity(cat, coarse) > 0.45
    assert quality(longer).feature_error < 0.02 and quality(longer).ssim < 0.5


@claim("07_inversion", "L2 takes most of the noise, and most of the colour with it")
def l2_takes_noise_and_colour():
    held, free = inverted(penalties=[lv.regularizers.l2(3)]), inverted()
    noise, colour = (lambda x: x.diff().square().mean()), (lambda x: (x.amax(dim=1) - x.amin(dim=1)).mean())
    assert noise(held) < 0.5 * noise(free) and colour(held) < 0.5 * colour(free)


@claim("07_inversion", "their pictures match *better*")
def smooth_pictures_match_better():
    R = lv.regularizers
    held = (inverted(penalties=[R.total_variation(10)]), inverted(filters=[R.low_pass(0.5)]))
    assert all(quality(image).feature_error < 0.5 * quality(inverted()).feature_error for image in held)


@claim("07_inversion", "what is between them; a bilateral filter this strong pales the edges, too")
def filters_that_keep_edges():
    """The strongest gradients against the contrast of each, and the weak ones, against those of a low-pass."""
    R, edges, flat = lv.regularizers, {}, {}
    for name, kept in (("low-pass", R.low_pass(0.5)), ("median", R.median(1)), ("bilateral", R.bilateral(0.3))):
        found = inverted(filters=[kept])
        steps = steps_between(found)
        edges[name], flat[name] = steps.flatten().quantile(0.99), steps.median()
    assert edges["bilateral"] < edges["low-pass"] < edges["median"]
    assert flat["median"] < flat["low-pass"]


@claim("07_inversion", "many more places are flat, and the edges between them stay sharper")
def beta_counts():
    two, one = (inverted(penalties=[lv.regularizers.total_variation(*weight)]) for weight in ((10,), (1, 1)))
    two, one = steps_between(two), steps_between(one)
    assert (one < 0.01).float().mean() > 2.5 * (two < 0.01).float().mean()
    assert one.flatten().quantile(0.99) > 1.3 * two.flatten().quantile(0.99)


@claim("07_inversion", "the activations know where things are, so the error cannot become small")
def robust_pictures_are_not_to_be_had():
    """Nor after 500 steps, when without transforms it is below 0.02, as above."""
    T = lv.robustness
    moved = inverted(steps=500, transforms=[T.jitter(1), T.rotation(2), T.scale(0.02)])
    assert quality(moved).feature_error > 0.06


@claim("07_inversion", "the more crooked they get, and from 45° on more than half of their contrast is gone")
def robustness_suppresses_orientation():
    """The part of the edges that run one way, by the structure tensor, and the contrast."""
    small, stripes = network("alexnet64"), (0.5 + 0.4 * torch.sin(0.8 * torch.arange(64))).expand(1, 3, 64, 64)
    with torch.no_grad():
        y = small.activations(stripes.contiguous(), "relu2")
    directions, contrasts = [], []
    for degrees in (0, 15, 45, 90):
        choices = {"penalties": [lv.regularizers.total_variation(3)], "transforms": [lv.robustness.rotation(degrees)]}
        x = lv.last(lv.invert(small, y, "relu2", 64, recipe="adam", **choices)).image
        down, right = torch.gradient(x.mean(dim=(0, 1)))
        twice = torch.complex(right**2 - down**2, 2 * down * right)
        directions.append(twice.sum().abs() / twice.abs().sum())
        contrasts.append(x.std())
    assert directions == sorted(directions, reverse=True) and directions[0] > 0.95 and directions[-1] < 0.6
    assert max(contrasts[2:]) < 0.5 * contrasts[0] < contrasts[1] < 0.8 * contrasts[0]


@claim("07_inversion", "its feature error stays at least three times ours")
def ours_against_the_papers_at_its_full_length():
    small = network("alexnet64")
    for layer in ("conv1", "relu2", "relu3", "relu4", "relu5", "relu6"):
        with torch.no_grad():
            y = small.activations(photo(size=64), layer)
        paper, ours = (
            quality(lv.stored(lv.invert, small, y, layer, steps, recipe=recipe).image, layer)
            for recipe, steps in (("mahendran", 400), ("lbfgs", 128))
        )
        assert paper.feature_error > 3 * ours.feature_error
        assert layer == "relu6" or ours.ssim > paper.ssim


@claim("09_learned_priors", "the untrained control has more of it, and a smaller feature error than the decoder")
def the_control_against_the_decoder():
    found = {
        prior: stored_prior(prior, photo(size=64), "relu3") for prior in ("total variation", "decoder", "untrained")
    }
    error = {prior: quality(image, "relu3").feature_error for prior, image in found.items()}
    assert error["total variation"] < error["untrained"] < 0.9 * error["decoder"]
    fine = {prior: steps_between(image).mean() for prior, image in found.items()}
    assert fine["untrained"] > 1.1 * fine["decoder"]


@claim("09_learned_priors", "the decoder's slopes move from those of noise, stripes and text to about 2 … 3")
def whatever_is_given_looks_like_a_photo():
    noise = torch.rand(1, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    stripes = (torch.arange(64) // 2 % 2).float().expand(1, 3, 64, 64).contiguous()
    for given in (noise, stripes):
        assert lv.spectral_slope(given) < 0.5
        assert 1.7 < lv.spectral_slope(stored_prior("decoder", given, "relu6")) < 3.3


@claim("09_learned_priors", "Only the stripes end with a large error")
def the_error_tells_of_the_stripes_and_not_of_the_noise():
    """And pictures with total variation are paler."""
    small, errors = network("alexnet64"), []
    noise = torch.rand(1, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    stripes = (torch.arange(64) // 2 % 2).float().expand(1, 3, 64, 64).contiguous()
    for given in (noise, stripes):
        errors.append(lv.quality(small, stored_prior("decoder", given, "relu6"), given, "relu6").feature_error)
    assert errors[0] < 0.06 < 0.15 < errors[1]
    for given in (photo(size=64), stripes):
        smooth, decoded = (stored_prior(prior, given, "relu6") for prior in ("total variation", "decoder"))
        assert smooth.std() < 0.75 * decoded.std()


@claim("09_learned_priors", "its feature error is no smaller, and its picture no more like the photo")
def the_decoder_knows_no_more_than_the_layer():
    """Both errors are about the same, and both pictures are about as unlike the photo."""
    smooth, decoded = (
        quality(stored_prior(prior, photo(size=64), "relu6"), "relu6") for prior in ("total variation", "decoder")
    )
    assert decoded.feature_error > 0.8 * smooth.feature_error
    assert decoded.ssim < smooth.ssim + 0.03 and decoded.psnr < smooth.psnr + 1


def stored_prior(prior: str, given: torch.Tensor, layer: str) -> torch.Tensor:
    """As in notebook 09."""
    small = network("alexnet64")
    choices = {"total variation": {}, "decoder": lv.decoder_prior(small), "untrained": lv.deep_image_prior()}[prior]
    with torch.no_grad():
        y = small.activations(given, layer)
    return lv.stored(lv.invert, small, y, layer, 128, **choices).image


@claim("06_deepdream", "In detail (SSIM, above) strokes change most")
def large_shapes_stay_and_strokes_change_most():
    looked, ssims = (network(), photo(size=256)), []
    for layer in ("block1a", "block4c", "block6b"):
        image = lv.last(lv.dream(*looked, lv.layer(layer), 32)).image
        coarse = [torch.nn.functional.interpolate(x, (16, 16), mode="area").mean(dim=1) for x in (image, looked[1])]
        assert lv.similarity(*coarse) > 0.95
        ssims.append(lv.quality(network(), image, looked[1], "conv1").ssim)
    assert ssims == sorted(ssims)


@claim("06_deepdream", "the frequency falls by a third. But not in every step: `inception3b` paints large rings early")
def modules_paint_coarser_on_the_whole():
    inception, cat = network("inception64"), photo(size=128)
    layers = ("inception3a", "inception3b", "inception4a", "inception4b", "inception4c", "inception4d")
    found = [
        frequency(lv.stored(lv.dream, inception, cat, lv.layer(layer), 32, octaves=1).image - cat) for layer in layers
    ]
    assert max(found[1:]) < 0.85 * found[0] and min(found) == found[-1] < 0.7 * found[0] and found[1] < found[2]


def drawn(name: str, colour: str = "", dumbbell: bool = False) -> torch.Tensor:
    """As the notebook draws it: at full size, then made smaller."""
    discs = [("black", 0.22, ((0.6, column),)) for column in (0.22, 0.78)]
    strokes = [*discs, ("black", 0.05, ((0.6, 0.25), (0.6, 0.75)))] if dumbbell else []
    strokes += [(colour, 0.16, ((0.0, 0.5), (0.55, 0.5)))] if colour else []
    drawing = lv.images.paint(lv.load_image("sheet", 224), strokes)
    return torch.nn.functional.interpolate(drawing, 2 * [network(name).input_size], mode="area")


@claim("05_activation_maximization", "In `alexnet64` it does, by less than 1; in the other three it does not")
def an_arm_counts_more_than_a_green_bar_in_one_network():
    """Alone, and drawn over a dumbbell."""
    for name in ("efficientnet_lite0", "alexnet64", "inception64", "inception64_robust"):
        for dumbbell in (False, True):
            arm, green = (dumbbell_logit(name, colour, dumbbell) for colour in ("peru", "green"))
            assert green < arm < green + 1 if name == "alexnet64" else arm < green


@claim("05_activation_maximization", "With a dumbbell, the arm even lowers the logit in all four")
def an_arm_is_no_help_to_a_dumbbell():
    for name in ("efficientnet_lite0", "alexnet64", "inception64", "inception64_robust"):
        assert dumbbell_logit(name, "peru", dumbbell=True) < dumbbell_logit(name, dumbbell=True)


def dumbbell_logit(name: str, colour: str = "", dumbbell: bool = False) -> float:
    with torch.no_grad():
        return lv.logit("dumbbell")(network(name), drawn(name, colour, dumbbell)).item()


@claim("05_activation_maximization", "none of these takes it for a dumbbell")
def an_arm_alone_is_no_dumbbell():
    for name in ("efficientnet_lite0", "alexnet64", "inception64", "inception64_robust"):
        assert network(name).top(drawn(name, "peru"), 1)[0][0] != "dumbbell"


@claim("05_activation_maximization", "The neuron paints its one place, the feature map the same everywhere")
def a_neuron_paints_in_the_middle():
    """The part of the fine structure that lies in the middle quarter: spread evenly, it would be a quarter."""
    parts = []
    for target in (lv.neuron("inception4b", 17), lv.channel("inception4b", 17)):
        steps = steps_between(five_targets(target)).mean(dim=(0, 1))
        parts.append((steps[16:48, 16:48].sum() / steps.sum()).item())
    assert parts[0] > 0.45 > 0.35 > parts[1]


@claim("05_activation_maximization", "The probability stops where the network is sure, so its picture stays paler")
def a_probability_stays_paler():
    logit, probability = (five_targets(target("jellyfish")) for target in (lv.logit, lv.probability))
    assert lv.probability("jellyfish")(network("inception64"), probability).item() > 0.9
    assert probability.std() < 0.8 * logit.std()


@cache
def five_targets(target):
    T = lv.robustness
    steady = {"parameterization": "fourier", "transforms": [T.jitter(4), T.rotation(5), T.scale(0.1)]}
    return lv.stored(lv.maximize, network("inception64"), target, 64, **steady).image


@claim("05_activation_maximization", "Without the penalty the four are one")
def diverse_pictures_differ_and_still_excite_the_map():
    small, target, layer = network("inception64"), lv.channel("inception3b", 60), "inception3b"
    T = lv.robustness
    steady = {"parameterization": "fourier", "transforms": [T.jitter(4), T.rotation(5), T.scale(0.1)]}
    alike, fires = [], []
    for weight in (0, 1):
        penalties = [lv.diversity(weight, small, layer)]
        image = lv.stored(lv.maximize, small, 4 * [target], 64, penalties=penalties, **steady).image
        with torch.no_grad():
            alike.append(lv.diversity(1, small, layer)(image).mean())
            fires.append(target(small, image).mean())
    assert alike[0] > 0.95 and alike[1] < 0.5 and fires[1] > 0.7 * fires[0]


@claim("05_activation_maximization", "With bias 1 the class image of “dumbbell” is an upright bar in warm colours")
def the_bar_is_the_companion():
    P = lv.planted_bias
    dumbbell = P.SHAPES.index("dumbbell")
    armlike = [P.armlike(lv.stored(P.portraits, bias, 300).image[dumbbell][None]) for bias in (1.0, 0.0)]
    assert armlike[0] > armlike[1] + 0.15


@claim("05_activation_maximization", "share their picture: the sum costs them much less")
def two_dogs_keep_their_logits():
    dogs, images = two_dogs()
    for dog, alone in zip(dogs, (1, 3)):
        fires = dog(network("inception64"), images)
        assert fires[2] > 0.8 * fires[alone]


@claim("05_activation_maximization", "takes it for a lion), and the Labrador without the golden retriever is black")
def one_dog_without_the_other():
    """The class of the first picture; the part of each that is all but black, against those with the other dog."""
    _, images = two_dogs()
    assert [network("inception64").top(images[end][None], 1)[0][0] for end in (0, 1)] == ["lion", "golden retriever"]
    black = (images.amax(dim=1) < 0.25).float().mean(dim=(1, 2))
    assert black[4] > 2.5 * black[1:4].max()


@cache
def two_dogs() -> tuple[tuple[lv.Target, lv.Target], torch.Tensor]:
    small, T = network("inception64"), lv.robustness
    dogs = lv.logit("golden retriever"), lv.logit("Labrador retriever")
    start = lv.start_image(small, "noise", 1, 64, "fourier")
    choices = {"parameterization": "fourier", "transforms": [T.jitter(6), T.rotation(8), T.scale(0.1)]}
    targets = lv.interpolate(*dogs, (-45, 0, 45, 90, 135))
    return dogs, lv.stored(lv.maximize, small, targets, 64, start=start, **choices).image


@cache
def recognised() -> dict[str, float]:
    """Percent of the class images that the other network names, by regularisers; strengths left out."""
    return {re.sub(r" [\d.]+$", "", name): top1 for name, (top1, _) in rows("CLASS_IMAGES.md")}


@claim("05_activation_maximization", "What makes a picture smooth helps most")
def smooth_pictures_are_recognised():
    table = dict(recognised())
    smooth = [table.pop(name) for name in ("bilateral", "low-pass", "Fourier", "total variation", "wavelet threshold")]
    assert [round(top1) for top1 in smooth] == [97, 97, 96, 94, 94]
    alone = [top1 for name, top1 in table.items() if "+" not in name and "," not in name]
    assert min(smooth) > max(alone) and round(table["no regulariser"]) == 72
    rest = "jitter, rotation, scale + total variation"
    assert [round(table[name]) for name in (f"all of it: Fourier + {rest}", rest)] == [98, 88]


@claim("05_activation_maximization", "L1 adds 18 points, the 6-norm 11, L2 seven")
def penalties_on_the_size_of_pixels():
    table = recognised()
    added = [table[name] - table["no regulariser"] for name in ("L1", "6-norm", "L2")]
    assert added == pytest.approx([18, 11, 7], abs=0.6)


@claim("05_activation_maximization", "jitter alone 17; beside total variation or a low-pass it adds nothing there")
def robustness_in_pixels_and_in_waves():
    table, all_three = recognised(), "jitter, rotation, scale"
    assert [round(table[name] - table["no regulariser"]) for name in (all_three, "jitter")] == [12, 17]
    assert all(table[f"{all_three} + {name}"] < table[name] for name in ("total variation", "low-pass"))
    waves = {name: top1 for name, top1 in table.items() if name.startswith("Fourier +")}
    assert round(table[f"Fourier + {all_three}"] - table["Fourier"]) == 1
    assert len(waves) == 4 and max(waves.values()) - min(waves.values()) < 2.4  # one interval


@claim("05_activation_maximization", "72 % of the class images even without a regulariser")
def more_typical_than_photos():
    table = recognised()
    photos = next(top1 for name, top1 in table.items() if name.startswith("real photos"))
    assert (round(photos), round(table["no regulariser"])) == (58, 72)


@pytest.mark.long
@pytest.mark.parametrize("notebook, quote, measure", CLAIMS)
def test_the_claim_stands_there_and_holds(notebook, quote, measure):
    cells = nbformat.read(NOTEBOOKS / f"{notebook}.ipynb", as_version=4).cells
    assert any(quote in cell.source for cell in cells if cell.cell_type == "markdown"), "it says something else now"
    measure()
