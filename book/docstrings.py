"""Docstrings are plain text: what stands in columns stays in columns, and a bar is a bar."""

from typing import Any

from sphinx.application import Sphinx


def _plain(_app: Sphinx, what: str, _name: str, _thing: Any, _options: Any, lines: list[str]) -> None:
    if what == "module":  # the theory, with its tables and formulas
        lines[:] = ["::", "", *(f"   {line}" for line in lines), ""]
    else:
        lines[:] = [line.replace("|", "\\|") for line in lines]


def setup(app: Sphinx) -> dict[str, bool]:
    app.connect("autodoc-process-docstring", _plain, priority=100)  # before its sections are told apart
    return {"parallel_read_safe": True, "parallel_write_safe": True}
