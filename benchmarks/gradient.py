"""`lv.gradient` against the bare forward and backward pass, and against Captum."""

import statistics
import warnings
from collections.abc import Iterator

import captum.attr
import torch

import lecture_viz as lv

from .compare import Result, ratio, seconds


def bare(network, photo, layers, pick):
    """The same gradient spelled out: a fresh leaf, the parts up to the layer, one backward pass."""

    def call():
        x = photo.clone().requires_grad_()
        a = (x - network.mean) / network.std
        for part in layers:
            a = part(a)
        return torch.autograd.grad(pick(a), x)[0]

    return call


def results() -> Iterator[Result]:
    warnings.filterwarnings("ignore", "Setting backward hooks", UserWarning)
    network, photo = lv.load_network("alexnet64", device="cpu"), lv.load_image("cat", 64)
    chain = list(network.module)
    names = [name for name, _ in network.module.named_children()]
    tabby = network.label_index("tabby")
    cases = {
        "fc8": (lv.logit("tabby"), lambda a: a[0, tabby]),
        "conv2": (lv.neuron("conv2", 12, y=16, x=16), lambda a: a[0, 12, 16, 16]),
        "conv5": (lv.neuron("conv5", 12, y=8, x=8), lambda a: a[0, 12, 8, 8]),
    }
    for layer, (target, pick) in cases.items():
        ours = lambda target=target: lv.gradient(network, photo, target)  # noqa: E731
        theirs = bare(network, photo, chain[: names.index(layer) + 1], pick)
        assert torch.equal(ours(), theirs())
        what = f"gradient, alexnet64 {layer}: against bare forward + backward"
        yield ratio(what, ours, theirs, 1.03, 1000, "ours looks for NaN and finds the layer by name: 0.1 ms")

    full_size, cat = lv.load_network("efficientnet_lite0", device="cpu"), lv.load_image("cat", 224)
    ours = lambda: lv.gradient(full_size, cat, lv.logit("tabby"))  # noqa: E731
    theirs = bare(full_size, cat, list(full_size.module), lambda a: a[0, 281])
    assert torch.equal(ours(), theirs())
    what = "gradient, efficientnet_lite0 at 224×224: against bare forward + backward, folded and channels last"
    yield ratio(what, ours, theirs, 1.03, 100)
    for rule in ("deconvnet", "guided"):
        ruled = lambda rule=rule: lv.gradient(full_size, cat, lv.logit("tabby"), rule)  # noqa: E731
        yield ratio(f"{rule}, efficientnet_lite0 at 224×224: against the gradient", ruled, ours, 1.2, 100)

    for name in ("alexnet64", "inception64"):
        embedded = lv.load_network(name, device="cpu")
        call = lambda embedded=embedded: lv.gradient(embedded, photo, lv.logit("tabby"))  # noqa: E731
        call()
        times = [seconds(call) for _ in range(100)]
        what, median = f"gradient, {name} output, one photo of 64×64 pixels", 1e3 * statistics.median(times)
        yield Result(what, median, 25, " ms", f"median of 100, the fastest {1e3 * min(times):.1f} ms")

    google, large = lv.load_network("googlenet", weights=None, device="cpu"), lv.load_image("cat", 224)
    m = google.module
    stem = [m.conv1, m.maxpool1, m.conv2, m.conv3, m.maxpool2, m.inception3a]
    target = lv.neuron("inception3a", 3, y=14, x=14)
    ours, theirs = lambda: lv.gradient(google, large, target), bare(google, large, stem, lambda a: a[0, 3, 14, 14])
    assert torch.equal(ours(), theirs())
    yield ratio("gradient, GoogLeNet inception3a: against bare forward + backward", ours, theirs, 1.05)

    saliency = captum.attr.Saliency(google)
    ours = lambda: lv.gradient(google, large, lv.logit(281))  # noqa: E731
    theirs = lambda: saliency.attribute(large.clone().requires_grad_(), target=281, abs=False)  # noqa: E731
    assert torch.equal(ours(), theirs())
    same = "the same passes on both sides; ours also looks for NaN, and 1 % is within the noise"
    yield ratio("gradient, GoogLeNet output: against Captum's Saliency", ours, theirs, 1.0, rounds=80, note=same)

    guided = captum.attr.GuidedBackprop(network)
    ours = lambda: lv.gradient(network, photo, lv.logit(tabby), "guided")  # noqa: E731
    theirs = lambda: guided.attribute(photo.clone().requires_grad_(), target=tabby)  # noqa: E731
    assert torch.equal(ours(), theirs())
    yield ratio("guided, alexnet64 output: against Captum's GuidedBackprop", ours, theirs, 1.0, rounds=200)

    for layer in ("conv3", "inception3a", "inception3b", "inception4a"):
        neuron = captum.attr.NeuronGradient(google, getattr(m, layer))
        target = lv.neuron(layer, 3, y=7, x=7)
        ours = lambda target=target: lv.gradient(google, large, target)  # noqa: E731
        theirs = lambda neuron=neuron: neuron.attribute(large.clone().requires_grad_(), (3, 7, 7))  # noqa: E731
        assert torch.allclose(ours(), theirs(), atol=1e-7)
        yield ratio(f"gradient, GoogLeNet {layer}: against Captum's NeuronGradient", ours, theirs, 0.7, rounds=25)
