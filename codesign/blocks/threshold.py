"""Thresholds: a quantiser (with its batch norm and activation) as comparisons."""

from __future__ import annotations

from typing import Self

import msgspec
import numpy as np

from codesign.blocks.arrays import carrier, magnitude, narrowed
from codesign.blocks.base import Fold, ParamRef, Params, require_shape
from codesign.blocks.control import stepped
from codesign.blocks.folds import MEMORIES, check_lanes, lane_folds
from codesign.blocks.memories import BLOCK_WORDS, FEW_WORDS, distinct_registers
from codesign.blocks.programs import one_to_one
from codesign.blocks.quantiser import Quantiser
from codesign.blocks.samples import reference, sample
from codesign.blocks.threshold_tables import limit_bits, limit_vector, search_limits
from codesign.cost.family import Family
from codesign.cost.resources import CostTerm, Resources
from codesign.program import Program
from codesign.rtl.instance import Rtl, Vector
from codesign.rtl.wire import packed, wire_kind
from codesign.types import BIPOLAR, QType

# LUTs a bit of a comparison with one of up to so many constants (units of the data set).
LIMIT_LUTS = ((2, 5 / 8), (4, 7 / 8), (FEW_WORDS, 3 / 2))
# Groups of channels for which the four lowest bits of the first comparison are functions of eight
# inputs instead of places in the carry chain; and LUTs that this takes more (units alone).
LOW_GROUPS, LOW_LUTS = range(9, 17), 7.0


class Threshold(Quantiser, frozen=True, kw_only=True):
    """y = base + otype.step * #{k : sign[c]*x >= T[c, k]}, channel c of a position-major frame.

    `thresholds` has shape (channels or 1, T) with ascending rows; `sign` is None (all +1) or has
    shape (channels,). `pe` channels a cycle; in and out (vectors, channels).
    """

    base: int
    thresholds: ParamRef
    sign: ParamRef | None = None

    @property
    def rows(self) -> int:
        return self.thresholds.shape[0]

    @property
    def memories(self) -> tuple[str, ...]:
        """Where thresholds may live: one shared row is wired in and needs no memory."""
        return MEMORIES if self.rows > 1 else ("lut",)

    def legal_folds(self) -> tuple[Fold, ...]:
        return lane_folds(self.channels, memories=self.memories)

    def check(self) -> None:
        count = self.thresholds.shape[-1]
        require_shape(self.name, self.thresholds, (1, count), (self.channels, count))
        if self.sign is not None:
            require_shape(self.name, self.sign, (self.channels,))
        check_lanes(self.name, self.fold, self.channels, memories=self.memories)

    def execute(self, params: Params, *inputs: np.ndarray) -> tuple[np.ndarray, ...]:
        (x,) = inputs
        never = magnitude(self.itype) + 1  # above every +-x: such a threshold is not reached
        kind = carrier(-never, never)
        values = x.reshape(-1, self.channels).astype(kind, copy=False)
        if self.sign is not None:
            values = values * params[self.sign.name].astype(kind)
        limits = params[self.thresholds.name].clip(-never, never).astype(kind)
        count = count_reached(values, limits)
        top = self.base + self.otype.step * limits.shape[1]
        kind = carrier(min(0, self.base), max(top, top - self.base))
        y = count.astype(kind, copy=False) * kind(self.otype.step) + kind(self.base)
        return (narrowed(y, self.otype, self.name).reshape(len(x), -1),)

    @property
    def stages(self) -> int:
        """Comparators of a lane: a binary search decides one bit of the count after another.

        Comparing with all T thresholds at once would take T comparators instead of this logarithm
        and the same bits of memory, so it is cheaper nowhere (and the same thing for T = 1).
        """
        return self.thresholds.shape[1].bit_length()

    def program(self) -> Program:
        """One beat in, one beat out.

        Interval: vectors * channels/pe cycles.
        """
        beats = self.vectors * self.channels // self.fold.pe
        return one_to_one(beats, latency_cycles=self.latency_cycles)

    @property
    def latency_cycles(self) -> int:
        """Stages: one for each comparison, and one more where it reads a block RAM."""
        return self.stages + sum(style == "block" for _, style in self._memories())

    def _memories(self) -> tuple[tuple[int, str], ...]:
        """(words, style) of the memory of each stage: stage k chooses among 2^k thresholds."""
        groups = self.channels // self.fold.pe if self.rows > 1 else 1
        depths = [groups << k for k in range(self.stages)]
        deep = self.fold.memory if self.rows > 1 else "lut"
        return tuple((d, deep if d >= BLOCK_WORDS else "lut") for d in depths)

    def rtl(self, params: Params, family: Family) -> Rtl:
        own = self.channels if self.rows > 1 or self.sign else self.fold.pe
        sign = params[self.sign.name] if self.sign else np.ones(own, np.int64)
        rows = np.broadcast_to(params[self.thresholds.name], (own, self.thresholds.shape[1]))
        limits = search_limits(rows, sign, self.itype)
        bits = limit_bits(limits, self.itype)
        parameters = {
            "Pe": self.fold.pe,
            "Groups": own // self.fold.pe,
            "Stages": self.stages,
            "InBits": self.itype.bits,
            "InKind": wire_kind(self.itype),
            "LimitBits": bits,
            "OutBits": self.otype.bits,
            # The bit of a bipolar result is the count itself.
            "Base": 0 if self.otype.kind == "bipolar" else self.base,
            "BlockWords": BLOCK_WORDS if self.rows > 1 and self.fold.memory == "block" else 0,
        }
        vectors = {
            "Limits": limit_vector(limits, self.fold.pe, bits),
            "Flips": Vector(packed((sign < 0).astype(int).tolist(), 1), own),
        }
        return Rtl("threshold", parameters, vectors)

    def cost_terms(self, family: Family) -> tuple[CostTerm, ...]:
        p, groups = self.fold.pe, self.channels // self.fold.pe
        # Adding the lowest value of a two's-complement type only inverts the top bit.
        free = self.base in (0, -(1 << (self.otype.bits - 1)))
        offset = 0 if free else family.adder(self.otype.bits)
        differ = self.rows > 1 or self.sign is not None
        low = differ and groups in LOW_GROUPS and self.itype.bits > family.lut_inputs
        turns = (groups - 1).bit_length() if differ else 0
        return (
            *self._comparators(family),
            CostTerm("low bits", Resources(lut=p * LOW_LUTS if low else 0)),
            # The input and the channel travel to the last stage, the bits found grow by one a stage.
            CostTerm("travelling values", Resources(ff=self._travelling(p, turns))),
            # A channel of negative sign compares with 1 - T and inverts each answer.
            CostTerm("signs", self._signs(family, groups)),
            CostTerm("base", Resources(lut=p * offset)),
            # Counter: group of channels, where they differ.
            *stepped(family, self.latency_cycles, groups if differ else 1),
        )

    def _travelling(self, pe: int, turn_bits: int) -> int:
        """Registers of the stages, and those that wait for a block RAM beside its read."""
        reads = [style == "block" for _, style in self._memories()]
        found = pe * self.stages * (self.stages + 1) // 2
        passed = (self.stages - 1) * (pe * self.itype.bits + turn_bits)
        waits = sum(
            pe * (self.itype.bits + max(1, k)) + turn_bits for k, w in enumerate(reads) if w
        )
        return found + passed + waits

    def _comparators(self, family: Family) -> tuple[CostTerm, ...]:
        """Each lane compares with one of few limits, known in the comparison, or with a word of its
        table; where few bits decide, input and address, synthesis makes a table of the answers."""
        # Signs make two limits of one that channels share.
        shared_signs = int(self.rows == 1 and self.sign is not None)
        found = dict.fromkeys(("comparators", "tables", "answers"), Resources())
        for number, (depth, style) in enumerate(self._memories()):
            # Behind the first stage limits wait in registers, those of a block RAM in its own.
            own = self._limit_bits if style == "lut" else 0
            kept = distinct_registers(depth, own) if depth <= FEW_WORDS else own
            registers = Resources(ff=kept if number > 0 else 0)
            answers = self._answer_luts(family, depth) if style == "lut" else None
            if answers is not None:
                found["answers"] += Resources(lut=answers) + registers
            elif depth <= FEW_WORDS:
                luts = self.itype.bits * _limit_luts(depth << shared_signs)
                found["comparators"] += Resources(lut=luts) + registers
            else:
                found["comparators"] += Resources(lut=family.adder(self.itype.bits))
                found["tables"] += family.rom(depth, self._limit_bits, style) + registers
        return tuple(CostTerm(n, r.scaled(self.fold.pe)) for n, r in found.items())

    @property
    def _limit_bits(self) -> int:
        """Bits of a limit that are no copies of its sign."""
        return min(self.itype.bits, self.thresholds.qtype.bits)

    def _answer_luts(self, family: Family, depth: int) -> float | None:
        """LUTs of an answer as a function of input and few limits; None where comparing takes less,
        or limits beyond the input's range widen the comparison."""
        full = self.thresholds.shape[1] == (1 << self.stages) - 1
        spare = self.itype.bits + (depth - 1).bit_length() - family.lut_inputs
        if not full or self.itype.bits > family.lut_inputs or depth > 4:
            return None
        return float(1 << max(0, spare))

    def _signs(self, family: Family, groups: int) -> Resources:
        """In each stage and lane an inversion, with a table of signs where many groups have some."""
        if self.sign is None or groups == 1:
            return Resources()
        flips = family.rom(groups, self.fold.pe, "lut") if groups > 4 else Resources()
        return (flips + Resources(lut=self.fold.pe)).scaled(self.stages)

    def retyped(self, *inputs: QType) -> Self:
        """The same thresholds on inputs of another width: they move with the range."""
        (itype,) = inputs
        if itype == self.itype:
            return self
        bits = max(2, self.thresholds.qtype.bits + itype.bits - self.itype.bits)
        thresholds = msgspec.structs.replace(self.thresholds, qtype=QType(bits), digest="")
        return msgspec.structs.replace(self, itype=itype, thresholds=thresholds)

    @classmethod
    def in_place_of(cls, other: Quantiser, otype: QType) -> Self:
        """Thresholds for `otype` where `other` is."""
        table = ParamRef(f"{other.name}.thresholds", (other.rows, otype.levels - 1), other.itype)
        return cls(
            name=other.name,
            fold=msgspec.structs.replace(other.fold, multiplier="lut"),
            channels=other.channels,
            vectors=other.vectors,
            itype=other.itype,
            otype=otype,
            base=otype.min,
            thresholds=table,
            sign=other.sign if isinstance(other, cls) else None,
        )

    @classmethod
    def examples(cls) -> tuple[tuple[Self, dict[str, np.ndarray]], ...]:
        # (otype, rows of thresholds, signs): sign activation, per channel and shared levels, narrow.
        kinds = (
            (BIPOLAR, 4, False),
            (QType(2, False), 4, True),
            (QType(3, True), 1, False),
            (QType(3, True, narrow=True), 4, False),
            (QType(5, False), 4, True),
        )
        return tuple(_example(cls, i, *kind) for i, kind in enumerate(kinds))


def _example(
    cls: type[Threshold], number: int, otype: QType, rows: int, signs: bool
) -> tuple[Threshold, dict[str, np.ndarray]]:
    itype = QType(6)
    limits = np.sort(sample(itype, rows, otype.levels - 1, seed=number), axis=1)
    params = {"thresholds": limits} | ({"sign": sample(BIPOLAR, 4)} if signs else {})
    block = cls(
        name=f"threshold_{number}",
        channels=4,
        vectors=3,
        itype=itype,
        otype=otype,
        base=otype.min,
        thresholds=reference("thresholds", limits),
        sign=reference("sign", params["sign"]) if signs else None,
    )
    return block, params


def _limit_luts(limits: int) -> float:
    """LUTs a bit of a comparison with one of `limits` known ones (LIMIT_LUTS)."""
    return next((luts for most, luts in LIMIT_LUTS if limits <= most), LIMIT_LUTS[-1][1])


def count_reached(values: np.ndarray, limits: np.ndarray) -> np.ndarray:
    """#{k : values[n, c] >= limits[c, k]} for values (n, channels), limits (channels or 1, T)."""
    count = np.zeros(values.shape, carrier(0, limits.shape[1]))
    if limits.shape[1] <= 16:
        for k in range(limits.shape[1]):
            count += values >= limits[:, k]
        return count
    for c in range(values.shape[1]):
        row = limits[c if len(limits) > 1 else 0]
        count[:, c] = np.searchsorted(row, values[:, c], side="right")
    return count
