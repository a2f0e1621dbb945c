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
        verdict = _say("This machine is ready." if self.ready else "Mend the lines marked ✗, then run again.")
        return "\n".join([*lines, verdict])

    def _repr_html_(self) -> str:
        rows = ""
        for finding in self:
            mark = "<b style='color:#d33'>✗</b>" if finding.mend else "<b style='color:#2a2'>✓</b>"
            rows += f"<tr><td>{mark}</td>"
            rows += "".join(f"<td style='text-align:left'>{html.escape(text)}</td>" for text in finding) + "</tr>"
        verdict = _say("This machine is ready." if self.ready else "Mend the lines marked ✗, then run this cell again.")
        return f"<table>{rows}</table><p><b>{verdict}</b></p>"


def check() -> Report:
    """Look at Python, the packages, the compute device and the embedded networks; never raises."""
    torch = _try("PyTorch", _torch)  # first: what is wrong with it, it may say only once, and `_say` imports it, too
    packages = _try("Python", _python) + _try(_say("packages"), _packages)
    return Report(packages + torch + _try(_say("networks"), _networks))


def _say(english: str, **values: object) -> str:
    """In the language in use; in English where the package that knows it is what is broken."""
    try:
        from lecture_viz.languages import say  # imports PyTorch, with the package

        return say(english, **values)
    except Exception:
        return english.format(**values) if values else english


def _python() -> list[Finding]:
    needed = metadata.metadata("lecture-viz")["Requires-Python"]
    version = platform.python_version()
    oldest = tuple(map(int, re.findall(r"\d+", needed)))
    recent = tuple(map(int, version.split(".")[:2])) >= oldest[:2]
    return [Finding("Python", version, "" if recent else _say("install Python {needed}", needed=needed))]


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
            findings.append(Finding(name, _say("missing"), mend))
            continue
        old = _numbers(version) < _numbers(oldest)
        found = _say("{version}, needs {oldest}", version=version, oldest=oldest) if old else version
        findings.append(Finding(name, found, mend if old else ""))
    return findings


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(n) for n in re.match(r"[\d.]*\d", version).group().split("."))


def _try(what: str, look: Callable[..., list[Finding]], *arguments: str) -> list[Finding]:
    try:
        return look(*arguments)
    except Exception as error:
        mend = _say("install again: {command}", command="pip install -c constraints.txt -e .")
        return [Finding(what, f"{type(error).__name__}: {error}", mend)]


def _torch() -> list[Finding]:
    import torch
    import torchvision  # fails at import when the two do not fit together

    accelerator = torch.accelerator.current_accelerator(check_available=True)
    device = _say(
        "{device} ({threads} threads); {torch} and {torchvision} fit together",
        device=accelerator or _say("the CPU"),
        threads=torch.get_num_threads(),
        torch=f"torch {torch.__version__}",
        torchvision=f"torchvision {torchvision.__version__}",
    )
    return [Finding(_say("computes on"), device)]


def _networks() -> list[Finding]:
    from lecture_viz.networks.embedded import ARCHITECTURES  # imports PyTorch, so only now

    return [finding for name in ("efficientnet_lite0", *ARCHITECTURES) for finding in _try(name, _embedded, name)]


def _embedded(name: str) -> list[Finding]:
    from lecture_viz import load_image, load_network

    network = load_network(name)
    label, p = network.top(load_image("cat", network.input_size), 1)[0]
    found = _say("takes the cat for: {label} ({p:.0%})", label=label, p=p)
    return [Finding(_say("network {name}", name=name), found)]
