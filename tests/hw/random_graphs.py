"""Random designs of several blocks with forks and joins, reproducible by seed.

A graph is a chain of stages; a stage may be a fork into 2 to 6 branches of unequal length (some
with nothing on them) that additions and concatenations join again. Lowering adds the forks and the
width converters; folds, FIFO depths and styles are random, and depths that would deadlock grow as
the simulator's own advice says.
"""

from __future__ import annotations

import random
from functools import reduce

import msgspec
import numpy as np

from codesign import blocks as b
from codesign.blocks.base import Fold
from codesign.blocks.samples import sample
from codesign.blocks.sum_types import scaled_range, sum_type
from codesign.board import Board, load_board
from codesign.design import STYLE_LATENCY_CYCLES, Design
from codesign.errors import Deadlock
from codesign.graph.ir import IntGraph
from codesign.lowering import assemble
from codesign.sim.simulate import simulate
from codesign.types import QType
from tests.hw.graph_sketch import Sketch, Tensor

BOARDS = ("pynq-z1", "zcu104")
PLANS = (
    ("diamond",),
    ("stage", "diamond"),
    ("diamond", "stage"),
    ("stage", "diamond", "stage"),
    ("diamond", "stage", "diamond"),
)
MOST_VALUES = 150  # of a tensor


def random_design(seed: int) -> tuple[Design, dict[str, np.ndarray], Board]:
    """A design that runs, its parameters and its board."""
    dice = random.Random(seed)
    board = load_board(dice.choice(BOARDS))
    graph = _graph(dice, seed)
    design = assemble(graph, _folds(dice, graph), board)
    return _running(_random_fifos(dice, design), board), graph.params, board


def _folds(dice: random.Random, graph: IntGraph) -> dict[str, Fold]:
    """A random fold of each block; mostly one that takes the lanes that its inputs have."""
    folds, lanes = {}, {}
    for node in graph.nodes:
        # Memories that come with the bitstream: nothing has to be loaded.
        legal = [f for f in node.block.legal_folds() if f.memory != "large"]
        given = [lanes.get(t) for t in node.inputs]
        fitting = [f for f in legal if [p.lanes for p in node.block.folded(f).inputs()] == given]
        fold = dice.choice(fitting if fitting and dice.random() < 0.8 else legal)
        folds[node.block.name] = fold
        ports = node.block.folded(fold).outputs()
        lanes |= {t: p.lanes for t, p in zip(node.outputs, ports, strict=True)}
    return folds


def _random_fifos(dice: random.Random, design: Design) -> Design:
    """Any style, and any depth up to that of full rate."""
    streams = []
    for stream in design.streams:
        style = dice.choice(tuple(STYLE_LATENCY_CYCLES))
        depth = dice.choice((stream.depth, dice.randint(1, stream.depth)))
        streams.append(msgspec.structs.replace(stream, style=style, depth=depth))
    return msgspec.structs.replace(design, streams=tuple(streams))


def _running(design: Design, board: Board) -> Design:
    """`design` with the depths that free it, where it deadlocks."""
    while True:
        try:
            simulate(design, board, 2)
            return design
        except Deadlock as error:
            depths = error.fields["fix"]
            streams = (
                msgspec.structs.replace(s, depth=depths.get(s.name, s.depth))
                for s in design.streams
            )
            design = msgspec.structs.replace(design, streams=tuple(streams))


def _graph(dice: random.Random, seed: int) -> IntGraph:
    sketch = _Stages(dice, f"graph{seed}")
    last = sketch.begin()
    for make in dice.choice(PLANS):
        last = getattr(sketch, make)(last)
    if dice.random() < 0.4:
        last = sketch.ending(last)
    return sketch.graph(last)


class _Stages(Sketch):
    """Random stages; every method takes tensors and returns the one behind them."""

    # Joins

    def diamond(self, source: Tensor) -> Tensor:
        """2 to 6 branches from one tensor, joined again."""
        copies = self.dice.choice((2, 2, 2, 2, 2, 3, 3, 4, 5, 6))
        branches = []
        for _ in range(copies):
            tensor = source
            for _ in range(self.dice.choice((0, 1, 1, 2) if copies < 4 else (0, 0, 1))):
                tensor = self.stage(tensor, keep=True)
            branches.append(tensor)
        self.dice.shuffle(branches)
        return reduce(self.join, branches)

    def join(self, one: Tensor, other: Tensor) -> Tensor:
        """The sum or the channels of both, of equal height and width."""
        one, other = self.narrow(one), self.narrow(other)
        joined = one.channels + other.channels
        if joined > 12 or (one.channels == other.channels and self.dice.random() < 0.6):
            return self.sum(one, self.project(other, one.channels))
        types = one.qtype, other.qtype
        shape = {"chunks": (one.channels, other.channels), "vectors": one.pixels}
        block = b.Concat(name=self.named("concat"), itypes=types, **shape)
        return self.node(block, (one.height, one.width, joined), one, other)

    def sum(self, one: Tensor, other: Tensor) -> Tensor:
        itypes, scales = (one.qtype, other.qtype), (self.dice.choice((1, 1, -3)), 1)
        otype = sum_type(*map(scaled_range, itypes, scales))
        shape = {"channels": one.channels, "vectors": one.pixels}
        block = b.Add(name=self.named("add"), itypes=itypes, scales=scales, otype=otype, **shape)
        return self.node(block, (one.height, one.width, one.channels), one, other)

    # Stages

    def stage(self, source: Tensor, keep: bool = False) -> Tensor:
        """Any operation; with `keep` one that keeps height and width."""
        same = (self.pixelwise, self.pixelwise, self.convolution, self.depthwise, self.shuffle)
        makers = (*same, self.channel_slice, self.quantised, self.quantised)
        if not keep:
            makers = (
                self.pool,
                self.pool,
                self.spread,
                self.spread,
                self.border,
                self.strided,
                *same,
            )
        return self.dice.choice(makers)(self.narrow(source))

    def pixelwise(self, source: Tensor) -> Tensor:
        return self.project(source, self.dice.choice((1, 2, 3, 4, 6)), always=True)

    def convolution(self, source: Tensor) -> Tensor:
        """3x3 with a border, so that height and width stay."""
        if source.pixels * source.channels * 9 > 4 * MOST_VALUES:
            return self.pixelwise(source)
        taps = self.windows(self.padded(source, 1), (3, 3))
        size = source.height, source.width
        return self.product(taps, self.dice.choice((1, 2, 4)), source.pixels, size)

    def depthwise(self, source: Tensor) -> Tensor:
        if source.pixels * source.channels * 9 > 4 * MOST_VALUES:
            return self.shuffle(source)
        taps = self.windows(self.padded(source, 1), (3, 3))
        fields, name = self.weights("depthwise", source.qtype, source.channels, 9)
        shape = {"channels": source.channels, "taps": 9, "vectors": source.pixels}
        return self.node(
            b.Depthwise(name=name, **shape, **fields),
            (source.height, source.width, source.channels),
            taps,
        )

    def any_windows(self, source: Tensor) -> tuple[Tensor, int]:
        """Windows of any kernel and stride, and how many taps each has."""
        kernel = (
            self.dice.randint(1, min(3, source.height)),
            self.dice.randint(1, min(3, source.width)),
        )
        stride = self.dice.randint(1, 3), self.dice.randint(1, 3)
        return self.windows(source, kernel, stride), kernel[0] * kernel[1]

    def strided(self, source: Tensor) -> Tensor:
        taps, _ = self.any_windows(source)
        size = taps.height, taps.width
        return self.product(taps, self.dice.choice((1, 2, 3, 4)), taps.pixels, size)

    def pool(self, source: Tensor) -> Tensor:
        taps, count = self.any_windows(source)
        shape = {"channels": source.channels, "taps": count, "vectors": taps.pixels}
        itype, after = source.qtype, (taps.height, taps.width, source.channels)
        if self.dice.random() < 0.5:
            block = b.MaxPool(name=self.named("max_pool"), itype=itype, **shape)
        else:
            otype = sum_type(scaled_range(itype, count))
            block = b.SumPool(name=self.named("sum_pool"), itype=itype, otype=otype, **shape)
        return self.node(block, after, taps)

    def border(self, source: Tensor) -> Tensor:
        return source if source.values > MOST_VALUES else self.padded(source, 1)

    def spread(self, source: Tensor) -> Tensor:
        """Zeros between the pixels."""
        if source.values > MOST_VALUES // 2:
            return self.shuffle(source)
        size = {"height": source.height, "width": source.width, "channels": source.channels}
        value = int(sample(source.qtype, 1, seed=len(self.nodes))[0])
        types = {"itype": source.qtype, "value": value, "stride": (2, self.dice.randint(1, 2))}
        block = b.ZeroInsert(name=self.named("zeros"), **size, **types)
        pixels = block.outputs()[0].elements // source.channels
        height = (source.height - 1) * 2 + 1
        return self.node(block, (height, pixels // height, source.channels), source)

    def shuffle(self, source: Tensor) -> Tensor:
        """Channels in another order, pixel by pixel."""
        halves = 2 if source.channels % 2 == 0 else 1
        sizes, strides = (halves, source.channels // halves), (1, halves)
        shape = {"vectors": source.pixels, "sizes": sizes[::-1], "strides": strides[::-1]}
        return self.kept(b.Reorder(name=self.named("shuffle"), itype=source.qtype, **shape), source)

    def channel_slice(self, source: Tensor) -> Tensor:
        if source.channels == 1:
            return self.pixelwise(source)
        count = self.dice.randint(1, source.channels - 1)
        block = b.Slice(
            name=self.named("slice"),
            chunk=source.channels,
            start=self.dice.randint(0, source.channels - count),
            count=count,
            vectors=source.pixels,
            itype=source.qtype,
        )
        return self.node(block, (source.height, source.width, count), source)

    # Endings

    def ending(self, source: Tensor) -> Tensor:
        """The sums of a pooling over everything, a dense layer, and which is the largest."""
        source = self.narrow(source)
        if self.dice.random() < 0.5:
            otype = sum_type(scaled_range(source.qtype, source.pixels))
            shape = {"channels": source.channels, "taps": source.pixels, "vectors": 1}
            types = {"itype": source.qtype, "otype": otype}
            block = b.SumPool(name=self.named("global"), **shape, **types)
            source = self.narrow(self.node(block, (1, 1, source.channels), source))
        last = self.product(source, self.dice.randint(2, 6), 1, (1, 1))
        otype = QType.covering(0, last.channels - 1)
        fields = {"classes": last.channels, "vectors": 1, "itype": last.qtype, "otype": otype}
        block = b.ArgMax(name=self.named("arg_max"), **fields)
        return self.node(block, (1, 1, 1), last)
