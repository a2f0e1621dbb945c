"""Is every page of a site whole? Links inside of it, text alternatives, headings."""

import re
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path
from urllib.parse import unquote, urlsplit


class Page(HTMLParser):
    """What is looked at: ids, links, pictures without words, levels of headings."""

    def __init__(self, content: str):
        super().__init__()
        self.ids: set[str] = set()
        self.links: list[str] = []
        self.silent: list[str] = []
        self.levels: list[int] = []
        self._in_article = False
        self.feed(content)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        given = dict(attributes)
        self.ids |= {value for name in ("id", "name") if (value := given.get(name))}
        self.links += [value for name in ("href", "src") if (value := given.get(name))]
        if tag == "img" and not (given.get("alt") or "").strip() and given.get("aria-hidden") != "true":
            self.silent.append(self.get_starttag_text()[:80])
        self._in_article = self._in_article or tag == "article"
        if self._in_article and re.fullmatch("h[1-6]", tag):
            self.levels.append(int(tag[1]))

    def handle_endtag(self, tag: str) -> None:
        self._in_article = self._in_article and tag != "article"


def complaints(site: Path) -> list[str]:
    """A line for everything that is wrong on a page of the folder ``site``."""
    pages = {
        file.resolve(): Page(file.read_text(encoding="utf-8"))
        for file in sorted(site.rglob("*.html"))
        if not {"_static", "search.html"} & {*file.parts}
    }
    found = []
    for file, page in pages.items():
        name = file.relative_to(site.resolve())
        found += [f"{name}: a picture without words: {tag}" for tag in page.silent]
        if len(name.parts) > 1 and page.levels.count(1) != 1:
            found.append(f"{name}: {page.levels.count(1)} first headings")
        found += [f"{name}: a heading {b} below a heading {a}" for a, b in pairwise(page.levels) if b > a + 1]
        for link in page.links:
            parts = urlsplit(link)
            if parts.scheme or parts.netloc:
                continue
            target = (file.parent / unquote(parts.path)).resolve() if parts.path else file
            target = target / "index.html" if target.is_dir() else target
            if not target.exists():
                found.append(f"{name}: {link} leads nowhere")
            elif parts.fragment and target in pages and unquote(parts.fragment) not in pages[target].ids:
                found.append(f"{name}: {link} leads to no place on its page")
    return found
