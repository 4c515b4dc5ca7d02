"""Every kind of product in RTL against the integers: all operands of small widths, all pairs of wider.

With CODESIGN_CONFORMANCE set every type of the factors is there, otherwise a seventh of them.
"""

from __future__ import annotations

import os
import subprocess
from itertools import product

import pytest

from codesign.blocks.folds import dsp_sensible
from codesign.blocks.multipliers import packed_bits
from codesign.blocks.sum_types import products_type
from codesign.cost.family import load_family
from codesign.rtl.instance import Rtl, instance_text
from codesign.rtl.wire import wire_kind
from codesign.types import BIPOLAR, TERNARY, QType
from tests.hw.harness import compiled
from tests.marks import needs_verilator

pytestmark = [needs_verilator, pytest.mark.slow]
FAMILIES = [load_family(name) for name in ("xc7", "xcup", "ecp5", "ice40")]
LUT, DSP, PAIR = range(3)
NAMES = ("lut", "dsp", "pair")
HEAD = "module bench (input logic clk_i, input logic rst_i, input logic load_rst_i);\n"
Unit = tuple[QType, QType, int]


def _inputs(widths: tuple[int, ...]) -> list[QType]:
    return [QType(bits, signed) for bits in widths for signed in (False, True)]


def _weights(widths: range) -> list[QType]:
    kinds = [QType(b, signed, "int", n) for b in widths for signed, n in ((0, 0), (1, 0), (1, 1))]
    return [QType(k.bits, bool(k.signed), "int", bool(k.narrow)) for k in kinds]


def _powers() -> list[QType]:
    """Weights that shift; narrow ones have about half of the exponents."""
    wide = [QType(bits, kind="power-of-two") for bits in (2, 3, 4, 5)]
    return wide + [QType(bits, kind="power-of-two", narrow=True) for bits in (3, 4, 5)]


def _offered(pair: tuple[QType, QType]) -> bool:
    """True when some family packs two such products into a DSP."""
    return dsp_sensible(*pair) and any(packed_bits(f, *pair) for f in FAMILIES)


def _small() -> list[Unit]:
    """Operands of at most 16 bits together: every width of the pair, some of the others."""
    pairs = [p for p in product(_inputs((2, 3, 4, 5, 6, 8)), _weights(range(2, 7))) if _all(p, 16)]
    powers = product(_inputs((2, 3, 5)), _powers())
    shared = [(*p, PAIR) for p in pairs if _offered(p)]
    alone = [(*p, unit) for p in pairs if p[0].bits + p[1].bits < 9 for unit in (LUT, DSP)]
    return [*shared, *alone, *((*p, LUT) for p in powers)]


def _large() -> list[Unit]:
    """Wider operands: both ends of what is offered, and 16 bits."""
    pairs = product(_inputs((4, 6, 8, 16)), _weights(range(3, 9)))
    wide = [p for p in pairs if not _all(p, 16)]
    shared = [(*p, PAIR) for p in wide if _offered(p)]
    alone = [(*p, i % 2) for i, p in enumerate(wide) if i % 4 < 2]
    powers = [(QType(16, s), QType(5, kind="power-of-two"), LUT) for s in (True, False)]
    return [*shared[::2], *alone[::3], *powers]


def _chosen(units: list[Unit]) -> list[Unit]:
    """Every seventh of them; all in the long run."""
    return units if "CODESIGN_CONFORMANCE" in os.environ else units[::7]


def _all(pair: tuple[QType, QType], bits: int) -> bool:
    return pair[0].bits + 2 * pair[1].bits <= bits


def _instance(number: int, unit: Unit, all_bits: int) -> str:
    a, b, kind = unit
    parameters = {
        "ABits": a.bits,
        "AKind": wire_kind(a),
        "BBits": b.bits,
        "BKind": wire_kind(b),
        "ANarrow": int(a.narrow or a == TERNARY),
        "Narrow": int(b.narrow),
        "Bits": products_type(1, a, b).bits,
        "Unit": kind,
        "AllBits": all_bits,
    }
    if kind == PAIR:
        parameters["PackedBits"] = next(filter(None, (packed_bits(f, a, b) for f in FAMILIES)))
    name = f"{NAMES[kind]}_{a}_{b}_{number}"
    return instance_text(
        Rtl("product_check", parameters), name, {}, {"clk_i": "clk_i", "rst_i": "rst_i"}
    )


def _complaints(units: list[Unit], all_bits: int) -> str:
    cells = (_instance(i, unit, all_bits) for i, unit in enumerate(units))
    text = "".join([HEAD, *cells, "endmodule\n"])
    program = compiled(text, {"product", "product_pair"}, optimise="-O1")
    command = [program, str((2 << all_bits) + 4)]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def test_all_operands_of_narrow_products() -> None:
    units = _chosen(_small())
    assert {u[2] for u in units} == {LUT, DSP, PAIR}
    assert not _complaints(units, 16)[:2000]


def test_shifts_of_inputs_of_every_kind() -> None:
    """A product is as wide as its types need: a bit less where the input is never -2^(n-1)."""
    narrow = [QType(bits, narrow=True) for bits in (2, 3, 6)]
    inputs = (BIPOLAR, TERNARY, *_inputs((2, 3)), QType(1, False), *narrow)
    assert not _complaints([(*p, LUT) for p in product(inputs, _powers())], 16)[:2000]


def test_all_pairs_of_wide_products() -> None:
    assert not _complaints(_chosen(_large()), 19)[:2000]


def test_a_dsp_that_is_too_narrow_is_not_packed_and_one_bit_less_is_found() -> None:
    """8 x 8 bits fit 25 x 18 exactly; with an operand of 24 bits the check finds a difference."""
    eight = QType(8)
    assert [packed_bits(f, eight, eight) for f in FAMILIES] == [25, 25, 0, 0]
    cell = _instance(0, (eight, eight, PAIR), 12).replace("PackedBits(25)", "PackedBits(24)")
    program = compiled(f"{HEAD}{cell}endmodule\n", {"product_pair"}, optimise="-O1")
    found = subprocess.run([program, str(2 << 12)], capture_output=True, text=True, check=True)
    assert "where" in found.stdout
