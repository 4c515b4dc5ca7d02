"""Requantisation: a quantiser as multiply, add, shift and clip."""

from __future__ import annotations

from codesign.blocks.base import Block, Fold, ParamRef, Port
from codesign.blocks.folds import MEMORIES, check_lanes, lane_folds, multipliers_of
from codesign.types import QType


class Requantise(Block, frozen=True, kw_only=True):
    """y = clip((x*M[c] + B[c]) >> shift, otype.min, otype.max), with an arithmetic shift.

    `multiplier` and `bias` have shape (channels or 1,). `pe` channels a cycle; in and out
    (vectors, channels).
    """

    channels: int
    vectors: int
    itype: QType
    otype: QType
    multiplier: ParamRef
    bias: ParamRef
    shift: int

    def inputs(self) -> tuple[Port, ...]:
        p = self.fold.pe
        return (Port(self.itype, p, self.vectors * self.channels // p),)

    def outputs(self) -> tuple[Port, ...]:
        p = self.fold.pe
        return (Port(self.otype, p, self.vectors * self.channels // p),)

    @property
    def memories(self) -> tuple[str, ...]:
        """Where M and B may live: constants shared by all channels need no memory."""
        shared = self.multiplier.shape[0] == self.bias.shape[0] == 1
        return ("lut",) if shared else MEMORIES

    def legal_folds(self) -> tuple[Fold, ...]:
        kinds = multipliers_of(self.itype, self.multiplier.qtype)
        return lane_folds(self.channels, kinds, self.memories)

    def check(self) -> None:
        kinds = multipliers_of(self.itype, self.multiplier.qtype)
        check_lanes(self.name, self.fold, self.channels, kinds, self.memories)
