"""Matrix-vector unit: dense layers, and convolutions behind a window."""

from __future__ import annotations

from typing import Self

import numpy as np

from codesign.blocks.adders import accumulators, tree_stages
from codesign.blocks.arrays import matrix_product
from codesign.blocks.base import (
    Fold,
    MemoryShape,
    Params,
    Port,
    Size,
    divisors,
    require_divides,
    require_shape,
)
from codesign.blocks.control import control, delayed
from codesign.blocks.dot_products import dot_products
from codesign.blocks.folds import MEMORIES, WEIGHT_MEMORIES, check_choice, folds, multipliers_of
from codesign.blocks.memories import buffer, ram_style, weights
from codesign.blocks.multipliers import (
    packed_bits,
    product_parameters,
    product_stages,
    rows_in_dsps,
)
from codesign.blocks.programs import segment
from codesign.blocks.samples import reference, sample
from codesign.blocks.sum_types import products_type
from codesign.blocks.weighted import Weighted
from codesign.cost.family import Family
from codesign.cost.resources import CostTerm, Resources
from codesign.program import Program, Read, Segment, simple
from codesign.rtl.instance import Memory, Rtl
from codesign.rtl.wire import words
from codesign.types import BIPOLAR, TERNARY, QType


class MatVec(Weighted, frozen=True, kw_only=True):
    """y = W x for each vector of a frame, with W of shape (rows, cols).

    `simd` columns and `pe` rows a cycle; in (vectors, cols), out (vectors, rows) of type `acc`.
    """

    rows: Size
    cols: Size
    vectors: Size

    @property
    def terms(self) -> int:
        return self.cols

    @property
    def weight_memory(self) -> MemoryShape:
        in_parallel = self.fold.simd * self.fold.pe
        return MemoryShape(self.rows * self.cols // in_parallel, in_parallel * self.wtype.bits)

    def inputs(self) -> tuple[Port, ...]:
        s = self.fold.simd
        return (Port(self.itype, s, self.vectors * self.cols // s),)

    def outputs(self) -> tuple[Port, ...]:
        p = self.fold.pe
        return (Port(self.acc, p, self.vectors * self.rows // p),)

    def legal_folds(self) -> tuple[Fold, ...]:
        kinds = multipliers_of(self.itype, self.wtype)
        return folds(divisors(self.rows), divisors(self.cols), kinds, MEMORIES)

    def check(self) -> None:
        require_shape(self.name, self.weight, (self.rows, self.cols))
        require_divides(self.name, "simd", self.fold.simd, "cols", self.cols)
        require_divides(self.name, "pe", self.fold.pe, "rows", self.rows)
        kinds = multipliers_of(self.itype, self.wtype)
        check_choice(self.name, "multiplier", self.fold.multiplier, kinds)
        check_choice(self.name, "memory", self.fold.memory, WEIGHT_MEMORIES)

    def execute(self, params: Params, *inputs: np.ndarray) -> tuple[np.ndarray, ...]:
        (x,) = inputs
        vectors = x.reshape(len(x) * self.vectors, self.cols)
        weight = params[self.weight.name]
        y = matrix_product(vectors, weight, self.itype, self.acc, self.name)
        return (y.reshape(len(x), -1),)

    def program(self) -> Program:
        """Rows take turns on the `pe` units: the vector is read once and replayed for the rest.

        Interval: vectors * (cols/simd) * (rows/pe) cycles.
        """
        sf, nf = self.cols // self.fold.simd, self.rows // self.fold.pe
        read = (Read("in0"),)
        vector = (
            *segment(sf - 1, read),
            Segment(1, read, ("out0",)),
            *segment(nf - 1, (), ("out0",), gap=sf),
        )
        return simple("main", *vector, repeat=self.vectors, latency_cycles=self.latency_cycles)

    @property
    def latency_cycles(self) -> int:
        """Stages: weight and operand registers, the product where it is registered, the adder
        tree, the accumulator."""
        stages = product_stages(self.itype, self.wtype, self.fold.multiplier)
        return 2 + stages + tree_stages(self.fold.simd)

    def cost_terms(self, family: Family) -> tuple[CostTerm, ...]:
        s, p, memory = self.fold.simd, self.fold.pe, self.weight_memory
        sf, nf, words = self.cols // s, self.rows // p, memory.words
        # Operands that a multiplexer takes fresh or from the replay buffer.
        replayed, types, kind = sf > 1 and nf > 1, (self.itype, self.wtype), self.fold.multiplier
        in_dsps = rows_in_dsps(family, *types, kind, p) if s == 1 else 0
        return (
            # S*P products, in LUTs with a register, or in DSPs, one for each or for two rows; P trees
            # over S products, a register every second level; selections are part of them.
            *dot_products(family, s, p, types, kind, words, shared=True, chosen=replayed),
            # P registers of the result; with several beats a vector an adder before each, which a DSP
            # has for products that are summed nowhere else.
            accumulators(family, p - in_dsps, int(sf > 1), self.acc.bits),
            # One word of S*P weights for each event of a vector, and its output register.
            *weights(family, memory.words, memory.width_bits, self.fold.memory),
            # The operand register; rows that take turns replay the vector from a buffer.
            self._operand(family, sf, nf),
            # Beside the sum travel whether it counts and whether it is the first of a vector.
            CostTerm("flags", self._flags(family, sf)),
            # Counters: beat of the vector, group of rows, word of the weights.
            *control(family, 2, self.latency_cycles, sf, nf, words),
        )

    def rtl(self, params: Params, family: Family) -> Rtl:
        s, p = self.fold.simd, self.fold.pe
        sf, nf = self.cols // s, self.rows // p
        tiles = params[self.weight.name].reshape(nf, p, sf, s).transpose(0, 2, 1, 3)
        contents = Memory(words(tiles, self.wtype, s * p), s * p * self.wtype.bits)
        parameters = {
            "Simd": s,
            "Pe": p,
            "Beats": sf,
            "Groups": nf,
            **product_parameters(self.itype, self.wtype, self.fold.multiplier),
            "PackedBits": self._packed_bits(family),
            "AccBits": self.acc.bits,
            "WeightStyle": int(self.fold.memory == "block"),
            "BufferStyle": ram_style(family, sf, self.fold.memory),
        }
        return self.weighted_rtl("mvu", parameters, contents, family)

    def _packed_bits(self, family: Family) -> int:
        packs = self.fold.multiplier == "dsp"
        return packed_bits(family, self.itype, self.wtype) if packs else 0

    def _flags(self, family: Family, sf: int) -> Resources:
        """A valid bit to the sum, and one for the first sum where there are several."""
        cycles = self.latency_cycles - 1
        first = delayed(family, cycles) if sf > 1 else Resources()
        return Resources(ff=cycles) + first

    def _operand(self, family: Family, sf: int, nf: int) -> CostTerm:
        bits = self.fold.simd * self.itype.bits
        if nf == 1:
            return CostTerm("operand register", Resources(ff=bits))
        # A 2-to-1 multiplexer a bit passes the fresh beat by, from a register of its own.
        bypass = Resources(lut=bits * family.mux(2), ff=bits) if sf > 1 else Resources()
        memory = buffer(family, "input buffer", sf, bits, self.fold.memory, one_address=True)
        return CostTerm(memory.name, memory.resources + bypass)

    @classmethod
    def examples(cls) -> tuple[tuple[Self, dict[str, np.ndarray]], ...]:
        types = (
            (BIPOLAR, BIPOLAR),
            (QType(4, False), BIPOLAR),
            (QType(3), TERNARY),
            (QType(4, False), QType(4, narrow=True)),
            (QType(8), QType(8)),
            (QType(4), QType(4, kind="power-of-two")),
            (QType(16, False), QType(3, narrow=True)),
            (QType(16), QType(8)),
        )
        return tuple(_example(cls, i, itype, wtype) for i, (itype, wtype) in enumerate(types))


def _example(
    cls: type[MatVec], number: int, itype: QType, wtype: QType
) -> tuple[MatVec, dict[str, np.ndarray]]:
    rows, cols = 4, 6
    weight = sample(wtype, rows, cols, seed=number)
    block = cls(
        name=f"mvu_{number}",
        rows=rows,
        cols=cols,
        vectors=2,
        itype=itype,
        wtype=wtype,
        acc=products_type(cols, itype, wtype),
        weight=reference("weight", weight),
    )
    return block, {"weight": weight}
