"""What every hardware block answers.

A block is one frozen record: what to compute (fields that lowering fills in) together with how
much of it in parallel (`fold`, the only part that search varies). Its file holds its arithmetic,
its cycles, its cost and its legal foldings; its SystemVerilog twin has the same name.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Self

import msgspec
import numpy as np

from codesign.cost.resources import CostTerm, Resources, total
from codesign.errors import IllegalFold, InvariantBroken
from codesign.program import Program
from codesign.rtl.instance import Rtl
from codesign.types import QType

Params = Mapping[str, np.ndarray]
# Counts in the fields of blocks; a design.json that breaks them is refused where it is read.
Size = Annotated[int, msgspec.Meta(ge=1)]
Natural = Annotated[int, msgspec.Meta(ge=0)]


class Fold(msgspec.Struct, frozen=True, order=True):
    """How much of a block runs in parallel, and in which primitives.

    `simd` inputs and `pe` outputs a cycle; blocks without a reduction use `pe` alone (lanes of
    their streams), in a window and in what reads it by channels `simd` counts taps. `multiplier` is
    "lut" or "dsp"; `memory` is where weights, thresholds and buffers live: "lut" (LUTs as ROM or
    RAM), "block" (the family's block RAM) or "large" (weights in the family's large RAM, which is
    filled at start-up; buffers as with "block").
    """

    pe: Size = 1
    simd: Size = 1
    multiplier: str = "lut"
    memory: str = "lut"


class ParamRef(msgspec.Struct, frozen=True):
    """A reference to an array in params.npz: its name, shape, range and content hash (SHA-256).

    `value` is the only one of an array that holds a single one, where it is known: synthesis folds it.
    """

    name: str
    shape: Annotated[tuple[Size, ...], msgspec.Meta(min_length=1)]
    qtype: QType
    digest: str = ""
    value: int | None = None


class MemoryShape(msgspec.Struct, frozen=True):
    """A memory of `words` words of `width_bits` bits."""

    words: int
    width_bits: int


class Port(msgspec.Struct, frozen=True):
    """One side of a stream: `lanes` elements of `qtype` a beat, `beats_per_frame` beats a frame."""

    qtype: QType
    lanes: int
    beats_per_frame: int

    @property
    def elements(self) -> int:
        """Elements of one frame."""
        return self.lanes * self.beats_per_frame

    @property
    def bits(self) -> int:
        """Width of one beat in bits."""
        return self.lanes * self.qtype.bits


class Block(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Base of all hardware blocks; a subclass is one file and one line of `BLOCKS`.

    Data between blocks is an integer array (frames, elements) in stream order: positions row by
    row, channels innermost. A block reshapes it as it likes.
    """

    name: str
    fold: Fold = Fold()

    def inputs(self) -> tuple[Port, ...]:
        """Input ports, in order ("in0", "in1", ... in the event program)."""
        raise NotImplementedError

    def outputs(self) -> tuple[Port, ...]:
        """Output ports, in order ("out0", "out1", ... in the event program)."""
        raise NotImplementedError

    def legal_folds(self) -> tuple[Fold, ...]:
        """Every legal folding that any family has the memories for; sorted from slow and small to
        fast and large."""
        raise NotImplementedError

    def folds_on(self, family: Any) -> tuple[Fold, ...]:
        """`legal_folds`, and those with weights in the large RAM of `family`
        (codesign.cost.family.Family) where it has one; sorted alike."""
        return self.legal_folds()

    def check(self) -> None:
        """Raise IllegalFold when `fold` breaks a rule; names the nearest legal values."""
        raise NotImplementedError

    def execute(self, params: Params, *inputs: np.ndarray) -> tuple[np.ndarray, ...]:
        """Exact integer function on a batch: arrays (frames, elements) in and out."""
        raise NotImplementedError

    def program(self) -> Program:
        """Event program of one frame under the present folding."""
        raise NotImplementedError

    def cost_terms(self, family: Any) -> tuple[CostTerm, ...]:
        """What each physical part occupies on `family` (codesign.cost.family.Family); analytic."""
        raise NotImplementedError

    def rtl(self, params: Params, family: Any) -> Rtl:
        """The instance of its SystemVerilog module (hw/) on a device family (its DSPs and memories),
        with the contents of its memories."""
        raise NotImplementedError

    def large_memories(self) -> tuple[MemoryShape, ...]:
        """Memories that are filled at start-up, in the order of `Rtl.loaded`."""
        return ()

    def retyped(self, *inputs: QType) -> Self:
        """The same block for other input types (bit-width what-if); output types follow."""
        raise NotImplementedError

    @classmethod
    def examples(cls) -> tuple[tuple[Self, dict[str, np.ndarray]], ...]:
        """Small instances with parameters that the conformance suite must run."""
        raise NotImplementedError

    def folded(self, fold: Fold) -> Self:
        """The same block under another folding, checked."""
        block = msgspec.structs.replace(self, fold=fold)
        block.check()
        return block

    def cost(self, family: Any) -> Resources:
        """Sum of the cost terms."""
        return total(term.resources for term in self.cost_terms(family))

    @property
    def params(self) -> tuple[ParamRef, ...]:
        """References to the arrays this block needs."""
        values = (getattr(self, field) for field in self.__struct_fields__)
        return tuple(v for v in values if isinstance(v, ParamRef))


def divisors(n: int) -> tuple[int, ...]:
    """Divisors of `n` in ascending order."""
    small = [d for d in range(1, int(n**0.5) + 1) if n % d == 0]
    return tuple(sorted({*small, *(n // d for d in small)}))


def require_divides(block: str, knob: str, value: int, what: str, size: int) -> None:
    """Raise IllegalFold unless `value` divides `size`; the text names the nearest legal values."""
    if value >= 1 and size % value == 0:
        return
    legal = divisors(size)
    below = [d for d in legal if d < value][-1:]
    above = [d for d in legal if d > value][:1]
    raise IllegalFold(
        f"{block}: {knob} must divide {what} ({size}), not {value}; "
        f"nearest legal: {', '.join(map(str, below + above))}",
        block=block,
        knob=knob,
        found=value,
        legal=legal,
    )


def require_shape(block: str, ref: ParamRef, *legal: tuple[int, ...]) -> None:
    """Raise InvariantBroken unless `ref` has one of the `legal` shapes."""
    if ref.shape in legal:
        return
    raise InvariantBroken(
        f"{block}: {ref.name} must have shape {' or '.join(map(str, legal))}, not {ref.shape}; "
        "build the design again",
        block=block,
        parameter=ref.name,
        found=ref.shape,
    )
