"""The recipe for a lesson in CONTRIBUTING.md, followed to the letter in a copy: the hall shows it."""

import json
import os
import re
import shutil
import subprocess
import sys
import textwrap
from pathlib import Path

import nbformat
import pytest

ROOT = Path(__file__).parents[1]
RECIPE = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
SHOW = """
import sys
from pathlib import Path
import nbformat
import lecture_viz as lv
from lecture_viz.presenter.lessons import lessons

found = lessons(Path("notebooks"), Path(sys.argv[1]))
print(found[-1].title)
names = {}
for cell in nbformat.read(Path(sys.argv[1]) / found[-1].file, as_version=4).cells:
    if cell.cell_type == "code":
        exec(cell.source, names)
panel = names["panel"].set(layer="conv2")
print(panel.code())
names |= {"net": names["net"], "photo": names["photo"]}
assert abs(lv.images.show_signed(eval(panel.code(), names)) - panel.image("gradient")).max() < 1e-6
"""


def test_every_recipe_has_at_most_ten_lines_beside_its_code():
    for recipe in re.split(r"^## ", re.sub(r"```.*?```", "", RECIPE, flags=re.DOTALL), flags=re.MULTILINE)[1:]:
        lines = [line for line in recipe.splitlines()[1:] if line.strip()]
        assert len(lines) <= 10, lines


@pytest.mark.notebook
def test_a_lesson_by_the_recipe_is_shown_in_the_hall(tmp_path):
    package = tmp_path / "lecture_viz"
    shutil.copytree(ROOT / "lecture_viz", package, ignore=shutil.ignore_patterns("weights", "__pycache__"))
    (package / "networks" / "weights").symlink_to(ROOT / "lecture_viz" / "networks" / "weights")
    # 1: the panel
    code = textwrap.dedent(re.search(r"```python\n(.*?)```", RECIPE, re.DOTALL)[1].replace("\n   ", "\n"))
    (package / "live" / "layer_gradient.py").write_text(code.removeprefix("   "), encoding="utf-8")
    # 2: the registry
    registry = package / "live" / "__init__.py"
    lines = registry.read_text(encoding="utf-8").replace(
        "from .layers import", "from .layer_gradient import LayerGradient as layer_gradient\nfrom .layers import"
    )
    lines = lines.replace("LESSONS = (", 'LESSONS = (\n    Lesson("11_layer_gradient", (layer_gradient,)),')
    registry.write_text(lines, encoding="utf-8")
    # 3: the texts
    for language in ("en", "de", "zh"):
        file = package / "languages" / f"{language}.json"
        texts = json.loads(file.read_text(encoding="utf-8"))
        texts["layer gradient"] = {"title": "Layer gradient", "gradient alt": "gradient of a layer"}
        file.write_text(json.dumps(texts), encoding="utf-8")
    # 4: the notebook
    present = {"tags": ["present"]}
    sources = (
        "import lecture_viz as lv",
        'net = lv.load_network("alexnet64", device="cpu")\nphoto = lv.load_image("cat", 64)',
        "panel = lv.live.layer_gradient(net, photo)",
    )
    cells = [nbformat.v4.new_code_cell(source, metadata=present) for source in sources]
    (tmp_path / "notebooks").mkdir()
    nbformat.write(nbformat.v4.new_notebook(cells=cells), tmp_path / "notebooks" / "11_layer_gradient.ipynb")

    command = [sys.executable, "-c", SHOW, str(tmp_path)]
    ran = subprocess.run(
        command, cwd=tmp_path, env=os.environ | {"PYTHONPATH": str(tmp_path)}, capture_output=True, text=True
    )
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.splitlines() == ["11 · Layer gradient", "lv.gradient(net, photo, lv.layer('conv2'))"]
