"""Matrix-vector unit: dense layers, and convolutions behind a window."""

from __future__ import annotations

import numpy as np

from codesign.blocks.adders import tree_stages
from codesign.blocks.arrays import matrix_product
from codesign.blocks.base import Block, Fold, ParamRef, Params, Port, divisors, require_divides
from codesign.blocks.folds import MEMORIES, check_choice, folds, multipliers_of
from codesign.blocks.multipliers import product_stages
from codesign.blocks.programs import segment
from codesign.program import Program, Read, Segment, simple
from codesign.types import QType


class MatVec(Block, frozen=True, kw_only=True):
    """y = W x for each vector of a frame, with W of shape (rows, cols).

    `simd` columns and `pe` rows a cycle; in (vectors, cols), out (vectors, rows) of type `acc`.
    """

    rows: int
    cols: int
    vectors: int
    itype: QType
    wtype: QType
    acc: QType
    weight: ParamRef

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
        require_divides(self.name, "simd", self.fold.simd, "cols", self.cols)
        require_divides(self.name, "pe", self.fold.pe, "rows", self.rows)
        kinds = multipliers_of(self.itype, self.wtype)
        check_choice(self.name, "multiplier", self.fold.multiplier, kinds)
        check_choice(self.name, "memory", self.fold.memory, MEMORIES)

    def execute(self, params: Params, *inputs: np.ndarray) -> tuple[np.ndarray, ...]:
        (x,) = inputs
        vectors = x.reshape(len(x) * self.vectors, self.cols)
        weight = params[self.weight.name]
        y = matrix_product(vectors, weight, self.itype, self.acc, self.name)
        return (y.reshape(len(x), -1),)

    def program(self) -> Program:
        """Rows take turns on the `pe` units: the vector is read once and replayed for the rest.

        Interval: vectors * (cols/simd) * (rows/pe) cycles. Stages: weight and operand registers,
        the product where it is registered, the adder tree, the accumulator.
        """
        sf, nf = self.cols // self.fold.simd, self.rows // self.fold.pe
        read = (Read("in0"),)
        vector = (
            *segment(sf - 1, read),
            Segment(1, read, ("out0",)),
            *segment(nf - 1, (), ("out0",), gap=sf),
        )
        stages = 2 + product_stages(self.itype, self.wtype) + tree_stages(self.fold.simd)
        return simple("main", *vector, repeat=self.vectors, latency_cycles=stages)
