"""Static figures carry their text alternative."""

import base64
import re

import pytest
import torch
from matplotlib.figure import Figure

import lecture_viz as lv
from lecture_viz import figures


def test_a_row_shows_each_picture_with_caption_and_alt_text():
    pictures = {"a <photo>": torch.rand(1, 3, 20, 30), "map": torch.rand(1, 3, 64, 64)}
    shown = figures.row(pictures, alt="two pictures", size=100)
    page = shown._repr_html_()
    assert page.count("<img") == page.count("alt=") == 2
    assert 'alt="map: two pictures"' in page and "a &lt;photo&gt;" in page
    assert "width:150px" in page and "height:100px" in page
    for content, picture in zip(re.findall(r"base64,([^\"]+)", page), pictures.values(), strict=True):
        assert torch.equal(lv.load_image(base64.b64decode(content)), (picture * 255).round() / 255)
    assert repr(shown) == "figure: two pictures"


def test_a_grid_has_headers_and_each_picture_its_alt_text():
    rows = {
        f"row {n}": {"left": torch.rand(1, 3, 16, 16), "<right>": torch.full((1, 3, 300, 300), 0.4)} for n in (1, 2)
    }
    page = figures.grid(rows, alt="noise", size=90)._repr_html_()
    assert page.count("<img") == 4 and page.count("height:90px") == 4
    assert 'alt="row 2, left: noise"' in page and ">&lt;right&gt;</th>" in page and page.count('<th scope="col"') == 2
    assert page.count('<th scope="row"') == 2
    assert page.count("data:image/png") == 2 and page.count("data:image/jpeg") == 2  # photos need not be exact
    exact, photo = (lv.load_image(base64.b64decode(code)) for code in re.findall(r"base64,([^\"]+)", page)[:2])
    assert torch.equal(exact, (rows["row 1"]["left"] * 255).round() / 255)
    torch.testing.assert_close(photo, rows["row 1"]["<right>"], atol=0.01, rtol=0)


def test_a_drawing_gets_alt_text_and_an_opaque_background():
    drawing = Figure()
    drawing.add_subplot().plot([1, 2])
    drawing.axes[0].set_xlabel("沿梯度的一步")  # matplotlib has no such letters, the browser has
    page = figures.figure(drawing, alt="a line")._repr_html_()
    assert 'alt="a line"' in page
    content = base64.b64decode(re.search(r"svg\+xml;base64,([^\"]+)", page)[1]).decode()
    assert ">沿梯度的一步</text>" in content
    assert "fill: #ffffff" in content.split("<path", 2)[1]  # the whole of it: white on dark themes, too
    assert figures.figure(drawing, alt="a line")._repr_html_() == page


def test_a_frame_lies_just_inside_its_box():
    photo, box = torch.rand(1, 3, 10, 12) / 2, lv.images.Box(2, 3, 7, 9)
    shown = figures.framed(photo, box)
    assert shown.shape == (1, 3, 40, 48)
    changed = (shown != photo.repeat_interleave(4, 2).repeat_interleave(4, 3)).any(dim=1)[0]
    rim = torch.zeros_like(changed)
    rim[8:28, 12:36] = True
    rim[10:26, 14:34] = False
    assert torch.equal(changed, rim)


def test_a_mosaic_keeps_the_order_and_frames_the_chosen_one():
    pictures = [torch.full((1, 3, n + 1, 5), n / 10) for n in range(5)]  # of different shapes
    mosaic = figures.mosaic(pictures, columns=3, cell=10, chosen=4)
    assert mosaic.shape == (1, 3, 28, 42)
    for n, picture in enumerate(pictures):
        y, x = 14 * (n // 3), 14 * (n % 3)
        assert (mosaic[:, :, y + 2 : y + 12, x + 2 : x + 12] == picture[0, 0, 0, 0]).all()
        colour = mosaic[0, :, y, x].tolist()
        assert colour == pytest.approx([1, 0.55, 0] if n == 4 else [1, 1, 1])
    assert (mosaic[:, :, 14:, 28:] == 1).all()  # an empty place
