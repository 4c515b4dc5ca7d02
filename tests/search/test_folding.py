"""The folding search against every combination of foldings, and against its promises."""

from itertools import product

import msgspec
import numpy as np
import pytest

from codesign.board import load_board
from codesign.cost.estimate import estimate
from codesign.cost.family import load_family
from codesign.cost.fifo import stream_cost
from codesign.design_rules import verify
from codesign.lowering import assemble
from codesign.search import streams
from codesign.search.folding import find_folds
from codesign.search.joining import network_of
from codesign.search.options import vector
from codesign.search.streams import conversion
from codesign.sim.simulate import simulate
from tests.small_graphs import cnn, mlp, residual

PYNQ = load_board("pynq-z1")


def _every_design(graph, board):
    folds = [node.block.legal_folds() for node in graph.nodes]
    names = [node.block.name for node in graph.nodes]
    for combination in product(*folds):
        design = assemble(graph, dict(zip(names, combination, strict=True)), board)
        yield estimate(design, board)


def _small(board, **counts):
    given = msgspec.structs.replace(board.counts, **counts)
    return msgspec.structs.replace(board, counts=given)


@pytest.fixture
def one_style(monkeypatch):
    """Every FIFO in the style that lowering takes by itself."""
    cached = (streams.leaving, streams.conversion, streams.joints)
    every = streams.fifos
    for function in cached:
        function.cache_clear()
    monkeypatch.setattr(streams, "fifos", lambda *shape: every(*shape)[:1])
    yield
    for function in cached:
        function.cache_clear()


@pytest.fixture(scope="module")
def every_design():
    """(interval, counts) of every combination of foldings of the smallest network."""
    graph = mlp((4, 2, 2))
    kinds = tuple(PYNQ.budget().flat())
    rows = [(e.interval_cycles, vector(e.total, kinds)) for e in _every_design(graph, PYNQ)]
    return graph, np.array([r[0] for r in rows]), np.array([r[1] for r in rows])


@pytest.mark.parametrize("lut", [300, 400, 500, 600, 700, 900, 1200])
@pytest.mark.parametrize("dsp", [0, 3, 20])
def test_at_least_as_fast_as_all_combinations_with_styles_of_a_larger_board(every_design, lut, dsp):
    graph, intervals, counts = every_design
    board = _small(PYNQ, lut=lut, lutram=lut, dsp=dsp)
    limit = vector(board.budget(), tuple(board.budget().flat()))
    fitting = (counts <= limit).all(axis=1)
    found = find_folds(graph, board)
    assert found.fits >= fitting.any()
    if fitting.any():
        assert found.interval_cycles <= intervals[fitting].min()


def _combinations(network):
    """(intervals, counts) of all combinations of options, by the network's own counts."""
    sizes = [len(o.folds) for o in network.options]
    intervals, counts = np.zeros(sizes, np.int64), np.zeros((*sizes, len(network.device.kinds)))
    for i, options in enumerate(network.options):
        axis = [n if k == i else 1 for k, n in enumerate(sizes)]
        intervals = np.maximum(intervals, options.intervals.reshape(axis))
        counts += options.counts.reshape(*axis, -1)
    for edge in network.edges:
        pairs = [
            [
                conversion(int(a), int(b), edge.elements, edge.qtype, network.device)[0][1]
                for b in edge.target_lanes
            ]
            for a in edge.source_lanes
        ]
        ends = (edge.source, edge.target)
        costs = np.array(pairs) if ends == tuple(sorted(ends)) else np.swapaxes(pairs, 0, 1)
        axis = [n if k in ends else 1 for k, n in enumerate(sizes)]
        counts += costs.reshape(*axis, -1)
    return intervals.ravel(), counts.reshape(intervals.size, -1)


@pytest.mark.parametrize("lut", [600, 1000, 2000])
@pytest.mark.parametrize("ram", [0, 6])
@pytest.mark.parametrize("graph", [cnn(), residual(4, 2)], ids=lambda g: g.name)
def test_as_fast_as_the_best_of_all_combinations_with_windows_and_joins(one_style, graph, lut, ram):
    board = _small(PYNQ, lut=lut, lutram=lut // 3, ff=2 * lut, dsp=0, ram={"BRAM18": ram})
    network = network_of(graph, board)
    intervals, counts = _combinations(network)
    fitting = (counts <= vector(board.budget(), network.device.kinds) + 1e-6).all(axis=1)
    found = find_folds(graph, board)
    assert found.fits == fitting.any()
    if found.fits:
        assert found.interval_cycles == intervals[fitting].min()


def _ends(edge, choice):
    lanes = edge.source_lanes[choice[edge.source]], edge.target_lanes[choice[edge.target]]
    return tuple(map(int, lanes))


@pytest.mark.parametrize("lut", [60, 80, 100, 120, 150, 200])
@pytest.mark.parametrize("ram", [0, 2])
def test_as_fast_as_the_best_of_all_combinations_and_styles_of_fifos(lut, ram):
    graph = mlp((2, 2))
    board = _small(PYNQ, lut=lut, lutram=lut // 4, ff=lut, dsp=1, ram={"BRAM18": ram})
    best = np.inf
    for folds in product(*(node.block.legal_folds() for node in graph.nodes)):
        names = [node.block.name for node in graph.nodes]
        design = assemble(graph, dict(zip(names, folds, strict=True)), board)
        result = estimate(design, board)
        if result.interval_cycles < best and _some_styles_fit(design, result, board):
            best = result.interval_cycles
    found = find_folds(graph, board)
    assert found.fits == (best < np.inf)
    if found.fits:
        assert found.interval_cycles == best
        assert estimate(found.design, board).total.fits(board.budget())


def _some_styles_fit(design, result, board):
    """Whether the budget holds the blocks with some combination of styles of all FIFOs."""
    kinds = tuple(board.budget().flat())
    blocks = (vector(p.resources, kinds) for p in result.parts if p.kind == "block")
    sums = sum(blocks)[None]
    for stream in design.streams:
        made = (
            msgspec.structs.replace(stream, style=style, depth=stream.depth + (style == "block"))
            for style in ("register", "srl", "lutram", "block")
        )
        costs = [vector(stream_cost(load_family(board.family), s), kinds) for s in made]
        sums = (sums[:, None] + np.array(costs)).reshape(-1, len(kinds))
    return bool((sums <= vector(board.budget(), kinds) + 1e-6).all(axis=1).any())


@pytest.mark.parametrize("graph", [mlp(), cnn(), residual()], ids=lambda g: g.name)
@pytest.mark.parametrize("board", ["pynq-z1", "ulx3s-85f", "icebreaker", "ultra96-v2"])
def test_the_search_counts_what_the_estimator_counts(graph, board):
    board = load_board(board)
    network = network_of(graph, board)
    dice = np.random.default_rng(1)
    for _ in range(5):
        choice = np.array([dice.integers(len(o.folds)) for o in network.options])
        ways = [
            len(conversion(*_ends(e, choice), e.elements, e.qtype, network.device))
            for e in network.edges
        ]
        choice = np.append(choice, [dice.integers(n) for n in ways])
        design = network.styled(assemble(graph, network.folds(choice), board), choice)
        verify(design)
        result = estimate(design, board)
        kinds = network.device.kinds
        assert network.counts(choice) == pytest.approx(vector(result.total, kinds))
        assert network.interval_cycles(choice) == result.interval_cycles


@pytest.mark.parametrize("share", [0.02, 0.05, 0.3])
@pytest.mark.parametrize("graph", [mlp((32, 16, 10)), cnn(8), residual()], ids=lambda g: g.name)
def test_the_result_is_legal_and_within_the_budget_it_claims(graph, share):
    board = PYNQ.share(share)
    found = find_folds(graph, board)
    verify(found.design)
    result = estimate(found.design, board)
    assert found.fits == result.verdict.fits
    assert found.interval_cycles == result.interval_cycles
    assert find_folds(graph, board).folds == found.folds


def test_a_target_takes_less_than_the_fastest():
    graph = mlp((64, 64, 10))
    fastest, slow = find_folds(graph, PYNQ), find_folds(graph, PYNQ, target_fps=1e5)
    assert slow.meets_target
    assert slow.fits
    assert 1e5 <= slow.fps < fastest.fps
    assert estimate(slow.design, PYNQ).total.lut < estimate(fastest.design, PYNQ).total.lut


def test_a_target_out_of_reach_names_the_best():
    graph, board = mlp((64, 64, 10)), PYNQ.share(0.05)
    found = find_folds(graph, board, target_fps=2e7)
    assert not found.meets_target
    assert found.best_fps == find_folds(graph, board).fps


def test_latency_is_that_of_the_simulator():
    graph = mlp((32, 16, 10))
    loose = find_folds(graph, PYNQ, target_fps=1e5)
    before = simulate(loose.design, PYNQ).latency_cycles
    found = find_folds(graph, PYNQ, 1e5, target_latency_s=before / PYNQ.clock_hz / 2)
    assert found.meets_target
    assert simulate(found.design, PYNQ).latency_cycles <= before / 2
    sentence = found.proof.sentence(found.fps, True)
    assert sentence.startswith("Proven: every folding that reaches the target costs")
    hopeless = find_folds(graph, PYNQ.share(0.02), target_latency_s=1e-9)
    assert not hopeless.meets_target
    assert "more latency than usable" in hopeless.proof.refutation(True)


def test_nothing_fits_is_a_result():
    found = find_folds(mlp((64, 64, 10), bits=8), PYNQ.share(0.005))
    assert not found.fits
    assert found.best_fps == 0
    assert not estimate(found.design, PYNQ.share(0.005)).verdict.fits
