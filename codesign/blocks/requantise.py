"""Requantisation: a quantiser as multiply, add, shift and clip."""

from __future__ import annotations

from math import ceil
from typing import Self

import msgspec
import numpy as np

from codesign.blocks.arrays import carrier, magnitude, narrowed
from codesign.blocks.base import Fold, Natural, ParamRef, Params, require_shape
from codesign.blocks.control import stepped
from codesign.blocks.dot_products import known
from codesign.blocks.folds import MEMORIES, check_lanes, fold_for, lane_folds, multipliers_of
from codesign.blocks.memories import parameters
from codesign.blocks.multipliers import constant_adders, constant_luts, products
from codesign.blocks.programs import one_to_one
from codesign.blocks.quantiser import Quantiser
from codesign.blocks.samples import reference, sample
from codesign.blocks.sum_types import products_type
from codesign.cost.family import Family
from codesign.cost.resources import CostTerm, Resources
from codesign.errors import InvariantBroken
from codesign.program import Program
from codesign.rtl.instance import Memory, Rtl
from codesign.rtl.wire import wire_kind, words
from codesign.types import QType

# Bits above the result up to which clipping looks at them itself.
FEW_ABOVE = 5


class Requantise(Quantiser, frozen=True, kw_only=True):
    """y = clip((x*M[c] + B[c]) >> shift, otype.min, otype.max), with an arithmetic shift.

    `multiplier` and `bias` have shape (channels or 1,). `pe` channels a cycle; in and out
    (vectors, channels). With `ties_even` a sum that is a multiple of 2^shift gives the even number
    that is not above sum >> shift: with half a level in B that is rounding half to even.
    """

    multiplier: ParamRef
    bias: ParamRef
    shift: Natural
    ties_even: bool = False

    @property
    def rows(self) -> int:
        return max(self.multiplier.shape[0], self.bias.shape[0])

    @property
    def memories(self) -> tuple[str, ...]:
        """Where M and B may live: constants shared by all channels need no memory."""
        return MEMORIES if self.rows > 1 else ("lut",)

    def legal_folds(self) -> tuple[Fold, ...]:
        kinds = multipliers_of(self.itype, self.multiplier.qtype)
        return lane_folds(self.channels, kinds, self.memories)

    def check(self) -> None:
        for ref in (self.multiplier, self.bias):
            require_shape(self.name, ref, (1,), (self.channels,))
        if self.ties_even and not self.shift:
            raise InvariantBroken(
                f"{self.name}: ties to even need a shift of 1 or more, not 0; build the design again",
                block=self.name,
            )
        kinds = multipliers_of(self.itype, self.multiplier.qtype)
        check_lanes(self.name, self.fold, self.channels, kinds, self.memories)

    def execute(self, params: Params, *inputs: np.ndarray) -> tuple[np.ndarray, ...]:
        (x,) = inputs
        m, b = params[self.multiplier.name], params[self.bias.name]
        largest = magnitude(self.itype) * int(abs(m.astype(object)).max())
        kind = carrier(0, largest + int(abs(b.astype(object)).max()))
        values = x.reshape(-1, self.channels).astype(kind)
        levels = self._levels(values * m.astype(kind) + b.astype(kind))
        y = narrowed(levels.clip(self.otype.min, self.otype.max), self.otype, self.name)
        return (y.reshape(len(x), -1),)

    def _levels(self, sums: np.ndarray) -> np.ndarray:
        """Sums without their fraction; the lowest bit of a tie goes where ties are even."""
        levels = sums >> self.shift
        if not self.ties_even:
            return levels
        ties = sums == levels << self.shift
        return levels - (levels & ties.astype(np.int64).astype(sums.dtype))

    def program(self) -> Program:
        """One beat in, one beat out; stages: read M and B, multiply, add with shift and clip.

        Interval: vectors * channels/pe cycles.
        """
        return one_to_one(self.vectors * self.channels // self.fold.pe, latency_cycles=3)

    def rtl(self, params: Params, family: Family) -> Rtl:
        m, b = self.multiplier, self.bias
        files = {"MultiplierFile": self._words(params, m), "BiasFile": self._words(params, b)}
        parameters = {
            "Pe": self.fold.pe,
            "MultiplierWords": len(files["MultiplierFile"].words),
            "BiasWords": len(files["BiasFile"].words),
            "InBits": self.itype.bits,
            "InKind": wire_kind(self.itype),
            "MultiplierBits": m.qtype.bits,
            "MultiplierKind": wire_kind(m.qtype),
            "ProductBits": products_type(1, self.itype, m.qtype).bits,
            "BiasBits": b.qtype.bits,
            "BiasKind": wire_kind(b.qtype),
            "Shift": self.shift,
            "TiesEven": int(self.ties_even),
            "OutBits": self.otype.bits,
            "Low": self.otype.min,
            "High": self.otype.max,
            "Dsp": int(self.fold.multiplier == "dsp"),
            "Factor": self._factor(params[m.name]),
            "Style": int(self.fold.memory == "block"),
        }
        return Rtl("requantise", parameters, memories=files)

    def _factor(self, values: np.ndarray) -> int:
        """The one M that all channels share, where it is a product of shifts and adds; otherwise 0."""
        constant = len(values) == 1 and self.fold.multiplier == "lut"
        return int(values[0]) if constant and self.multiplier.qtype.bits < 32 else 0

    def _words(self, params: Params, ref: ParamRef) -> Memory:
        """A word of constants for each group of channels, or one for all."""
        values = params[ref.name]
        values = values if len(values) > 1 else np.repeat(values, self.fold.pe)
        return Memory(words(values, ref.qtype, self.fold.pe), self.fold.pe * ref.qtype.bits)

    def cost_terms(self, family: Family) -> tuple[CostTerm, ...]:
        p, groups = self.fold.pe, self.channels // self.fold.pe
        m, b, wide = self.multiplier, self.bias, self._sum_bits
        # Clipping looks at the bits above the result, then passes it or a bound.
        above = max(0, wide - self.shift - self.otype.bits)
        clip = self.otype.bits if above else 0
        # A DSP that adds behind its product holds the input and adds B as well.
        outside = 0 if self.fold.multiplier == "dsp" and family.dsp.adds_behind else p
        # A carry chain adds a constant without LUTs.
        adders = outside if b.shape[0] > 1 else 0
        return (
            # The input travels beside the read of M and B.
            CostTerm("operand register", Resources(ff=outside * self.itype.bits)),
            # P products x*M.
            self._products(family, groups),
            # One word of P constants a group of channels.
            self._constants(family, "multiplier", m, groups),
            self._constants(family, "bias values", b, groups),
            # P adders of B; the shift is wiring.
            CostTerm("bias", Resources(lut=adders * family.adder(wide))),
            # A tie is a sum whose lowest bits are all 0.
            CostTerm("ties", Resources(lut=p * self._tie_luts(family))),
            # Where the sum can leave the range: its highest bits are compared with both bounds.
            CostTerm("range", Resources(lut=p * self._range_luts(family, above))),
            # Clip and output register.
            CostTerm("clip", Resources(lut=p * clip, ff=p * self.otype.bits)),
            # Counter: group of channels, where they differ.
            *stepped(family, 3, groups if self.rows > 1 else 1),
        )

    @property
    def _sum_bits(self) -> int:
        """Bits of x*M + B: as many as its types need, or as its range where synthesis knows that."""
        m, b = self.multiplier, self.bias
        if self.fold.multiplier == "dsp" or m.value is None or b.value is None:
            return max(products_type(1, self.itype, m.qtype).bits, b.qtype.bits) + 1
        ends = sorted(x * m.value + b.value for x in (self.itype.min, self.itype.max))
        return QType.covering(*ends).bits

    def _products(self, family: Family, groups: int) -> CostTerm:
        """Products with an M a channel, or with the one of all in shifts and adds; where its value is
        not known it has a signed digit in three bits."""
        p, m = self.fold.pe, self.multiplier
        made = products(family, p, self.itype, m.qtype, self.fold.multiplier, stages=1)
        if self.fold.multiplier == "dsp":
            return made
        if m.shape[0] > 1:
            return known(made, groups)
        adders = round(m.qtype.bits / 3 - 1) if m.value is None else constant_adders(m.value)
        luts = p * constant_luts(family, self.itype.bits, max(0, adders))
        return CostTerm("constant multiplier", Resources(luts, ff=made.resources.ff))

    def _range_luts(self, family: Family, above: int) -> float:
        """LUTs that tell whether the sum lies beyond a bound; few bits above the result are part of
        the clip, and some more a LUT or two for each bound. Read off units in DSPs with 4 to 22
        such bits, which took 0 to 16."""
        if above <= FEW_ABOVE:
            return 0.0
        if above + self.otype.bits <= 2 * family.lut_inputs:
            return 4.0
        return above / 2 + (5 if self.otype.signed else 2)

    def _tie_luts(self, family: Family) -> int:
        """LUTs of a tree that looks at `shift` bits; clearing the lowest bit is part of the clip."""
        return ceil((self.shift - 1) / (family.lut_inputs - 1)) if self.ties_even else 0

    def _constants(self, family: Family, name: str, ref: ParamRef, groups: int) -> CostTerm:
        depth = groups if ref.shape[0] > 1 else 1
        return parameters(family, name, depth, self.fold.pe * ref.qtype.bits, self.fold.memory)

    def retyped(self, *inputs: QType) -> Self:
        """The same function on inputs of another width: the bias moves with the range."""
        (itype,) = inputs
        bits = max(2, self.bias.qtype.bits + itype.bits - self.itype.bits)
        bias = msgspec.structs.replace(self.bias, qtype=QType(bits), digest="", value=None)
        bias = self.bias if itype == self.itype else bias
        fold = fold_for(self.fold, itype, self.multiplier.qtype)
        return msgspec.structs.replace(self, itype=itype, bias=bias, fold=fold)

    @classmethod
    def in_place_of(cls, other: Quantiser, otype: QType) -> Self:
        """Multiplier, bias and shift for `otype` where `other` is.

        A multiplier that meets all thresholds of 64 channels exactly has about 4 bits more than the
        input, as imported 8-bit networks show; the bias spans the product.
        """
        if isinstance(other, cls):
            shift = max(int(other.ties_even), other.shift + other.otype.bits - otype.bits)
            return msgspec.structs.replace(other, otype=otype, shift=shift)
        bits = other.itype.bits
        return cls(
            name=other.name,
            fold=other.fold,
            channels=other.channels,
            vectors=other.vectors,
            itype=other.itype,
            otype=otype,
            multiplier=ParamRef(f"{other.name}.multiplier", (other.rows,), QType(bits + 4)),
            bias=ParamRef(f"{other.name}.bias", (other.rows,), QType(2 * bits + 4)),
            shift=max(0, 2 * bits + 4 - otype.bits),
        )

    @classmethod
    def examples(cls) -> tuple[tuple[Self, dict[str, np.ndarray]], ...]:
        # (rows of M, rows of B, otype): per channel, one bias a channel, all shared.
        kinds = ((4, 4, QType(4)), (1, 4, QType(4)), (1, 1, QType(5, False)))
        return (*(_example(cls, *kind) for kind in kinds), _rounding_example(cls))


def _example(
    cls: type[Requantise], m_rows: int, b_rows: int, otype: QType
) -> tuple[Requantise, dict[str, np.ndarray]]:
    params = {"m": sample(QType(7, False), m_rows, seed=1), "b": sample(QType(12), b_rows, seed=2)}
    block = cls(
        name=f"requantise_{m_rows}_{b_rows}",
        channels=4,
        vectors=3,
        itype=QType(10),
        otype=otype,
        multiplier=reference("m", params["m"]),
        bias=reference("b", params["b"]),
        shift=11,
    )
    return block, params


def _rounding_example(cls: type[Requantise]) -> tuple[Requantise, dict[str, np.ndarray]]:
    """x/8 and -x/8 rounded half to even: an eighth of all inputs are ties."""
    params = {"m": np.array([1, -1, 2, 1]), "b": np.array([4, 4, 4, 12])}
    block = cls(
        name="requantise_even",
        channels=4,
        vectors=5,
        itype=QType(8),
        otype=QType(5, narrow=True),
        multiplier=reference("m", params["m"]),
        bias=reference("b", params["b"]),
        shift=3,
        ties_even=True,
    )
    return block, params
