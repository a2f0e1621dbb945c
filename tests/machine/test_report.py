"""The environment check finds what is wrong and says how to mend it."""

import sys
from importlib import metadata

import pytest

import lecture_viz as lv
from lecture_viz import machine
from lecture_viz.machine import report


def test_this_machine_is_ready():
    found = machine.check()
    assert found.ready, found
    assert "This machine is ready." in repr(found) and "✗" not in found._repr_html_()
    assert {"Python", "torch", "ipywidgets", "computes on", "network alexnet64"} <= {f.what for f in found}


@pytest.fixture
def in_language():
    yield lv.use_language
    lv.use_language("en")


VERDICTS = {
    "zh": ("这台电脑已准备就绪。", "请先解决标有 ✗ 的各行"),
    "de": ("Dieser Rechner ist bereit.", "Erst die Zeilen mit ✗ beheben"),
}


@pytest.mark.parametrize("language", VERDICTS)
def test_the_report_is_in_the_language_in_use(in_language, monkeypatch, language):
    ready, mend = VERDICTS[language]
    in_language(language)
    found = machine.check()
    assert repr(found).endswith(ready) and ready in found._repr_html_()
    for english in ("ready", "threads", "cat", "network", "computes"):
        assert english not in repr(found).removesuffix(ready).replace("Threads", "")

    def missing(name):
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(metadata, "version", missing)
    found = machine.check()
    assert mend in repr(found) and mend in found._repr_html_()
    (matplotlib,) = [finding for finding in found if finding.what == "matplotlib"]
    assert matplotlib.found in ("缺失", "fehlt") and matplotlib.mend.startswith("pip install ")


def test_without_the_package_it_is_english(in_language, monkeypatch):
    in_language("zh")
    monkeypatch.setitem(sys.modules, "lecture_viz.languages", None)  # as if its import failed
    found = machine.Report([machine.Finding("gadget", "here")])
    assert repr(found).endswith("This machine is ready.")
    assert report._say("network {name}", name="alexnet64") == "network alexnet64"


def test_what_is_missing_or_old_comes_with_its_mend(monkeypatch):
    real = metadata.version

    def version(name):
        if name == "matplotlib":
            raise metadata.PackageNotFoundError(name)
        return "7.9.1rc1" if name == "ipywidgets" else real(name)

    monkeypatch.setattr(metadata, "version", version)
    found = machine.check()
    mends = {finding.what: finding.mend for finding in found if finding.mend}
    assert set(mends) == {"matplotlib", "ipywidgets"}
    assert mends["ipywidgets"].startswith('pip install "ipywidgets>=8')
    assert not found.ready and "Mend the lines" in repr(found) and "✗" in found._repr_html_()


def test_a_broken_installation_is_a_line_not_a_crash(monkeypatch):
    def broken():
        raise RuntimeError("operator torchvision::nms does not exist")

    monkeypatch.setattr(report, "_torch", broken)
    assert "nms does not exist" in repr(machine.check())


def test_a_package_that_is_not_installed_is_told(monkeypatch):
    def missing(name):
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(metadata, "metadata", missing)
    monkeypatch.setattr(metadata, "requires", missing)
    first, second, *_ = machine.check()
    assert (first.what, second.what) == ("Python", "packages")
    assert "pip install" in first.mend and "pip install" in second.mend


def test_an_old_python_is_told(monkeypatch):
    monkeypatch.setattr(report.platform, "python_version", lambda: "3.9.2")
    assert machine.check()[0].mend == "install Python >=3.11"
