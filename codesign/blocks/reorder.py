"""Reorder: chunks of a stream written out again in another order, elements repeated if need be.

Depth to space, nearest upsampling and transposes are all walks over a buffered chunk.
"""

from __future__ import annotations

from math import gcd, prod
from typing import Self

import msgspec
import numpy as np

from codesign.blocks.base import Block, Fold, Natural, Params, Port, Size
from codesign.blocks.control import control, counters, ended
from codesign.blocks.folds import MEMORIES, check_lanes, lane_folds
from codesign.blocks.memories import buffer, ram_style
from codesign.blocks.walk import Walk, places_of, walk_of, walk_segments
from codesign.cost.family import Family
from codesign.cost.resources import CostTerm, Resources
from codesign.errors import InvariantBroken
from codesign.program import InnerChannel, Loop, Process, Program, Read, Segment
from codesign.rtl.instance import Rtl, Vector
from codesign.rtl.wire import packed
from codesign.types import BIPOLAR, QType

FIELD_BITS = 32


class Reorder(Block, frozen=True, kw_only=True):
    """y[i0, i1, ...] = x[i0*strides[0] + i1*strides[1] + ...] in each of `vectors` chunks.

    The indices run below `sizes`, the last one fastest; an axis of stride 0 repeats. The other
    strides are those of an array of `chunk` elements in some order of its axes, so that every
    element comes out. `pe` elements a cycle, `memory` says what holds two chunks.
    """

    vectors: Size
    sizes: tuple[Size, ...]
    strides: tuple[Natural, ...]
    itype: QType

    @property
    def chunk(self) -> int:
        """Elements that are read before their order can change."""
        pairs = zip(self.sizes, self.strides, strict=True)
        return prod(size for size, stride in pairs if stride)

    @property
    def grain(self) -> int:
        """Most lanes: as many neighbours stay together."""
        if self.strides[-1] != 1:
            return 1
        return gcd(self.sizes[-1], *self.strides[:-1])

    def inputs(self) -> tuple[Port, ...]:
        p = self.fold.pe
        return (Port(self.itype, p, self.vectors * self.chunk // p),)

    def outputs(self) -> tuple[Port, ...]:
        p = self.fold.pe
        return (Port(self.itype, p, self.vectors * prod(self.sizes) // p),)

    def legal_folds(self) -> tuple[Fold, ...]:
        return lane_folds(self.grain, memories=MEMORIES)

    def check(self) -> None:
        """Besides the folding: the strides must reach every element of the chunk exactly once."""
        axes = sorted(
            (stride, size)
            for size, stride in zip(self.sizes, self.strides, strict=True)
            if stride and size > 1
        )
        reached = 1
        for stride, size in axes:
            if stride != reached:
                raise InvariantBroken(
                    f"{self.name}: strides {self.strides} must be those of an array whose axes "
                    f"have sizes {self.sizes}; build the design again",
                    block=self.name,
                )
            reached *= size
        check_lanes(self.name, self.fold, self.grain, memories=MEMORIES)

    def execute(self, params: Params, *inputs: np.ndarray) -> tuple[np.ndarray, ...]:
        (x,) = inputs
        chunks = x.reshape(len(x), self.vectors, self.chunk)
        return (chunks[:, :, places_of(self.sizes, self.strides)].reshape(len(x), -1),)

    @property
    def walk(self) -> Walk:
        """The course over the beats of a chunk."""
        return walk_of(self.sizes, self.strides, self.fold.pe)

    @property
    def latency_cycles(self) -> int:
        """Stages: the buffer's output register, and the read of a block RAM before it."""
        return 2 if self.fold.memory == "block" else 1

    def program(self) -> Program:
        """A reader fills one half of the buffer while a writer walks over the other.

        The last event of a chunk releases all of it. Interval: the beats of the output.
        """
        beats = self.chunk // self.fold.pe
        read = Segment(self.vectors * beats, (Read("in0"),), ("chunks",))
        reader = Process("reader", (Loop(1, (read,)),))
        segments = walk_segments(self.walk, "chunks", beats)
        writer = Process("writer", (Loop(self.vectors, segments),), self.latency_cycles)
        return Program((reader, writer), (InnerChannel("chunks", "reader", "writer", 2 * beats),))

    def rtl(self, params: Params, family: Family) -> Rtl:
        walk, beats = self.walk, self.chunk // self.fold.pe
        parameters = {
            "Width": self.fold.pe * self.itype.bits,
            "Chunk": beats,
            "Axes": len(walk),
            "Style": ram_style(family, 2 * beats, self.fold.memory),
            "Stages": self.latency_cycles,
        }
        # Innermost axis first; a step leads from the last place of all inner axes to the next one.
        sizes = [size for size, _ in reversed(walk)]
        steps = [
            stride - sum((n - 1) * s for n, s in walk[len(walk) - i :])
            for i, (_, stride) in enumerate(reversed(walk))
        ]
        fields = {"Sizes": sizes, "Steps": [s % (1 << FIELD_BITS) for s in steps]}
        width = FIELD_BITS * len(walk)
        return Rtl(
            "reorder",
            parameters,
            {name: Vector(packed(values, FIELD_BITS), width) for name, values in fields.items()},
        )

    def cost_terms(self, family: Family) -> tuple[CostTerm, ...]:
        beats = self.chunk // self.fold.pe
        pointer = (2 * beats).bit_length()
        # Place in the chunk and the half it is in; count of beats that are there.
        pointers = Resources(lut=2 * family.adder(pointer), ff=2 * pointer + 1)
        return (
            # Both halves, and the output register.
            buffer(family, "buffer", 2 * beats, self._beat_bits, self.fold.memory),
            # A further register of what comes out of a block RAM.
            CostTerm("output register", Resources(ff=self._beat_bits * (self.latency_cycles - 1))),
            CostTerm("addresses", pointers + counters(family, 2 * beats)),
            *control(family, 4, self.latency_cycles, *ended(*(size for size, _ in self.walk))),
        )

    @property
    def _beat_bits(self) -> int:
        return self.fold.pe * self.itype.bits

    def retyped(self, *inputs: QType) -> Self:
        return msgspec.structs.replace(self, itype=inputs[0])

    @classmethod
    def examples(cls) -> tuple[tuple[Self, dict[str, np.ndarray]], ...]:
        # Nearest upsampling by (2, 3) of rows of 3 pixels; depth to space, blocks before and behind
        # the channels; a transposed picture; repeated values of one channel.
        kinds = (
            (2, (2, 3, 3, 4), (0, 4, 0, 1), QType(4)),
            (2, (2, 3, 2, 2), (4, 8, 2, 1), QType(3, False)),
            (2, (2, 3, 2, 2), (2, 8, 1, 4), BIPOLAR),
            (1, (4, 3, 5), (1, 20, 4), QType(4)),
            (1, (6, 3), (1, 0), QType(2)),
        )
        return tuple(
            (cls(name=f"reorder_{i}", vectors=v, sizes=n, strides=s, itype=t), {})
            for i, (v, n, s, t) in enumerate(kinds)
        )
