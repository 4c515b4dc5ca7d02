"""Fork: the same stream for several readers."""

from __future__ import annotations

from math import ceil
from typing import Self

import msgspec
import numpy as np

from codesign.blocks.base import Block, Fold, Params, Port, Size
from codesign.blocks.folds import check_lanes, lane_folds
from codesign.blocks.programs import one_to_one
from codesign.cost.family import Family
from codesign.cost.resources import CostTerm, Resources
from codesign.program import Program
from codesign.rtl.instance import Rtl
from codesign.types import QType


class Fork(Block, frozen=True, kw_only=True):
    """Copies each beat to `copies` outputs; `pe` channels a cycle; all ports (vectors, channels)."""

    channels: Size
    vectors: Size
    itype: QType
    copies: Size

    def inputs(self) -> tuple[Port, ...]:
        p = self.fold.pe
        return (Port(self.itype, p, self.vectors * self.channels // p),)

    def outputs(self) -> tuple[Port, ...]:
        return self.inputs() * self.copies

    def legal_folds(self) -> tuple[Fold, ...]:
        return lane_folds(self.channels)

    def check(self) -> None:
        check_lanes(self.name, self.fold, self.channels)

    def execute(self, params: Params, *inputs: np.ndarray) -> tuple[np.ndarray, ...]:
        return inputs * self.copies

    def program(self) -> Program:
        """A beat goes out to all copies in the same cycle; wires only, so no stage.

        Interval: vectors * channels/pe cycles.
        """
        writes = tuple(f"out{i}" for i in range(self.copies))
        return one_to_one(self.vectors * self.channels // self.fold.pe, writes=writes)

    def rtl(self, params: Params, family: Family) -> Rtl:
        """Module fork_stream: `fork` is a word of SystemVerilog."""
        ends = ("space_i", "issue_o", "valid_o", "data_o")
        return Rtl(
            "fork_stream",
            {"Copies": self.copies, "Width": self.fold.pe * self.itype.bits},
            buses={f"out_{e}": tuple(f"out{i}_{e}" for i in range(self.copies)) for e in ends},
        )

    def cost_terms(self, family: Family) -> tuple[CostTerm, ...]:
        # Wires, and the condition that every copy has space: a tree of ANDs.
        luts = ceil(self.copies / (family.lut_inputs - 1))
        return (CostTerm("handshake", Resources(lut=luts)),)

    def retyped(self, *inputs: QType) -> Self:
        return msgspec.structs.replace(self, itype=inputs[0])

    @classmethod
    def examples(cls) -> tuple[tuple[Self, dict[str, np.ndarray]], ...]:
        return tuple(
            (cls(name=f"fork_{n}", channels=4, vectors=3, itype=QType(4), copies=n), {})
            for n in (2, 3, 6)
        )
