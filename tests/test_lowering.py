"""Lowering changes no integer, joins every pair of lanes, and gives streams full rate."""

from dataclasses import replace

import numpy as np
import pytest

from codesign.blocks.base import Fold
from codesign.blocks.fork import Fork
from codesign.blocks.width_converter import WidthConverter
from codesign.board import load_board
from codesign.design import HOST
from codesign.design_rules import verify
from codesign.errors import IllegalFold, InvariantBroken
from codesign.graph.execute import execute, execute_design
from codesign.lowering import assemble
from codesign.sim.simulate import simulate
from codesign.types import QType
from tests.small_graphs import Sketch, cnn, mlp, random_folds, residual

BOARD = load_board("pynq-z1")
GRAPHS = {"mlp": mlp(), "cnn": cnn(), "residual": residual()}


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("name", GRAPHS)
def test_the_design_computes_what_the_graph_computes(name, seed):
    graph = GRAPHS[name]
    design = assemble(graph, random_folds(graph, seed), BOARD)
    verify(design)
    size = int(np.prod(graph.input.shape))
    x = np.random.default_rng(seed).integers(0, graph.input.qtype.max + 1, (3, size))
    assert (execute_design(design, graph.params, x) == execute(graph, x)).all()


def test_a_tensor_with_two_readers_is_forked():
    design = assemble(residual(), {}, BOARD)
    (fork,) = (b for b in design.blocks if isinstance(b, Fork))
    readers = sorted(s.target for s in design.streams if s.source.startswith(f"{fork.name}."))
    assert (fork.name, fork.copies, readers) == ("stem_fork", 2, ["join.in1", "win0_pad.in0"])


def test_lanes_that_do_not_divide_each_other_meet_in_their_least_common_multiple():
    folds = {"fc0": Fold(pe=4), "act0": Fold(pe=4), "fc1": Fold(simd=6)}
    design = assemble(mlp((12, 12, 6)), folds, BOARD)
    lanes = [(b.in_lanes, b.out_lanes) for b in design.blocks if isinstance(b, WidthConverter)]
    assert lanes == [(4, 12), (12, 6)]


def test_the_host_sends_no_more_lanes_than_the_stream_is_wide():
    design = assemble(mlp(), {"fc0": Fold(simd=12)}, BOARD)
    first = next(s for s in design.streams if s.source == HOST)
    assert first.bits <= BOARD.stream_bits
    assert first.lanes == 6  # the largest divisor of 12 within 64 / 8 lanes


def test_streams_at_their_least_depth_carry_a_beat_each_cycle():
    sketch, vectors = Sketch("chain", (64, 4), QType(4, False)), 64
    last = "x"
    for i in range(4):
        last = sketch.act(f"act{i}", last, 4, 4, vectors)
    graph = sketch.graph(last, (64, 4))
    folds = {node.block.name: Fold(pe=4) for node in graph.nodes}
    assert simulate(assemble(graph, folds, BOARD), BOARD).interval_cycles == vectors


def test_an_illegal_folding_is_named():
    with pytest.raises(IllegalFold, match=r"fc0.*pe.*8.*not 3"):
        assemble(mlp(), {"fc0": Fold(pe=3)}, BOARD)


def test_a_tensor_that_nothing_writes_is_named():
    graph = mlp()
    node = replace(graph.nodes[1], inputs=("ghost",))
    with pytest.raises(InvariantBroken, match="ghost"):
        assemble(replace(graph, nodes=(graph.nodes[0], node, *graph.nodes[2:])), {}, BOARD)


def test_two_blocks_of_one_name_are_refused():
    graph = mlp()
    with pytest.raises(InvariantBroken, match="fc0"):
        assemble(replace(graph, nodes=(graph.nodes[0], *graph.nodes)), {}, BOARD)
