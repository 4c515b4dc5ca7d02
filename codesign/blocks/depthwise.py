"""Depthwise unit: each channel is filtered by itself, behind a window."""

from __future__ import annotations

from typing import Self

import numpy as np

from codesign.blocks.adders import accumulators
from codesign.blocks.arrays import exact_kind, heaviest_row, magnitude, narrowed
from codesign.blocks.base import Fold, MemoryShape, Params, Port, Size, require_shape
from codesign.blocks.control import control
from codesign.blocks.folds import MEMORIES, WEIGHT_MEMORIES, check_lanes, lane_folds, multipliers_of
from codesign.blocks.memories import weights
from codesign.blocks.multipliers import product_parameters, product_stages, products
from codesign.blocks.programs import reduction
from codesign.blocks.samples import reference, sample
from codesign.blocks.sum_types import products_type
from codesign.blocks.weighted import Weighted
from codesign.cost.family import Family
from codesign.cost.resources import CostTerm, Resources
from codesign.program import Program
from codesign.rtl.instance import Memory, Rtl
from codesign.rtl.wire import words
from codesign.types import QType


class Depthwise(Weighted, frozen=True, kw_only=True):
    """y[c] = sum over k of W[c, k] * x[k, c] for each vector; W has shape (channels, taps).

    `pe` channels a cycle; in (vectors, taps, channels), out (vectors, channels) of type `acc`.
    """

    channels: Size
    taps: Size
    vectors: Size

    @property
    def terms(self) -> int:
        return self.taps

    @property
    def weight_memory(self) -> MemoryShape:
        p = self.fold.pe
        return MemoryShape(self.taps * self.channels // p, p * self.wtype.bits)

    def inputs(self) -> tuple[Port, ...]:
        p = self.fold.pe
        return (Port(self.itype, p, self.vectors * self.taps * self.channels // p),)

    def outputs(self) -> tuple[Port, ...]:
        p = self.fold.pe
        return (Port(self.acc, p, self.vectors * self.channels // p),)

    def legal_folds(self) -> tuple[Fold, ...]:
        return lane_folds(self.channels, multipliers_of(self.itype, self.wtype), MEMORIES)

    def check(self) -> None:
        require_shape(self.name, self.weight, (self.channels, self.taps))
        kinds = multipliers_of(self.itype, self.wtype)
        check_lanes(self.name, self.fold, self.channels, kinds, WEIGHT_MEMORIES)

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
        """Accumulators of all channels stay in a small memory; the last tap writes the results.

        Interval: vectors * taps * channels/pe cycles.
        """
        groups = self.channels // self.fold.pe
        return reduction(self.taps, groups, self.vectors, self.latency_cycles)

    @property
    def latency_cycles(self) -> int:
        """Stages: weight and operand registers, the product where it is registered, the
        accumulator."""
        return 2 + product_stages(self.itype, self.wtype, self.fold.multiplier)

    def rtl(self, params: Params, family: Family) -> Rtl:
        p = self.fold.pe
        by_tap = params[self.weight.name].T
        contents = Memory(words(by_tap, self.wtype, p), p * self.wtype.bits)
        parameters = {
            "Pe": p,
            "Taps": self.taps,
            "Groups": self.channels // p,
            **product_parameters(self.itype, self.wtype, self.fold.multiplier),
            "AccBits": self.acc.bits,
            "WeightStyle": int(self.fold.memory == "block"),
        }
        return self.weighted_rtl("depthwise", parameters, contents, family)

    def cost_terms(self, family: Family) -> tuple[CostTerm, ...]:
        p, groups = self.fold.pe, self.channels // self.fold.pe
        memory = self.weight_memory
        return (
            # P products, in LUTs with a register behind a multiplication, or one DSP each.
            products(family, p, self.itype, self.wtype, self.fold.multiplier),
            # P adders and registers; several groups of channels keep theirs in a small memory.
            accumulators(family, p, groups, self.acc.bits),
            # One word of P weights for each event of a vector, and its output register.
            *weights(family, memory.words, memory.width_bits, self.fold.memory),
            # The operand register beside it.
            CostTerm("operand register", Resources(ff=p * self.itype.bits)),
            # Counters: group of channels, tap, word of the weights.
            control(family, 2, self.latency_cycles, groups, self.taps, memory.words),
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
