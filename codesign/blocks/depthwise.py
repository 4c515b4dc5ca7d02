"""Depthwise unit: each channel is filtered by itself, behind a window."""

from __future__ import annotations

from codesign.blocks.base import Block, Fold, ParamRef, Port
from codesign.blocks.folds import MEMORIES, check_lanes, lane_folds, multipliers_of
from codesign.types import QType


class Depthwise(Block, frozen=True, kw_only=True):
    """y[c] = sum over k of W[c, k] * x[k, c] for each vector; W has shape (channels, taps).

    `pe` channels a cycle; in (vectors, taps, channels), out (vectors, channels) of type `acc`.
    """

    channels: int
    taps: int
    vectors: int
    itype: QType
    wtype: QType
    acc: QType
    weight: ParamRef

    def inputs(self) -> tuple[Port, ...]:
        p = self.fold.pe
        return (Port(self.itype, p, self.vectors * self.taps * self.channels // p),)

    def outputs(self) -> tuple[Port, ...]:
        p = self.fold.pe
        return (Port(self.acc, p, self.vectors * self.channels // p),)

    def legal_folds(self) -> tuple[Fold, ...]:
        return lane_folds(self.channels, multipliers_of(self.itype, self.wtype), MEMORIES)

    def check(self) -> None:
        kinds = multipliers_of(self.itype, self.wtype)
        check_lanes(self.name, self.fold, self.channels, kinds, MEMORIES)
