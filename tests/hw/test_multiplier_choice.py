"""Yosys makes DSPs of the products that ask for one, and of no other."""

from __future__ import annotations

import os

import pytest

from codesign.blocks.multipliers import packed_bits, products
from codesign.blocks.sum_types import products_type
from codesign.cost.family import load_family
from codesign.errors import ToolMissing
from codesign.files import package_data
from codesign.rtl.instance import Rtl, instance_text
from codesign.rtl.wire import wire_kind
from codesign.tools.yosys import Job, find_yosys, synthesise
from codesign.types import QType

pytestmark = pytest.mark.slow
U4, U8, U16 = QType(4, False), QType(8, False), QType(16, False)
# Of the shortest product (8 bits) and the longest; a factor of 17 bits is too wide for one SB_MAC16.
ALONE = ((QType(4), QType(4)), (U4, QType(5)), (QType(8), QType(8)), (QType(16), QType(3)))
PAIRS = (
    (U4, QType(4)),
    (QType(4), QType(4, narrow=True)),
    (U4, U4),
    (U8, QType(8)),
    (U16, QType(2)),
)
IN_LUTS = ((U4, QType(4)), (QType(8), QType(8)), (QType(16), QType(8)), (U8, QType(2)))
OPTIONS = {"ice40": ("-dsp",)}
TOOLS = (False, True) if "CODESIGN_CONFORMANCE" in os.environ else (False,)


def _bench(family: str) -> tuple[str, int]:
    """A module of all these products, and how many DSPs they ask for."""
    dsp = load_family(family)
    cells = [_alone(pair, 1) for pair in ALONE] + [_alone(pair, 0) for pair in IN_LUTS]
    packed = [pair for pair in PAIRS if packed_bits(dsp, *pair)]
    cells += [_shared(pair, packed_bits(dsp, *pair)) for pair in packed]
    expected = [products(dsp, 1, *pair, "dsp").resources.dsp for pair in ALONE]
    expected += [products(dsp, 1, *pair, "dsp", rows=2).resources.dsp for pair in packed]
    ports = [
        f"{'output' if n in 'yz' else 'input'} logic [{32 * len(cells)}:0] {n}" for n in "abcyz"
    ]
    text = [f"module bench (input logic clk, input logic rst, {', '.join(ports)});\n"]
    for i, (rtl, nets) in enumerate(cells):
        text.append(
            instance_text(rtl, f"u{i}", {}, {p: n.format(i=32 * i) for p, n in nets.items()})
        )
    return "".join([*text, "endmodule\n"]), int(sum(expected))


def _factors(pair: tuple[QType, QType]) -> dict[str, int]:
    a, b = pair
    widths = {"ABits": a.bits, "AKind": wire_kind(a), "BBits": b.bits, "BKind": wire_kind(b)}
    return widths | {"Bits": products_type(1, a, b).bits}


def _alone(pair: tuple[QType, QType], dsp: int) -> tuple[Rtl, dict[str, str]]:
    rtl = Rtl("product", _factors(pair) | {"Stages": 1 + dsp, "Dsp": dsp})
    bits = rtl.parameters["Bits"]
    a, b = (f"[{{i}}+:{t.bits}]" for t in pair)
    nets = {"a_i": f"a{a}", "b_i": f"b{b}", "product_o": f"y[{{i}}+:{bits}]"}
    return rtl, {"clk_i": "clk", "rst_i": "rst", **nets}


def _shared(pair: tuple[QType, QType], bits: int) -> tuple[Rtl, dict[str, str]]:
    rtl = Rtl("product_pair", _factors(pair) | {"PackedBits": bits})
    a, b = (f"[{{i}}+:{t.bits}]" for t in pair)
    result = f"[{{i}}+:{rtl.parameters['Bits']}]"
    nets = {"a_i": f"a{a}", "low_i": f"b{b}", "high_i": f"c{b}"}
    return rtl, {"clk_i": "clk", **nets, "low_o": f"y{result}", "high_o": f"z{result}"}


@pytest.mark.parametrize("native", TOOLS)
@pytest.mark.parametrize("family", ["xc7", "xcup", "ecp5", "ice40"])
def test_products_are_made_of_what_they_ask_for(family: str, native: bool) -> None:
    try:
        find_yosys(native)
    except ToolMissing as missing:
        pytest.skip(str(missing))
    sources = {path.name: path.read_text() for path in sorted(package_data("hw").glob("*.sv"))}
    text, expected = _bench(family)
    job = Job(sources | {"bench.sv": text}, "bench", family, {}, OPTIONS.get(family, ()), native)
    assert synthesise(job).counts.dsp == expected
