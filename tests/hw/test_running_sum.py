"""The next value of a sum in RTL against the integers: values narrower than the sum, as wide, wider."""

from __future__ import annotations

import subprocess
from itertools import product

import pytest

from codesign.rtl.instance import Rtl, instance_text
from tests.hw.harness import compiled
from tests.marks import needs_verilator

pytestmark = [needs_verilator, pytest.mark.slow]
HEAD = "module bench (input logic clk_i, input logic rst_i, input logic load_rst_i);\n"
CLOCKS = {"clk_i": "clk_i", "rst_i": "rst_i"}
UNITS = [
    {"Bits": bits, "ValueBits": value, "Signed": signed, "Start": start}
    for bits, value, signed, start in product((1, 2, 4), (1, 3, 4, 5), (0, 1), (0, -3))
]


def _complaints() -> str:
    cells = (
        instance_text(Rtl("sum_check", unit), f"sum_{i}", {}, CLOCKS)
        for i, unit in enumerate(UNITS)
    )
    program = compiled("".join([HEAD, *cells, "endmodule\n"]), {"running_sum"}, optimise="-O1")
    command = [program, str(1 << 13)]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def test_all_sums_so_far_and_all_values() -> None:
    assert not _complaints()[:2000]
