"""Gates after synthesis behave as the RTL: bits and cycles of a sample of every block.

For the 7 series without block RAM and DSP, whose cells Yosys models exactly; the constants of
memories become part of the netlist.
"""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from codesign.blocks import BLOCKS
from codesign.blocks.base import Block
from codesign.files import package_data
from codesign.rtl.instance import Rtl, instance_text
from tests.hw.harness import Case, case_of, check

pytestmark = [
    pytest.mark.skipif(shutil.which("yosys") is None, reason="yosys is not installed"),
    pytest.mark.skipif(shutil.which("verilator") is None, reason="verilator is not installed"),
    pytest.mark.slow,
]


def _sample(cls: type[Block]) -> Case:
    """The last example under a folding in the middle."""
    block, params = cls.examples()[-1]
    folds = block.legal_folds()
    return case_of(block.folded(folds[len(folds) // 2]), params, 0)


def _wrapper(case: Case, name: str) -> str:
    """A module without parameters around the instance of the case."""
    widths = {"clk_i": 1, "rst_i": 1}
    for port, law in case.ports.items():
        ends = (
            ("valid_i", "ready_o") if port.startswith("in") else ("space_i", "issue_o", "valid_o")
        )
        widths |= {f"{port}_{end}": 1 for end in ends}
        widths[f"{port}_data_{'i' if port.startswith('in') else 'o'}"] = law.bits
    ports = [
        f"{'input' if port.endswith('_i') else 'output'} logic [{bits - 1}:0] {port}"
        for port, bits in widths.items()
    ]
    files = {memory: f"{memory}.hex" for memory in case.rtl.memories}
    inner = instance_text(case.rtl, "dut", files, {port: port for port in widths})
    return f"module {name} ({', '.join(ports)});\n{inner}endmodule\n"


def _netlist(case: Case, name: str, folder: Path) -> Path:
    for memory, words in case.rtl.memories.items():
        (folder / f"{memory}.hex").write_text(words.text)
    (folder / "wrapper.sv").write_text(_wrapper(case, name))
    netlist = folder / f"{name}.v"
    script = (
        f"read_verilog -sv {package_data('hw')}/*.sv wrapper.sv; "
        f"synth_xilinx -family xc7 -flatten -nobram -nodsp -noiopad -noclkbuf -top {name}; "
        f"check -assert; write_verilog -noattr {netlist}"
    )
    done = subprocess.run(
        ["yosys", "-q", "-p", script], cwd=folder, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    return netlist


def _cells() -> Path:
    share = Path(shutil.which("yosys")).resolve().parent.parent / "share" / "yosys"
    return share / "xilinx" / "cells_sim.v"


def test_gates_have_the_bits_and_cycles_of_the_law(tmp_path: Path) -> None:
    cases, sources = [], [_cells()]
    for cls in BLOCKS:
        case, name = _sample(cls), f"gates_{cls.__name__}"
        sources.append(_netlist(case, name, tmp_path))
        gates = replace(case)
        gates.__dict__["rtl"] = Rtl(name)
        cases.append(gates)
    for seed in (None, 1):
        check(cases, tmp_path, seed, sources)
