"""Depthwise unit: each channel is filtered by itself, behind a window."""

from __future__ import annotations

from typing import Self

import numpy as np

from codesign.blocks.adders import accumulators, results, tree_stages
from codesign.blocks.arrays import exact_kind, heaviest_row, magnitude, narrowed
from codesign.blocks.base import Fold, MemoryShape, Params, Port, Size, divisors, require_shape
from codesign.blocks.control import control
from codesign.blocks.dot_products import dot_products
from codesign.blocks.folds import MEMORIES, WEIGHT_MEMORIES, multipliers_of
from codesign.blocks.memories import state_style, weights
from codesign.blocks.multipliers import product_parameters, product_stages
from codesign.blocks.programs import reduction
from codesign.blocks.samples import reference, sample
from codesign.blocks.sum_types import products_type
from codesign.blocks.tap_folds import check_taps, tap_folds
from codesign.blocks.weighted import Weighted
from codesign.cost.family import Family
from codesign.cost.resources import CostTerm, Resources
from codesign.program import Program
from codesign.rtl import wire
from codesign.rtl.instance import Memory, Rtl
from codesign.types import QType


class Depthwise(Weighted, frozen=True, kw_only=True):
    """y[c] = sum over k of W[c, k] * x[k, c] for each vector; W has shape (channels, taps).

    `pe` channels of `simd` taps a cycle; in (vectors, taps, channels), out (vectors, channels) of
    type `acc`.
    """

    channels: Size
    taps: Size
    vectors: Size

    @property
    def terms(self) -> int:
        return self.taps

    @property
    def weight_memory(self) -> MemoryShape:
        lanes = self.lanes
        return MemoryShape(self.taps * self.channels // lanes, lanes * self.wtype.bits)

    @property
    def lanes(self) -> int:
        """Products of a cycle."""
        return self.fold.pe * self.fold.simd

    @property
    def operand_bits(self) -> int:
        """Bits of a beat of the input."""
        return self.lanes * self.itype.bits

    @property
    def rounds(self) -> int:
        """Beats of a vector for each group of channels."""
        return self.taps // self.fold.simd

    def inputs(self) -> tuple[Port, ...]:
        beats = self.vectors * self.taps * self.channels // self.lanes
        return (Port(self.itype, self.lanes, beats),)

    def outputs(self) -> tuple[Port, ...]:
        p = self.fold.pe
        return (Port(self.acc, p, self.vectors * self.channels // p),)

    def legal_folds(self) -> tuple[Fold, ...]:
        kinds = multipliers_of(self.itype, self.wtype)
        return tap_folds(self.channels, divisors(self.taps), kinds, MEMORIES)

    def check(self) -> None:
        require_shape(self.name, self.weight, (self.channels, self.taps))
        kinds = multipliers_of(self.itype, self.wtype)
        simds = divisors(self.taps)
        check_taps(self.name, self.fold, self.channels, simds, kinds, WEIGHT_MEMORIES)

    def execute(self, params: Params, *inputs: np.ndarray) -> tuple[np.ndarray, ...]:
        (x,) = inputs
        taps = x.reshape(len(x) * self.vectors, self.taps, self.channels)
        weight = params[self.weight.name]
        kind = exact_kind(magnitude(self.itype) * heaviest_row(weight))
        total = np.zeros((len(taps), self.channels), kind)
        for k, column in enumerate(weight.T.astype(kind)):
            total += taps[:, k] * column
        return (narrowed(total, self.acc, self.name).reshape(len(x), -1),)

    def program(self) -> Program:
        """Accumulators of all channels stay in a small memory; the last taps write the results.

        Interval: vectors * taps/simd * channels/pe cycles.
        """
        groups = self.channels // self.fold.pe
        return reduction(self.rounds, groups, self.vectors, self.latency_cycles)

    @property
    def latency_cycles(self) -> int:
        """Stages: weight and operand registers, the product where it is registered, the adder
        tree, the accumulator."""
        product = product_stages(self.itype, self.wtype, self.fold.multiplier)
        return 2 + product + tree_stages(self.fold.simd)

    def rtl(self, params: Params, family: Family) -> Rtl:
        by_tap = params[self.weight.name].T
        contents = Memory(wire.words(by_tap, self.wtype, self.lanes), self.lanes * self.wtype.bits)
        parameters = {
            "Pe": self.fold.pe,
            "Simd": self.fold.simd,
            "Rounds": self.rounds,
            "Groups": self.channels // self.fold.pe,
            **product_parameters(self.itype, self.wtype, self.fold.multiplier),
            "AccBits": self.acc.bits,
            "StateStyle": state_style(family),
            "WeightStyle": int(self.fold.memory == "block"),
        }
        return self.weighted_rtl("depthwise", parameters, contents, family)

    def cost_terms(self, family: Family) -> tuple[CostTerm, ...]:
        p, groups = self.fold.pe, self.channels // self.fold.pe
        memory, words = self.weight_memory, self.weight_memory.words
        in_dsps = self.fold.multiplier == "dsp" and family.dsp.registers
        types = self.itype, self.wtype
        return (
            # S*P products, in LUTs with a register behind a multiplication, or one DSP each; P trees
            # over S products, a register every second level.
            *dot_products(family, self.fold.simd, p, types, self.fold.multiplier, words),
            # P adders and registers; several groups of channels keep theirs in a small memory.
            accumulators(family, p, groups if self.rounds > 1 else 0, self.acc.bits),
            results(p, groups if self.rounds > 1 else 0, self.acc.bits),
            # One word of S*P weights for each event of a vector, and its output register.
            *weights(family, memory.words, memory.width_bits, self.fold.memory),
            # The operand register beside it, which a DSP has.
            CostTerm("operand register", Resources(ff=0 if in_dsps else self.operand_bits)),
            # Counters: group of channels, beat of its taps, word of the weights.
            *control(family, 2, self.latency_cycles, groups, self.rounds, memory.words),
        )

    @classmethod
    def examples(cls) -> tuple[tuple[Self, dict[str, np.ndarray]], ...]:
        types = (
            (QType(4, False), QType(4, narrow=True)),
            (QType(5), QType(3, kind="power-of-two")),
            (QType(16), QType(2)),
        )
        return tuple(_example(cls, i, *pair) for i, pair in enumerate(types))


def _example(
    cls: type[Depthwise], number: int, itype: QType, wtype: QType
) -> tuple[Depthwise, dict[str, np.ndarray]]:
    channels, taps = 4, 9
    weight = sample(wtype, channels, taps)
    block = cls(
        name=f"depthwise_{number}",
        channels=channels,
        taps=taps,
        vectors=3,
        itype=itype,
        wtype=wtype,
        acc=products_type(taps, itype, wtype),
        weight=reference("weight", weight),
    )
    return block, {"weight": weight}
