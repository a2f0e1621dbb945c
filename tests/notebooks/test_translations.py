"""Each notebook in another language is the English one: the same code, formulas and links, every word translated."""

import ast
import json
import re

import nbformat
import pytest
import translation
from IPython.core.inputtransformer2 import TransformerManager

from lecture_viz import languages

NAMES = sorted(path.stem for path in translation.HERE.glob("*.ipynb"))
CLASSES = frozenset(languages.imagenet())


def prose(language: str, name: str) -> dict[str, str]:
    """Translations by cell."""
    return {cell: text for cell, _, text in translation.translated_cells(translation.HERE / language / f"{name}.md")}


def english(name: str) -> nbformat.NotebookNode:
    return nbformat.read(translation.HERE / f"{name}.ipynb", as_version=4)


def skeleton(text: str) -> dict[str, list[str]]:
    """What no translation changes: formulas, code, links, and how the text is built."""
    code = re.sub(r" *#.*", "", "\n".join(re.findall(r"```python\n(.*?)```", text, re.DOTALL)))
    rest = re.sub(r"```python\n.*?```", "", text, flags=re.DOTALL)
    links = [re.sub(r"^\.\./", "", link) for link in re.findall(r"\]\(([^)]*?)(?:#[^)]*)?\)", rest)]
    return {
        "formulas": sorted(re.findall(r"\$\$.+?\$\$|\$[^$\n]+\$", rest, re.DOTALL)),
        "code": sorted([code, *re.findall(r"`([^`\n]+)`", rest)]),
        "links": sorted(link for link in links if not re.search("start_here|README", link)),  # the menu of languages
        "tags": re.findall(r"</?[a-z]+>", rest),
        "build": re.findall(r"^(#+ |- |\d+\. |\|)", rest, re.MULTILINE),
        "columns": [line.count("|") for line in rest.splitlines() if line[:1] == "|"],
    }


@pytest.mark.parametrize("language", translation.LANGUAGES)
def test_nothing_is_untranslated_doubled_out_of_date_or_left_over(language):
    assert translation.complaints(language, CLASSES) == []


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("language", translation.LANGUAGES)
def test_a_translation_keeps_formulas_code_links_and_structure(language, name):
    for cell in english(name).cells:
        if cell.cell_type == "markdown":
            other = prose(language, name)[cell.id]
            assert skeleton(other) == skeleton(cell.source), cell.id


@pytest.mark.parametrize("language", translation.LANGUAGES)
def test_the_readme_is_the_same_in_another_language(language):
    def built(text: str) -> list:
        blocks = re.findall(r"^```.*?^```", text, re.DOTALL | re.MULTILINE)
        rest = skeleton(re.sub(r"^```.*?^```", "", text, flags=re.DOTALL | re.MULTILINE))
        return [
            [re.sub(r" *#.*", "", block) for block in blocks],
            *(rest[key] for key in ("links", "build", "columns")),
        ]

    file = translation.README.with_suffix(f".{language}.md")
    others = {section: text for section, _, text in translation.translated_cells(file)}
    for section, text in translation.sections(translation.README.read_text(encoding="utf-8")).items():
        assert built(others[section].replace(f"notebooks/{language}/", "notebooks/")) == built(text.strip()), section


@pytest.mark.parametrize("name", NAMES)
def test_a_chinese_cell_speaks_chinese(name):
    """Names and numbers aside: no sentence was left in English."""
    for cell, text in prose("zh", name).items():
        assert re.search(r"[\u4e00-\u9fff]", text), cell
        words = re.sub(
            r"`[^`]*`|\$[^$]*\$|\]\([^)]*\)|<[^>]*>|```.*?```|\[\d+\].*|\*[^*]*\*", " ", text, flags=re.DOTALL
        )
        assert not re.search(r"(?:\b[a-z]+ ){5}", words), cell


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("language", translation.LANGUAGES)
def test_the_stored_notebook_is_the_translated_one(language, name):
    """Nobody has edited it, and `make notebooks` was run after the last change."""
    path = translation.HERE / f"{name}.ipynb"
    stored = nbformat.read(translation.HERE / language / path.name, as_version=4)
    made = translation.translate(path, language)
    assert [(cell.id, cell.source) for cell in stored.cells] == [(cell.id, cell.source) for cell in made.cells]
    assert [cell.metadata for cell in stored.cells] == [cell.metadata for cell in made.cells]


@pytest.mark.parametrize("language", translation.LANGUAGES)
def test_the_words_of_the_code_keep_their_values(language):
    """What stands in braces is code; a translation may order it anew."""
    for text, other in translation.phrases(language).items():
        assert sorted(re.findall(r"\{.*?\}", other)) == sorted(re.findall(r"\{.*?\}", text)), text
        assert other.strip()


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("language", translation.LANGUAGES)
def test_the_code_is_shared(language, name):
    """But for its texts."""

    def built(code: str) -> str:
        tree = ast.parse(TransformerManager().transform_cell(code))
        for node in ast.walk(tree):
            if isinstance(node, ast.JoinedStr):
                node.values = sorted(
                    (part for part in node.values if isinstance(part, ast.FormattedValue)), key=ast.unparse
                )
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                node.value = ""
        return ast.dump(tree)

    words = translation.phrases(language)
    for cell in english(name).cells:
        if cell.cell_type == "code":
            assert built(translation.translated_code(cell.source, words, cell.id)) == built(cell.source), cell.id


CODE = '''x = f"{a['b']} one two"  # a comment
%pip install this
y = ("photo", """long
text""", "größer 猫 here")
'''


def test_words_are_found_in_code_and_nothing_else_changes():
    found = {phrase.text: CODE[phrase.start : phrase.end] for phrase in translation.phrases_in(CODE)}
    assert [*found] == ["a comment", "pip install this", "{a['b']} one two", "photo", "long\ntext", "größer 猫 here"]
    assert all(text == there for text, there in found.items())
    words = {"a comment": "注释", "{a['b']} one two": "一二 {a['b']}", "größer 猫 here": "这里"}
    assert translation.translated_code(CODE, words) == CODE.replace("# a comment", "# 注释").replace(
        "{a['b']} one two", "一二 {a['b']}"
    ).replace("größer 猫 here", "这里")
    assert translation.translated_code("f('a b')", {"a b": "甲", "x: a b": "乙"}, "x") == "f('乙')"


@pytest.fixture
def small(tmp_path, monkeypatch):
    """One notebook of two cells, and its complete translation."""
    cells = [nbformat.v4.new_markdown_cell("One two.", id="a"), nbformat.v4.new_code_cell("x = 1  # one two", id="b")]
    nbformat.write(nbformat.v4.new_notebook(cells=cells), tmp_path / "00.ipynb")
    (tmp_path / "zh").mkdir()
    (tmp_path / "zh" / "00.md").write_text(f"<!-- a {translation.fingerprint('One two.')} -->\n一二。\n")
    (tmp_path / "zh" / "phrases.json").write_text(json.dumps({"one two": "一二"}))
    monkeypatch.setattr(translation, "HERE", tmp_path)
    monkeypatch.setattr(translation, "README", tmp_path / "README.md")
    (tmp_path / "README.md").write_text("One\n")
    (tmp_path / "README.zh.md").write_text(f"<!-- top {translation.fingerprint('One' + chr(10))} -->\n一\n")
    return tmp_path


def test_what_is_wrong_is_told(small):
    def told() -> list[str]:
        return translation.complaints("zh", CLASSES)

    assert told() == []
    english = nbformat.read(small / "00.ipynb", as_version=4)
    english.cells[0].source, english.cells[1].source = "One, two.", "x = 1  # two one"
    nbformat.write(english, small / "00.ipynb")
    changed, missing, left = told()
    assert changed.startswith("00: a has changed since it was translated: <!-- a ")
    assert missing == "phrases: not translated: two one" and left == "phrases: no longer needed: one two"
    file = small / "zh" / "00.md"
    file.write_text(file.read_text() * 2 + "<!-- c 00000000 -->\n三\n")
    assert any("translated twice" in line for line in told()) and "00: c is gone" in told()
    file.unlink()
    assert any("00: a is not translated" in line for line in told())
