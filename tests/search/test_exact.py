"""Bounds, exchange and integer program against every combination of random small problems."""

import numpy as np
import pytest

from codesign.blocks.base import Fold
from codesign.cost.fifo import prices
from codesign.cost.resources import Resources
from codesign.search.elimination import Elimination
from codesign.search.exact import Exact
from codesign.search.integer import solve
from codesign.search.network import Edge, Network
from codesign.search.options import Options
from codesign.search.problem import problem_of
from codesign.search.relaxation import Relaxation
from codesign.search.streams import Device
from codesign.types import QType
from tests.search.combinations import every_combination

KINDS = ("lut", "lutram", "ff", "dsp", "BRAM18")
BUDGET = Resources(1000, 500, 2000, 10, {"BRAM18": 8})
DEVICE = Device("xc7", KINDS, prices(BUDGET, BUDGET))
LANES = (1, 2, 3, 4, 6)
# Edges between four nodes: a chain, a bypass, two readers of one node, a diamond.
SHAPES = (
    ((0, 1), (1, 2), (2, 3)),
    ((0, 1), (1, 2), (0, 2), (2, 3)),
    ((0, 1), (0, 2), (0, 3)),
    ((0, 1), (0, 2), (1, 3), (2, 3)),
)


def _network(seed):
    """Four nodes with a few options each, as random as their lanes."""
    dice = np.random.default_rng(seed)
    options, ends = [], []
    for _ in range(4):
        n = int(dice.integers(1, 5))
        counts = dice.integers(0, (400, 100, 500, 6, 5), (n, 5)) / dice.choice((1, 3))
        lanes = dice.choice(LANES, (n, 2))
        options.append(
            Options(
                tuple(Fold(pe=i + 1) for i in range(n)),
                dice.integers(1, 5, n),
                counts * (dice.random((n, 5)) < 0.7),
                lanes[:, :1],
                lanes[:, 1:],
                np.full((n, 1), 2),
            )
        )
        # Some nodes have the same lanes at both ends, others not.
        ends.append(lanes[:, (0, 0)] if dice.random() < 0.5 else lanes)
    edges = [
        Edge(a, b, ends[a][:, 1], ends[b][:, 0], QType(4), 12)
        for a, b in SHAPES[seed % len(SHAPES)]
    ]
    return Network(tuple("abcd"), tuple(options), tuple(edges), DEVICE)


def _limits(network, dice):
    """Budgets around what the combinations need, a count at 0 now and then."""
    counts = np.array([c for _, c, _ in every_combination(network)])
    limit = np.quantile(counts, dice.uniform(0.05, 0.6), axis=0) * dice.uniform(0.9, 1.3, 5)
    return np.floor(limit * (dice.random(5) < 0.9))


def _whole(network):
    return problem_of(network, [np.arange(len(o.folds)) for o in network.options])


@pytest.mark.parametrize("seed", range(12))
def test_elimination_finds_the_least_price_and_every_options_least(seed):
    network, dice = _network(seed), np.random.default_rng(seed)
    problem = _whole(network)
    elimination = Elimination(problem)
    for _ in range(3):
        price = dice.random(5) * (dice.random(5) < 0.8)
        every = [(c @ price, choice) for _, c, choice in every_combination(network)]
        least, picks = elimination.minimum(price)
        assert least == pytest.approx(min(p for p, _ in every))
        assert problem.counts(picks) @ price == pytest.approx(least)
        assert network.counts(problem.choice(picks)) == pytest.approx(problem.counts(picks))
        assert problem.picks(problem.choice(picks)).tolist() == picks.tolist()
        marginals = elimination.marginals(price)
        for i, node in enumerate(problem.nodes):
            for option, found in zip(node.options, marginals[node.rows], strict=True):
                assert found == pytest.approx(min(p for p, c in every if c[i] == option))


@pytest.mark.parametrize("seed", range(60))
def test_fits_exactly_when_one_of_all_combinations_does(seed):
    network = _network(seed)
    limit = _limits(network, np.random.default_rng(seed))
    exact, every = Exact(network, limit), list(every_combination(network))
    for interval in range(1, 5):
        fitting = [c for t, c, _ in every if t <= interval and (c <= limit + 1e-6).all()]
        found = exact.decide(interval)
        assert found.answer == ("yes" if fitting else "no")
        if fitting:
            assert (network.counts(found.choice) <= limit + 1e-6).all()
            assert network.interval_cycles(found.choice) <= interval


@pytest.mark.parametrize("seed", range(60))
def test_the_cheapest_is_that_of_all_combinations(seed):
    network, dice = _network(seed), np.random.default_rng(seed)
    limit, cost = _limits(network, dice), dice.random(5) * (dice.random(5) < 0.6)
    cost = cost if cost.any() else np.eye(5)[0]
    exact, every = Exact(network, limit), list(every_combination(network))
    fitting = [c @ cost for t, c, _ in every if t <= 3 and (c <= limit + 1e-6).all()]
    start = exact.decide(3)
    assert start.answer == ("yes" if fitting else "no")
    if fitting:
        found = exact.cheapest(3, start.choice, cost)
        assert found.cost == pytest.approx(min(fitting), rel=1e-5)
        assert found.bound <= found.cost
        assert found.bound == pytest.approx(found.cost, rel=1e-5, abs=1e-5)


@pytest.mark.parametrize("seed", range(20))
def test_the_integer_program_alone_agrees(seed):
    network, dice = _network(seed), np.random.default_rng(seed)
    limit, cost, problem = _limits(network, dice), dice.random(5), _whole(network)
    fitting = [c @ cost for _, c, _ in every_combination(network) if (c <= limit + 1e-6).all()]
    found = solve(problem, limit, cost, effort=5.0)
    assert found.proven
    assert (found.picks is not None) == bool(fitting)
    if fitting:
        assert problem.counts(found.picks) @ cost == pytest.approx(min(fitting), rel=1e-4)


@pytest.mark.parametrize("seed", range(20))
def test_no_combination_beats_a_bound(seed):
    network, dice = _network(seed), np.random.default_rng(seed)
    limit, cost = _limits(network, dice), dice.random(5)
    unit = np.where(limit > 0, limit, 1.0)
    relaxation = Relaxation(Elimination(_whole(network)), limit, unit)
    bound = relaxation.least_excess(stop=False)
    counts = [c for _, c, _ in every_combination(network)]
    assert bound.value <= min(((c - limit) / unit).max() for c in counts) + 1e-9
    fitting = [c @ cost for c in counts if (c <= limit + 1e-6).all()]
    if fitting:
        assert relaxation.least_cost(cost, 1000.0).value <= min(fitting) + 1e-6
