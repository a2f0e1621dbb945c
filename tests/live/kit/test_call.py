"""A call computes what its code computes, is equal where its picture is, and writes only what a student can write."""

import pytest
import torch
from panels import made_by

import lecture_viz as lv
from lecture_viz.gradient_based.localization import foreground
from lecture_viz.gradient_based.smoothgrad import means
from lecture_viz.live.kit.call import Call, ForEach, Item, Named, Part, spelled


@pytest.fixture
def about(network, cat):
    return Named("net", network), Named("photo", cat), lv.logit("tabby")


def test_is_written_as_a_student_would_write_it(about, network):
    call = Call.of(lv.gradient, *about, rule="guided")
    assert str(call) == "lv.gradient(net, photo, lv.logit('tabby'), rule='guided')"
    coffee = Named("photo", made_by=Call.of(lv.load_image, "coffee", 64))
    strength = Named("saliency", made_by=Call.of(lv.saliency, about[0], coffee, lv.channel("conv3", 12)))
    assert str(Call.of(foreground, strength, 0.25)).splitlines() == [
        "photo = lv.load_image('coffee', 64)",
        "saliency = lv.saliency(net, photo, lv.channel('conv3', 12))",
        "lv.localization.foreground(saliency, 0.25)",
    ]
    found = Item(Part(Named("found", (network,)), "photos"), 2)
    each = ForEach(Call.of(lv.way_back, torch.relu, found, Named("s"), Named("rule")), "rule", lv.RULES, "lv.RULES")
    assert str(each) == "[lv.way_back(torch.relu, found.photos[2], s, rule) for rule in lv.RULES]"


def test_computes_what_its_code_computes(about, network, cat):
    coffee = Named("photo", made_by=Call.of(lv.load_image, "coffee", 64))
    net, _, target = about
    for call in (
        Call.of(lv.gradient, *about, rule="guided"),
        Part(Call.of(lv.sensitivity, net, coffee, target), "gradient"),
        Item(
            ForEach(Call.of(lv.smoothgrad, net, coffee, target, 16, rule=Named("rule")), "rule", lv.RULES, "lv.RULES"),
            1,
        ),
    ):
        assert torch.equal(call.run(), made_by(str(call), net=network, photo=cat))


def test_grows_as_far_as_its_parts_do(about, network, cat):
    grown = [*Call.of(lv.magnitude, Call.of(lv.smoothgrad, *about, 20)).results({})]
    expected = [lv.magnitude(mean) for mean in means(network, cat, about[2], 20)]
    assert len(grown) == 3
    assert all(torch.equal(one, other) for one, other in zip(grown, expected, strict=True))


def test_tells_what_it_has_made(about):
    known = {}
    strength = Named("strength", made_by=Call.of(lv.saliency, *about))
    (mask,) = Call.of(foreground, strength, 0.3).results(known)
    assert torch.equal(mask, foreground(known["strength"], 0.3))


def test_is_equal_where_its_picture_is(about, network, cat):
    call = Call.of(lv.gradient, *about, rule="guided")
    assert call == Call.of(lv.gradient, Named("net", network), Named("photo", cat), lv.logit("tabby"), rule="guided")
    for other in (
        Call.of(lv.gradient, *about, rule="backprop"),
        Call.of(lv.sensitivity, *about, rule="guided"),
        Call.of(lv.gradient, about[0], Named("photo", cat.clone()), about[2], rule="guided"),
        Call.of(lv.gradient, about[0], about[1], lv.logit("lemon"), rule="guided"),
    ):
        assert call != other
    one, other = (Named("photo", cat.clone(), Call.of(lv.load_image, "cat", 64)) for _ in range(2))
    assert one == other  # loaded in the same way


def test_what_is_not_public_cannot_be_written():
    with pytest.raises(ValueError, match="means is not public: a student could not call it"):
        spelled(means)


def test_another_call_of_the_same_kind(about):
    call = Call.of(lv.smoothgrad, *about, 32, noise=0.1, rule="guided")
    other = call.but(lv.logit("lemon"), 8, rule=None, seed=3)
    assert other == Call.of(lv.smoothgrad, *about[:2], lv.logit("lemon"), 8, noise=0.1, seed=3)
    assert call.but() == call
