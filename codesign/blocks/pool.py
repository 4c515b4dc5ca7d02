"""What both poolings behind a window share: one result a channel over all taps."""

from __future__ import annotations

import numpy as np

from codesign.blocks.adders import tree_stages
from codesign.blocks.base import Block, Fold, Port, Size, divisors
from codesign.blocks.control import control
from codesign.blocks.memories import state_style
from codesign.blocks.programs import reduction
from codesign.blocks.tap_folds import check_taps, tap_folds
from codesign.cost.family import Family
from codesign.cost.resources import CostTerm
from codesign.program import Program
from codesign.types import QType


class Pool(Block, frozen=True, kw_only=True):
    """`pe` channels of `simd` taps a cycle; in (vectors, taps, channels), out (vectors, channels)."""

    channels: Size
    taps: Size
    vectors: Size
    itype: QType

    @property
    def result(self) -> QType:
        """Type of what comes out."""
        raise NotImplementedError

    def inputs(self) -> tuple[Port, ...]:
        lanes = self.fold.pe * self.fold.simd
        return (Port(self.itype, lanes, self.vectors * self.taps * self.channels // lanes),)

    def outputs(self) -> tuple[Port, ...]:
        p = self.fold.pe
        return (Port(self.result, p, self.vectors * self.channels // p),)

    def legal_folds(self) -> tuple[Fold, ...]:
        return tap_folds(self.channels, divisors(self.taps))

    def check(self) -> None:
        check_taps(self.name, self.fold, self.channels, divisors(self.taps))

    def by_tap(self, x: np.ndarray) -> np.ndarray:
        """Frames as (frames, vectors, taps, channels)."""
        return x.reshape(len(x), self.vectors, self.taps, self.channels)

    @property
    def rounds(self) -> int:
        """Beats of a vector for each group of channels."""
        return self.taps // self.fold.simd

    @property
    def groups(self) -> int:
        """Groups of `pe` channels."""
        return self.channels // self.fold.pe

    @property
    def latency_cycles(self) -> int:
        """Stages: the tree over the taps of a beat, and the result so far."""
        return tree_stages(self.fold.simd) + 1

    def program(self) -> Program:
        """Results so far of all channels stay in a small memory; the last taps write the results.

        Interval: vectors * taps/simd * channels/pe cycles.
        """
        return reduction(self.rounds, self.groups, self.vectors, self.latency_cycles)

    def parameters(self, family: Family) -> dict[str, int]:
        """Parameters that both modules have."""
        return {
            "Pe": self.fold.pe,
            "Simd": self.fold.simd,
            "Rounds": self.rounds,
            "Groups": self.groups,
            "StateStyle": state_style(family),
        }

    @property
    def words(self) -> int:
        """Results so far that a lane keeps: none where a beat holds all taps."""
        return self.groups if self.rounds > 1 else 0

    def control_terms(self, family: Family) -> tuple[CostTerm, ...]:
        """Counters: group of channels, beat of its taps."""
        return control(family, 2, self.latency_cycles, self.groups, self.rounds)
