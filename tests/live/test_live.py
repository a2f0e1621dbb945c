"""The lesson panels: each control does what it says, and the code line makes the picture that is shown."""

import re
from contextlib import suppress

import pytest
import torch
from panels import back_to, made_by, png, upload

import lecture_viz as lv
from lecture_viz.maps import show_magnitude, show_signed, to_array


@pytest.fixture(scope="module")
def shared(network, cat, pictures):
    """One panel of a kind for many tests, with its controls where they were at first."""
    makers = {
        "gradients": lambda: lv.live.gradients(network, cat, label="tabby"),
        "saliency": lambda: lv.live.saliency(network, cat, label="tabby", other="school bus"),
        "deconvnet": lambda: lv.live.deconvnet(network, pictures, layer="relu4", channel=7),
    }
    made = {}

    def panel(name):
        if name not in made:
            new = makers[name]()
            made[name] = new, new.values
        used, values = made[name]
        return back_to(values, used)

    return panel


@pytest.fixture
def gradients(shared):
    return shared("gradients")


@pytest.mark.parametrize(
    "values, code",
    [
        ({}, "lv.sensitivity(net, photo, lv.logit('tabby'), rule='backprop')"),
        ({"rule": "guided"}, "lv.sensitivity(net, photo, lv.logit('tabby'), rule='guided')"),
        ({"neuron": 0}, "lv.sensitivity(net, photo, lv.logit('goldfish'), rule='backprop')"),
        ({"layer": "fc6", "neuron": 7}, "lv.sensitivity(net, photo, lv.neuron('fc6', 7), rule='backprop')"),
        (
            {"layer": "conv3", "neuron": 12, "strongest": False, "row": 8, "column": 3, "rule": "deconvnet"},
            "lv.sensitivity(net, photo, lv.neuron('conv3', 12, y=8, x=3), rule='deconvnet')",
        ),
    ],
)
def test_gradients_shows_what_its_code_makes(gradients, network, cat, values, code):
    gradients.set(**values)
    assert gradients.code() == code
    gradient = made_by(code, net=network, photo=cat).gradient
    shown = {name: lv.load_image(gradients.outputs[name].value) for name in ("photo", "gradient", "magnitude")}
    assert (to_array(shown["photo"]) == to_array(cat)).all()
    assert (to_array(shown["gradient"]) == to_array(show_signed(gradient))).all()
    assert (to_array(shown["magnitude"]) == to_array(show_magnitude(lv.magnitude(gradient)))).all()


def test_gradients_starts_with_the_best_guess(network, cat):
    panel = lv.live.gradients(network, cat)
    assert panel.values["neuron"] == network.label_index(network.top(cat, 1)[0][0])


def test_gradients_follows_the_strongest_place(gradients, network, cat):
    gradients.set(layer="conv4", neuron=20)
    row, column = divmod(network.activations(cat, "conv4")[0, 20].argmax().item(), 16)
    assert (gradients.values["row"], gradients.values["column"]) == (row, column)
    assert gradients.controls["row"].disabled
    gradients.set(strongest=False)
    assert not gradients.controls["row"].disabled
    assert (gradients.values["row"], gradients.values["column"]) == (row, column)


def test_gradients_keeps_every_slider_in_range_through_all_layers(gradients, network, cat):
    for layer in (*network.layers, *reversed(network.layers)):
        gradients.set(layer=layer)
        activation = network.activations(cat, layer)
        assert gradients.controls["neuron"].max == activation.shape[1] - 1
        if activation.ndim == 4:
            assert gradients.controls["row"].max == activation.shape[2] - 1
            assert gradients.controls["column"].max == activation.shape[3] - 1
        assert gradients.controls["strongest"].disabled == (activation.ndim == 2)
        with pytest.raises(ValueError, match=f"neuron is in 0 … {activation.shape[1] - 1}"):
            gradients.set(neuron=activation.shape[1])


def test_gradients_says_when_a_neuron_is_silent(gradients, network, cat):
    activation = network.activations(cat, "relu7")[0]
    silent = (activation == 0).nonzero()[0].item()
    gradients.set(layer="relu7", neuron=silent)
    assert "silent on this photo" in gradients.outputs["gradient caption"].value


def test_gradients_says_how_many_relus_and_the_scale(gradients):
    assert "7 ReLUs" in gradients.outputs["gradient caption"].value
    assert "99.5th percentile" in gradients.outputs["magnitude caption"].value
    gradients.set(layer="conv1")
    assert "the three rules agree" in gradients.outputs["gradient caption"].value


def test_gradients_works_on_a_students_network():
    torch.manual_seed(0)
    module = torch.nn.Sequential(
        torch.nn.Conv2d(3, 4, 3), torch.nn.ReLU(), torch.nn.Flatten(), torch.nn.Linear(4 * 100, 3)
    )
    network = lv.wrap(module, 12, labels=["a<b", "c", "d"])
    panel = lv.live.gradients(network, torch.rand(1, 3, 12, 12), label="a<b")
    assert "a&lt;b" in panel.outputs["photo caption"].value  # a label is text, not HTML
    panel.set(layer="0", neuron=3)


def test_gradients_refuses_in_words_what_it_cannot_do(cat):
    network = lv.load_network("mobilenet_v2", weights=None, device="cpu")  # ReLU6, which no rule is defined for
    panel = lv.live.gradients(network, cat, label="tabby")
    before = panel.outputs["gradient"].value
    with pytest.raises(ValueError, match="no ReLU"):
        panel.set(rule="guided")
    assert panel.outputs["gradient"].value == before
    panel.set(rule="backprop")


# --- ReLU rules ----------------------------------------------------------------------------------------------------


def test_relu_rules_starts_with_the_lectures_figure():
    panel = lv.live.relu_rules()
    assert '<td class="lv-negative">-2</td>' in panel.outputs["backprop"].value
    assert "lv-negative" not in panel.outputs["deconvnet"].value + panel.outputs["guided"].value
    results = made_by(panel.code(), torch=torch)
    assert results[0].tolist() == [[-2, 0, -1], [6, 0, 0], [0, -1, 3]]
    assert results[1].tolist() == [[0, 3, 0], [6, 0, 1], [2, 0, 3]]
    assert results[2].tolist() == [[0, 0, 0], [6, 0, 0], [0, 0, 3]]


def test_relu_rules_marks_negative_sensitivities_yellow():
    panel = lv.live.relu_rules()
    marked = {name for name, cell in panel.controls.items() if "lv-negative" in cell._dom_classes}
    assert marked == {"s11", "s13", "s22", "s32"}
    panel.set(s11=2, s12=-0.5)
    assert "lv-negative" not in panel.controls["s11"]._dom_classes
    assert "lv-negative" in panel.controls["s12"]._dom_classes


@pytest.mark.parametrize("relus", [1, 2])
@pytest.mark.parametrize("preset", ["figure", "zeros"])
def test_relu_rules_shows_what_its_code_makes(relus, preset):
    panel = lv.live.relu_rules().set(preset=preset, relus=relus, x23=1.5, s31=-4)
    for rule, result in zip(lv.RULES, made_by(panel.code(), torch=torch), strict=True):
        shown = panel.outputs[rule].value
        for number in result.flatten().tolist():
            assert f">{number:g}</td>" in shown
        assert shown.count("<td") == 9


def test_relu_rules_diverge_more_through_two_relus():
    panel = lv.live.relu_rules().set(relus=2)
    backprop, deconvnet, guided = made_by(panel.code(), torch=torch)
    assert not torch.equal(backprop, deconvnet) and not torch.equal(deconvnet, guided)
    assert (backprop < 0).any() and not (deconvnet < 0).any() and not (guided < 0).any()


def test_relu_rules_refuses_what_is_no_number():
    panel = lv.live.relu_rules()
    before = panel.outputs["guided"].value
    with pytest.raises(ValueError, match="not a number: type one"):
        panel.set(x11=float("nan"))
    assert panel.outputs["guided"].value == before


# --- start ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def start():
    return lv.live.start()


def test_start_shows_what_its_code_makes(start):
    start.set(photo="coffee", rank=2)
    gradient = made_by(start.code()).gradient
    assert (to_array(start.image("gradient")) == to_array(show_signed(gradient))).all()
    best = start.network.top(start.photo, 5)
    assert repr(best[1][0]) in start.code()
    assert all(label in start.outputs["guesses"].value for label, _ in best)


def test_start_takes_an_upload(start):
    upload(start, png("red"))
    assert start.values["photo"] == "your photo"
    torch.testing.assert_close(start.photo[0, :, 0, 0].cpu(), torch.tensor([1.0, 0, 0]))
    upload(start, png("blue"))  # a second one replaces the first
    torch.testing.assert_close(start.photo[0, :, 0, 0].cpu(), torch.tensor([0.0, 0, 1]))
    start.set(photo="cat").set(photo="your photo")
    assert "your_file" in start.code()


def test_start_changes_the_network(start):
    before = start.outputs["gradient"].value, start.outputs["guesses"].value
    start.set(network="inception64")
    assert start.network.name == "inception64" and "load_network('inception64')" in start.code()
    assert start.outputs["gradient"].value != before[0] and start.outputs["guesses"].value != before[1]
    start.set(network="alexnet64")
    assert (start.outputs["gradient"].value, start.outputs["guesses"].value) == before


def test_start_refuses_a_bad_upload_and_goes_on(start):
    before = start.outputs["photo"].value
    refused = {b"text": "not a picture", png("red", (2, 2)): "at least 8×8", png("red")[:60]: "damaged|not a picture"}
    for content, message in refused.items():
        with pytest.raises(ValueError, match=message):
            upload(start, content)
        assert start.outputs["photo"].value == before
    start.set(photo="rocket")
    assert "rocket" in start.code()


def test_start_without_a_connection_keeps_the_picture(start, tmp_path, monkeypatch):
    def no_network(*_, **__):
        raise OSError("no network here")

    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path))
    monkeypatch.setattr(torch.hub, "download_url_to_file", no_network)
    before = start.outputs["gradient"].value, start.outputs["guesses"].value, start.code()
    with pytest.raises(lv.WeightsUnavailable, match="googlenet"):
        start.set(network="googlenet")
    assert before == (start.outputs["gradient"].value, start.outputs["guesses"].value, start.code())
    assert start.outputs["status"].value == "" and start.network.name == "alexnet64"
    start.set(network="alexnet64")


# --- deconvnet -----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def pictures():
    return [lv.load_image(name, 64) for name in lv.images.BUNDLED_PHOTOS]


@pytest.fixture
def deconvnet(shared):
    return shared("deconvnet")


@pytest.mark.parametrize(
    "values, end",
    [
        ({}, "'write')"),
        ({"which": 2, "unpooling": "sum"}, "'sum')"),
        ({"strongest": False, "row": 3, "column": 8}, "lv.neuron('relu4', 7, y=3, x=8), 'write')"),
        ({"layer": "conv2", "channel": 20}, "'write')"),
    ],
)
def test_deconvnet_shows_what_its_code_makes(deconvnet, network, pictures, values, end):
    deconvnet.set(**values)
    assert deconvnet.code().endswith(end)
    painted = made_by(deconvnet.code(), net=network, pictures=pictures)
    assert (to_array(deconvnet.image("reconstruction")) == to_array(show_signed(painted))).all()
    layer, channel = deconvnet.values["layer"], deconvnet.values["channel"]
    found = lv.top_patches(network, pictures, layer, channel, progress=False)
    chosen = deconvnet.values["which"] - 1
    if deconvnet.values["strongest"]:
        assert repr(found.targets[chosen]) in deconvnet.code()
    assert torch.equal(deconvnet.image("patches"), lv.plots.mosaic(found.patches, chosen=chosen))
    limit = lv.images.stretch(torch.cat([part.flatten() for part in found.reconstructions]))
    shown = [show_signed(part, limit) for part in found.reconstructions]
    assert torch.equal(deconvnet.image("reconstructions"), lv.plots.mosaic(shown, chosen=chosen))


def test_deconvnet_frames_what_the_neuron_sees(deconvnet, network, pictures):
    deconvnet.set(strongest=False, row=6, column=9)
    box = lv.receptive_field(network, "relu4")[6, 9]
    photo = lv.top_patches(network, pictures, "relu4", 7, progress=False).photos[0]
    shown = deconvnet.image("photo")[0]
    changed = (shown != photo[0].repeat_interleave(4, 1).repeat_interleave(4, 2)).any(dim=0).nonzero()
    assert changed.min(dim=0).values.tolist() == [4 * box.top, 4 * box.left]
    assert changed.max(dim=0).values.tolist() == [4 * box.bottom - 1, 4 * box.right - 1]


def test_deconvnet_says_when_a_feature_map_never_fires(network):
    grey = torch.full((1, 3, 64, 64), 0.5)
    fires = network.activations(grey, "relu5")[0].flatten(1).any(dim=1)
    panel = lv.live.deconvnet(network, [grey], layer="relu5", channel=fires.nonzero()[0].item())
    before = panel.outputs["patches"].value
    silent = (~fires).nonzero()[0].item()
    with pytest.raises(ValueError, match=f"channel {silent} of 'relu5' never fires on these pictures .1 seen"):
        panel.set(channel=silent)
    assert panel.outputs["patches"].value == before  # nothing is lost


def test_deconvnet_uses_the_rule_where_the_network_branches(pictures):
    network = lv.load_network("inception64", device="cpu")
    panel = lv.live.deconvnet(network, pictures, layer="inception4a", channel=30)
    assert panel.code().endswith("rule='deconvnet')") and "branches" in panel.outputs["reconstruction caption"].value
    painted = made_by(panel.code(), net=network, pictures=pictures)
    assert (to_array(panel.image("reconstruction")) == to_array(show_signed(painted))).all()


# --- saliency ------------------------------------------------------------------------------------------------------


@pytest.fixture
def saliency(shared):
    return shared("saliency")


@pytest.mark.parametrize(
    "values, code",
    [
        ({}, "[lv.gradient(net, photo, lv.logit('tabby'), rule) for rule in lv.RULES]"),
        ({"score": "probability"}, "[lv.gradient(net, photo, lv.probability('tabby'), rule) for rule in lv.RULES]"),
        ({"samples": 16}, "[lv.smoothgrad(net, photo, lv.logit('tabby'), 16, rule=rule) for rule in lv.RULES]"),
        (
            {"layer": "fc7", "neuron": 3, "random": "fc7"},
            "network = lv.randomized(net, 'fc7')\n"
            "[lv.gradient(network, photo, lv.neuron('fc7', 3), rule) for rule in lv.RULES]",
        ),
    ],
)
def test_saliency_shows_what_its_code_makes(saliency, network, cat, values, code):
    saliency.set(**values)
    assert saliency.code() == code
    maps = made_by(code, net=network, photo=cat)
    for name, gradient in zip(lv.RULES, maps, strict=True):
        assert (to_array(saliency.image(name)) == to_array(show_signed(gradient))).all()
    magnitude = lv.magnitude(maps[0])
    assert (to_array(saliency.image("saliency")) == to_array(show_magnitude(magnitude))).all()


def bars(panel, name: str) -> dict[str, float]:
    """The similarities below a map."""
    rows = re.findall(r"<td>(\w+)</td>.*?<td>([^<]*)</td></tr>", panel.outputs[f"{name} alike"].value)
    return {row: float(number) for row, number in rows}


def test_saliency_says_how_alike_each_map_is(saliency, network, cat):
    saliency.set(random="conv4")
    random = lv.randomized(network, "conv4")
    for rule in lv.RULES:
        shown = lv.gradient(random, cat, lv.logit("tabby"), rule)
        other = lv.gradient(random, cat, lv.logit("school bus"), rule)
        trained = lv.gradient(network, cat, lv.logit("tabby"), rule)
        expected = {"other": lv.similarity(shown, other), "trained": lv.similarity(shown, trained)}
        assert bars(saliency, rule) == pytest.approx(expected, abs=0.005)
    shown, trained = (lv.saliency(net, cat, lv.logit("tabby")) for net in (random, network))
    assert bars(saliency, "saliency")["trained"] == pytest.approx(lv.similarity(shown, trained), abs=0.005)
    assert "random down to conv4" in saliency.outputs["photo caption"].value
    saliency.set(random="none", other=saliency.values["neuron"])  # compared with itself
    assert all(bars(saliency, name) == {"other": 1} for name in (*lv.RULES, "saliency"))


def test_saliency_with_one_scale_for_all(saliency, network, cat):
    saliency.set(one_scale=True)
    maps = [lv.gradient(network, cat, lv.logit("tabby"), rule) for rule in lv.RULES]
    maps.append(lv.saliency(network, cat, lv.logit("tabby")))
    limit = lv.images.stretch(torch.cat([part.flatten() for part in maps]))
    for name, gradient in zip(lv.RULES, maps):
        assert (to_array(saliency.image(name)) == to_array(show_signed(gradient, limit))).all()
        assert f"±{limit:.2g}" in saliency.outputs[f"{name} caption"].value
    assert (to_array(saliency.image("saliency")) == to_array(show_magnitude(maps[3], limit))).all()


def test_saliency_keeps_every_slider_in_range_through_all_layers(saliency, network, cat):
    for layer in (*network.layers, *reversed(network.layers)):
        saliency.set(layer=layer)
        last = network.activations(cat, layer).shape[1] - 1
        assert saliency.controls["neuron"].max == saliency.controls["other"].max == last
        assert saliency.controls["score"].disabled == (layer != "fc8")


def test_saliency_looks_where_a_channel_fires_most(saliency, network, cat):
    saliency.set(layer="conv3", neuron=12, other=5)
    for channel, output in ((12, saliency.code()), (5, saliency.outputs["photo alike"].value)):
        row, column = divmod(network.activations(cat, "conv3")[0, channel].argmax().item(), 16)
        assert f"{channel}, y={row}, x={column})" in output


def test_saliency_says_when_a_neuron_is_silent(saliency, network, cat):
    silent = (network.activations(cat, "relu7")[0] == 0).nonzero()[0].item()
    saliency.set(layer="relu7", neuron=silent)
    assert "silent on this photo" in saliency.outputs["backprop caption"].value
    assert "–" in saliency.outputs["guided alike"].value  # nothing to compare


def test_saliency_grows_and_gives_way_to_newer_values(saliency):
    frames = list(saliency.draw(saliency.values | {"samples": 16}))
    grown = [frame.outputs["saliency"] for frame in frames if "saliency" in frame.outputs]
    assert len(grown) == 2 and not torch.equal(grown[0], grown[1])
    captions = [frame.outputs["saliency caption"] for frame in frames if "saliency caption" in frame.outputs]
    assert "mean of 8 samples" in captions[0] and "mean of 16 samples" in captions[1]
    assert "lv-stale" in frames[0].outputs["guided alike"]  # until the maps it is compared with are there
    assert "lv-stale" not in frames[-1].outputs["guided alike"]
    assert [bool(frame.outputs) for frame in frames] == [True, True, False, False, True]  # also while it compares


# --- localization --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "values, end",
    [
        ({}, "foreground(saliency, 0.3)"),
        ({"threshold": 0.55}, "foreground(saliency, 0.55)"),
        ({"samples": 16}, "foreground(saliency, 0.3)"),
        ({"by_colour": True}, "foreground_by_colour(saliency, photo)"),
        ({"layer": "conv3", "neuron": 12}, "foreground(saliency, 0.3)"),
    ],
)
def test_localization_shows_what_its_code_makes(network, cat, values, end):
    panel = lv.live.localization(network, cat, label="tabby").set(**values)
    assert panel.code().endswith(f"{end}\nlv.localization.box(mask)")
    names = {"net": network, "photo": cat}
    box = made_by(panel.code(), **names)
    assert torch.equal(panel.image("box"), lv.plots.framed(cat, box))
    said = f"rows {box.top} … {box.bottom - 1}, columns {box.left} … {box.right - 1}"
    assert said in panel.outputs["box caption"].value
    *lines, _ = panel.code().splitlines()
    mask = made_by("\n".join([*lines, "mask"]), **names)
    assert torch.equal(panel.image("foreground") == cat, mask.expand(1, 3, 64, 64) | (cat == 0))
    assert panel.controls["threshold"].disabled == panel.values["by_colour"]


def test_localization_of_a_silent_neuron_loses_nothing(network, cat):
    silent = (network.activations(cat, "relu7")[0] == 0).nonzero()[0].item()
    fires = network.activations(cat, "relu7")[0].argmax().item()
    panel = lv.live.localization(network, cat, label="tabby")
    with suppress(ValueError):
        panel.set(layer="relu7")  # the neuron with tabby's number may be silent
    panel.set(neuron=fires)
    before = panel.outputs["box"].value
    with pytest.raises(ValueError, match="zero everywhere: there is nothing to locate; try another neuron"):
        panel.set(neuron=silent)
    assert panel.outputs["box"].value == before
    panel.set(neuron=fires)
