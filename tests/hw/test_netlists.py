"""Gates after synthesis behave as the RTL: bits and cycles of netlists in Icarus.

A few here; `make netlists` runs a sample of every block for two families.
"""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

from codesign.blocks import BLOCKS, Add, MatVec, MaxPool
from codesign.blocks.base import Fold
from tests.hw.gates import Netlist, differences, sample
from tests.hw.harness import case_of
from tests.marks import needs_icarus, needs_yowasp

pytestmark = [needs_icarus, needs_yowasp]


def _first(block: type, family: str, dsp: bool = False) -> Netlist:
    return next(
        n
        for n in sample()
        if isinstance(n.case.block, block) and n.family == family and n.dsp == dsp
    )


@pytest.mark.slow
@pytest.mark.parametrize(("block", "family"), [(MaxPool, "xc7"), (Add, "xcup")])
def test_gates_have_the_bits_and_cycles_of_the_law(block, family, tmp_path: Path) -> None:
    assert differences(_first(block, family), tmp_path) == []


@pytest.mark.slow
def test_products_in_a_dsp(tmp_path: Path) -> None:
    netlist = _first(MatVec, "xc7", dsp=True)
    assert "DSP48E1" in netlist.path().read_text()
    assert differences(netlist, tmp_path) == []


@pytest.mark.slow
def test_two_products_in_a_dsp(tmp_path: Path) -> None:
    block, params = MatVec.examples()[4]  # 8 x 8 bits
    packed = case_of(block.folded(Fold(2, 3, "dsp")), params, 0)
    netlist = replace(_first(MatVec, "xc7", dsp=True), case=packed)
    assert netlist.path().read_text().count("DSP48E1 #") == 3
    assert differences(netlist, tmp_path) == []


@pytest.mark.slow
def test_wrong_gates_are_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One LUT of the netlist computes the opposite."""
    netlist = _first(Add, "xcup")
    text = re.sub(r"(LUT2 #\(\s*\.INIT\()", r"\1~", netlist.path().read_text(), count=1)
    assert "INIT(~" in text
    broken = tmp_path / "broken.v"
    broken.write_text(text)
    monkeypatch.setattr(Netlist, "path", lambda self: broken)
    assert any("data of beat" in found for found in differences(netlist, tmp_path))


def test_the_sample_has_every_block_for_both_families() -> None:
    kinds = {(type(n.case.block), n.family) for n in sample()}
    assert kinds == {(block, family) for block in BLOCKS for family in ("xc7", "xcup")}
    assert {type(n.case.block) for n in sample() if n.dsp} >= {MatVec}
