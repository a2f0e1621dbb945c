"""Lesson 10 by mouse, key and camera: tiles and layers are chosen, and the dossier is of the unit that stands."""

import random
import re

import pytest
from lab import PANELS, READ, SECONDS, LabPanel, barriers, eventually, in_each, new_page
from playwright.sync_api import Locator, expect

pytestmark = pytest.mark.browser
NOTEBOOK = "10_microscope.ipynb"
PHOTO, MAPS, FLOW = range(3)  # its pictures
WINDOW = 1  # of the panel below
PARTS = 9  # of a dossier, each with its code


def frame(panel: LabPanel, number: int) -> Locator:
    return panel.root.locator(".lv-frame").nth(number)


def place(panel: LabPanel, number: int, y: float, x: float) -> tuple[float, float]:
    """Where on screen the place ``y``, ``x``, as shares of the picture, is; it may be smaller than its frame."""
    frame(panel, number).scroll_into_view_if_needed()
    left, top, width, height = (
        frame(panel, number)
        .locator(".lv-picture")
        .evaluate(
            f"""async image => {{
                {READ}
                await read(image);
                const box = image.getBoundingClientRect();
                const scale = Math.min(box.width / image.naturalWidth, box.height / image.naturalHeight);
                const size = [scale * image.naturalWidth, scale * image.naturalHeight];
                return [box.x + (box.width - size[0]) / 2, box.y + (box.height - size[1]) / 2, ...size];
            }}"""
        )
    )
    return left + x * width, top + y * height


def grid(panel: LabPanel, number: int) -> tuple[int, int]:
    """Rows and columns of its tiles."""
    rows, columns = told(panel, f"[*panel.outputs[{panel.pictures()[number]!r}].grid]")
    return rows, columns


def tile(panel: LabPanel, number: int, row: int, column: int) -> tuple[float, float]:
    """Where on screen the middle of a tile is."""
    rows, columns = grid(panel, number)
    return place(panel, number, (row + 0.5) / rows, (column + 0.5) / columns)


def told(panel: LabPanel, what: str) -> list:
    """What its kernel says; the dossier may be under way."""
    return eval(panel.run_code(f"print({what})"))


def framed(panel: LabPanel, number: int) -> list[int]:
    """The frame over a picture: top, left, bottom, right, in its pixels."""
    return (
        frame(panel, number)
        .locator(".lv-box")
        .evaluate(
            """box => {
                const [x, y, width, height] = ['x', 'y', 'width', 'height'].map(name => +box.getAttribute(name));
                return [y, x, y + height, x + width];
            }"""
        )
    )


def assert_about(layer: str, channel: int | str, codes: list[str]) -> None:
    """Each part is of this unit."""
    for code in codes:
        assert re.search(rf"'{layer}'.*(?<!=)\b{channel}\b", code), code


def chosen(panel: LabPanel, label: str) -> str:
    """What a slider stands at, as sent: what is drawn may be empty while the notebook scrolls."""
    return panel.slider(label).locator(".widget-readout").text_content()


def stands(panel: LabPanel, layer: str, channel: int, parts: int = PARTS) -> None:
    """This unit: its sliders, the caption of the tiles, and every part of the dossier say so, so many at least."""

    def says() -> None:
        assert (chosen(panel, "layer"), chosen(panel, "channel")) == (layer, str(channel))
        assert panel.root.locator(".lv-text", has_text=f"channel {channel} of").count() == 1
        codes = panel.root.locator(".lv-text code").all_text_contents()
        assert len(codes) >= parts
        assert_about(layer, channel, codes)

    eventually(says)


def frame_is_on(panel: LabPanel, row: int, column: int) -> None:
    """Of the tiles, this one is framed."""

    def there() -> None:
        top, left, bottom, right = framed(panel, MAPS)
        shown = told(panel, "[*panel.outputs['maps'].grid, *panel.image('maps').shape[2:]]")
        rows, columns, height, width = shown
        assert int((top + bottom) / 2 / height * rows), int((left + right) / 2 / width * columns) == (row, column)
        assert bottom - top == pytest.approx(height / rows, abs=1)

    eventually(there)


@in_each
def test_a_tile_is_chosen_by_a_click_and_by_arrow_keys(lab):
    panel = lab(NOTEBOOK).panel()
    layer = chosen(panel, "layer")
    channels, columns = told(panel, "[panel.made.result.channels.tolist(), panel.made.result.columns]")
    row, column = 3, 5
    panel.page.mouse.click(*tile(panel, MAPS, row, column))
    for key, rows, across, parts in ((None, 0, 0, 1), ("ArrowRight", 0, 1, 1), ("ArrowDown", 1, 0, PARTS)):
        if key:
            panel.page.keyboard.press(key)
        row, column = row + rows, column + across
        channel = channels[row * columns + column]
        stands(panel, layer, channel, parts)
        frame_is_on(panel, row, column)
        strongest = f"torch.unravel_index(net.activations(photo, {layer!r})[0, {channel}].argmax(), (16, 16))"
        field = told(panel, f"[*lv.receptive_field(net, {layer!r})[tuple(n.item() for n in {strongest})]]")
        assert framed(panel, PHOTO) == field
    expect(frame(panel, MAPS)).to_be_focused()
    panel.shows_what_its_kernel_holds()


@in_each
def test_the_strip_goes_from_layer_to_layer(lab):
    panel = lab(NOTEBOOK).panel()
    layers, channels = told(panel, "[net.layers, lv.flow(net, photo).channels.tolist()]")
    row, column = 1, layers.index("conv4")
    panel.page.mouse.click(*tile(panel, FLOW, row, column))
    for key, step, parts in ((None, 0, 1), ("ArrowRight", 1, 1), ("ArrowRight", 1, 1), ("ArrowLeft", -1, PARTS)):
        if key:
            panel.page.keyboard.press(key)
        column += step
        stands(panel, layers[column], channels[row][column], parts)
    expect(frame(panel, FLOW)).to_be_focused()


@in_each
def test_a_drawing_is_looked_at(lab):
    panel = lab(NOTEBOOK).panel()
    panel.root.locator("select").nth(1).select_option("an empty sheet")
    panel.wait_for_code("lv.load_image('sheet', 64)")
    panel.run_code("panel.wait()")
    before = panel.pixels(MAPS).astype(int)

    def changed() -> bool:
        pixels = panel.pixels(MAPS).astype(int)
        return pixels.shape != before.shape or (abs(pixels - before) > 2).mean() > 0.01

    mouse = panel.page.mouse
    mouse.move(*place(panel, PHOTO, 0.3, 0.3))
    mouse.down()
    mouse.move(*place(panel, PHOTO, 0.7, 0.6), steps=10)
    mouse.up()
    panel.wait_for_code("painted = lv.images.paint(photo, (('black', 0.08, ((0.3")
    # the whole stroke: its beginning is looked at, too
    eventually(lambda: is_true((panel.pixels(PHOTO) == 0).all(axis=-1).sum() > 50))
    eventually(lambda: is_true(changed()))
    for name in ("photo", "maps", "flow"):
        panel.picture_is_the_kernels(name)
    panel.press("undo")
    panel.wait_for_code("lv.activation_maps(net, photo,")
    eventually(lambda: is_true(not changed()))
    assert (panel.pixels(PHOTO) == 255).all()


def is_true(value: bool) -> None:
    assert value


def test_tiles_show_what_channels_look_for(lab):
    panel = lab(NOTEBOOK).panel()
    before = panel.source(MAPS)
    panel.root.get_by_label("tiles").select_option("what they look for")
    panel.wait_for_code("pictures=lv.atlas.read(net, ")
    eventually(lambda: is_true(panel.source(MAPS) != before))
    panel.picture_is_the_kernels("maps")
    expect(panel.root.get_by_label("one scale")).to_be_disabled()
    panel.root.get_by_label("tiles").select_option("where they fire here")
    eventually(lambda: is_true(panel.source(MAPS) == before))


def test_a_hand_in_a_hurry_ends_on_its_last_tile(lab):
    panel = lab(NOTEBOOK).panel()
    layer = chosen(panel, "layer")
    channels, columns = told(panel, "[panel.made.result.channels.tolist(), panel.made.result.columns]")
    clicked = random.Random(0).choices(range(len(channels)), k=200)
    across = grid(panel, MAPS)
    (left, top), (right, bottom) = (place(panel, MAPS, end, end) for end in (0, 1))
    for at in clicked:
        row, column = ((number + 0.5) / count for number, count in zip(divmod(at, columns), across))
        panel.page.mouse.click(left + column * (right - left), top + row * (bottom - top))
    stands(panel, layer, channels[clicked[-1]])
    panel.shows_what_its_kernel_holds()


def test_its_panels_have_no_barriers_and_raise_no_error(lab):
    notebook = lab(NOTEBOOK)
    page = notebook.page
    page.errors.clear()  # what JupyterLab has said while it loaded
    page.set_viewport_size({"width": 1280, "height": 720})
    for number in range(notebook.panels()):
        panel = notebook.panel(number)
        panel.shows_what_its_kernel_holds()
        assert barriers(page, ".lv-panel") == []
        expect(panel.root.get_by_role("alert")).to_have_count(0)
    assert page.errors == []


def test_a_click_on_the_window_goes_on_to_the_layer_before(lab):
    panel = lab(NOTEBOOK).panel(1)
    panel.press("3 a deep neuron")
    panel.wait_for_code("lv.weighted_sum(net, photo, 'conv5'")
    panel.run_code("panel.wait()")
    found = "panel.made.result"
    first = f"{found}.parts.abs().argmax()"
    before, channel, row, column = told(
        panel, f"[{found}.before, {found}.channels[{first}], {found}.rows[1], {found}.columns[1]]"
    )
    panel.page.mouse.click(*tile(panel, WINDOW, 1, 1))  # the middle of the channel that counts most
    panel.wait_for_code(f"lv.weighted_sum(net, photo, {before!r}, {channel}, y={row}, x={column})")
    assert chosen(panel, "layer") == before
    panel.shows_what_its_kernel_holds()


@pytest.fixture
def filmed(eye, room):
    """The microscope where a camera sees the coffee and the rocket in turn, in a kernel of its own."""
    room.clear()
    context = eye.new_context(permissions=["camera"])
    notebook = room.server.open(new_page(context), f"{PANELS}/{NOTEBOOK}")
    assert notebook.run_all() == []
    notebook.page.errors.clear()  # what JupyterLab has said while it loaded
    panel = notebook.panel()
    panel.run_code(f"panel.controls['camera'].patience = {1000 * SECONDS}")
    yield panel
    context.close()
    room.server.stop_kernels()


def test_the_camera_is_followed_and_the_dossier_waits_for_a_pause(filmed):
    panel = filmed
    camera, pause = panel.root.locator(".lv-camera"), panel.root.locator(".lv-text", has_text="pause the camera")
    camera.click()
    expect(camera).to_have_attribute("aria-pressed", "true")

    def frames_come(layer: str) -> None:
        sources = {MAPS: set(), FLOW: set()}

        def come() -> None:
            for picture, seen in sources.items():
                seen.add(panel.source(picture))
            assert min(len(seen) for seen in sources.values()) >= 4
            assert panel.root.locator(".lv-text", has_text=f" in {layer}:").count() == 1

        eventually(come)

    frames_come("relu3")
    expect(pause).not_to_have_count(0)
    for layer in ("conv3", "pool2", "relu2"):
        panel.handle("layer").press("ArrowLeft")  # while it runs
        frames_come(layer)
    expect(pause).to_have_count(5)  # what takes a moment, and is of the photo or of this unit
    assert_about("relu2", chosen(panel, "channel"), panel.root.locator(".lv-text code").all_text_contents())
    expect(camera).to_have_attribute("aria-pressed", "true")
    panel.page.keyboard.press("p")
    expect(camera).to_have_attribute("aria-pressed", "false")
    panel.wait_for_code("lv.load_image(frame, 64)")
    stands(panel, "relu2", int(chosen(panel, "channel")))
    expect(pause).to_have_count(0)
    panel.shows_what_its_kernel_holds()
    assert panel.page.errors == []
