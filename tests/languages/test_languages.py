"""The words on screen: complete in every language, and the same where the code is concerned."""

import ast
import hashlib
import json
import re
from collections.abc import Iterable
from importlib.resources import files
from pathlib import Path

import ipywidgets as widgets
import pytest
from torchvision.models import AlexNet_Weights

import lecture_viz as lv
from lecture_viz import exercises, languages
from lecture_viz.machine import report


@pytest.fixture
def in_language():
    yield lv.use_language
    lv.use_language("en")


def flat(texts: dict, path: tuple = ()) -> dict[tuple, str]:
    """Every text by its path."""
    found = {}
    for key, value in texts.items():
        if isinstance(value, dict):
            found |= flat(value, (*path, key))
        else:
            found |= {(*path, key, n): part for n, part in enumerate(value if isinstance(value, list) else [value])}
    return found


def marks(text: str) -> list[str]:
    """Places for values with their formats, and HTML tags: a translation may order them anew."""
    return sorted(re.findall(r"\{.*?\}|<.*?>", text))


@pytest.mark.parametrize("language", languages.LANGUAGES)
def test_every_language_says_everything(language):
    english, other = flat(languages.texts("en")), flat(languages.texts(language))
    assert other.keys() == english.keys()
    for path, text in english.items():
        assert other[path].strip() and marks(other[path]) == marks(text), path


def test_chinese_and_german_are_not_english(in_language):
    for language in ("zh", "de"):
        other = flat(languages.texts(language))
        words = {path: re.sub(r"\{.*?\}|<.*?>", "", text) for path, text in flat(languages.texts("en")).items()}
        same = [
            path for path, text in flat(languages.texts("en")).items() if len(words[path]) > 20 and text == other[path]
        ]
        assert not same


def strings(nodes: Iterable[ast.AST]) -> list[str]:
    """Those among the nodes, in the order of the file."""
    found = [node for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)]
    return [node.value for node in sorted(found, key=lambda node: (node.lineno, node.col_offset))]


def of_exercises() -> tuple[list[str], list[str]]:
    """Texts in the code of the exercises but docstrings, in order; and the words between the braces of f-strings."""
    texts, between = [], []
    for file in sorted(Path(exercises.__file__).parent.glob("*.py")):
        nodes = [*ast.walk(ast.parse(file.read_text(encoding="utf-8")))]
        parts = {part for node in nodes if isinstance(node, ast.JoinedStr) for part in node.values}
        between += strings(parts)
        texts += strings({*nodes} - parts - {node.value for node in nodes if isinstance(node, ast.Expr)})
    return texts, between


def of_report() -> list[str]:
    """Texts of the machine's report: those handed to ``_say``."""
    nodes = ast.walk(ast.parse(Path(report.__file__).read_text(encoding="utf-8")))
    calls = [node for node in nodes if isinstance(node, ast.Call) and ast.unparse(node.func) == "_say"]
    return strings({part for call in calls for part in ast.walk(call.args[0])})


@pytest.mark.parametrize("language", ["zh", "de"])
def test_phrases_are_translated(language):
    texts, between = of_exercises()
    assert {*re.findall(r"[A-Za-z]{2,}", " ".join(between))} <= {"dB"}, "f-strings are not translated: use `say`"
    known = json.loads((files(languages) / f"phrases_{language}.json").read_text(encoding="utf-8"))
    words = {text for text in texts if " " in text and re.search("[A-Za-z]{2}", re.sub(r"\{.*?\}", "", text))}
    reported = of_report()
    missing = words.union(reported) - known.keys() - {*languages.imagenet()}
    assert not missing and "This machine is ready." in reported
    # all are used, in the files' order
    assert [*known] == [text for text in dict.fromkeys(texts + reported) if text in known]
    for english, text in known.items():
        assert text.strip() and marks(text) == marks(english), english


@pytest.mark.parametrize("language", ["zh", "de"])
def test_class_names_in_another_language(in_language, cat, language):
    english = lv.load_network("alexnet64", device="cpu")
    in_language(language)
    network = lv.load_network("alexnet64", device="cpu")
    assert network.english == english.labels and len(set(network.labels)) == 200
    assert not set(network.labels) & {"Egyptian cat", "tabby", "goldfish", "school bus", "lemon"}
    guess = {"zh": "埃及猫", "de": "Ägyptische Katze"}[language]
    assert network.top(cat, 1)[0][0] == guess
    assert network.label_index(guess) == network.label_index("Egyptian cat") == english.label_index("Egyptian cat")
    with pytest.raises(ValueError, match="has no label"):
        network.label_index("zzz")


@pytest.mark.parametrize("language", ["zh", "de"])
def test_all_class_names_of_torchvision(in_language, language):
    english = AlexNet_Weights.DEFAULT.meta["categories"]
    in_language(language)
    names = languages.labels(english)
    assert len(set(names)) == 1000
    assert languages.labels(["no such class"]) == ("no such class",)
    known = json.loads((files(languages) / f"labels_{language}.json").read_text(encoding="utf-8"))
    assert list(known) == list(english)


def test_a_panel_in_chinese_with_code_that_runs(in_language, cat):
    in_language("zh")
    network = lv.load_network("alexnet64", device="cpu")
    panel = lv.live.maximization(network, cat, label="tabby")
    assert panel.controls["layer"].description == "层"
    assert ("logit（未归一化得分）", "logit") in panel.controls["kind"].options
    assert panel.controls["preset"].options[0][0] == "1 噪声"
    assert "虎斑猫" in panel.code() and "lv.maximize" in panel.code()
    panel.set(steps=8, preset="dumbbell")
    assert "第 8 步" in panel.outputs["image caption"].value


def test_every_control_has_a_name(network, cat):
    for panel in (lv.live.maximization(network, cat), lv.live.dreaming(network), lv.live.relu_rules()):
        for name, control in panel.controls.items():
            if not isinstance(control, widgets.ToggleButtons):
                assert control.description, name


@pytest.mark.parametrize("name", ["alexnet64", "efficientnet_lite0", "inception64", "inception64_robust"])
def test_cards_in_chinese_are_those_of_the_weights(in_language, name):
    """A card that was written anew has to be translated anew: its mark tells which English one it translates."""
    english = str(lv.load_network(name, device="cpu").card())
    in_language("zh")
    mark, _, chinese = str(lv.load_network(name, device="cpu").card()).partition("\n")
    assert mark == f"<!-- card {hashlib.sha256(english.encode()).hexdigest()[:8]} -->"
    for pattern in (r"^#+ ", r"^\|", r"\d[\d.,]*"):
        found = [re.findall(pattern, text, re.MULTILINE) for text in (english, chinese)]
        assert sorted(one.rstrip(".,") for one in found[0]) == sorted(one.rstrip(".,") for one in found[1]), pattern
    assert len(re.findall("[\u4e00-\u9fff]", chinese)) > 300


def test_an_unknown_language_is_refused():
    with pytest.raises(ValueError, match="there is no language 'xx'; there are 'en'"):
        lv.use_language("xx")
