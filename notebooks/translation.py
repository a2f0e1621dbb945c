"""The notebooks in another language: code shared, prose and the words in the code translated.

A folder such as ``zh/`` holds, for each notebook, a Markdown file: every prose cell's translation below a line
``<!-- cell hash -->``, where ``hash`` tells the English text that was translated. The words in code cells (comments,
captions, texts that are printed) are in ``phrases.json``, by the English ones. From both, and from the English
notebook, ``make notebooks`` makes the notebook in that language and runs it; nobody edits it.

    python notebooks/translation.py zh    what is missing, out of date or no longer needed
"""

import ast
import hashlib
import io
import json
import re
import sys
import tokenize
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import nbformat

HERE = Path(__file__).parent
README = HERE.parent / "README.md"
LANGUAGES = ("zh",)
MARK = re.compile(r"^<!-- (\S+) ([0-9a-f]{8}) -->\n", re.MULTILINE)
PACKAGE = "import lecture_viz as lv"


class Phrase(NamedTuple):
    """A comment or a text in a cell's code, and where: from ``start`` to ``end``, in characters."""

    text: str
    start: int
    end: int


def fingerprint(text: str) -> str:
    """Eight characters that tell a text from its later versions."""
    return hashlib.sha256(text.encode()).hexdigest()[:8]


def translated_cells(file: Path) -> list[tuple[str, str, str]]:
    """Name, fingerprint of the English text, and translation, of every cell in a file of translations."""
    _, *parts = MARK.split(file.read_text(encoding="utf-8"))
    return [(name, known, text.strip()) for name, known, text in zip(parts[::3], parts[1::3], parts[2::3])]


def phrases(language: str) -> dict[str, str]:
    """The words in code cells by the English ones."""
    return json.loads((HERE / language / "phrases.json").read_text(encoding="utf-8"))


def phrases_in(code: str) -> Iterator[Phrase]:
    """Comments and texts of a cell, those in braces within texts left out; magics are no Python, and have none."""
    code = re.sub(r"^( *)%(?=\w)", r"\1#", code, flags=re.MULTILINE)
    lines = [0]
    for line in code.splitlines(keepends=True):
        lines.append(lines[-1] + len(line))
    for token in tokenize.generate_tokens(io.StringIO(code).readline):
        if token.type == tokenize.COMMENT:
            start = lines[token.start[0] - 1] + token.start[1]
            words = token.string.lstrip("# ")
            yield Phrase(words, start + len(token.string) - len(words), start + len(token.string))
    for node in _texts(ast.parse(code)):
        start, end = (
            lines[row - 1] + len(code[lines[row - 1] : lines[row]].encode()[:column].decode())
            for row, column in ((node.lineno, node.col_offset), (node.end_lineno, node.end_col_offset))
        )
        quote = re.match(r"\w*(\"\"\"|\"|')", code[start:end])
        yield Phrase(code[start + len(quote[0]) : end - len(quote[1])], start + len(quote[0]), end - len(quote[1]))


def _texts(node: ast.AST) -> Iterator[ast.expr]:
    """Texts in a piece of code, one within another's braces left out."""
    if isinstance(node, ast.JoinedStr) or (isinstance(node, ast.Constant) and isinstance(node.value, str)):
        yield node
        return
    for child in ast.iter_child_nodes(node):
        yield from _texts(child)


def translated_code(code: str, words: dict[str, str], cell: str = "") -> str:
    """A cell's code with its comments and texts in other words; one that is not among them stays.

    A word that is a name elsewhere has its translation for one cell alone, by ``"CELL: WORD"``.
    """
    for phrase in sorted(phrases_in(code), key=lambda phrase: -phrase.start):
        other = words.get(f"{cell}: {phrase.text}", words.get(phrase.text, phrase.text))
        code = code[: phrase.start] + other + code[phrase.end :]
    return code


def translate(path: Path, language: str) -> nbformat.NotebookNode:
    """The notebook at ``path`` in another language, without outputs.

    Raises:
        KeyError: a cell has no translation.
    """
    notebook = nbformat.read(path, as_version=4)
    texts = {name: text for name, _, text in translated_cells(HERE / language / f"{path.stem}.md")}
    words = phrases(language)
    for number, cell in reversed([*enumerate(notebook.cells)]):
        if cell.cell_type == "markdown":
            cell.source = texts[cell.id]
            continue
        cell.outputs, cell.execution_count = [], None
        if PACKAGE in cell.source:
            chosen = nbformat.v4.new_code_cell(f'lv.use_language("{language}")', id="language")
            notebook.cells.insert(number + 1, chosen)
        cell.source = translated_code(cell.source, words, cell.id)
    return notebook


def needs_words(text: str) -> bool:
    """Is this phrase of the code for a reader? Single words are names, of a photo or a layer."""
    words = re.sub(r"\{.*?\}", "{}", text)
    return text != "NBVAL_CHECK_OUTPUT" and bool(re.search("[A-Za-z]{2,} [A-Za-z“]", words))


def complaints(language: str, names: frozenset[str]) -> list[str]:
    """What is missing, out of date, doubled or no longer needed; ``names`` are classes, which stay as they are."""
    used, own, words = set(), set(), phrases(language)
    found = compared("README", sections(README.read_text(encoding="utf-8")), README.with_suffix(f".{language}.md"))
    for path in sorted(HERE.glob("*.ipynb")):
        notebook = nbformat.read(path, as_version=4)
        prose = {cell.id: cell.source for cell in notebook.cells if cell.cell_type == "markdown"}
        found += compared(path.stem, prose, HERE / language / f"{path.stem}.md")
        for cell in notebook.cells:
            if cell.cell_type == "code":
                here = {phrase.text for phrase in phrases_in(cell.source)}
                used, own = used | here, own | {f"{cell.id}: {text}" for text in here}
    missing = {text for text in used - {*words} - names if needs_words(text)}
    found += [f"phrases: not translated: {text}" for text in sorted(missing)]
    return found + [f"phrases: no longer needed: {text}" for text in words if text not in used | own]


def compared(title: str, prose: dict[str, str], file: Path) -> list[str]:
    """What is wrong with a file of translations of ``prose``, which is English texts by their names."""
    there = translated_cells(file) if file.exists() else []
    known = {name: mark for name, mark, _ in there}
    doubled = {name for name in known if [one for one, *_ in there].count(name) > 1}
    found = [f"{title}: {name} is translated twice" for name in doubled]
    found += [f"{title}: {name} is gone" for name in known if name not in prose]
    for name, text in prose.items():
        if known.get(name) != fingerprint(text):
            state = "has changed since it was translated" if name in known else "is not translated"
            found.append(f"{title}: {name} {state}: <!-- {name} {fingerprint(text)} -->")
    return found


def sections(text: str) -> dict[str, str]:
    """Of a Markdown text: what begins with a heading of the second level, by that, and ``top``."""
    top, *others = re.split(r"^(?=## )", text, flags=re.MULTILINE)
    return {"top": top} | {re.sub(r"\W+", "-", one.split("\n")[0][3:].lower()): one for one in others}


if __name__ == "__main__":
    from lecture_viz.languages import imagenet

    print(*complaints(sys.argv[1], frozenset(imagenet())), sep="\n")
