"""Random designs with forks and joins: hardware, integer execution and simulator agree.

`make conformance` runs 200 of them.
"""

from __future__ import annotations

from pathlib import Path

from codesign import blocks as b
from tests.hw import graph_batch
from tests.hw.graph_batch import Graph, differences
from tests.hw.random_graphs import random_design
from tests.marks import needs_verilator

SEEDS = (0, 1, 2, 3, 36)  # the last one writes to the host before its frame's first input


@needs_verilator
def test_bits_and_cycles_and_that_others_are_found(tmp_path: Path, monkeypatch) -> None:
    graphs = [Graph(seed) for seed in SEEDS]
    assert list(differences(graphs, tmp_path / "sound")) == []
    other = graphs[1].made[0].streams[-1].name

    def late(design, board, pacing, law=graph_batch.times):
        found = law(design, board, pacing)
        found[other].issues[2] += 1
        return found

    monkeypatch.setattr(graph_batch, "times", late)
    texts = list(differences(graphs[1:2], tmp_path / "late"))
    assert len(texts) == 2  # cycles are not compared where ready is arbitrary
    assert all(f"channel {other}, beat" in t and "must be written in cycle" in t for t in texts)


def test_graphs_have_forks_joins_and_every_kind_of_block() -> None:
    kinds, copies = set(), set()
    for seed in range(60):
        design, _, _ = random_design(seed)
        kinds |= {type(block) for block in design.blocks}
        copies |= {block.copies for block in design.blocks if isinstance(block, b.Fork)}
    assert kinds == set(b.BLOCKS)
    assert copies == set(range(2, 7))
