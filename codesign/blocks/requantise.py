"""Requantisation: a quantiser as multiply, add, shift and clip."""

from __future__ import annotations

import numpy as np

from codesign.blocks.arrays import carrier, magnitude, narrowed
from codesign.blocks.base import Block, Fold, ParamRef, Params, Port
from codesign.blocks.folds import MEMORIES, check_lanes, lane_folds, multipliers_of
from codesign.blocks.programs import one_to_one
from codesign.program import Program
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

    def execute(self, params: Params, *inputs: np.ndarray) -> tuple[np.ndarray, ...]:
        (x,) = inputs
        m, b = params[self.multiplier.name], params[self.bias.name]
        largest = magnitude(self.itype) * int(abs(m.astype(object)).max())
        kind = carrier(0, largest + int(abs(b.astype(object)).max()))
        values = x.reshape(-1, self.channels).astype(kind)
        scaled = (values * m.astype(kind) + b.astype(kind)) >> self.shift
        y = narrowed(scaled.clip(self.otype.min, self.otype.max), self.otype, self.name)
        return (y.reshape(len(x), -1),)

    def program(self) -> Program:
        """One beat in, one beat out; stages: read M and B, multiply, add with shift and clip.

        Interval: vectors * channels/pe cycles.
        """
        return one_to_one(self.vectors * self.channels // self.fold.pe, latency_cycles=3)
