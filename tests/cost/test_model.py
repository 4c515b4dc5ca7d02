"""Fitted scales on terms: what is scaled, what is not, and how bounds of parts add up."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from codesign.cost import model
from codesign.cost.model import FamilyModel, KindModel, Scale, add_widths, bounds, scaled, widths
from codesign.cost.resources import CostTerm, Resources, total
from codesign.errors import BadInput

TERMS = (
    CostTerm("logic", Resources(lut=100, ff=40)),
    CostTerm("memory", Resources(lut=30, lutram=24, dsp=2, ram={"BRAM18": 3})),
)


@pytest.fixture
def folder(coefficients: Path) -> Path:
    """A family with coefficients for one kind of block."""
    lut = Scale({"logic": 1.5, "memory": 2.0, "base": 7.0}, -0.1, 0.2, 0.04)
    ff = Scale({"logic": 0.5, "base": 1.0}, 0.0, 0.0, 0.0)
    made = FamilyModel("made", "a tool", {"Unit": KindModel(12, {"lut": lut, "ff": ff})})
    (coefficients / "made.json").write_bytes(msgspec.json.encode(made))
    return coefficients


def test_logic_is_scaled_and_memories_and_dsps_are_not(folder: Path) -> None:
    found = total(term.resources for term in scaled(TERMS, "Unit", "made"))
    # 100 * 1.5, the 6 LUTs beside the memory twice, the memory itself once, and the base.
    assert found.lut == 150 + 12 + 24 + 7
    assert found.ff == 21
    assert (found.lutram, found.dsp, found.ram) == (24, 2, {"BRAM18": 3})
    assert model.source("Unit", "made") == "fitted (12 rows, median error 4.0%)"


def test_a_kind_or_family_without_coefficients_stays_analytic(folder: Path) -> None:
    for kind, family in (("Other", "made"), ("Unit", "unknown")):
        assert scaled(TERMS, kind, family) == TERMS
        assert model.source(kind, family) == "analytic"
        assert widths(Resources(lut=50), kind, family) == (0, 0, 0, 0)


def test_errors_of_one_kind_add_and_those_of_two_add_as_squares(folder: Path) -> None:
    part = Resources(lut=290)
    below, above, *_ = widths(part, "Unit", "made")
    assert (below, above) == (pytest.approx(30), pytest.approx(60))
    by_kind: dict = {}
    for kind in ("Unit", "Unit", "Other"):
        add_widths(by_kind, kind, (30.0, 60.0, 0.0, 0.0))
    low, high = bounds(Resources(lut=870), by_kind)
    # Whole counts: the nearest ones.
    assert 870 - low.lut == round((60**2 + 30**2) ** 0.5)
    assert high.lut - 870 == round((120**2 + 60**2) ** 0.5)
    add_widths(by_kind, "Other", (30.0, 60.0, 0.0, 0.0), -1)
    assert bounds(Resources(lut=870), by_kind)[0].lut == pytest.approx(810)


def test_a_damaged_file_is_told(folder: Path) -> None:
    (folder / "made.json").write_text("{")
    model.load_model.cache_clear()
    with pytest.raises(BadInput, match="made.json: not a file of coefficients.*codesign calibrate"):
        scaled(TERMS, "Another", "made")
