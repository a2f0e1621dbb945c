"""The notebooks in JupyterLab in a real browser, used as a student would."""

import io
import re
import time

import numpy as np
import pytest
from lab import Lab, LabPanel, barriers
from PIL import Image
from playwright.sync_api import expect

import lecture_viz as lv
from lecture_viz.images import show_magnitude, show_signed, to_array

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def net():
    return lv.load_network("alexnet64", device="cpu")


def shows(panel: LabPanel, number: int, expected: np.ndarray) -> bool:
    """Whether a picture becomes ``expected``; gradients may differ by rounding, so nearly every pixel within 2."""
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        pixels = panel.pixels(number).astype(int)
        if pixels.shape == expected.shape and (abs(pixels - expected) <= 2).mean() > 0.999:
            return True
        time.sleep(0.1)
    return False


def gradient_picture(net, target, rule="backprop", photo="cat") -> np.ndarray:
    return to_array(show_signed(lv.gradient(net, lv.load_image(photo, 64), target, rule)))


def screenshot_has_picture(panel: LabPanel, number: int, expected: np.ndarray) -> bool:
    """What is painted on the screen, not only what was sent: centres of the enlarged pixels."""
    picture = panel.root.locator("img.widget-image").nth(number)
    picture.scroll_into_view_if_needed()
    shot = np.asarray(Image.open(io.BytesIO(picture.screenshot())).convert("RGB")).astype(int)
    rows, columns = (((np.arange(64) + 0.5) * n / 64).astype(int) for n in shot.shape[:2])
    return (abs(shot[np.ix_(rows, columns)] - expected) <= 12).mean() > 0.97


@pytest.mark.parametrize(
    "notebook",
    [
        "00_start_here.ipynb",
        "01_gradients.ipynb",
        "02_relu_rules.ipynb",
        "03_deconvnet.ipynb",
        "04_saliency.ipynb",
        "05_activation_maximization.ipynb",
        "06_deepdream.ipynb",
        "07_inversion.ipynb",
        "08_layer_by_layer.ipynb",
        "09_learned_priors.ipynb",
    ],
)
def test_a_file_just_opened_shows_its_stored_pictures(lab, notebook):
    page = lab(notebook).page
    pictures = page.locator(".jp-OutputArea img")
    pictures.first.wait_for()
    assert page.locator(".jp-OutputArea", has_text="Error displaying widget").count() == 0
    for n in range(pictures.count()):
        assert len(pictures.nth(n).get_attribute("alt")) > 10


def test_start_here(lab, net):
    notebook: Lab = lab("00_start_here.ipynb")
    assert notebook.run_all() == []
    panel = notebook.panel()

    cat = lv.load_image("cat", 64)
    assert shows(panel, 0, to_array(cat))
    best = [label for label, _ in net.top(cat, 5)]
    assert shows(panel, 1, gradient_picture(net, lv.logit(best[0]), "guided"))

    panel.handle("guess no.").press("ArrowRight")  # by keyboard
    assert shows(panel, 1, gradient_picture(net, lv.logit(best[1]), "guided"))

    panel.root.locator("select").nth(1).select_option("coffee")
    assert shows(panel, 0, to_array(lv.load_image("coffee", 64)))


def test_an_upload_and_a_bad_upload(lab, tmp_path):
    notebook: Lab = lab("00_start_here.ipynb")
    assert notebook.run_all() == []
    panel = notebook.panel()
    picture = np.zeros((64, 64, 3), np.uint8)
    picture[:32] = (200, 40, 40)
    (tmp_path / "mine.png").write_bytes(lv.images.encode(lv.load_image(picture)))
    (tmp_path / "broken.png").write_bytes(b"not a picture at all")

    button = panel.root.get_by_role("button", name="upload")
    expect(button).to_have_text("upload")  # without ipywidgets' count of files

    def upload(name: str) -> None:
        with notebook.page.expect_file_chooser() as chooser:
            button.click()
        chooser.value.set_files(tmp_path / name)

    upload("mine.png")
    assert shows(panel, 0, picture)
    upload("broken.png")
    panel.root.get_by_role("alert").get_by_text("not a picture that can be read").wait_for(timeout=10_000)
    assert shows(panel, 0, picture)  # nothing is lost


def test_gradients_follow_the_hand(lab, net):
    notebook: Lab = lab("01_gradients.ipynb")
    assert notebook.run_all() == []
    panel = notebook.panel()
    tabby = net.label_index("tabby")
    expected = gradient_picture(net, lv.logit("tabby"))
    assert shows(panel, 1, expected)
    assert screenshot_has_picture(panel, 1, expected)
    before = panel.source(1)

    panel.handle("neuron").press("ArrowRight")  # by keyboard
    expected = gradient_picture(net, lv.logit(tabby + 1))
    assert shows(panel, 1, expected)
    assert panel.source(1) != before
    assert panel.readout("neuron") == str(tabby + 1)
    saliency = lv.saliency(net, lv.load_image("cat", 64), lv.logit(tabby + 1))
    assert shows(panel, 2, to_array(show_magnitude(saliency)))

    panel.handle("rule").press("End")
    assert shows(panel, 1, gradient_picture(net, lv.logit(tabby + 1), "guided"))

    panel.drag("layer", to=0.55)  # by mouse
    layer = panel.readout("layer")
    assert layer in net.layers and layer != "fc8"
    panel.wait_for_code(f"'{layer}'")
    target = eval(panel.code().split("photo, ")[1].removesuffix(", rule='guided')"), {"lv": lv})
    expected = gradient_picture(net, target, "guided")
    assert shows(panel, 1, expected)
    assert screenshot_has_picture(panel, 1, expected)


def test_a_burst_of_50_values_in_a_second_ends_on_the_last(lab, net):
    notebook: Lab = lab("01_gradients.ipynb")
    assert notebook.run_all() == []
    panel = notebook.panel()
    start = int(panel.readout("neuron"))
    handle = panel.handle("neuron")
    handle.focus()
    size = panel.root.locator("img.widget-image").nth(1).bounding_box()
    for _ in range(50):
        notebook.page.keyboard.press("ArrowRight", delay=0)
        time.sleep(0.015)
    assert panel.readout("neuron") == str(start + 50)
    label = net.labels[start + 50]
    panel.wait_for_code(repr(label))
    assert shows(panel, 1, gradient_picture(net, lv.logit(label)))
    after = panel.root.locator("img.widget-image").nth(1).bounding_box()
    assert (size["width"], size["height"]) == (after["width"], after["height"])
    time.sleep(2)
    running = "import threading; print([t.name for t in threading.enumerate() if 'panel' in t.name])"
    assert notebook.run_code(running) == "[]\n"


def test_relu_rules_follow_the_typist(lab):
    notebook: Lab = lab("02_relu_rules.ipynb")
    assert notebook.run_all() == []
    panel = notebook.panel(0)

    def tables() -> list[list[float]]:
        return [
            [float(cell) for cell in table.locator("td").all_text_contents()]
            for table in panel.root.locator("table.lv-numbers").all()
        ]

    after, backprop, deconvnet, guided = tables()
    assert after == [1, 0, 5, 2, 0, 0, 0, 2, 4]
    assert backprop == [-2, 0, -1, 6, 0, 0, 0, -1, 3]
    assert deconvnet == [0, 3, 0, 6, 0, 1, 2, 0, 3]
    assert guided == [0, 0, 0, 6, 0, 0, 0, 0, 3]
    yellow = "rgb(255, 230, 128)"
    cells = panel.root.locator(".lv-cell input")
    colours = [cell.evaluate("e => getComputedStyle(e).backgroundColor") for cell in cells.all()]
    assert [n for n, colour in enumerate(colours) if colour == yellow] == [9, 11, 13, 16]

    first = panel.root.get_by_label("arriving sensitivity, row 1, column 1")
    first.fill("7.5")
    first.press("Tab")
    panel.root.locator("td", has_text="7.5").first.wait_for()
    assert tables()[1][0] == tables()[3][0] == tables()[2][0] == 7.5
    assert first.evaluate("e => getComputedStyle(e).backgroundColor") != yellow

    panel.handle("ReLUs").press("ArrowRight")
    panel.wait_for_code("lambda x")
    assert tables()[1] != tables()[2] != tables()[3]


def test_deconvnet_follows_the_hand(lab, net):
    notebook: Lab = lab("03_deconvnet.ipynb")
    assert notebook.run_all() == []
    panel = notebook.panel()

    def expected() -> np.ndarray:
        """What the line of code below the panel makes."""
        found, last = panel.code().splitlines()
        names = {"lv": lv, "net": net}
        exec(found.replace("30)", "30, progress=False)"), names)
        return to_array(show_signed(eval(last, names)))

    first = expected()
    assert shows(panel, 3, first)
    assert screenshot_has_picture(panel, 3, first)
    patches = panel.source(0)

    panel.handle("which of 9").press("ArrowRight")  # by keyboard
    panel.wait_for_code("found.photos[1]")
    assert shows(panel, 3, expected()) and panel.source(0) != patches

    panel.root.get_by_label("where it fires most").uncheck()
    panel.drag("column", to=0.4)  # by mouse
    panel.wait_for_code(f"x={panel.readout('column')})")
    assert shows(panel, 3, expected())

    panel.handle("unpooling").press("End")
    panel.wait_for_code("'sum'")
    assert shows(panel, 3, expected())


def test_saliency_follows_the_hand(lab, net):
    notebook: Lab = lab("04_saliency.ipynb")
    assert notebook.run_all() == []
    panel, cat = notebook.panel(0), lv.load_image("cat", 64)

    def shows_maps(*maps) -> bool:
        *signed, last = maps
        expected = [*map(show_signed, signed), show_magnitude(lv.magnitude(last))]
        return all(shows(panel, n, to_array(picture)) for n, picture in enumerate(expected, start=1))

    def rules(network, target) -> list:
        maps = [lv.gradient(network, cat, target, rule) for rule in lv.RULES]
        return [*maps, maps[0]]

    tabby = net.label_index("tabby")
    assert shows_maps(*rules(net, lv.logit("tabby")))
    guided = panel.root.locator(".lv-guesses").nth(2)
    assert "0.96" in guided.inner_text()  # almost the same picture for “school bus”
    assert screenshot_has_picture(panel, 3, to_array(show_signed(lv.gradient(net, cat, lv.logit(tabby), "guided"))))

    panel.handle("neuron").press("ArrowRight")  # by keyboard
    assert shows_maps(*rules(net, lv.logit(tabby + 1)))

    panel.handle("random").press("ArrowRight")
    panel.wait_for_code("randomized(net, 'fc8')")
    assert shows_maps(*rules(lv.randomized(net, "fc8"), lv.logit(tabby + 1)))
    guided.get_by_text("trained").wait_for()
    panel.handle("random").press("Home")

    panel.handle("samples").press("ArrowRight")
    panel.wait_for_code("smoothgrad")
    maps = [lv.smoothgrad(net, cat, lv.logit(tabby + 1), 8, rule=rule) for rule in lv.RULES]
    assert shows_maps(*maps, maps[0])
    panel.handle("samples").press("Home")

    panel.drag("layer", to=0.5)  # by mouse
    panel.wait_for_code(f"'{panel.readout('layer')}'")
    target = eval(panel.code().split("photo, ")[1].split(", rule)")[0], {"lv": lv})
    assert shows_maps(*rules(net, target))


def test_localization_follows_the_hand(lab):
    notebook: Lab = lab("04_saliency.ipynb")
    assert notebook.run_all() == []
    panel = notebook.panel(1)
    names = {"lv": lv, "net": lv.load_network("inception64", device="cpu"), "photo": lv.load_image("rocket", 64)}

    def box_is_shown() -> bool:
        """The photo is sent as JPEG: the frame's place is what counts."""
        *lines, last = panel.code().splitlines()
        exec("\n".join(lines), names)
        expected = to_array(lv.plots.framed(names["photo"], eval(last, names))).astype(int)
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            if abs(panel.pixels(2).astype(int) - expected).mean() < 4:
                return True
            time.sleep(0.1)
        return False

    panel.wait_for_code("foreground(saliency, 0.5)")
    assert box_is_shown()
    panel.drag("threshold", to=0.75)  # by mouse
    panel.wait_for_code(f"foreground(saliency, {float(panel.readout('threshold')):.2g})")
    assert box_is_shown()
    panel.root.get_by_label("by the colours of the photo").check()
    panel.wait_for_code("foreground_by_colour")
    assert box_is_shown()


def test_activation_maximization(lab):
    notebook: Lab = lab("05_activation_maximization.ipynb")
    assert notebook.run_all() == []
    maximization_runs_stops_goes_on_and_saves(notebook, notebook.panel(0))
    another_bias_trains_another_network(notebook.panel(1))


def maximization_runs_stops_goes_on_and_saves(notebook: Lab, panel: LabPanel) -> None:
    panel.root.locator(".lv-text", has_text="done in").wait_for()  # the run of the cell itself
    press = lambda name: panel.root.get_by_role("button", name=name).click()  # noqa: E731
    caption = panel.root.locator(".lv-text", has_text="objective").first

    def steps() -> int:
        return int(caption.inner_text().split("step ")[1].split(":")[0])

    panel.handle("steps").press("End")  # as many as there can be
    press("start")
    sources = set()
    deadline = time.monotonic() + 30
    while len(sources) < 4 and time.monotonic() < deadline:
        sources.add(panel.source(0))
        time.sleep(0.02)
    assert len(sources) >= 4  # it grows while one watches

    panel.handle("L2").press("ArrowRight")  # while it runs
    panel.root.locator(".lv-text", has_text="L2:").wait_for(timeout=20_000)  # its curve
    panel.wait_for_code("regularizers.l2(1)")
    assert not panel.handle("median").is_visible()
    press("more penalties and filters")
    panel.handle("median").wait_for()
    panel.handle("median").press("ArrowRight")
    panel.wait_for_code("filters=[lv.regularizers.median(1)]")

    started = time.monotonic()
    press("stop")
    panel.root.locator(".lv-text", has_text="stopped").wait_for()
    assert time.monotonic() - started < 2  # 0.3 s and a busy machine
    stopped = steps()
    assert stopped < 512
    shown = panel.pixels(0)
    time.sleep(0.5)
    assert np.array_equal(panel.pixels(0), shown)

    with notebook.page.expect_download() as download:
        panel.root.get_by_role("link", name="picture.png").click()
    assert np.array_equal(np.asarray(Image.open(download.value.path())), shown)

    press("resume")
    deadline = time.monotonic() + 20
    while steps() <= stopped and time.monotonic() < deadline:
        time.sleep(0.05)
    assert steps() > stopped
    press("stop")
    panel.root.locator(".lv-text", has_text="stopped").wait_for()


def another_bias_trains_another_network(panel: LabPanel) -> None:
    caption = panel.root.locator(".lv-text", has_text=re.compile(r"step \d+: accuracy"))

    def armlike() -> float:
        text = caption.text_content()
        found = re.search(r"armlike ([\d.]+)", text)
        assert found, text
        return float(found[1])

    panel.root.locator(".lv-text", has_text="done in").wait_for()
    biased, lessons = armlike(), panel.source(0)
    panel.handle("steps").press("PageDown")
    panel.handle("bias").press("Home")
    panel.wait_for_code("Student(bias=0.0)")
    panel.root.locator(".lv-text", has_text="left").wait_for()  # no start is needed
    panel.root.locator(".lv-text", has_text="done in").wait_for(timeout=60_000)
    assert armlike() < biased - 0.1 and panel.source(0) != lessons


def test_dreaming_follows_the_hand(lab):
    notebook: Lab = lab("06_deepdream.ipynb")
    assert notebook.run_all() == []
    panel = notebook.panel()
    before = panel.source(0)
    panel.handle("layer").press("Home")
    panel.handle("pixels").press("Home")
    panel.handle("steps").press("Home")
    panel.root.locator("select").nth(1).select_option("coffee")
    panel.root.get_by_role("button", name="start").click()
    panel.root.locator(".lv-text", has_text="done in").wait_for(timeout=60_000)
    panel.wait_for_code("lv.layer('conv1'), 8, octaves=")
    panel.wait_for_code("guide=guide")
    inception = lv.load_network("inception64", device="cpu")
    assert shows(panel, 0, made_by(panel, net=inception)) and panel.source(0) != before


def made_by(panel: LabPanel, **names) -> np.ndarray:
    """What the code below the panel makes."""
    *lines, last = panel.code().splitlines()
    names |= {"lv": lv}
    exec("\n".join(lines), names)
    return to_array(eval(last, names))


def press(panel: LabPanel, name: str) -> None:
    panel.root.get_by_role("button", name=name).first.click()


def runs_through(panel: LabPanel, seconds: float = 60) -> None:
    """Press start, and wait for the end."""
    press(panel, "start")
    panel.root.locator(".lv-text", has_text="left").wait_for()
    panel.root.locator(".lv-text", has_text="done in").wait_for(timeout=1000 * seconds)


def test_inversion_follows_the_hand(lab, net):
    notebook: Lab = lab("07_inversion.ipynb")
    assert notebook.run_all() == []
    panel = notebook.panel()
    panel.root.locator(".lv-text", has_text="done in").wait_for()
    panel.handle("steps").press("End")
    press(panel, "start")
    sources, deadline = set(), time.monotonic() + 30
    while len(sources) < 4 and time.monotonic() < deadline:
        sources.add(panel.source(1))
        time.sleep(0.02)
    assert len(sources) >= 4
    panel.handle("L2").press("PageUp")  # while it runs
    panel.root.locator(".lv-text", has_text="L2:").wait_for(timeout=20_000)
    press(panel, "stop")
    panel.root.locator(".lv-text", has_text="stopped").wait_for()
    shown = panel.pixels(1)
    press(panel, "resume")
    panel.root.locator(".lv-text", has_text="left").wait_for()
    press(panel, "stop")
    panel.root.locator(".lv-text", has_text="stopped").wait_for()
    assert not np.array_equal(panel.pixels(1), shown)

    panel.handle("steps").press("Home")
    panel.root.get_by_role("button", name="4 low-pass").click()  # starts at once
    panel.wait_for_code("low_pass(0.5)")
    panel.root.locator(".lv-text", has_text="done in").wait_for(timeout=60_000)
    assert shows(panel, 1, made_by(panel, net=net, photo=lv.load_image("cat", 64)))


def test_the_strip_of_layers_follows_the_hand(lab, net):
    notebook: Lab = lab("08_layer_by_layer.ipynb")
    assert notebook.run_all() == []
    panel, coffee = notebook.panel(0), lv.load_image("coffee", 64)
    panel.root.locator(".lv-text", has_text="18 of 18 layers").wait_for()
    lost = panel.pixels(1)
    panel.handle("layer").press("Home")
    panel.wait_for_code("found['conv1']")
    assert shows(panel, 1, made_by(panel, net=net, photo=coffee)) and not np.array_equal(panel.pixels(1), lost)

    thief = notebook.panel(1)
    thief.handle("steps").press("Home")
    thief.handle("bits").press("ArrowRight")
    thief.drag("average", to=0.4)
    thief.wait_for_code(f"bits=16, average={thief.readout('average')}")
    runs_through(thief)
    thief.root.locator(".lv-text", has_text=re.compile(r"most like the picture: (found|no\.)")).wait_for()


def test_priors_and_distributions_follow_the_hand(lab, net):
    notebook: Lab = lab("09_learned_priors.ipynb")
    assert notebook.run_all() == []
    panel, cat = notebook.panel(0), lv.load_image("cat", 64)
    panel.handle("steps").press("Home")
    for prior in ("decoder", "deep image prior"):
        panel.root.locator("select").nth(1).select_option(prior)
        panel.wait_for_code(prior.replace(" ", "_"))
        runs_through(panel)
        assert shows(panel, 1, made_by(panel, net=net, pictures={"photo": cat}))

    panel = notebook.panel(1)
    panel.handle("steps").press("Home")
    panel.drag("layer", to=0.2)
    panel.wait_for_code(f"lv.distribution('{panel.readout('layer')}'")
    runs_through(panel)
    assert shows(panel, 1, made_by(panel, net=net))


def test_a_callback_that_raises_shows_its_message(lab, net):
    notebook: Lab = lab("01_gradients.ipynb")
    assert notebook.run_all() == []
    panel = notebook.panel()
    shown = panel.pixels(1)
    notebook.run_code("def broken(*_): raise ValueError('the <lamp> went out; switch it on')\npanel.draw = broken")
    panel.handle("neuron").press("ArrowRight")
    panel.root.get_by_role("alert").get_by_text("the <lamp> went out; switch it on").wait_for(timeout=10_000)
    assert np.array_equal(panel.pixels(1), shown)
    assert "went out" in notebook.run_code("panel.wait()")  # and a cell that waits fails

    notebook.run_code("del panel.draw")
    panel.handle("neuron").press("ArrowRight")
    assert shows(panel, 1, gradient_picture(net, lv.logit(int(panel.readout("neuron")))))
    assert panel.root.get_by_role("alert").count() == 0 or not panel.root.get_by_role("alert").is_visible()


@pytest.mark.parametrize("notebook", ["01_gradients.ipynb", "06_deepdream.ipynb"])
def test_a_panel_has_no_barriers_and_fits_into_half_a_window(lab, notebook):
    opened: Lab = lab(notebook)
    assert opened.run_all() == []
    panel = opened.panel()
    panel.root.locator("img[alt^='Picture: ']").first.wait_for()
    assert barriers(opened.page, ".lv-panel") == []
    for width in (1280, 640):
        opened.page.set_viewport_size({"width": width, "height": 720})
        opened.page.wait_for_timeout(500)
        for shown in panel.root.locator("img.widget-image, .widget-slider, select").all():
            if shown.is_visible():
                box = shown.bounding_box()
                assert box["x"] >= 0 and box["x"] + box["width"] <= width


def test_code_is_copied(lab):
    notebook: Lab = lab("01_gradients.ipynb")
    assert notebook.run_all() == []
    panel = notebook.panel()
    panel.root.get_by_role("button", name="copy code").click()
    panel.root.get_by_role("button", name="copied").wait_for()
    assert notebook.page.evaluate("() => getSelection().toString().trim()") == panel.code()


def test_it_works_in_notebook_7(browser, notebook7, net):
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    notebook = Lab(page, notebook7, "01_gradients.ipynb")
    assert notebook.run_all() == []
    assert notebook.run_code("print('all cells are done')") == "all cells are done\n"
    panel = notebook.panel()
    assert shows(panel, 1, gradient_picture(net, lv.logit("tabby")))
    panel.drag("neuron", to=0.6)
    label = net.labels[int(panel.readout("neuron"))]
    assert label != "tabby"
    panel.wait_for_code(repr(label))
    assert shows(panel, 1, gradient_picture(net, lv.logit(label)))
    page.close()
