"""Netlists of the data set behave as the blocks do: a sample in Icarus, bits and cycles."""

from __future__ import annotations

from pathlib import Path

import pytest

from codesign.characterise.draws import drawn
from tests.hw.gates import Netlist, differences
from tests.hw.harness import case_of
from tests.marks import needs_icarus, needs_yowasp

pytestmark = [pytest.mark.slow, needs_icarus, needs_yowasp]


@pytest.mark.parametrize(
    ("kind", "number"),
    # Sums of bipolar values, which Yosys once took for constants; a multiplexer of six beats; products
    # with 28 and -64 by signed digits.
    [("SumPool", 3), ("WidthConverter", 9), ("Add", 9)],
)
def test_the_netlist_of_a_row_behaves_as_the_block(kind: str, number: int, tmp_path: Path) -> None:
    assert differences(Netlist(case_of(*drawn(kind, number), 0), "xc7"), tmp_path) == []
