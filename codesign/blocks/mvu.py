"""Matrix-vector unit: dense layers, and convolutions behind a window."""

from __future__ import annotations

from codesign.blocks.base import Block, Fold, ParamRef, Port, divisors, require_divides
from codesign.blocks.folds import MEMORIES, check_choice, folds, multipliers_of
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
