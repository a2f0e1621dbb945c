"""The promises the project makes about itself."""

import re
import subprocess
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[1]
CONDA_NAMES = {"torch": "pytorch", "matplotlib": "matplotlib-base"}


def requirements() -> list[str]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"]


def test_environment_yml_lists_what_pyproject_lists():
    listed = re.findall(r"^  - ([\w-]+(?:>=[\d.]+)?)$", (ROOT / "environment.yml").read_text(), re.MULTILINE)
    expected = [re.sub(r"^[\w-]+", lambda m: CONDA_NAMES.get(m[0], m[0]), r) for r in requirements()]
    assert sorted(listed) == sorted([*expected, "python>=3.11", "conda-forge", "pip"])


def test_constraints_pin_every_requirement_within_its_range():
    pins = dict(re.findall(r"^([\w.-]+)==([\d.]+)", (ROOT / "constraints.txt").read_text(), re.MULTILINE))
    for name, oldest in (re.fullmatch(r"([\w-]+)>=([\d.]+)", r).groups() for r in requirements()):
        numbers = [tuple(int(n) for n in version.split(".")) for version in (pins[name], oldest)]
        assert numbers[0] >= numbers[1], name


def test_make_help_lists_every_command():
    shown = subprocess.run(["make", "-s", "-C", ROOT], capture_output=True, text=True, check=True).stdout
    targets = re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert {"lab", "test", "bench", "notebooks", "help"} <= set(targets)
    assert [line.split()[0] for line in shown.splitlines()] == targets


def test_the_readme_links_to_what_is_there():
    text = (ROOT / "README.md").read_text()
    links = [link for link in re.findall(r"\]\(([^)#]+)\)|src=\"([^\"]+)\"", text) for link in link if link]
    assert links
    for link in links:
        assert link.startswith("http") or (ROOT / link).exists(), link


def test_every_notebook_is_in_the_readme():
    text = (ROOT / "README.md").read_text()
    for notebook in (ROOT / "notebooks").glob("*.ipynb"):
        assert notebook.name in text
