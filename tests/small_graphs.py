"""Integer graphs small enough to try every folding, with parameters to be executed with."""

from __future__ import annotations

import random
from itertools import pairwise

import numpy as np

from codesign.blocks.add import Add
from codesign.blocks.arg_max import ArgMax
from codesign.blocks.base import Fold, ParamRef
from codesign.blocks.max_pool import MaxPool
from codesign.blocks.mvu import MatVec
from codesign.blocks.pad import Pad
from codesign.blocks.threshold import Threshold
from codesign.blocks.window import Window
from codesign.design import HostInput, HostOutput
from codesign.graph.ir import IntGraph, Node
from codesign.types import QType


class Sketch:
    """Builds a graph node by node; a tensor has the name of the block that writes it."""

    def __init__(self, name: str, shape: tuple[int, ...], qtype: QType, seed: int = 0) -> None:
        self.name, self.input = name, HostInput("x", shape, shape, qtype)
        self.random, self.params, self.nodes = np.random.default_rng(seed), {}, []
        self.types = {"x": qtype}

    def node(self, block, *inputs: str) -> str:
        self.nodes.append(Node(block, inputs, (block.name,)))
        self.types[block.name] = block.outputs()[0].qtype
        return block.name

    def array(self, name: str, values: np.ndarray, qtype: QType) -> ParamRef:
        self.params[name] = values
        return ParamRef(name, values.shape, qtype)

    def dense(self, name, source, rows, cols, bits=4, vectors=1) -> str:
        itype, wtype = self.types[source], QType(bits, narrow=True)
        weight = self.random.integers(wtype.min, wtype.max + 1, (rows, cols))
        most = cols * max(abs(itype.min), itype.max) * wtype.max
        shape = {"rows": rows, "cols": cols, "vectors": vectors}
        types = {"itype": itype, "wtype": wtype, "acc": QType.covering(-most, most)}
        ref = self.array(f"{name}.weight", weight, wtype)
        return self.node(MatVec(name=name, **shape, **types, weight=ref), source)

    def act(self, name, source, channels, bits=4, vectors=1) -> str:
        itype, otype = self.types[source], QType(bits, False)
        draws = self.random.integers(itype.min, itype.max + 1, (channels, otype.levels - 1))
        ref = self.array(f"{name}.thresholds", np.sort(draws, axis=1), itype)
        fields = {"channels": channels, "vectors": vectors, "itype": itype, "otype": otype}
        return self.node(Threshold(name=name, **fields, base=0, thresholds=ref), source)

    def window(self, name, source, size, channels, kernel, pad) -> str:
        itype = self.types[source]
        if pad:
            border = dict.fromkeys(("top", "bottom", "left", "right"), pad)
            shape = {"height": size, "width": size, "channels": channels}
            block = Pad(name=f"{name}_pad", **shape, **border, value=0, itype=itype)
            source, size = self.node(block, source), size + 2 * pad
        shape = {"height": size, "width": size, "channels": channels}
        ones = {"stride": (1, 1), "dilation": (1, 1)}
        return self.node(
            Window(name=name, **shape, kernel=(kernel, kernel), **ones, itype=itype), source
        )

    def graph(self, last: str, shape: tuple[int, ...], meaning: str = "logits") -> IntGraph:
        output = HostOutput("y", shape, self.types[last], meaning)
        return IntGraph(self.name, tuple(self.nodes), self.input, output, "x", last, self.params)

    def classes(self, source: str, count: int) -> IntGraph:
        otype = QType(4, False)
        fields = {"classes": count, "vectors": 1, "itype": self.types[source], "otype": otype}
        return self.graph(self.node(ArgMax(name="arg_max", **fields), source), (1,), "class")


def mlp(sizes: tuple[int, ...] = (12, 8, 6), bits: int = 4) -> IntGraph:
    """Dense layers with thresholds between them and an arg-max."""
    sketch, last = Sketch("mlp", (sizes[0],), QType(8, False)), "x"
    for i, (cols, rows) in enumerate(pairwise(sizes)):
        last = sketch.dense(f"fc{i}", last, rows, cols, bits)
        if i < len(sizes) - 2:
            last = sketch.act(f"act{i}", last, rows, bits)
    return sketch.classes(last, sizes[-1])


def cnn(size: int = 6, bits: int = 2) -> IntGraph:
    """A convolution, a maximum pooling and a dense layer."""
    sketch = Sketch("cnn", (size, size, 3), QType(8, False))
    out = size - 2
    window = sketch.window("win", "x", size, 3, 3, 0)
    act = sketch.act("act", sketch.dense("conv", window, 4, 27, bits, out * out), 4, bits, out**2)
    shape = {"height": out, "width": out, "channels": 4}
    geometry = {"kernel": (2, 2), "stride": (2, 2), "dilation": (1, 1)}
    taps = sketch.node(Window(name="pool_win", **shape, **geometry, itype=sketch.types[act]), act)
    half = (out // 2) ** 2
    fields = {"channels": 4, "taps": 4, "vectors": half, "itype": sketch.types[act]}
    pool = sketch.node(MaxPool(name="pool", **fields), taps)
    return sketch.classes(sketch.dense("fc", pool, 3, 4 * half, bits), 3)


def residual(size: int = 5, channels: int = 4, bits: int = 3) -> IntGraph:
    """Two padded convolutions around which the input of the first travels to an addition."""
    sketch, vectors = Sketch("residual", (size, size, channels), QType(4, False)), size * size
    stem = sketch.act("stem", "x", channels, bits, vectors)
    last = stem
    for i in range(2):
        window = sketch.window(f"win{i}", last, size, channels, 3, 1)
        last = sketch.dense(f"conv{i}", window, channels, 9 * channels, bits, vectors)
        last = sketch.act(f"act{i}", last, channels, bits, vectors)
    types = (sketch.types[last], sketch.types[stem])
    fields = {"channels": channels, "vectors": vectors, "itypes": types, "scales": (1, 2)}
    total = sketch.node(Add(name="join", **fields, otype=QType(6, False)), last, stem)
    return sketch.graph(total, (size, size, channels))


def random_folds(graph: IntGraph, seed: int) -> dict[str, Fold]:
    """A legal folding of each block, drawn by `seed`."""
    dice = random.Random(seed)
    return {n.block.name: dice.choice(n.block.legal_folds()) for n in graph.nodes}
