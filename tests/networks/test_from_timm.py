"""Networks of timm: the user's own file of weights, random ones, and what is said when nothing can be had."""

import sys

import pytest
import timm
import torch
from huggingface_hub import constants
from safetensors.torch import save_file

import lecture_viz as lv
from lecture_viz.networks import from_timm

NAME = "timm:test_resnet"  # a tiny one that timm has for tests


def test_weights_from_a_file_that_the_user_has(tmp_path):
    torch.manual_seed(3)
    theirs = timm.create_model("test_resnet").eval()
    save_file(theirs.state_dict(), tmp_path / "model.safetensors")
    theirs.to(memory_format=torch.channels_last)  # as ours, which is to be the same to the last bit
    network = lv.load_network(NAME, weights=str(tmp_path / "model.safetensors"), device="cpu")
    photo = lv.load_image("cat", network.input_size)
    x = photo.clone().requires_grad_()
    logits = theirs((x - 0.5) / 0.5)  # this network's own mean and deviation
    assert torch.equal(network(photo), logits.detach())
    logits[0, 285].backward()
    assert torch.equal(lv.gradient(network, photo, lv.logit("Egyptian cat")), x.grad)
    assert lv.sensitivity(network, photo, lv.logit("Egyptian cat"), "guided").relus > 0
    assert network.name == NAME and network.input_size == 160 and "layer1.0" in " ".join(network.layers)


def test_random_weights_are_the_same_every_time():
    one, other = (lv.load_network(NAME, weights=None, device="cpu") for _ in range(2))
    photo = lv.load_image("cat", 160)
    assert torch.equal(one(photo), other(photo))


@pytest.mark.parametrize("proxies", [{}, {"https": "http://proxy:3128"}])
def test_without_a_network_only_the_cache_is_asked(monkeypatch, proxies):
    """A proxy may know the hub; and in the next minute it may be there again."""

    def no_network(*_):
        raise OSError("name or service not known")

    monkeypatch.setattr(from_timm, "getproxies", lambda: proxies)
    monkeypatch.setattr("socket.getaddrinfo", no_network)
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    asked = []

    def downloading(*_, **__):
        asked.append(constants.is_offline_mode())
        no_network()

    monkeypatch.setattr(timm, "create_model", downloading)
    with pytest.raises(lv.WeightsUnavailable, match="not known.*path of a file that you have"):
        lv.load_network(NAME)
    assert asked == [not proxies]
    assert not constants.is_offline_mode()


def test_bad_requests_say_the_mend(tmp_path, monkeypatch):
    with pytest.raises(ValueError, match="timm has no network 'resnot18'; "):
        lv.load_network("timm:resnot18")
    with pytest.raises(lv.WeightsUnavailable, match="cannot be had .*path of a file that you have"):
        lv.load_network(NAME, weights=str(tmp_path / "missing.safetensors"))
    (tmp_path / "broken.safetensors").write_bytes(b"broken")
    with pytest.raises(lv.WeightsUnavailable, match="cannot be had"):
        lv.load_network(NAME, weights=str(tmp_path / "broken.safetensors"))

    def no_network(*_, **__):
        raise OSError("no network here")

    monkeypatch.setattr(timm, "create_model", no_network)
    with pytest.raises(lv.WeightsUnavailable, match="no network here.*efficientnet_lite0"):
        lv.load_network(NAME)
    monkeypatch.setitem(sys.modules, "timm", None)
    with pytest.raises(lv.WeightsUnavailable, match="networks of timm take the package timm: pip install"):
        lv.load_network(NAME)
