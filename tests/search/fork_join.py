"""Random small designs with forks and joins, real blocks in random foldings."""

from __future__ import annotations

import random

from codesign.blocks.add import Add
from codesign.board import Board
from codesign.design import Design
from codesign.graph.ir import IntGraph
from codesign.lowering import assemble
from codesign.types import QType
from tests.small_graphs import Sketch, random_folds


def fork_join(seed: int, joins: int = 2, sizes: tuple[int, ...] = (2, 3, 4)) -> IntGraph:
    """`joins` additions, each of two branches of nothing, thresholds, dense layers or windows."""
    dice = random.Random(seed)
    size, channels = dice.choice(sizes), dice.choice((2, 4))
    sketch = Sketch(f"forks{seed}", (size, size, channels), QType(3, False))
    last = sketch.act("stem", "x", channels, 3, size * size)
    for i in range(joins):
        sides = [_branch(dice, sketch, f"b{i}{side}", last, size, channels) for side in "ab"]
        if sides[0] == sides[1]:
            sides[0] = sketch.act(f"b{i}c", last, channels, 3, size * size)
        types = tuple(sketch.types[side] for side in sides)
        fields = {"channels": channels, "vectors": size * size, "itypes": types, "scales": (1, 1)}
        total = sketch.node(Add(name=f"join{i}", **fields, otype=QType(5, False)), *sides)
        last = sketch.act(f"act{i}", total, channels, 3, size * size)
    return sketch.graph(last, (size, size, channels))


def fork_join_design(seed: int, board: Board, **options) -> Design:
    """That network in a random legal folding."""
    graph = fork_join(seed, **options)
    return assemble(graph, random_folds(graph, seed), board)


def _branch(dice, sketch: Sketch, name: str, last: str, size: int, channels: int) -> str:
    """The end of a branch of none to two layers."""
    for i in range(dice.randint(0, 2)):
        kind, layer = dice.choice(("act", "dense", "conv")), f"{name}{i}"
        cols = channels
        if kind == "conv":
            last, cols = sketch.window(f"{layer}_window", last, size, channels, 3, 1), 9 * channels
        if kind != "act":
            last = sketch.dense(layer, last, channels, cols, 3, size * size)
        last = sketch.act(f"{layer}_act", last, channels, 3, size * size)
    return last
