"""Synthesis sees the large RAM of a family where it is asked for, and what fills it costs as stated."""

from __future__ import annotations

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
from codesign.tools.yosys import Job, find_yosys, synthesise
from tests import small_graphs

# (family, option of its synthesis, bits of a word, words): two columns each.
SHAPES = (("xcup", "-uram", 96, 600), ("ice40", "-spram", 24, 5000))
# Beyond the law of the counters, Yosys merges a few LUTs or splits them.
LUTS_APART = 5


def _needs(native: bool) -> None:
    try:
        find_yosys(native)
    except ToolMissing as error:
        pytest.skip(str(error))


@pytest.mark.slow
@pytest.mark.parametrize("native", [True, False], ids=["yosys", "yowasp"])
@pytest.mark.parametrize(("family", "option", "bits", "words"), SHAPES, ids=lambda v: str(v))
def test_synthesis_finds_the_large_ram(family, option, bits, words, native):
    _needs(native)
    device = load_family(family)
    source = {"large_ram.sv": (package_data("hw") / "large_ram.sv").read_text()}
    parameters = {"Width": bits, "Depth": words, "LoadBits": device.load_bits}
    found = synthesise(Job(source, "large_ram", family, parameters, (option,), native)).counts
    expected = total(term.resources for term in weights(device, words, bits, "large"))
    assert found.ram == expected.ram == {device.large.name: 2}
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
