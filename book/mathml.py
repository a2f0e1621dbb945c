"""Formulas as MathML, which browsers draw by themselves: no script, no network. Anchors of headings as Jupyter's."""

import re

from docutils import nodes
from docutils.utils.math.latex2mathml import tex2mathml
from sphinx.application import Sphinx
from sphinx.writers.html5 import HTML5Translator

SPELLED = {"…": r"\ldots ", "½": r"\frac{1}{2}", "∇": r"\nabla "}  # what the converter does not know
LIMIT = re.compile(r"\\operatorname\*\{(\w+)\}_(\w|\{[^{}]*\})")


def anchor(title: str) -> str:
    """Of a heading, as JupyterLab has it, so that the notebooks' links lead to the same place."""
    return title.replace(" ", "-")


def _mathml(formula: str, as_block: bool = False) -> str:
    for letter, spelled in SPELLED.items():
        formula = formula.replace(letter, spelled)
    formula = LIMIT.sub(r"\\underset{\2}{\\operatorname{\1}}", formula)
    return tex2mathml(formula, as_block=as_block)


def _inline(writer: HTML5Translator, node: nodes.math) -> None:
    writer.body.append(_mathml(node.astext()))
    raise nodes.SkipNode


def _block(writer: HTML5Translator, node: nodes.math_block) -> None:
    writer.body.append(f'<div class="math">{_mathml(node.astext(), as_block=True)}</div>')
    raise nodes.SkipNode


def setup(app: Sphinx) -> dict[str, bool]:
    app.add_html_math_renderer("mathml", (_inline, None), (_block, None))
    return {"parallel_read_safe": True, "parallel_write_safe": True}
