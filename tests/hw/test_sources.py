"""Every module of hw/ elaborates alone in every tool, without a warning."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

import codesign
from codesign.blocks import BLOCKS
from codesign.cost.family import load_family
from codesign.files import package_data
from tests.marks import VERILATOR, needs_native_yosys, needs_verilator

HW = package_data("hw")
XC7 = load_family("xc7")
PACKAGE = Path(codesign.__file__).parent
MODULES = sorted(path.stem for path in HW.glob("*.sv"))


def _called(*command: str) -> str:
    done = subprocess.run(command, cwd=HW, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


@needs_verilator
@pytest.mark.parametrize("module", MODULES)
def test_verilator_has_no_complaint(module: str) -> None:
    command = (VERILATOR, "--lint-only", "-Wall", "-y", ".", "--top-module", module)
    assert not _called(*command, f"{module}.sv")


@needs_native_yosys
@pytest.mark.parametrize("module", MODULES)
def test_yosys_reads_and_finds_no_problem(module: str) -> None:
    steps = (
        f"read_verilog -sv *.sv; hierarchy -top {module}; proc; flatten; opt_clean; check -assert"
    )
    _called("yosys", "-q", "-p", steps)


@pytest.mark.parametrize("module", MODULES)
def test_no_sign_stands_before_a_cast(module: str) -> None:
    """Yosys (0.23 to 0.59) reads -W'(1) as (-W)'(1), which is +1, and makes a wrong netlist."""
    code = re.sub(r"//.*", "", (HW / f"{module}.sv").read_text())
    assert not re.findall(r"[-~]\w+'\(", code)


@pytest.mark.parametrize("module", MODULES)
def test_header_says_what_the_module_guarantees(module: str) -> None:
    text = (HW / f"{module}.sv").read_text()
    header = text.split(f"module {module} ")[0]
    assert "Timing contract" in header
    twins = re.findall(r"codesign/[\w/]+\.py", header.split("Python twin:")[1])
    assert twins and all((PACKAGE.parent / twin).exists() for twin in twins), twins


@pytest.mark.parametrize("cls", BLOCKS, ids=lambda cls: cls.__name__)
def test_every_block_has_its_module_and_its_line_in_the_table(cls: type) -> None:
    block, params = cls.examples()[0]
    module = block.rtl(params, XC7).module
    assert module in MODULES
    source = Path(*cls.__module__.split(".")).with_suffix(".py")
    assert f"| `{module}.sv` | `{source}` |" in (HW / "README.md").read_text()
