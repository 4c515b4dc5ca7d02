"""Scaled addition of two streams: the join of a residual connection."""

from __future__ import annotations

from codesign.blocks.base import Block, Fold, Port
from codesign.blocks.folds import check_lanes, lane_folds
from codesign.types import QType


class Add(Block, frozen=True, kw_only=True):
    """y = a*scales[0] + b*scales[1]; `pe` channels a cycle; all ports (vectors, channels)."""

    channels: int
    vectors: int
    itypes: tuple[QType, QType]
    scales: tuple[int, int]
    otype: QType

    def inputs(self) -> tuple[Port, ...]:
        p = self.fold.pe
        return tuple(Port(t, p, self.vectors * self.channels // p) for t in self.itypes)

    def outputs(self) -> tuple[Port, ...]:
        p = self.fold.pe
        return (Port(self.otype, p, self.vectors * self.channels // p),)

    def legal_folds(self) -> tuple[Fold, ...]:
        return lane_folds(self.channels)

    def check(self) -> None:
        check_lanes(self.name, self.fold, self.channels)
