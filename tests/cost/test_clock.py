"""The clock from logic depth: the slowest kind of part decides, and a family without delays has none."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from codesign.board import load_board
from codesign.cost.clock import estimate_clock
from codesign.cost.model import FamilyModel, KindModel, Scale
from codesign.lowering import assemble
from tests.small_graphs import mlp

# Made before the coefficients below are in place: costs are cached.
DESIGN = assemble(mlp(), {}, load_board("pynq-z1"))


@pytest.fixture
def delays(coefficients: Path) -> Path:
    same = Scale({"base": 0.0}, 0.0, 0.0, 0.0)
    found = {"MatVec": 4000, "Threshold": 2500, "Channel": 1000, "Window": 9000}
    kinds = {k: KindModel(9, {"lut": same, "ff": same}, ps) for k, ps in found.items()}
    (coefficients / "made.json").write_bytes(msgspec.json.encode(FamilyModel("made", "t", kinds)))
    return coefficients


def test_the_slowest_kind_that_the_design_has_decides(delays: Path) -> None:
    found = estimate_clock(DESIGN, "made")
    # 4 ns of cells and 4 ns of wires.
    assert (found.kind, found.logic_ps, found.clock_hz) == ("MatVec", 4000, 125e6)
    assert "about 125 MHz, estimated from logic depth" in found.sentence
    assert "nothing was placed" in found.sentence


def test_a_family_without_delays_has_no_clock(delays: Path) -> None:
    assert estimate_clock(DESIGN, "other") is None
