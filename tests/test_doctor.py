"""The doctor sees what is installed and what is not."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

import pytest

from codesign.doctor import checks, package, program


def found() -> dict[str, str | None]:
    return {check.name: check.version for check in checks()}


@pytest.mark.parametrize("name", ["torch", "onnx", "onnxruntime", "numba"])
def test_versions_are_those_the_packages_state(name: str) -> None:
    assert found()[name] == importlib.import_module(name).__version__


def test_a_missing_package_and_a_missing_program_are_none() -> None:
    assert package("no-such-package-at-all")() is None
    assert program("no-such-program-at-all")() is None


def test_a_program_is_asked_for_its_version(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, body in (("good", "echo tool v12.3.4 of May"), ("mute", "exit 3")):
        (tmp_path / name).write_text(f"#!/bin/sh\n{body}\n")
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    assert program("absent", "good")() == "12.3.4"
    assert program("mute")() == "?"


def test_the_data_folder_is_listed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "mnist").mkdir()
    monkeypatch.setenv("CODESIGN_DATA", str(tmp_path))
    assert found()["CODESIGN_DATA"] == "mnist"
    monkeypatch.setenv("CODESIGN_DATA", str(tmp_path / "gone"))
    assert found()["CODESIGN_DATA"] is None


def test_python_runs_no_package_to_find_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "brevitas", raising=False)
    checks()
    assert "brevitas" not in sys.modules


def test_every_line_says_how_to_install() -> None:
    assert all(check.install and check.needed_for for check in checks())
