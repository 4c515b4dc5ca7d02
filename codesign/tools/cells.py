"""What the cells of a netlist are, in each family's own words."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache

import msgspec

# Cell names (whole, as regular expressions), what one is, and how many LUTs it takes. A carry cell
# of the ECP5 is the two LUTs of its slice; one of Xilinx or iCE40 lies beside LUTs that are counted themselves.
XILINX = (
    (r"LUT[1-6]", "lut", 1),
    (r"SRL16E|SRLC32E", "srl", 1),
    (r"RAM(32|64)X1S", "lutram", 1),
    (r"RAM(16|32|64)X1D|RAM128X1S", "lutram", 2),
    (r"RAM(32|64)M|RAM128X1D|RAM256X1S", "lutram", 4),
    (r"RAM32M16|RAM64M8|RAM256X1D", "lutram", 8),
    (r"CARRY[48]", "carry", 0),
    (r"MUXF[789]", "mux", 0),
    (r"FD[CPRS]E(_1)?", "ff", 0),
    (r"DSP48E[12]", "dsp", 0),
    (r"RAMB18E[12]", "RAMB18", 0),
    (r"RAMB36E[12]", "RAMB36", 0),
    (r"URAM288(_BASE)?", "URAM", 0),
)
ECP5 = (
    (r"LUT4", "lut", 1),
    (r"TRELLIS_DPR16X4", "lutram", 4),
    (r"CCU2C", "carry", 2),
    (r"PFUMX|L6MUX21", "mux", 0),
    (r"TRELLIS_FF", "ff", 0),
    (r"MULT18X18D", "dsp", 0),
    (r"(PDPW16KD|DP16KD)", "DP16KD", 0),
)
ICE40 = (
    (r"SB_LUT4", "lut", 1),
    (r"SB_CARRY", "carry", 0),
    (r"SB_DFF.*", "ff", 0),
    (r"SB_MAC16", "dsp", 0),
    (r"SB_RAM40_4K.*", "EBR", 0),
    (r"SB_SPRAM256KA", "SPRAM", 0),
)
CELLS = {"xc7": XILINX, "xcup": XILINX, "ecp5": ECP5, "ice40": ICE40}
PLAIN = ("lut", "srl", "lutram", "carry", "mux", "ff", "dsp")


class Counts(msgspec.Struct, frozen=True):
    """A netlist in the family's primitives.

    `lut` is every LUT, also those that are memory (`lutram`), shift register (`srl`) or carry;
    `lut_by_size` the logic ones by the number of inputs that they use. Two small functions that a
    vendor tool would put in one LUT are two. `ram` is by kind: RAMB18, RAMB36, URAM, DP16KD, ...
    """

    lut: int
    lut_by_size: dict[int, int]
    lutram: int
    srl: int
    carry: int
    mux: int
    ff: int
    dsp: int
    ram: dict[str, int]

    @property
    def bram18(self) -> int:
        """Halves of a 36 kbit block RAM: RAMB18 + 2 RAMB36."""
        return self.ram.get("RAMB18", 0) + 2 * self.ram.get("RAMB36", 0)


def counted(cells: Mapping[str, int], family: str) -> Counts:
    """Counts of a netlist of `cells` (number by cell type) of `family`."""
    found = {kind: 0 for kind in PLAIN}
    sizes: dict[int, int] = {}
    ram: dict[str, int] = {}
    total = 0
    for cell, number in cells.items():
        kind, luts = _class(cell, family)
        total += number * luts
        if kind == "lut":
            sizes[int(cell[-1])] = number
        elif kind in found:
            found[kind] += number * (luts if kind in ("lutram", "srl") else 1)
        elif kind:
            ram[kind] = ram.get(kind, 0) + number
    del found["lut"]
    return Counts(lut=total, lut_by_size=dict(sorted(sizes.items())), ram=ram, **found)


@cache
def _class(cell: str, family: str) -> tuple[str, int]:
    """(kind, LUTs) of a cell type; ("", 0) for one that takes nothing that is counted."""
    for pattern, kind, luts in CELLS[family]:
        if re.fullmatch(pattern, cell):
            return kind, luts
    return "", 0
