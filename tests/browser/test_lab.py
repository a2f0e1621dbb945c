"""The notebooks in JupyterLab in a real browser, used as a student would.

One is run whole; the other tests open panels alone. That a picture is what its code makes is asked here of two panels,
and without a browser of all (`tests/live/test_presets.py`).
"""

import io
import re

import numpy as np
import pytest
from lab import ENDLESS, NOTEBOOKS, Lab, LabPanel, barriers, eventually, stored_pictures
from PIL import Image
from PIL.Image import Resampling
from playwright.sync_api import expect

import lecture_viz as lv
from lecture_viz.maps import EXACT, show_magnitude, show_signed, to_array

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def net():
    return lv.load_network("efficientnet_lite0", device="cpu")


def gradient_picture(net, target, rule="backprop", photo="cat") -> np.ndarray:
    return to_array(show_signed(lv.gradient(net, lv.load_image(photo, net.input_size), target, rule)))


def screen_shows(panel: LabPanel, number: int, expected: np.ndarray) -> None:
    """What is painted on the screen, not only what was sent: centres of enlarged pixels, means of smaller ones."""
    picture = panel.root.locator("img.lv-picture").nth(number)

    def painted() -> None:
        picture.scroll_into_view_if_needed()
        taken = picture.screenshot(style=".lv-marks, .lv-tools, .lv-reading { visibility: hidden }")
        shot = np.asarray(Image.open(io.BytesIO(taken)).convert("RGB")).astype(int)
        side = len(expected)
        if side > EXACT:
            seen, right = (
                np.asarray(Image.fromarray(p.astype(np.uint8)).resize((14, 14), Resampling.BOX))
                for p in (shot, expected)
            )
        else:
            rows, columns = (((np.arange(side) + 0.5) * n / side).astype(int) for n in shot.shape[:2])
            seen, right = shot[np.ix_(rows, columns)], expected
        assert (abs(seen.astype(int) - right) <= 12).mean() > 0.97

    eventually(painted)


def several_pictures_come(panel: LabPanel, number: int) -> None:
    """It grows while one watches."""
    sources = set()

    def come() -> None:
        sources.add(panel.source(number))
        assert len(sources) >= 4

    eventually(come)


@pytest.mark.parametrize(
    "notebook",
    [
        pytest.param(file.name, marks=[] if file.name.startswith(("00", "05")) else pytest.mark.sweep)
        for file in sorted(NOTEBOOKS.glob("[0-9]*.ipynb"))
    ],
)
def test_a_file_just_opened_shows_its_stored_pictures(desk, notebook):
    opened = desk.open(notebook)
    page, stored = opened.page, stored_pictures(NOTEBOOKS / notebook)
    pictures = page.locator(".jp-OutputArea img")
    assert stored > 0
    expect(pictures).to_have_count(stored)
    assert page.locator(".jp-OutputArea", has_text="Error displaying widget").count() == 0
    for n in range(stored):
        assert len(pictures.nth(n).get_attribute("alt")) > 10


def test_all_cells_run_to_their_end(desk):
    """Nbval runs those of all notebooks, and the tests below all panels; here they are together.

    So are those of the first notebook where a student installs the package (`test_wheel.py`).
    """
    opened = desk.open("05_activation_maximization.ipynb")
    page = opened.page
    assert opened.run_all() == []
    assert opened.panels() > 0
    for number in range(opened.panels()):
        opened.panel(number).shows_what_its_kernel_holds()
    assert page.locator(".jp-OutputArea", has_text="Error displaying widget").count() == 0


def test_start_here(lab, net):
    panel = lab("00_start_here.ipynb").panel()

    cat = lv.load_image("cat", 224)
    panel.shows(0, to_array(cat))
    best = [label for label, _ in net.top(cat, 5)]
    panel.shows(1, gradient_picture(net, lv.logit(best[0]), "guided"))

    panel.handle("guess no.").press("ArrowRight")  # by keyboard
    panel.shows(1, gradient_picture(net, lv.logit(best[1]), "guided"))

    panel.root.locator("select").nth(1).select_option("coffee")
    panel.shows(0, to_array(lv.load_image("coffee", 224)))
    expect(panel.page.locator(".Toastify__toast")).to_have_count(0)  # nor does JupyterLab ask for anything before it


def test_an_upload_and_a_bad_upload(lab, tmp_path):
    notebook: Lab = lab("00_start_here.ipynb")
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
    enlarged = to_array(lv.load_image(picture, 224))
    panel.shows(0, enlarged)
    upload("broken.png")
    panel.root.get_by_role("alert").get_by_text("not a picture that can be read").wait_for()
    panel.shows(0, enlarged)  # nothing is lost


def test_gradients_follow_the_hand(lab, net):
    panel = lab("01_gradients.ipynb").panel()
    tabby = net.label_index("tabby")
    expected = gradient_picture(net, lv.logit("tabby"))
    panel.shows(1, expected)
    screen_shows(panel, 1, expected)
    before = panel.source(1)

    panel.handle("neuron").press("ArrowRight")  # by keyboard
    expected = gradient_picture(net, lv.logit(tabby + 1))
    panel.shows(1, expected)
    assert panel.source(1) != before
    assert panel.readout("neuron") == str(tabby + 1)
    saliency = lv.saliency(net, lv.load_image("cat", 224), lv.logit(tabby + 1))
    panel.shows(2, to_array(show_magnitude(saliency)))

    panel.handle("rule").press("End")
    panel.shows(1, gradient_picture(net, lv.logit(tabby + 1), "guided"))

    panel.drag("layer", to=0.55)  # by mouse
    layer = panel.readout("layer")
    assert layer in net.layers and layer != "fc"
    panel.wait_for_code(f"'{layer}'")
    target = eval(panel.code().split("photo, ")[1].removesuffix(", rule='guided')"), {"lv": lv})
    expected = gradient_picture(net, target, "guided")
    panel.shows(1, expected)
    screen_shows(panel, 1, expected)


def test_a_burst_of_50_values_in_a_second_ends_on_the_last(lab, net):
    notebook: Lab = lab("01_gradients.ipynb")
    panel = notebook.panel()
    start = int(panel.readout("neuron"))
    handle = panel.handle("neuron")
    handle.focus()
    size = panel.root.locator("img.lv-picture").nth(1).bounding_box()
    for _ in range(50):
        notebook.page.keyboard.press("ArrowRight", delay=15)  # ms: as fast as a key is struck
    assert panel.readout("neuron") == str(start + 50)
    label = net.labels[start + 50]
    panel.wait_for_code(repr(label))
    panel.shows(1, gradient_picture(net, lv.logit(label)))
    after = panel.root.locator("img.lv-picture").nth(1).bounding_box()
    assert (size["width"], size["height"]) == (after["width"], after["height"])
    no_worker_is_left(notebook)


def no_worker_is_left(notebook: Lab) -> None:
    running = "import threading; print([t.name for t in threading.enumerate() if 'panel' in t.name])"

    def none_is() -> None:
        assert notebook.run_code(running) == "[]\n"

    eventually(none_is)


def test_a_callback_that_raises_shows_its_message(lab, net):
    panel = lab("01_gradients.ipynb").panel()
    shown = panel.pixels(1)
    panel.run_code("def broken(*_): raise ValueError('the <lamp> went out; switch it on')\npanel.draw = broken")
    panel.handle("neuron").press("ArrowRight")
    panel.root.get_by_role("alert").get_by_text("the <lamp> went out; switch it on").wait_for()
    assert np.array_equal(panel.pixels(1), shown)
    assert "went out" in panel.run_code("panel.wait()")  # and a cell that waits fails

    panel.run_code("del panel.draw")
    panel.handle("neuron").press("ArrowRight")
    panel.shows(1, gradient_picture(net, lv.logit(int(panel.readout("neuron")))))
    expect(panel.root.get_by_role("alert")).to_be_hidden()


def test_code_is_copied_or_the_button_says_that_it_may_not(lab):
    notebook: Lab = lab("01_gradients.ipynb")
    panel = notebook.panel()
    notebook.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    panel.watch()
    panel.press("copy code")
    panel.wait_until_seen("copied")  # it says so for a moment
    assert notebook.page.evaluate("() => navigator.clipboard.readText()") == panel.code()

    notebook.page.evaluate("() => { navigator.clipboard.writeText = () => Promise.reject(new Error('no')); }")
    panel.root.get_by_role("button", name="copy code").click()
    panel.wait_until_seen("select and copy it yourself")
    assert notebook.page.evaluate("() => getSelection().toString().trim()") == panel.code()


@pytest.mark.parametrize("notebook", ["01_gradients.ipynb", "06_deepdream.ipynb"])
def test_a_panel_has_no_barriers_and_fits_into_half_a_window(lab, notebook):
    opened: Lab = lab(notebook)
    panel = opened.panel()
    panel.root.locator("img[alt^='Picture: ']").first.wait_for()
    assert barriers(opened.page, ".lv-panel") == []

    def fits() -> None:
        shown = [part for part in parts.all() if part.is_visible()]
        assert shown
        for box in (part.bounding_box() for part in shown):
            assert box["x"] >= 0 and box["x"] + box["width"] <= width

    parts = panel.root.locator("img.lv-picture, .widget-slider, select")
    for width in (640, 1280):
        opened.page.set_viewport_size({"width": width, "height": 900})
        eventually(fits)


def test_relu_rules_follow_the_typist(lab):
    panel = lab("02_relu_rules.ipynb").panel(0)

    def tables() -> list[list[float]]:
        return [
            [float(cell) for cell in table.locator("td").all_text_contents()]
            for table in panel.root.locator("table.lv-numbers").all()
        ]

    def figure_of_the_lecture() -> None:
        after, backprop, deconvnet, guided = tables()
        assert after == [1, 0, 5, 2, 0, 0, 0, 2, 4]
        assert backprop == [-2, 0, -1, 6, 0, 0, 0, -1, 3]
        assert deconvnet == [0, 3, 0, 6, 0, 1, 2, 0, 3]
        assert guided == [0, 0, 0, 6, 0, 0, 0, 0, 3]

    expect(panel.root.locator("table.lv-numbers")).to_have_count(4)
    figure_of_the_lecture()
    yellow = "rgb(255, 230, 128)"
    cells = panel.root.locator(".lv-cell input")
    colours = [cell.evaluate("e => getComputedStyle(e).backgroundColor") for cell in cells.all()]
    assert [n for n, colour in enumerate(colours) if colour == yellow] == [9, 11, 13, 16]

    first = panel.root.get_by_label("arriving sensitivity, row 1, column 1")
    first.fill("7.5")
    first.press("Tab")

    def follows() -> None:
        assert tables()[1][0] == tables()[3][0] == tables()[2][0] == 7.5
        assert first.evaluate("e => getComputedStyle(e).backgroundColor") != yellow

    eventually(follows)

    panel.handle("ReLUs").press("ArrowRight")
    panel.wait_for_code("lv.two_relus")

    def differ() -> None:
        assert tables()[1] != tables()[2] != tables()[3]

    eventually(differ)


def test_deconvnet_follows_the_hand(lab):
    panel, net = lab("03_deconvnet.ipynb").panel(), lv.load_network("alexnet64", device="cpu")

    def expected() -> np.ndarray:
        """What the line of code below the panel makes."""
        found, last = panel.code().splitlines()
        names = {"lv": lv, "net": net}
        exec(found.replace("30)", "30, progress=False)"), names)
        return to_array(show_signed(eval(last, names)))

    first = expected()
    panel.shows(3, first)
    screen_shows(panel, 3, first)
    patches = panel.source(0)

    panel.handle("which of 9").press("ArrowRight")  # by keyboard
    panel.wait_for_code("found.photos[1]")
    panel.shows(3, expected())
    assert panel.source(0) != patches

    panel.root.get_by_label("where it fires most").uncheck()
    panel.drag("column", to=0.4)  # by mouse
    panel.wait_for_code(f"x={panel.readout('column')})")
    panel.shows(3, expected())

    panel.handle("unpooling").press("End")
    panel.wait_for_code("'sum'")
    panel.shows(3, expected())


def test_saliency_follows_the_hand(lab):
    panel = lab("04_saliency.ipynb").panel(0)
    # a small network, since it makes a hundred gradients here
    panel.root.locator("select").first.select_option("alexnet64 – embedded, no download")
    panel.wait_for_code("lv.load_network('alexnet64')")
    net, cat = lv.load_network("alexnet64", device="cpu"), lv.load_image(lv.load_image("cat", 224), 64)

    def shows_maps(*maps) -> None:
        *signed, last = maps
        expected = [*map(show_signed, signed), show_magnitude(lv.magnitude(last))]
        for n, picture in enumerate(expected, start=1):
            panel.shows(n, to_array(picture))

    def rules(network, target) -> list:
        maps = [lv.gradient(network, cat, target, rule) for rule in lv.RULES]
        return [*maps, maps[0]]

    tabby = net.label_index("tabby")
    shows_maps(*rules(net, lv.logit("tabby")))
    guided = panel.root.locator(".lv-guesses").nth(2)
    expect(guided).to_contain_text(re.compile(r"0\.9[78]"))  # almost the same picture for “school bus”
    screen_shows(panel, 3, to_array(show_signed(lv.gradient(net, cat, lv.logit(tabby), "guided"))))

    panel.handle("neuron").press("ArrowRight")  # by keyboard
    shows_maps(*rules(net, lv.logit(tabby + 1)))

    panel.handle("random").press("ArrowRight")
    panel.wait_for_code("randomized(net, 'fc8')")
    shows_maps(*rules(lv.randomized(net, "fc8"), lv.logit(tabby + 1)))
    guided.get_by_text("trained").wait_for()
    panel.handle("random").press("Home")

    panel.handle("samples").press("ArrowRight")
    panel.wait_for_code("smoothgrad")
    maps = [lv.smoothgrad(net, cat, lv.logit(tabby + 1), 8, rule=rule) for rule in lv.RULES]
    shows_maps(*maps, maps[0])
    panel.handle("samples").press("Home")

    panel.drag("layer", to=0.5)  # by mouse
    panel.wait_for_code(f"'{panel.readout('layer')}'")
    target = eval(panel.code().split("net, photo, ")[1].split(", rule)")[0], {"lv": lv})
    shows_maps(*rules(net, target))


def test_localization_follows_the_hand(lab):
    panel = lab("04_saliency.ipynb").panel(1)

    def box_is_shown() -> None:
        panel.is_made_by_its_code("box", "cup", "photo=cup")
        assert panel.run_code("print(panel.outputs['box'].boxes == [[*made]])").strip() == "True"

    panel.wait_for_code("foreground(saliency, 0.5)")
    box_is_shown()
    panel.drag("threshold", to=0.75)  # by mouse
    panel.wait_for_code(f"foreground(saliency, {float(panel.readout('threshold')):.2g})")
    box_is_shown()
    panel.root.get_by_label("by the colours of the photo").check()
    panel.wait_for_code("foreground_by_colour")
    box_is_shown()


def test_maximization_runs_stops_goes_on_and_saves(lab):
    notebook: Lab = lab("05_activation_maximization.ipynb")
    panel = notebook.panel(0)
    caption = panel.root.locator(".lv-text", has_text="objective").first
    panel.wait_for_text("press start")

    def steps() -> int:
        return int(caption.inner_text().split("step ")[1].split(":")[0])

    panel.handle("steps").press("End")  # as many as there can be
    panel.wait_for_code(f", {ENDLESS}, ")
    panel.press("start")
    several_pictures_come(panel, 0)

    panel.handle("L2").press("ArrowRight")  # while it runs
    panel.wait_for_text("L2:")  # its curve
    panel.wait_for_code("regularizers.l2(60)")
    assert not panel.handle("median").is_visible()
    panel.press("more penalties and filters")
    panel.handle("median").wait_for()
    panel.handle("median").press("ArrowRight")
    panel.wait_for_code("filters=[lv.regularizers.median(1)]")

    panel.press("stop")
    panel.wait_for_text("stopped")
    stopped = steps()
    assert stopped < ENDLESS
    shown = panel.pixels(0)
    no_worker_is_left(notebook)
    assert np.array_equal(panel.pixels(0), shown) and steps() == stopped
    panel.picture_is_the_kernels("image")

    with notebook.page.expect_download() as download:
        panel.root.get_by_role("link", name="picture.png").click()
    saved = np.asarray(Image.open(download.value.path())).astype(int)
    assert abs(saved - shown).mean() < 4  # on screen it is a JPEG, in the file it is exact

    panel.press("resume")

    def goes_on() -> None:
        assert steps() > stopped

    eventually(goes_on)
    panel.press("stop")
    panel.wait_for_text("stopped")


def test_another_bias_trains_another_network(lab):
    """What each of them learns, the sentences say (`tests/sentences`)."""
    panel = lab("05_activation_maximization.ipynb").panel(1)
    panel.run_code("panel.set(steps=40)")
    panel.wait_for_text("press start")
    panel.run_through()
    lessons, learned = panel.source(0), panel.pixels(2)
    panel.run_through(lambda: panel.handle("bias").press("Home"))  # no start is needed
    panel.wait_for_code("Student(bias=0.0)")
    told = [int(step) for step in re.findall(r"step (\d+): accuracy \d+%armlike", "\n".join(panel.seen()))]
    assert min(told) < 20 and max(told) == 40  # from the beginning to its end
    assert panel.source(0) != lessons and not np.array_equal(panel.pixels(2), learned)
    panel.picture_is_the_kernels("image")


def test_dreaming_follows_the_hand(lab):
    panel = lab("06_deepdream.ipynb").panel()
    before = panel.source(0)
    panel.handle("layer").press("Home")
    panel.handle("pixels").press("Home")
    panel.handle("steps").press("Home")
    panel.root.locator("select").nth(2).select_option("coffee")
    panel.wait_for_code("lv.layer('conv1'), 8, octaves=")
    panel.wait_for_code("guide=guide")
    panel.run_through()
    panel.is_made_by_its_code("image")
    assert panel.source(0) != before


def test_inversion_follows_the_hand(lab):
    panel = lab("07_inversion.ipynb").panel()
    panel.wait_for_text("press start")
    panel.handle("steps").press("End")
    panel.wait_for_code(f", {ENDLESS}, ")
    panel.press("start")
    several_pictures_come(panel, 1)
    panel.handle("L2").press("PageUp")  # while it runs
    panel.wait_for_text("L2:")
    panel.press("stop")
    panel.wait_for_text("stopped")
    shown = panel.pixels(1)
    panel.press("resume")
    panel.wait_for_text("s left")
    panel.press("stop")
    panel.wait_for_text("stopped")

    def went_on() -> None:
        assert not np.array_equal(panel.pixels(1), shown)

    eventually(went_on)

    panel.handle("steps").press("Home")
    panel.wait_for_code(", 16, ")
    panel.run_through(lambda: panel.press("4 low-pass"))  # starts at once
    panel.wait_for_code("low_pass(0.5)")
    panel.picture_is_the_kernels("image")


def test_the_strip_of_layers_follows_the_hand(lab):
    notebook: Lab = lab("08_layer_by_layer.ipynb")
    panel = notebook.panel(0)
    panel.handle("steps each").press("Home")
    panel.wait_for_code(", 16)")
    panel.run_through()
    panel.wait_for_text("18 of 18 layers")
    lost = panel.pixels(1)
    panel.handle("layer").press("Home")
    panel.wait_for_code("found['conv1']")
    panel.picture_is_the_kernels("image")
    assert not np.array_equal(panel.pixels(1), lost)

    thief = notebook.panel(1)
    thief.handle("steps").press("Home")
    thief.wait_for_code(", 16, ")
    thief.handle("bits").press("ArrowRight")
    thief.drag("average", to=0.4)
    thief.wait_for_code(f"bits=16, average={thief.readout('average')}")
    thief.run_through()
    thief.wait_for_text(re.compile(r"most like the picture: (found|no\.)"))


def test_priors_and_distributions_follow_the_hand(lab):
    notebook: Lab = lab("09_learned_priors.ipynb")
    panel = notebook.panel(0)
    panel.handle("steps").press("Home")
    panel.wait_for_code(", 16, ")
    for prior in ("decoder", "deep image prior"):
        panel.root.locator("select").nth(1).select_option(prior)
        panel.wait_for_code(prior.replace(" ", "_"))
        panel.run_through()
        panel.picture_is_the_kernels("image")

    panel = notebook.panel(1)
    panel.handle("steps").press("Home")
    panel.wait_for_code(", 16, ")
    panel.drag("layer", to=0.2)
    panel.wait_for_code(f"lv.distribution('{panel.readout('layer')}'")
    panel.run_through()
    panel.picture_is_the_kernels("image")


def test_all_cells_run_in_notebook_7(notebook7, open_page):
    notebook = Lab(open_page(), notebook7, "02_relu_rules.ipynb")
    assert notebook.run_all() == []
    assert notebook.run_code("print('all cells are done')") == "all cells are done\n"
    panel = notebook.panel(1)
    panel.shows_what_its_kernel_holds()
    before = panel.readout("neuron")
    panel.drag("neuron", to=0.6)
    label = lv.load_network("alexnet64", device="cpu").labels[int(panel.readout("neuron"))]
    assert panel.readout("neuron") != before
    panel.wait_for_code(repr(label))
    panel.shows_what_its_kernel_holds()
