"""The cheapest choice of one option per node, no slower than an interval, within the budget.

First prices: every count is priced, each node takes its cheapest option, and counts that are
overdrawn get dearer (a Lagrangian of the budget). Then exchange: one node after another takes the
option that is best with all others as they are, width converters included, which moves
multipliers between LUTs and DSPs and memories between LUTs and block RAM until all counts fit.
Where that gets stuck, a node moves together with its neighbour.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from codesign.search.network import Edge, Network, conversion
from codesign.search.options import Options

PRICE_ROUNDS = 40
PRICE_STEP = 0.7
EXCHANGE_ROUNDS = 8
EXCHANGE_BREADTH = 96
PAIR_ROUNDS = 4
PAIR_BREADTH = 16
# Excess in budgets beyond which pairs are not tried.
HOPELESS_EXCESS = 0.5
# What one budget's worth of excess costs, against one budget's worth of use.
EXCESS_PRICE = 1000.0


@dataclass(frozen=True)
class Choice:
    """Option index by node, and the counts of the whole design."""

    picked: np.ndarray
    counts: np.ndarray
    fits: bool


def choose(network: Network, limit: np.ndarray, interval_cycles: int) -> Choice | None:
    """The cheapest choice found with every node at most `interval_cycles`.

    `limit` holds the budget in the order of `network.device.kinds`. None when a node has no such
    option.
    """
    allowed = [np.flatnonzero(o.intervals <= interval_cycles) for o in network.options]
    if any(len(a) == 0 for a in allowed):
        return None
    unit = np.where(limit > 0, limit, 1.0)
    starts = _priced(network, allowed, limit, unit)
    found = [_Exchange(network, allowed, limit, unit, start).improved() for start in starts]
    return min(found, key=lambda c: _price(c.counts, limit, unit))


def _price(counts: np.ndarray, limit: np.ndarray, unit: np.ndarray) -> np.ndarray:
    """Use in budgets, and far more for excess; works on one vector or on rows."""
    excess = np.maximum(counts - limit, 0.0)
    return (counts / unit).sum(axis=-1) + EXCESS_PRICE * (excess / unit).sum(axis=-1)


def _priced(
    network: Network, allowed: list[np.ndarray], limit: np.ndarray, unit: np.ndarray
) -> list[np.ndarray]:
    """Two starts: the cheapest at equal prices, and the best one seen while prices adapt."""
    rows = [o.counts[a] for o, a in zip(network.options, allowed, strict=True)]
    prices, best, least = 1.0 / unit, None, np.inf
    starts = []
    for _ in range(PRICE_ROUNDS):
        picks = [int((r @ prices).argmin()) for r in rows]
        counts = sum(r[p] for r, p in zip(rows, picks, strict=True))
        price = _price(counts, limit, unit)
        if price < least:
            best, least = picks, price
        starts = starts or [picks]
        if (counts <= limit).all():
            break
        prices = prices * np.exp(PRICE_STEP * np.clip((counts - limit) / unit, -1.0, 1.0))
    starts += [best] if best != starts[0] else []
    return [np.array([a[p] for a, p in zip(allowed, s, strict=True)]) for s in starts]


class _Exchange:
    """A choice under improvement: `picked` option by node, `counts` of the whole design."""

    def __init__(
        self,
        network: Network,
        allowed: list[np.ndarray],
        limit: np.ndarray,
        unit: np.ndarray,
        start: np.ndarray,
    ) -> None:
        self.network, self.limit, self.unit = network, limit, unit
        self.picked, self.counts = start.copy(), network.counts(start)
        self.cheapest = [
            self._cheapest(o, a) for o, a in zip(network.options, allowed, strict=True)
        ]
        self.touching: list[list[Edge]] = [[] for _ in network.options]
        for edge in network.edges:
            self.touching[edge.source].append(edge)
            self.touching[edge.target].append(edge)

    def improved(self) -> Choice:
        """Exchange nodes one by one, and neighbours in pairs where that leaves an excess."""
        self._settle()
        for _ in range(PAIR_ROUNDS):
            hopeless = (self._excess() / self.unit).sum() > HOPELESS_EXCESS
            if self._fits() or hopeless or not self._exchange_pair():
                break
            self._settle()
        return Choice(self.picked, self.counts, self._fits())

    def _excess(self) -> np.ndarray:
        return np.maximum(self.counts - self.limit, 0.0)

    def _fits(self) -> bool:
        return bool((self._excess() <= 1e-6).all())

    def _cheapest(self, options: Options, allowed: np.ndarray) -> np.ndarray:
        """The cheapest allowed options of a node at equal prices."""
        order = (options.counts[allowed] / self.unit).sum(axis=1).argsort(kind="stable")
        return allowed[order[:EXCHANGE_BREADTH]]

    def _settle(self) -> None:
        """Give each node its best option until none changes."""
        for _ in range(EXCHANGE_ROUNDS):
            before = self.picked.copy()
            for node in range(len(self.picked)):
                candidates, totals = self._moves(node)
                self._take(node, candidates, totals)
            if (self.picked == before).all():
                return

    def _moves(self, node: int) -> tuple[np.ndarray, np.ndarray]:
        """Options of `node`, the present one first, and the counts of the design with each."""
        here, others = self.picked[node], self.cheapest[node]
        candidates = np.concatenate([[here], others[others != here]])
        rows = self.network.options[node].counts[candidates]
        for edge in self.touching[node]:
            rows = rows + _joined(self.network, edge, node, candidates, self.picked)
        return candidates, self.counts - rows[0] + rows

    def _take(self, node: int, candidates: np.ndarray, totals: np.ndarray) -> None:
        best = int(_price(totals, self.limit, self.unit).argmin())
        self.picked[node], self.counts = candidates[best], totals[best]

    def _exchange_pair(self) -> bool:
        """The best move of a node together with its neighbour's answer, if it is cheaper."""
        start = self.picked.copy(), self.counts
        best, least = start, float(_price(self.counts, self.limit, self.unit)) - 1e-9
        for edge in self.network.edges:
            for node, other in ((edge.source, edge.target), (edge.target, edge.source)):
                candidates, totals = self._moves(node)
                for option, counts in zip(candidates[1:PAIR_BREADTH], totals[1:], strict=False):
                    self.picked[node], self.counts = option, counts
                    self._take(other, *self._moves(other))
                    price = float(_price(self.counts, self.limit, self.unit))
                    if price < least:
                        best, least = (self.picked.copy(), self.counts), price
                    self.picked, self.counts = start[0].copy(), start[1]
        self.picked, self.counts = best
        return best is not start


def _joined(
    network: Network, edge: Edge, node: int, candidates: np.ndarray, picked: np.ndarray
) -> np.ndarray:
    """Counts (candidates, kinds) of the converters of `edge` for each candidate of `node`."""
    if node == edge.source:
        mine, other = edge.source_lanes[candidates], edge.target_lanes[picked[edge.target]]
        pairs = {n: (n, other) for n in mine.tolist()}
    else:
        mine, other = edge.target_lanes[candidates], edge.source_lanes[picked[edge.source]]
        pairs = {n: (other, n) for n in mine.tolist()}
    costs = {n: conversion(edge, *pair, network.device) for n, pair in pairs.items()}
    return np.array([costs[n] for n in mine.tolist()])
