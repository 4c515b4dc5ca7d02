"""The FIFO between two blocks as a unit that is synthesised alone."""

from __future__ import annotations

import msgspec

from codesign.cost.family import Family
from codesign.cost.fifo import fifo_terms
from codesign.cost.resources import CostTerm
from codesign.rtl.instance import Rtl


class Channel(msgspec.Struct, frozen=True, tag=True):
    """hw/channel.sv: `depth` tokens of `width_bits`; `style` 0 is LUTs and registers, 1 block RAM."""

    width_bits: int
    depth: int
    style: int

    def instance(self, family: Family) -> Rtl:
        """The module with its parameters; what LUT RAM would be is registers where there is none."""
        style = self.style if self.style or family.lutram else 2
        return Rtl("channel", {"Width": self.width_bits, "Depth": self.depth, "Style": style})

    @property
    def port_widths(self) -> dict[str, int]:
        """Bits of each port."""
        flags = ("clk_i", "rst_i", "space_o", "issue_i", "data_valid_i", "valid_o", "ready_i")
        return dict.fromkeys(flags, 1) | {"data_i": self.width_bits, "data_o": self.width_bits}

    def cost_terms(self, family: Family) -> tuple[CostTerm, ...]:
        """As a stream of this depth is costed."""
        style = "block" if self.style else "lutram" if family.lutram else "register"
        return fifo_terms(family, self.depth, self.width_bits, style)
