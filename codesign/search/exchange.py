"""Improves a choice: one node after another takes the option that is best with all others as they are.

Width converters included, this moves multipliers between LUTs and DSPs and memories between LUTs and
block RAM until all counts fit, or nothing gets better.
"""

from __future__ import annotations

import numpy as np

from codesign.search.problem import Problem

ROUNDS = 8
# What one budget's worth of excess costs, against one budget's worth of use.
EXCESS_PRICE = 1000.0


def settled(problem: Problem, picks: np.ndarray, limit: np.ndarray, cost: np.ndarray) -> np.ndarray:
    """Picks no dearer than `picks`: `cost` . counts, and far more for what exceeds `limit`."""
    picks, total = picks.copy(), problem.counts(picks)
    unit = np.where(limit > 0, limit, 1.0)
    for _ in range(ROUNDS):
        before = picks.copy()
        for node in range(len(picks)):
            rows = _rows(problem, node, picks)
            totals = total - rows[picks[node]] + rows
            excess = (np.maximum(totals - limit, 0.0) / unit).sum(axis=1)
            prices = totals @ cost + EXCESS_PRICE * excess
            best = int(prices.argmin())
            if prices[best] < prices[picks[node]]:
                picks[node], total = best, totals[best]
        if (picks == before).all():
            break
    return picks


def _rows(problem: Problem, node: int, picks: np.ndarray) -> np.ndarray:
    """Counts (options, kinds) of the options of a node with the converters on its edges."""
    rows = problem.rows[problem.nodes[node].rows]
    for index in problem.joined[node]:
        pair = problem.pairs[index]
        lanes = [
            problem.lane_of[v] if problem.owner[v] == node else problem.lane_of[v][picks[owner]]
            for v in pair.variables
            for owner in (problem.owner[v],)
        ]
        rows = rows + problem.pair_rows[pair.first + lanes[0] * pair.shape[1] + lanes[1]]
    return rows
