"""Thresholds: a quantiser (with its batch norm and activation) as comparisons."""

from __future__ import annotations

from codesign.blocks.base import Block, Fold, ParamRef, Port
from codesign.blocks.folds import MEMORIES, check_lanes, lane_folds
from codesign.types import QType


class Threshold(Block, frozen=True, kw_only=True):
    """y = base + otype.step * #{k : sign[c]*x >= T[c, k]}, channel c of a position-major frame.

    `thresholds` has shape (channels or 1, T) with ascending rows; `sign` is None (all +1) or has
    shape (channels,). `pe` channels a cycle; in and out (vectors, channels).
    """

    channels: int
    vectors: int
    itype: QType
    otype: QType
    base: int
    thresholds: ParamRef
    sign: ParamRef | None = None

    def inputs(self) -> tuple[Port, ...]:
        p = self.fold.pe
        return (Port(self.itype, p, self.vectors * self.channels // p),)

    def outputs(self) -> tuple[Port, ...]:
        p = self.fold.pe
        return (Port(self.otype, p, self.vectors * self.channels // p),)

    @property
    def memories(self) -> tuple[str, ...]:
        """Where thresholds may live: one shared row is wired in and needs no memory."""
        return MEMORIES if self.thresholds.shape[0] > 1 else ("lut",)

    def legal_folds(self) -> tuple[Fold, ...]:
        return lane_folds(self.channels, memories=self.memories)

    def check(self) -> None:
        check_lanes(self.name, self.fold, self.channels, memories=self.memories)
