"""Thresholds: a quantiser (with its batch norm and activation) as comparisons."""

from __future__ import annotations

import numpy as np

from codesign.blocks.arrays import carrier, magnitude, narrowed
from codesign.blocks.base import Block, Fold, ParamRef, Params, Port
from codesign.blocks.folds import MEMORIES, check_lanes, lane_folds
from codesign.blocks.programs import one_to_one
from codesign.program import Program
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

    def execute(self, params: Params, *inputs: np.ndarray) -> tuple[np.ndarray, ...]:
        (x,) = inputs
        never = magnitude(self.itype) + 1  # above every +-x: such a threshold is not reached
        kind = carrier(-never, never)
        values = x.reshape(-1, self.channels).astype(kind, copy=False)
        if self.sign is not None:
            values = values * params[self.sign.name].astype(kind)
        limits = params[self.thresholds.name].clip(-never, never).astype(kind)
        y = self.base + self.otype.step * count_reached(values, limits)
        return (narrowed(y, self.otype, self.name).reshape(len(x), -1),)

    @property
    def stages(self) -> int:
        """Comparators of a lane: a binary search decides one bit of the count after another.

        Comparing with all T thresholds at once would take T comparators instead of this logarithm
        and the same bits of memory, so it is cheaper nowhere (and the same thing for T = 1).
        """
        return self.thresholds.shape[1].bit_length()

    def program(self) -> Program:
        """One beat in, one beat out; each stage of the search reads its memory and compares.

        Interval: vectors * channels/pe cycles.
        """
        beats = self.vectors * self.channels // self.fold.pe
        return one_to_one(beats, latency_cycles=self.stages + 1)


def count_reached(values: np.ndarray, limits: np.ndarray) -> np.ndarray:
    """#{k : values[n, c] >= limits[c, k]} for values (n, channels), limits (channels or 1, T)."""
    count = np.zeros(values.shape, np.int32)
    if limits.shape[1] <= 16:
        for k in range(limits.shape[1]):
            count += values >= limits[:, k]
        return count
    for c in range(values.shape[1]):
        row = limits[c if len(limits) > 1 else 0]
        count[:, c] = np.searchsorted(row, values[:, c], side="right")
    return count
