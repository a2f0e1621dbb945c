"""The words on screen: texts of the panels, presets with the lecture's sentences, and class names, as data files.

A language is a file of texts (``en.json``), one of class names (``labels_zh.json``, by torchvision's English name), and
one of what exercises and the machine's report say (``phrases_zh.json``, by the English text); English needs only the
first. To add a language, translate the three and put its code into `LANGUAGES`; a test says what is missing.
"""

import html
import json
import os
from collections.abc import Iterable, Mapping
from functools import cache
from importlib.resources import files

LANGUAGES = {"en": "English", "de": "Deutsch", "zh": "中文"}

_current = "en"


def use_language(language: str) -> None:
    """Texts of panels made, class names of networks loaded, and what exercises and reports say, from now on.

    Args:
        language: ``"en"``, ``"de"`` or ``"zh"``; the environment variable ``LECTURE_VIZ_LANGUAGE`` sets the first one.

    Raises:
        ValueError: no such language.
    """
    global _current
    if language not in LANGUAGES:
        named = ", ".join(f"{code!r} ({name})" for code, name in LANGUAGES.items())
        raise ValueError(f"there is no language {language!r}; there are {named}")
    _current = language


def current() -> str:
    """The language in use."""
    return _current


@cache
def _read(file: str) -> dict:
    return json.loads((files(__package__) / file).read_text(encoding="utf-8"))


def texts(language: str | None = None) -> dict[str, dict]:
    """All texts by panel; those under ``shared`` belong to all."""
    return _read(f"{language or _current}.json")


def of_panel(panel: str) -> dict:
    """The texts of a panel by key, with those that all panels share; values go into their braces."""
    return texts()["shared"] | texts().get(panel, {})


def called(panel: str) -> str:
    """What a panel is called in a sentence: by its title; in English by its name."""
    return panel if _current == "en" else texts().get(panel, {}).get("title", panel)


def fill(text: str, values: Mapping[str, object]) -> str:
    """A text with these values in its braces; names and other foreign words become safe HTML, outside of tags."""
    return text.format(**{key: html.escape(n, False) if isinstance(n, str) else n for key, n in values.items()})


def say(english: str, **values: object) -> str:
    """A text of an exercise, or of the machine's report, in the language in use, with these values in its braces.

    One without translation stays English.
    """
    text = english if _current == "en" else _read(f"phrases_{_current}.json").get(english, english)
    return text.format(**values) if values else text


def option(name: object) -> str:
    """What a menu shows for one of its options; layers and numbers are shown as they are."""
    return texts()["options"].get(name, str(name))


def imagenet() -> tuple[str, ...]:
    """The English names of the 1,000 classes of ImageNet, in the order of the logits (torchvision's names)."""
    return tuple(_read("labels_zh.json"))


def labels(english: Iterable[str]) -> tuple[str, ...]:
    """Class names in the language in use; a class without a translation keeps its name."""
    known = {} if _current == "en" else _read(f"labels_{_current}.json")
    return tuple(known.get(name, name) for name in english)


use_language(os.environ.get("LECTURE_VIZ_LANGUAGE") or "en")
