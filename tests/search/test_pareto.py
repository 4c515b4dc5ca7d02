"""The Pareto front: within the budget, and no combination of a small network beats a point."""

import json
from itertools import product

import msgspec
import pytest

from codesign.board import load_board
from codesign.cli import main
from codesign.cost.estimate import estimate
from codesign.design import save_design
from codesign.lowering import assemble
from codesign.search.folding import find_folds
from codesign.search.joining import network_of
from codesign.search.pareto import pareto
from tests.search.combinations import every_combination
from tests.small_graphs import cnn, mlp

PYNQ = load_board("pynq-z1")


def test_no_combination_is_better_than_a_point():
    graph = mlp((4, 2))
    points = pareto(graph, PYNQ, rates=4, memories=3)
    every = [(t, c[0], c[4]) for t, c, _ in every_combination(network_of(graph, PYNQ))]
    assert points[0].interval_cycles == min(t for t, _, _ in every)
    for p in points:
        assert p.proven
        rivals = [n for t, n, ram in every if t <= p.interval_cycles and ram <= p.ram]
        assert p.lut == pytest.approx(min(rivals), abs=1e-3)


def test_points_are_within_the_budget_and_trade_one_for_another():
    board = PYNQ.share(0.1)
    points = pareto(cnn(8), board, rates=3, memories=3)
    budget = board.budget().flat()
    assert all(p.counts[k] <= budget[k] + 1e-6 for p in points for k in budget)
    assert len({p.fps for p in points}) > 1
    assert len({p.ram for p in points}) > 1
    for a, b in product(points, points):
        if a is not b:
            assert (a.fps, -a.lut, -a.ram) != (b.fps, -b.lut, -b.ram)
            assert not (a.fps >= b.fps and a.lut < b.lut - 1 and a.ram < b.ram)
    assert points[0].fps == find_folds(cnn(8), board).fps


def test_least_luts_on_a_board_with_few_block_rams_still_fit():
    """A cost in thousands of LUTs must not outweigh an excess of the budget."""
    counts = msgspec.structs.replace(PYNQ.counts, ram={"BRAM18": 4})
    board = msgspec.structs.replace(PYNQ, counts=counts)
    graph = mlp((256, 128, 10), bits=4)
    found = find_folds(graph, board, target_fps=1e4, minimise={"lut": 1.0})
    assert found.fits
    # Of 4 block RAMs 80 % may be used.
    assert estimate(found.design, board).total.ram.get("BRAM18", 0) <= 3


def test_the_command_prints_the_front(tmp_path, capsys):
    graph = mlp((12, 8, 6))
    save_design(assemble(graph, {}, PYNQ), graph.params, tmp_path)
    assert main(["pareto", str(tmp_path), "--rates", "2", "--memories", "2", "--json"]) == 0
    points = json.loads(capsys.readouterr().out)
    assert points[0]["fps"] > points[-1]["fps"]
    assert main(["pareto", str(tmp_path), "--rates", "2", "--memories", "2"]) == 0
    assert "least" in capsys.readouterr().out
    assert main(["pareto", str(tmp_path), "--board", "icebreaker-1pct"]) == 3
