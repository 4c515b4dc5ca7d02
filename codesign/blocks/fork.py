"""Fork: the same stream for several readers."""

from __future__ import annotations

from codesign.blocks.base import Block, Fold, Port
from codesign.blocks.folds import check_lanes, lane_folds
from codesign.types import QType


class Fork(Block, frozen=True, kw_only=True):
    """Copies each beat to `copies` outputs; `pe` channels a cycle; all ports (vectors, channels)."""

    channels: int
    vectors: int
    itype: QType
    copies: int

    def inputs(self) -> tuple[Port, ...]:
        p = self.fold.pe
        return (Port(self.itype, p, self.vectors * self.channels // p),)

    def outputs(self) -> tuple[Port, ...]:
        return self.inputs() * self.copies

    def legal_folds(self) -> tuple[Fold, ...]:
        return lane_folds(self.channels)

    def check(self) -> None:
        check_lanes(self.name, self.fold, self.channels)
