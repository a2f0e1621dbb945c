"""The book: it is whole, and a reader finds it readable at any width, in both languages, in the dark and on paper."""

import re
import runpy
import subprocess
import threading
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import check
import films
import publish
import pytest
from lab import barriers, eventually
from mathml import anchor
from playwright.sync_api import Page

from lecture_viz import live

pytestmark = pytest.mark.browser
FILMED = "02_relu_rules"  # its panels compute nothing that takes long
IN_CHINESE = pytest.param("zh", marks=pytest.mark.sweep)
PAGES = ["index", *(lesson.notebook for lesson in live.LESSONS), "glossary"]


@pytest.fixture(scope="module")
def site(tmp_path_factory) -> Path:
    """Built as it is published, with the films of one lesson."""
    folder = tmp_path_factory.mktemp("book")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("BOOK_REPOSITORY", "https://github.com/somebody/lecture-viz")
        publish.build(folder / "site", folder / "cache", {FILMED})
    return folder / "site"


@pytest.fixture(scope="module")
def address(site):
    """Where the site is served, as any server of files would."""

    class Files(SimpleHTTPRequestHandler):
        def __init__(self, *asked):
            super().__init__(*asked, directory=site)

        def log_message(self, *_):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Files) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.fixture
def reader(open_page, address):
    """Opens pages of the book; none asks anything of a network."""

    def read(page: str, width: int = 1280) -> Page:
        opened = open_page(width=width)
        opened.route(lambda url: not url.startswith((address, "data:")), lambda route: route.abort())  # an error, told
        opened.goto(f"{address}/{page}")
        return opened

    return read


def test_links_alternatives_and_headings_are_whole(site):
    assert check.complaints(site) == []
    assert {path.stem for path in (site / "en").glob("*.html")} >= {*PAGES, "api", "search", "genindex"}
    assert {path.stem for path in (site / "zh").glob("*.html")} >= {*PAGES, "search"}


@pytest.mark.parametrize(
    ("page", "said"),
    [
        ('<article><h1>a</h1><img src="b.png"></article>', "a picture without words"),
        ("<article><h1>a</h1><h3>b</h3></article>", "a heading 3 below a heading 1"),
        ("<article><h1>a</h1><h1>b</h1></article>", "2 first headings"),
        ('<article><h1>a</h1><a href="none.html">b</a></article>', "none.html leads nowhere"),
        ('<article><h1 id="x">a</h1><a href="#y">b</a></article>', "#y leads to no place on its page"),
    ],
)
def test_what_is_not_whole_is_told(tmp_path, page, said):
    (tmp_path / "en").mkdir()
    (tmp_path / "en" / "b.png").touch()
    (tmp_path / "en" / "a.html").write_text(page)
    assert any(said in line for line in check.complaints(tmp_path))
    (tmp_path / "en" / "a.html").write_text('<article><h1 id="x y">a</h1><a href="a.html#x%20y">b</a></article>')
    assert check.complaints(tmp_path) == []


def test_anchors_are_those_of_the_notebooks():
    assert anchor("Total variation") == "Total-variation" and anchor("伪损失") == "伪损失"


@pytest.mark.parametrize("language", ["en", IN_CHINESE])
def test_no_page_is_wider_than_the_screen(reader, address, language):
    page = reader(f"{language}/index.html")
    for name in PAGES:
        page.goto(f"{address}/{language}/{name}.html")
        for width in (390, 1280, 1920):
            page.set_viewport_size({"width": width, "height": 900})
            assert page.evaluate("document.documentElement.scrollWidth") <= width, name
    assert page.errors == []


@pytest.mark.parametrize(
    "page",
    [
        "en/index.html",
        f"en/{FILMED}.html",
        *(pytest.param(page, marks=pytest.mark.sweep) for page in (f"zh/{FILMED}.html", "zh/glossary.html")),
    ],
)
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_it_has_no_barriers(reader, page, theme):
    opened = reader(page)
    opened.evaluate("theme => document.documentElement.dataset.theme = theme", theme)
    assert barriers(opened, "main") == []
    # axe passes over letters that have the very colour of their ground
    invisible = """all => all.filter(one => getComputedStyle(one).color ===
        getComputedStyle(one.closest('.text_html')).backgroundColor).map(one => one.textContent)"""
    words = opened.locator(":is(p, figcaption, caption, th, td):visible")
    assert opened.locator(".text_html").locator(words).evaluate_all(invisible) == []


@pytest.mark.parametrize("language", ["en", IN_CHINESE])
def test_a_film_is_scrubbed_by_hand_and_by_keyboard(reader, language):
    page = reader(f"{language}/{FILMED}.html")
    first = page.locator(".film").first
    slider, stills = first.locator("> input"), first.locator("> .film-still")
    assert stills.count() == int(slider.get_attribute("max")) == 3
    seen = []
    for _ in range(3):
        (shown,) = [still for still in stills.all() if still.is_visible()]
        seen.append(shown.inner_text())
        slider.press("ArrowRight")
    assert len({*seen}) == 3 and all("lv.way_back" in text for text in seen)
    assert slider.get_attribute("aria-valuetext").startswith("3 / 3 ")
    pictures = page.locator(".film").nth(1).locator("> .film-still:visible img")
    assert all(picture.evaluate("one => one.complete && one.naturalWidth > 50") for picture in pictures.all())
    assert pictures.count() >= 2 and page.errors == []


@pytest.mark.parametrize(
    ("language", "word", "found"),
    [("en", "dumbbell", "05 · Activation maximisation"), ("zh", "哑铃", "05 · 激活最大化")],
)
def test_it_is_searched(reader, language, word, found):
    page = reader(f"{language}/search.html?q={word}")
    eventually(lambda: _found(page, found))
    assert page.errors == []


def _found(page: Page, found: str) -> None:
    assert found in page.locator("#search-results").inner_text()


def test_one_page_leads_to_the_same_in_the_other_language(reader):
    page = reader(f"en/{FILMED}.html")
    page.locator(".languages a[hreflang=zh]").first.click()
    assert page.url.endswith(f"zh/{FILMED}.html") and page.locator("html").get_attribute("lang").startswith("zh")
    page.locator(".languages a[hreflang=en]").first.click()
    assert page.url.endswith(f"en/{FILMED}.html")


def test_formulas_are_drawn_by_the_browser(reader):
    page = reader("en/07_inversion.html")
    formulas = page.locator("div.math math")
    assert formulas.count() >= 1
    assert all(formula.bounding_box()["height"] > 15 for formula in formulas.all())
    assert "\\" not in "".join(formulas.all_text_contents())


def test_it_prints_as_notes(reader, tmp_path):
    """On A4, with what was folded, without what leads around on screen."""
    page = reader(f"zh/{FILMED}.html")
    page.emulate_media(media="print")
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert all(page.locator("details").evaluate_all("all => all.map(one => one.open)"))
    for hidden in (".bd-sidebar-primary", ".film > input", ".prev-next-footer"):
        assert not any(one.is_visible() for one in page.locator(hidden).all()), hidden
    printed = page.pdf(prefer_css_page_size=True)
    assert printed.startswith(b"%PDF") and 4 <= len(re.findall(rb"/Type ?/Page\b", printed)) <= 20


def test_a_film_is_made_once(tmp_path, monkeypatch):
    lesson = publish.NOTEBOOKS / f"{FILMED}.ipynb"
    made = films.of_lesson(lesson, "en", tmp_path)
    monkeypatch.setattr(films, "_made", lambda *_: pytest.fail("it was kept"))
    assert films.of_lesson(lesson, "en", tmp_path) == made and len(made) == 2


def test_links_into_colab_and_binder_need_an_address(site, monkeypatch):
    """That of a copy of the project; each language opens its own notebooks."""
    for language, folder in (("en", "notebooks"), ("zh", "notebooks/zh")):
        page = (site / language / f"{FILMED}.html").read_text(encoding="utf-8")
        colab = f"https://colab.research.google.com/github/somebody/lecture-viz/blob/main/{folder}/{FILMED}.ipynb"
        assert colab in page and "https://mybinder.org/v2/gh/somebody/lecture-viz/main?urlpath=lab/tree/" in page
    monkeypatch.delenv("BOOK_REPOSITORY", raising=False)
    monkeypatch.setenv("BOOK_LANGUAGE", "en")
    settings = runpy.run_path(str(Path(publish.__file__).with_name("conf.py")))
    assert "launch_buttons" not in settings["html_theme_options"]


def test_a_mistake_in_a_page_stops_the_build(tmp_path, capfd):
    (tmp_path / "index.md").write_text("# A\n\n[b](nowhere.md)\n")
    with pytest.raises(subprocess.CalledProcessError):
        publish.sphinx("en", tmp_path, tmp_path / "out", tmp_path / "trees")
    assert "nowhere.md" in capfd.readouterr().err
