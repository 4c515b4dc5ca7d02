"""The integer graph: blocks not yet folded, joined by named integer tensors."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction

import numpy as np

from codesign.blocks.base import Block
from codesign.design import HostInput, HostOutput
from codesign.graph.chain import Bound, Chain, Linear, evaluate


@dataclass(frozen=True)
class Node:
    """One block with the tensors it reads and writes (names, in port order)."""

    block: Block
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]


@dataclass(frozen=True)
class Decision:
    """How a quantiser chose its integers, exactly: level base + step*k where bound k holds.

    `chain` maps the sum of the `terms` (integer tensors with what they mean) to the quantiser's
    argument; `bounds` holds one ascending list of upper sets of that argument for each stream index,
    or one for all. `shift` is None where a block computes the level; otherwise the level is the
    integer + `shift`.
    """

    terms: tuple[tuple[str, Linear], ...]
    chain: Chain
    bounds: list[list[Bound]]
    base: int
    step: int
    shift: int | None = None

    def argument(self, tensors: Mapping[str, np.ndarray], frame: int, index: int) -> Fraction:
        """Exact argument of the quantiser for stream index `index` of a frame."""
        values = (m.apply(Fraction(int(tensors[t][frame, index])), index) for t, m in self.terms)
        return evaluate(self.chain, sum(values, Fraction(0)), index)


@dataclass(frozen=True)
class TensorView:
    """What an ONNX tensor means in integers: real = chain(q), affine and exact.

    `tensor` is the integer tensor, `order` (ONNX shape without the batch axis) the stream index
    of each element. `node` is the ONNX node that computes it, `decision` how, if by quantising.
    """

    onnx_tensor: str
    node: str
    tensor: str
    order: np.ndarray
    chain: Chain
    decision: Decision | None = None

    def real(self, q: np.ndarray) -> np.ndarray:
        """Real values (frames, *ONNX shape) of integers (frames, elements), in float64."""
        step = self.chain[0]
        scale, offset = (np.array([float(v) for v in a]) for a in (step.scale, step.offset))
        at = self.order % len(scale), self.order % len(offset)
        return q[:, self.order] * scale[at[0]] + offset[at[1]]


@dataclass(frozen=True)
class IntGraph:
    """A network in exact integer arithmetic, in topological order.

    It holds no forks and no width converters: a tensor may have several readers, and lanes come
    with folding; `codesign.lowering` adds both. `input_tensor` and `output_tensor` name the host's
    ends. `origins` maps a block's name to the ONNX nodes or initialisers it came from; a block that
    holds weights is named after them ("conv1" for "conv1.weight"). `views` says which integers
    each quantised ONNX tensor has become, so that another executor can be compared.
    """

    name: str
    nodes: tuple[Node, ...]
    input: HostInput
    output: HostOutput
    input_tensor: str
    output_tensor: str
    params: dict[str, np.ndarray] = field(default_factory=dict)
    origins: dict[str, tuple[str, ...]] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    views: tuple[TensorView, ...] = ()
