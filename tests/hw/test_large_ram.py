"""Synthesis sees the large RAM of a family where it is asked for, and what fills it costs as stated."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from codesign.blocks.base import Fold
from codesign.blocks.memories import weights
from codesign.board import load_board
from codesign.cost.estimate import estimate
from codesign.cost.family import load_family
from codesign.cost.resources import total
from codesign.errors import ToolMissing
from codesign.files import package_data
from codesign.lowering import assemble
from codesign.rtl.build import files_of
from codesign.tools.yosys import Job, cell_models, find_yosys, synthesise, write_netlist
from tests import small_graphs
from tests.hw.harness import BENCH
from tests.marks import needs_icarus

# (family, option of its synthesis, bits of a word, words, memories): two columns, and eight words a row.
SHAPES = (
    ("xcup", "-uram", 96, 600, 2),
    ("ice40", "-spram", 24, 5000, 2),
    ("ice40", "-spram", 2, 100_000, 1),
)
# Beyond the law of the counters, Yosys merges a few LUTs or splits them.
LUTS_APART = 5


def _needs(native: bool) -> None:
    try:
        find_yosys(native)
    except ToolMissing as error:
        pytest.skip(str(error))


@pytest.mark.slow
@pytest.mark.parametrize("native", [True, False], ids=["yosys", "yowasp"])
@pytest.mark.parametrize(
    ("family", "option", "bits", "words", "count"), SHAPES, ids=lambda v: str(v)
)
def test_synthesis_finds_the_large_ram(family, option, bits, words, count, native):
    _needs(native)
    device = load_family(family)
    source = {"large_ram.sv": (package_data("hw") / "large_ram.sv").read_text()}
    parameters = {"Width": bits, "Depth": words, "LoadBits": device.load_bits}
    found = synthesise(Job(source, "large_ram", family, parameters, (option,), native)).counts
    expected = total(term.resources for term in weights(device, words, bits, "large"))
    assert found.ram == expected.ram == {device.large.name: count}
    assert found.ff == expected.ff
    assert abs(found.lut - expected.lut) <= LUTS_APART


@pytest.mark.slow
def test_a_whole_design_has_the_large_memories_of_its_estimate():
    _needs(native=True)
    board, graph = load_board("icebreaker"), small_graphs.mlp()
    folds = {"fc0": Fold(2, 4, memory="large"), "fc1": Fold(2, 2, memory="large")}
    design = assemble(graph, folds, board)
    files = files_of(design, graph.params, board)
    sources = {n.rpartition("/")[2]: text for n, text in files.items() if "bench/" not in n}
    sources = {
        n: text for n, text in sources.items() if n.endswith((".sv", ".mem")) and n != "tb.sv"
    }
    found = synthesise(Job(sources, "top", "ice40", options=("-spram",), native=True)).counts
    expected = estimate(design, board).total.ram
    assert found.ram.get("SPRAM") == expected["SPRAM"] == 3


def _simulated(folder: Path, *sources: Path) -> str:
    """What tests/hw/bench/large_ram_tb.sv prints about the module `dut` of `sources`."""
    command = (
        "iverilog",
        "-g2012",
        "-DNO_ICE40_DEFAULT_ASSIGNMENTS",
        "-s",
        "large_ram_tb",
        "-o",
        "tb",
    )
    files = (*map(str, sources), str(BENCH / "large_ram_tb.sv"))
    subprocess.run([*command, *files], cwd=folder, check=True)
    done = subprocess.run(
        ["vvp", "-n", "tb"], cwd=folder, check=True, capture_output=True, text=True
    )
    return done.stdout.strip()


PORTS = """\
module dut (
    input clk_i, input rst_i, input turn_i, input load_valid_i, input [15:0] load_data_i,
    output loaded_o, input [5:0] addr_i, output [23:0] data_o
);
  large_ram #(.Width(24), .Depth(50), .LoadBits(16)) ram (.*);
endmodule
"""


@needs_icarus
def test_gates_read_what_was_loaded_and_load_anew_after_a_reset(tmp_path):
    """SPRAM cells of the iCE40, whose model Yosys has, in Icarus."""
    _needs(native=True)
    source = (package_data("hw") / "large_ram.sv").read_text()
    sources = {"large_ram.sv": source, "dut.sv": PORTS}
    netlist = write_netlist(Job(sources, "dut", "ice40", options=("-spram",), native=True))
    assert "SB_SPRAM256KA" in netlist.read_text()
    assert _simulated(tmp_path, netlist, cell_models("ice40", native=True)) == "equal"
