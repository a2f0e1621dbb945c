"""Is this machine ready? What is missing, and the command that mends it."""

import html
import platform
import re
from collections.abc import Callable
from importlib import metadata
from typing import NamedTuple


class Finding(NamedTuple):
    """One line of the report; ``mend`` is empty when all is well."""

    what: str
    found: str
    mend: str = ""


class Report(list[Finding]):
    """What `check` found; shown as a table in a notebook, as lines elsewhere."""

    @property
    def ready(self) -> bool:
        return not any(finding.mend for finding in self)

    def __repr__(self) -> str:
        lines = [f"{'✗' if f.mend else '✓'} {f.what}: {f.found}{f' → {f.mend}' if f.mend else ''}" for f in self]
        return "\n".join(
            [*lines, "This machine is ready." if self.ready else "Mend the lines marked ✗, then run again."]
        )

    def _repr_html_(self) -> str:
        rows = ""
        for finding in self:
            mark = "<b style='color:#d33'>✗</b>" if finding.mend else "<b style='color:#2a2'>✓</b>"
            rows += f"<tr><td>{mark}</td>"
            rows += "".join(f"<td style='text-align:left'>{html.escape(text)}</td>" for text in finding) + "</tr>"
        verdict = "This machine is ready." if self.ready else "Mend the lines marked ✗, then run this cell again."
        return f"<table>{rows}</table><p><b>{verdict}</b></p>"


def check() -> Report:
    """Look at Python, the packages, the compute device and the embedded networks; never raises."""
    looks = {"Python": _python, "packages": _packages, "PyTorch": _torch, "networks": _networks}
    return Report([finding for what, look in looks.items() for finding in _try(what, look)])


def _python() -> list[Finding]:
    needed = metadata.metadata("lecture-viz")["Requires-Python"]
    version = platform.python_version()
    oldest = tuple(map(int, re.findall(r"\d+", needed)))
    recent = tuple(map(int, version.split(".")[:2])) >= oldest[:2]
    return [Finding("Python", version, "" if recent else f"install Python {needed}")]


def _packages() -> list[Finding]:
    findings = []
    for requirement in metadata.requires("lecture-viz") or []:
        match = re.fullmatch(r"([\w.-]+)>=([\d.]+)", requirement)
        if not match:
            continue  # what only the tests need
        name, oldest = match.groups()
        mend = f'pip install "{requirement}"'
        try:
            version = metadata.version(name)
        except metadata.PackageNotFoundError:
            findings.append(Finding(name, "missing", mend))
            continue
        old = _numbers(version) < _numbers(oldest)
        findings.append(Finding(name, f"{version}, needs {oldest}" if old else version, mend if old else ""))
    return findings


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(n) for n in re.match(r"[\d.]*\d", version).group().split("."))


def _try(what: str, look: Callable[..., list[Finding]], *arguments: str) -> list[Finding]:
    try:
        return look(*arguments)
    except Exception as error:
        return [Finding(what, f"{type(error).__name__}: {error}", "install again: pip install -c constraints.txt -e .")]


def _torch() -> list[Finding]:
    import torch
    import torchvision  # fails at import when the two do not fit together

    accelerator = torch.accelerator.current_accelerator(check_available=True)
    versions = f"torch {torch.__version__} and torchvision {torchvision.__version__} fit together"
    return [Finding("computes on", f"{accelerator or 'the CPU'} ({torch.get_num_threads()} threads); {versions}")]


def _networks() -> list[Finding]:
    from lecture_viz.networks.embedded import ARCHITECTURES  # imports PyTorch, so only now

    return [finding for name in ("efficientnet_lite0", *ARCHITECTURES) for finding in _try(name, _embedded, name)]


def _embedded(name: str) -> list[Finding]:
    from lecture_viz import load_image, load_network

    network = load_network(name)
    label, probability = network.top(load_image("cat", network.input_size), 1)[0]
    return [Finding(f"network {name}", f"takes the cat for: {label} ({probability:.0%})")]
