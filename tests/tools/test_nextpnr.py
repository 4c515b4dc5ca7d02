"""Place and route for ECP5: a clock that a register-to-register path sets, and what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from codesign.errors import BadInput, ToolMissing
from codesign.tools import nextpnr
from codesign.tools.nextpnr import RoutingFailed, place_and_route
from codesign.tools.yosys import Job
from tests.marks import needs_nextpnr, needs_yowasp

# A LUT4 a stage, each behind the one before.
CHAIN = """
module chain #(parameter int Stages = 1) (
    input logic clk_i, input logic [Stages-1:0] a_i, b_i, c_i, output logic q_o);
  logic [Stages-1:0] a_q, b_q, c_q;
  logic value;
  always_comb begin
    value = a_q[0];
    for (int i = 0; i < Stages; i++) value = ((value & a_q[i]) ^ b_q[i]) | c_q[i];
  end
  always_ff @(posedge clk_i) begin
    {a_q, b_q, c_q} <= {a_i, b_i, c_i};
    q_o <= value;
  end
endmodule
"""


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A cache of netlists in the temporary folder; the compiled tools stay where they are."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setenv("YOWASP_CACHE_DIR", str(Path.home() / ".cache" / "YoWASP"))


def _chain(stages: int) -> Job:
    return Job({"chain.sv": CHAIN}, "chain", "ecp5", {"Stages": stages})


@pytest.mark.slow
@needs_nextpnr
@needs_yowasp
def test_a_longer_path_has_a_slower_clock_and_more_wire() -> None:
    short, long = place_and_route(_chain(2)), place_and_route(_chain(12))
    # A LUT4 of speed grade 6 takes 0.24 ns (prjtrellis): ten more take at least 2.4 ns.
    assert 1e12 / long.clock_hz - 1e12 / short.clock_hz > 2400
    assert 0 < short.wire_ps < long.wire_ps < 1e12 / long.clock_hz


@pytest.mark.slow
@needs_nextpnr
@needs_yowasp
def test_without_registers_there_is_no_clock() -> None:
    wire = (
        "module wires (input logic a_i, b_i, output logic q_o); assign q_o = a_i ^ b_i; endmodule"
    )
    with pytest.raises(RoutingFailed, match="no path leads from register to register"):
        place_and_route(Job({"wires.sv": wire}, "wires", "ecp5"))


def test_another_family_is_refused() -> None:
    with pytest.raises(BadInput, match="give --family ecp5"):
        place_and_route(Job({}, "chain", "xc7"))


def test_a_missing_tool_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nextpnr, "_yowasp", lambda: None)
    monkeypatch.setattr(nextpnr, "_native", lambda: None)
    with pytest.raises(ToolMissing, match="pip install 'codesign\\[place\\]'"):
        place_and_route(_chain(1))
