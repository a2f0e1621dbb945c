"""The promises the project makes about itself."""

import os
import re
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[1]
CONDA_NAMES = {"torch": "pytorch", "matplotlib": "matplotlib-base"}


def requirements() -> list[str]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"]


def test_environment_yml_lists_what_pyproject_lists():
    listed = re.findall(r"^ +- ([\w-]+(?:>=[\d.]+)?)$", (ROOT / "environment.yml").read_text(), re.MULTILINE)
    expected = [re.sub(r"^[\w-]+", lambda m: CONDA_NAMES.get(m[0], m[0]), r) for r in requirements()]
    assert sorted(listed) == sorted([*expected, "python>=3.11", "conda-forge", "pip"])


def test_constraints_pin_every_requirement_within_its_range():
    pins = dict(re.findall(r"^([\w.-]+)==([\d.]+)", (ROOT / "constraints.txt").read_text(), re.MULTILINE))
    for name, oldest in (re.fullmatch(r"([\w-]+)>=([\d.]+)", r).groups() for r in requirements()):
        numbers = [tuple(int(n) for n in version.split(".")) for version in (pins[name], oldest)]
        assert numbers[0] >= numbers[1], name


def make(*arguments: str, **variables: str) -> subprocess.CompletedProcess:
    if shutil.which("make") is None:
        pytest.skip("make is not installed")
    command = ["make", "-s", "-C", str(ROOT), *arguments, *(f"{name}={value}" for name, value in variables.items())]
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS"))}
    return subprocess.run(command, capture_output=True, text=True, env=clean)


def targets() -> list[str]:
    return re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)


def test_make_help_lists_every_command():
    assert [line.split()[0] for line in make().stdout.splitlines()] == targets()


@pytest.mark.parametrize(
    "promising", ["README.md", ".ci/run", ".github/workflows/ci.yml", ".github/workflows/book.yml", "deploy/README.md"]
)
def test_every_command_that_is_promised_exists(promising):
    promised = set(re.findall(r"(?:`|^ *|run: )make ([a-z]+)", (ROOT / promising).read_text(), re.MULTILINE))
    assert promised <= set(targets())
    assert promising != "README.md" or {"lab", "test", "present", "doctor", "help"} <= promised


@pytest.mark.parametrize("python", ["no-such-python", "false"])
def test_without_a_recent_python_make_says_what_to_do(python, tmp_path):
    ran = make("lab", PYTHON=python, VENV=str(tmp_path / "venv"))
    assert ran.returncode != 0 and not (tmp_path / "venv").exists()
    assert ran.stderr.splitlines()[0].endswith("Say another: make lab PYTHON=python3.12")


def test_without_an_environment_the_doctor_sends_to_make_lab(tmp_path):
    ran = make("doctor", VENV=str(tmp_path / "venv"))
    assert ran.returncode != 0 and "make lab" in ran.stderr


@pytest.mark.skipif(os.name == "nt", reason="make lab is for Linux and macOS")
@pytest.mark.parametrize(
    "works, asked", [("uv|pip", ["pip", "uv"]), ("pip", ["pip", "uv", "pip"]), ("none", ["pip", "pip"])]
)
def test_what_uv_cannot_install_pip_does_and_what_neither_can_is_said(tmp_path, works, asked):
    python = tmp_path / "venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    script = f'#!/bin/sh\n[ "$1" = -m ] || exit 0\necho "$2" >>{tmp_path}/asked\necho "ERROR: no $2"\n'
    python.write_text(f"{script}case $2 in {works}) ;; *) exit 1 ;; esac\n")
    python.chmod(0o755)
    stamp = tmp_path / "venv" / "lab.stamp"
    ran = make(str(stamp), VENV=str(tmp_path / "venv"))
    assert (tmp_path / "asked").read_text().split() == asked
    assert stamp.exists() == (ran.returncode == 0) == (works != "none")
    assert ran.stderr.startswith("ERROR: no pip\npip could not install") == (works == "none")


def test_an_environment_keeps_its_pytorch(tmp_path):
    package = tmp_path / "lib" / "python3.11" / "site-packages" / "torch-2.15.0+cpu.dist-info"
    package.mkdir(parents=True)
    assert "keeps" not in make("help", VENV=str(tmp_path), TORCH="full").stdout  # half made: any will do
    (tmp_path / "lab.stamp").touch()
    assert "keeps its cpu PyTorch" in make("help", VENV=str(tmp_path), TORCH="full").stdout
    assert "keeps" not in make("help", VENV=str(tmp_path)).stdout
    package.rename(package.with_name("torch-2.15.0.dist-info"))
    assert "keeps its full PyTorch" in make("help", VENV=str(tmp_path), TORCH="cpu").stdout


@pytest.mark.parametrize("file", ["Makefile", ".ci/run", ".github/workflows/ci.yml", "pyproject.toml"])
def test_no_number_of_threads_is_set(file):
    assert not re.search(r"NUM_THREADS|set_num_threads", (ROOT / file).read_text())


def test_the_workflow_runs_what_the_project_has():
    jobs = yaml.safe_load((ROOT / ".github" / "workflows" / "ci.yml").read_text())["jobs"]
    assert set(jobs) == {"test", "quick", "sweep"}
    assert all(0 < job["timeout-minutes"] <= 360 for job in jobs.values())
    (quick,) = re.findall(r"^quick:.*\n\t\S+ -m (pytest.+)$", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert f"python -m {quick}" in [step.get("run") for step in jobs["quick"]["steps"]]


@pytest.mark.parametrize("readme", ["README.md", "README.zh.md"])
def test_the_readme_links_to_what_is_there(readme):
    text = (ROOT / readme).read_text(encoding="utf-8")
    links = [link for link in re.findall(r"\]\(([^)#]+)\)|src=\"([^\"]+)\"", text) for link in link if link]
    assert links
    for link in links:
        assert link.startswith("http") or (ROOT / link).exists(), link


def test_every_notebook_is_in_the_readme():
    text = (ROOT / "README.md").read_text()
    for notebook in (ROOT / "notebooks").glob("*.ipynb"):
        assert notebook.name in text
