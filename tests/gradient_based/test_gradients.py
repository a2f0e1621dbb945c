"""The gradient against autograd spelled out, against finite differences, and on every torchvision classifier."""

import copy
import re

import pytest
import torch

import lecture_viz as lv
from lecture_viz.networks import names

# one of each family, the smallest; `make sweep` takes them all
FAMILIES = (
    *("alexnet", "convnext_tiny", "densenet121", "efficientnet_b0", "efficientnet_v2_s", "googlenet", "inception_v3"),
    *("maxvit_t", "mnasnet0_5", "mobilenet_v2", "mobilenet_v3_small", "regnet_x_400mf", "regnet_y_400mf", "resnet18"),
    *("resnext50_32x4d", "shufflenet_v2_x0_5", "squeezenet1_0", "swin_t", "swin_v2_t", "vgg11", "vgg11_bn", "vit_b_32"),
    "wide_resnet50_2",
)
QUICK = ("alexnet", "googlenet", "mobilenet_v2", "resnet18")  # and `make quick` takes these


def marked(name: str) -> list[pytest.MarkDecorator]:
    return [] if name in QUICK else [pytest.mark.long if name in FAMILIES else pytest.mark.sweep]


EVERY = [pytest.param(name, marks=marked(name)) for name in names()]


def test_the_families_are_all_there():
    family = re.compile(r"[a-z]+(_v2|_v3|_[xy])?")
    assert {*FAMILIES} <= {*names()}
    assert {family.match(name)[0] for name in names()} == {family.match(name)[0] for name in FAMILIES}


@pytest.mark.parametrize("name", EVERY)
def test_backprop_is_autograd_bit_for_bit_on_every_torchvision_classifier(name):
    network = lv.load_network(name, weights=None, device="cpu")
    takes_one_size_only = name.startswith(("vit", "maxvit"))
    too_small_for_64 = name.startswith("inception")
    size = network.input_size if takes_one_size_only else 96 if too_small_for_64 else 64
    photo = lv.load_image("cat", size)
    if name.startswith("vit"):
        network.module.heads.head.weight.normal_()  # torchvision starts it at zero: nothing would come back

    x = photo.clone().requires_grad_()
    logits = network.module((x - network.mean) / network.std)
    best = logits.argmax().item()  # SqueezeNet ends in a ReLU: another class may be silent
    logits[0, best].backward()

    target = lv.logit(best)
    found = lv.sensitivity(network, photo, target)
    assert found.gradient.any()
    assert torch.equal(lv.gradient(network, photo, target), x.grad)
    assert torch.equal(found.gradient, x.grad)
    assert torch.equal(found.value, logits[:, best].detach())
    functions = {type(m).__name__ for m in network.modules()}
    if others := functions & {"SiLU", "GELU", "Hardswish"}:  # whatever ReLUs it has beside them
        with pytest.raises(ValueError, match=f"this network has ({'|'.join(others)}) in their place"):
            lv.gradient(network, photo, target, "guided")
    else:
        assert found.relus > 0
        assert not torch.equal(lv.gradient(network, photo, target, "guided"), x.grad)


@pytest.mark.parametrize(
    "target",
    [
        lv.logit("tabby"),
        lv.probability("tabby"),
        lv.neuron("conv3", 12, y=4, x=7),
        lv.channel("relu4", 3),
        lv.layer("pool5"),
        lv.logit("tabby") - 0.5 * lv.logit("lemon") + lv.channel("conv2", 1) / 3,
    ],
    ids=repr,
)
def test_equals_finite_differences(network, cat, target):
    exact, x = copy.deepcopy(network).double(), cat.double()
    gradient = lv.gradient(exact, x, target)
    assert gradient.any()
    random = torch.Generator().manual_seed(0)
    for _ in range(5):
        direction = torch.randn(x.shape, generator=random, dtype=x.dtype) + gradient / gradient.norm()
        direction /= direction.norm()
        measured = (target(exact, x + 1e-7 * direction) - target(exact, x - 1e-7 * direction)) / 2e-7
        assert measured.item() == pytest.approx((gradient * direction).sum().item(), rel=1e-4, abs=1e-7)


def test_images_of_a_batch_do_not_see_each_other(network, cat):
    coffee = lv.load_image("coffee", 64)
    both = lv.gradient(network, torch.cat([cat, coffee]), lv.logit(3))
    alone = torch.cat([lv.gradient(network, photo, lv.logit(3)) for photo in (cat, coffee)])
    torch.testing.assert_close(both, alone)


def test_saliency_is_the_maximum_over_colours_of_the_magnitude(network, cat):
    gradient = lv.gradient(network, cat, lv.logit("tabby"))
    saliency = lv.saliency(network, cat, lv.logit("tabby"))
    assert saliency.shape == (1, 1, 64, 64)
    for y, x in [(0, 0), (20, 31), (63, 63)]:
        assert saliency[0, 0, y, x] == max(abs(gradient[0, k, y, x].item()) for k in range(3))


def test_the_gradient_of_a_filter_is_the_filter(network, cat):
    gradient = lv.gradient(network, cat, lv.neuron("conv1", 5, y=30, x=20))
    filters = network.module.conv1.weight[5] / network.std[0]
    torch.testing.assert_close(gradient[0, :, 28:33, 18:23], filters)
    gradient[0, :, 28:33, 18:23] = 0
    assert not gradient.any()


def test_the_photo_is_left_alone(network, cat):
    photo = cat.clone()
    lv.gradient(network, photo, lv.logit(0))
    assert torch.equal(photo, cat) and not photo.requires_grad and photo.grad is None


def test_works_where_gradients_are_switched_off(network, cat):
    expected = lv.gradient(network, cat, lv.logit(0))
    with torch.no_grad():
        assert torch.equal(lv.gradient(network, cat, lv.logit(0)), expected)


@pytest.mark.parametrize(
    "image, message",
    [
        (torch.full((1, 3, 64, 64), torch.nan), "NaN"),
        (torch.full((1, 3, 64, 64), 255.0), r"pixels lie in \[0, 1\].*255"),
        (torch.zeros(3, 64, 64), r"\(B, 3, H, W\)"),
        (torch.zeros(0, 3, 64, 64), r"there is no picture in an image \(0, 3, 64, 64\); give at least one"),
        (torch.zeros(1, 3, 64, 64, dtype=torch.uint8), "float"),
        ("cat", "use load_image"),
    ],
)
def test_what_is_not_an_image_is_refused(network, image, message):
    with pytest.raises(ValueError, match=message):
        lv.gradient(network, image, lv.logit(0))


def test_a_network_that_detaches_is_refused(cat):
    class Detached(torch.nn.Module):
        def forward(self, x):
            return x.detach().flatten(1)[:, :2]

    with pytest.raises(ValueError, match="does not depend on the picture"):
        lv.gradient(lv.wrap(Detached(), 64), cat, lv.logit(0))
