"""The longest path of a matrix-vector unit does not grow with simd: the adder tree is pipelined."""

from __future__ import annotations

import os

import numpy as np
import pytest

from codesign.blocks import MatVec
from codesign.blocks.base import Fold, ParamRef
from codesign.blocks.sum_types import products_type
from codesign.errors import ToolMissing
from codesign.files import package_data
from codesign.rtl.instance import Rtl
from codesign.tools.yosys import Job, find_yosys, synthesise
from codesign.types import QType
from tests.hw.harness import XC7

pytestmark = pytest.mark.slow
MOST = 64 if "CODESIGN_CONFORMANCE" in os.environ else 16
U4, S4 = QType(4, False), QType(4)


def _unit(simd: int) -> Rtl:
    """Without its weights, of 256 columns and 4 rows."""
    block = MatVec(
        name="mvu",
        rows=4,
        cols=256,
        vectors=1,
        itype=U4,
        wtype=S4,
        acc=products_type(256, U4, S4),
        weight=ParamRef("w", (4, 256), S4),
        fold=Fold(1, simd),
    )
    return block.rtl({"w": np.zeros((4, 256), int)}, XC7)


def _logic_ps(simd: int) -> int:
    sources = {path.name: path.read_text() for path in sorted(package_data("hw").glob("*.sv"))}
    own = {k: v for k, v in _unit(simd).parameters.items() if k != "WeightStyle"}
    longest = synthesise(Job(sources, "mvu_core", "xc7", own)).logic_ps
    assert longest
    return longest


def test_many_more_products_are_no_slower() -> None:
    try:
        find_yosys()
    except ToolMissing as missing:
        pytest.skip(str(missing))
    assert _logic_ps(MOST) <= 1.1 * _logic_ps(4)
