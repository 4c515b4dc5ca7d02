"""Which clock a design may reach, from the depth of its logic alone; nothing is placed or routed."""

from __future__ import annotations

import msgspec

from codesign.cost.fifo import KIND as FIFO
from codesign.cost.model import kind_model
from codesign.design import Design

# Of a path in an FPGA about half is wire, at usual fill (rule of thumb: no open tool routes the
# 7 series).
WIRE_SHARE = 0.5


class ClockEstimate(msgspec.Struct, frozen=True):
    """The slowest part: `logic_ps` is the path through cells that nine of ten units of its kind in
    the data set stay below; `clock_hz` leaves as much again for wires."""

    part: str
    kind: str
    logic_ps: int
    clock_hz: float

    @property
    def sentence(self) -> str:
        """The estimate in words."""
        return (
            f"Clock: about {self.clock_hz / 1e6:.0f} MHz, estimated from logic depth: "
            f"{self.logic_ps / 1000:.1f} ns of cells in {self.part} ({self.kind}), and as much again "
            "for wires; nothing was placed"
        )


def estimate_clock(design: Design, family: str) -> ClockEstimate | None:
    """The slowest kind of part of `design`; None where no delays are known for `family`."""
    kinds = {block.name: type(block).__name__ for block in design.blocks}
    if design.streams:
        kinds["the FIFOs"] = FIFO
    known = {part: m.logic_ps for part, kind in kinds.items() if (m := kind_model(kind, family))}
    part = max(known, key=known.__getitem__, default=None)
    if part is None or known[part] == 0:
        return None
    logic_ps = known[part]
    return ClockEstimate(part, kinds[part], logic_ps, (1 - WIRE_SHARE) * 1e12 / logic_ps)
