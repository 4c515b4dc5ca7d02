"""Requantisation: a quantiser as multiply, add, shift and clip."""

from __future__ import annotations

from math import ceil
from typing import Self

import msgspec
import numpy as np

from codesign.blocks.arrays import carrier, magnitude, narrowed
from codesign.blocks.base import Block, Fold, ParamRef, Params, Port
from codesign.blocks.control import control
from codesign.blocks.folds import MEMORIES, check_lanes, fold_for, lane_folds, multipliers_of
from codesign.blocks.memories import parameters
from codesign.blocks.multipliers import product_type, products
from codesign.blocks.programs import one_to_one
from codesign.blocks.samples import reference, sample
from codesign.blocks.sum_types import level_type
from codesign.cost.family import Family
from codesign.cost.resources import CostTerm, Resources
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

    def cost_terms(self, family: Family) -> tuple[CostTerm, ...]:
        p, groups = self.fold.pe, self.channels // self.fold.pe
        m, b = self.multiplier, self.bias
        product = product_type(self.itype, m.qtype).bits
        wide = max(product, b.qtype.bits) + 1
        # Clipping looks at the bits above the result, then passes it or a bound.
        above = max(0, wide - self.shift - self.otype.bits)
        clip = ceil(above / family.lut_inputs) + self.otype.bits
        return (
            # The input travels beside the read of M and B.
            CostTerm("operand register", Resources(ff=p * self.itype.bits)),
            # P products x*M.
            products(family, p, self.itype, m.qtype, self.fold.multiplier),
            # One word of P constants a group of channels.
            self._constants(family, "multiplier", m, groups),
            self._constants(family, "bias values", b, groups),
            # P adders of B; the shift is wiring.
            CostTerm("bias", Resources(lut=p * family.adder(wide))),
            # Clip and output register.
            CostTerm("clip", Resources(lut=p * clip, ff=p * self.otype.bits)),
            # Counter: group of channels, where they differ.
            control(family, 2, 3, groups if self.memories != ("lut",) else 1),
        )

    def _constants(self, family: Family, name: str, ref: ParamRef, groups: int) -> CostTerm:
        depth = groups if ref.shape[0] > 1 else 1
        return parameters(family, name, depth, self.fold.pe * ref.qtype.bits, self.fold.memory)

    def retyped(self, *inputs: QType) -> Self:
        """The same function on inputs of another width: the bias moves with the range."""
        (itype,) = inputs
        bits = max(2, self.bias.qtype.bits + itype.bits - self.itype.bits)
        bias = msgspec.structs.replace(self.bias, qtype=QType(bits), digest="")
        bias = self.bias if itype == self.itype else bias
        fold = fold_for(self.fold, itype, self.multiplier.qtype)
        return msgspec.structs.replace(self, itype=itype, bias=bias, fold=fold)

    def requantised(self, bits: int) -> Self:
        """The same block with `bits` output bits: it shifts less, or more."""
        shift = max(0, self.shift - (bits - self.otype.bits))
        return msgspec.structs.replace(self, otype=level_type(self.otype, bits), shift=shift)

    @classmethod
    def examples(cls) -> tuple[tuple[Self, dict[str, np.ndarray]], ...]:
        return tuple(
            _example(cls, rows, otype) for rows, otype in ((4, QType(4)), (1, QType(5, False)))
        )


def _example(
    cls: type[Requantise], rows: int, otype: QType
) -> tuple[Requantise, dict[str, np.ndarray]]:
    params = {"m": sample(QType(7, False), rows, seed=1), "b": sample(QType(12), rows, seed=2)}
    block = cls(
        name=f"requantise_{rows}",
        channels=4,
        vectors=3,
        itype=QType(10),
        otype=otype,
        multiplier=reference("m", params["m"]),
        bias=reference("b", params["b"]),
        shift=11,
    )
    return block, params
