"""A photo in, a tensor out, and back: every kind of file and array, and what is refused."""

import io

import numpy as np
import pytest
import torch
from PIL import Image

import lecture_viz as lv
from lecture_viz import maps, photos


def gradient_picture(width=40, height=30) -> np.ndarray:
    y, x = np.mgrid[:height, :width]
    return np.stack([x * 6, y * 8, 255 - x * 6], axis=2).astype(np.uint8)


def file(picture: Image.Image, format: str = "PNG", **options) -> bytes:
    content = io.BytesIO()
    picture.save(content, format, **options)
    return content.getvalue()


RGB = gradient_picture()
EXPECTED = torch.from_numpy(RGB.transpose(2, 0, 1).copy()).float()[None] / 255


def test_bundled_photos_are_colour_photos():
    for name in photos.BUNDLED_PHOTOS:
        photo = lv.load_image(name, size=64)
        assert photo.shape == (1, 3, 64, 64) and photo.dtype == torch.float32
        assert 0 <= photo.min() < 0.2 and 0.8 < photo.max() <= 1
        assert not torch.equal(photo[:, 0], photo[:, 2])


def test_every_source_gives_the_same_pixels(tmp_path):
    picture = Image.fromarray(RGB)
    path = tmp_path / "photo.png"
    picture.save(path)
    sources = [path, str(path), path.read_bytes(), bytearray(path.read_bytes()), memoryview(path.read_bytes()), picture]
    sources += [
        RGB,
        RGB.astype(np.float32) / 255,
        RGB.astype(np.uint16) * 257,
        EXPECTED,
        EXPECTED[0],
        EXPECTED.double(),
    ]
    for source in sources:
        photo = lv.load_image(source)
        assert photo.dtype == torch.float32
        torch.testing.assert_close(photo, EXPECTED, atol=1e-6, rtol=0)


def test_odd_pictures_become_rgb():
    picture = Image.fromarray(RGB)
    grey = np.asarray(picture.convert("L"))
    alpha = np.full((30, 40), 255, np.uint8)
    alpha[:, :20] = 0
    transparent = Image.fromarray(np.dstack([RGB, alpha]))
    over_white = EXPECTED.clone()
    over_white[..., :20] = 1
    expected_grey = torch.from_numpy(grey.copy()).float().expand(1, 3, -1, -1) / 255
    palette = Image.fromarray((RGB // 64 * 64).astype(np.uint8)).convert("P")

    exact = {
        "grey": (file(picture.convert("L")), expected_grey),
        "grey array": (grey, expected_grey),
        "grey array, one channel": (grey[..., None], expected_grey),
        "grey and alpha": (file(picture.convert("LA")), expected_grey),
        "16-bit grey": (file(Image.fromarray(grey.astype(np.uint16) * 257)), expected_grey),
        "16-bit grey TIFF": (file(Image.fromarray(grey.astype(np.uint16) * 257), "TIFF"), expected_grey),
        "32-bit floats": (Image.fromarray(grey.astype(np.float32) / 255), expected_grey),
        "transparent": (file(transparent), over_white),
        "transparent array": (np.asarray(transparent), over_white),
        "palette": (file(palette), torch.from_numpy(np.array(palette.convert("RGB"))).permute(2, 0, 1)[None] / 255),
        "black and white": (file(picture.convert("1")), None),
        "bool array": (grey > 127, (torch.from_numpy(grey > 127)).float().expand(1, 3, -1, -1)),
    }
    for name, (source, expected) in exact.items():
        photo = lv.load_image(source)
        assert photo.shape == (1, 3, 30, 40), name
        if expected is not None:
            torch.testing.assert_close(photo, expected.float(), atol=1e-6, rtol=0, msg=name)
    for lossy in (file(picture.convert("CMYK"), "JPEG", quality=95), file(picture, "WEBP", quality=95)):
        assert (lv.load_image(lossy) - EXPECTED).abs().mean() < 0.02


def test_a_palette_with_a_transparent_colour_lies_over_white():
    picture = Image.new("P", (10, 10), 1)
    picture.putpalette([0, 0, 0, 255, 0, 0])
    photo = lv.load_image(file(picture, "PNG", transparency=1))
    assert torch.equal(photo, torch.ones(1, 3, 10, 10))


@pytest.mark.parametrize("orientation, undo", [(3, Image.ROTATE_180), (6, Image.ROTATE_90), (8, Image.ROTATE_270)])
def test_exif_rotation_is_applied(orientation, undo):
    picture = Image.fromarray(RGB).transpose(undo)  # as the camera's sensor held it
    exif = Image.Exif()
    exif[0x0112] = orientation
    assert torch.equal(lv.load_image(file(picture, "PNG", exif=exif)), EXPECTED)


def test_square_is_the_centre_antialiased():
    wide = np.zeros((20, 60, 3), np.uint8)
    wide[:, 20:40] = 255
    assert torch.equal(lv.load_image(wide, size=20), torch.ones(1, 3, 20, 20))
    assert torch.equal(lv.load_image(wide.transpose(1, 0, 2), size=20), torch.ones(1, 3, 20, 20))
    stripes = np.zeros((64, 64), np.uint8)
    stripes[:, ::2] = 255  # finer than the small picture can hold: grey, not moiré
    small = lv.load_image(stripes, size=16)
    assert (small - 0.5).abs().max() < 0.1
    assert lv.load_image(RGB, size=100).shape == (1, 3, 100, 100)


def test_pictures_come_back():
    assert np.array_equal(maps.to_array(EXPECTED), RGB)
    assert np.array_equal(np.asarray(maps.to_pil(EXPECTED)), RGB)
    assert torch.equal(lv.load_image(maps.encode(EXPECTED, "png")), EXPECTED)
    assert (lv.load_image(maps.encode(EXPECTED, "jpeg")) - EXPECTED).abs().mean() < 0.02


def test_signed_maps_are_shown_about_zero():
    ramp = torch.linspace(-2, 2, 101).view(1, 1, 1, 101)
    shown = maps.show_signed(ramp, limit=1)
    assert shown.shape == (1, 3, 1, 101)
    middle, low, high = shown[0, :, 0, 50], shown[0, :, 0, 0], shown[0, :, 0, 100]
    assert middle.min() > 0.95  # white at 0
    assert low[2] > low[0] + 0.2 and high[0] > high[2] + 0.2  # blue below, red above
    colour = maps.show_signed(ramp.expand(1, 3, 1, 101), limit=2)
    torch.testing.assert_close(colour[0, :, 0, 50], torch.full((3,), 0.5))
    torch.testing.assert_close(colour[0, 0, 0], torch.linspace(0, 1, 101))


def test_magnitudes_are_shown_from_black_evenly():
    ramp = torch.linspace(0, 1, 101).view(1, 1, 1, 101)
    shown = maps.show_magnitude(ramp, limit=1)[0, :, 0]
    assert shown[:, 0].max() < 0.02
    brightness = (shown * torch.tensor([[0.2126], [0.7152], [0.0722]])).sum(0)
    assert (brightness.diff() > -1e-3).all()


def test_one_wild_pixel_does_not_turn_the_rest_grey():
    values = torch.ones(1, 1, 64, 64)
    values[0, 0, 0, 0] = 1e6
    assert maps.stretch(values) == 1
    assert maps.stretch(-values) == 1
    assert maps.stretch(torch.zeros(1, 1, 4, 4)) == 1  # and a map of zeros is shown as zeros
    few = torch.zeros(1, 1, 64, 64)
    few[0, 0, 0, 0] = 3.0
    assert maps.stretch(few) == 3  # where nearly all is zero, the scale ends at what is left


def truncated() -> bytes:
    content = file(Image.fromarray(np.random.default_rng(0).integers(0, 255, (64, 64, 3), np.uint8)))
    return content[: len(content) // 2]


@pytest.mark.parametrize(
    "source, error, message",
    [
        ("no_such_photo", FileNotFoundError, "bundled photos are cat, astronaut"),
        ("/no/such/photo.png", FileNotFoundError, "no photo at"),
        ("~nosuchuser/photo.png", FileNotFoundError, "no photo at '~nosuchuser/photo.png'"),
        (b"this is text", ValueError, "not a picture.*JPEG or PNG"),
        (b"", ValueError, "not a picture"),
        (truncated(), ValueError, "damaged or truncated"),
        (file(Image.new("RGB", (1, 1))), ValueError, "1×1 pixels; at least 8×8"),
        (np.zeros((1, 1, 3), np.uint8), ValueError, "1×1 pixels"),
        (torch.zeros(3, 2, 2), ValueError, "2×2 pixels"),
        (file(Image.new("1", (20_000, 20_000))), ValueError, "400,000,000 pixels|too many pixels"),
        (file(Image.new("1", (10_000, 6_000))), ValueError, r"60,000,000 pixels \(limit 50,000,000\)"),
        (np.full((20, 20, 3), np.nan), ValueError, "NaN.*nan_to_num"),
        (np.full((20, 20, 3), 255.0), ValueError, "span 255 … 255: divide by 255"),
        (np.full((20, 20), -1.0), ValueError, "span -1"),
        (np.zeros((20, 20), np.int64), ValueError, "int64: convert"),
        (np.zeros((3, 20, 20), np.uint8), ValueError, "channels last"),
        (np.zeros((2, 20, 20, 3), np.uint8), ValueError, "one picture at a time"),
        (torch.zeros(2, 3, 20, 20), ValueError, r"\(1, 3, H, W\)"),
        (torch.zeros(0, 3, 20, 20), ValueError, r"is a float tensor .* got torch.float32 \(0, 3, 20, 20\)"),
        (torch.zeros(3, 0, 20), ValueError, "20×0 pixels; at least 8×8"),
        (np.zeros((0, 20, 3), np.uint8), ValueError, "20×0 pixels; at least 8×8"),
        (np.zeros((20, 0), np.uint8), ValueError, "0×20 pixels; at least 8×8"),
        (np.zeros((0, 20, 20, 3), np.uint8), ValueError, "one picture at a time"),
        ("https://here.org/cat.png", ValueError, "'https://here.org/cat.png' is a web address: save the picture first"),
        ("HTTP://here.org/cat.png?" + 300 * "x", ValueError, "web address: .* give the path of the file"),
        (torch.zeros(3, 20, 20, dtype=torch.uint8), ValueError, "float tensor"),
        (None, TypeError, "NoneType"),
        (42, TypeError, "int"),
    ],
    ids=lambda value: repr(value)[:30],
)
def test_bad_pictures_are_refused_with_the_mend(source, error, message):
    with pytest.raises(error, match=message):
        lv.load_image(source)


def test_a_pil_image_that_breaks_while_it_is_decoded():
    picture = Image.open(io.BytesIO(truncated()))
    with pytest.raises(ValueError, match="damaged or truncated"):
        lv.load_image(picture)


def test_a_folder_is_refused_with_a_picture_in_it(tmp_path):
    with pytest.raises(ValueError, match="is a folder; give one picture in it$"):
        lv.load_image(tmp_path)
    for name in ("notes.txt", "dog.JPG", "cat.png"):
        (tmp_path / name).touch()
    with pytest.raises(ValueError) as caught:
        lv.load_image(str(tmp_path))
    assert str(caught.value).endswith(f"is a folder; give one picture in it, such as {str(tmp_path / 'cat.png')!r}")


@pytest.mark.parametrize("size", [0, -3, 6.5, True, "64"])
def test_bad_sizes_are_refused(size):
    with pytest.raises(ValueError, match="whole number from 1"):
        lv.load_image("cat", size=size)


def test_a_square_has_no_more_pixels_than_a_photo(monkeypatch):
    with pytest.raises(
        ValueError, match=r"size is at most 7071 \(limit 50,000,000 pixels\); got 1000000: take a smaller"
    ):
        lv.load_image("cat", size=1_000_000)
    monkeypatch.setattr(photos.loading, "MOST_PIXELS", 10_000)
    assert lv.load_image(RGB, size=100).shape == (1, 3, 100, 100)
    with pytest.raises(ValueError, match="size is at most 100 .* got 101"):
        lv.load_image(RGB, size=101)


def test_a_ribbon_is_refused_as_a_square_but_not_as_it_is():
    ribbon = np.zeros((8, 1000, 3), np.uint8)
    assert lv.load_image(ribbon).shape == (1, 3, 8, 1000)
    with pytest.raises(ValueError, match="crop it first"):
        lv.load_image(ribbon, size=64)
