"""The cheapest choice of one option per node, no slower than an interval, within the budget.

First prices: every count is priced, each node takes its cheapest option, and counts that are
overdrawn get dearer (a Lagrangian of the budget). Then exchange: one node after another takes the
option that is best with all others as they are, width converters included, which moves
multipliers between LUTs and DSPs and memories between LUTs and block RAM until all counts fit.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from codesign.search.network import Edge, Network, conversion

PRICE_ROUNDS = 40
PRICE_STEP = 0.7
EXCHANGE_ROUNDS = 8
EXCHANGE_BREADTH = 96
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

    `limit` holds the budget in the order of `network.device.kinds`. None when a node has no such option.
    """
    allowed = [np.flatnonzero(o.intervals <= interval_cycles) for o in network.options]
    if any(len(a) == 0 for a in allowed):
        return None
    unit = np.where(limit > 0, limit, 1.0)
    starts = _priced(network, allowed, limit, unit)
    found = [_exchanged(network, allowed, limit, unit, start) for start in starts]
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


def _exchanged(
    network: Network,
    allowed: list[np.ndarray],
    limit: np.ndarray,
    unit: np.ndarray,
    start: np.ndarray,
) -> Choice:
    """Improve one node at a time until no exchange helps."""
    picked, counts = start.copy(), network.counts(start)
    touching: list[list[Edge]] = [[] for _ in network.options]
    for edge in network.edges:
        touching[edge.source].append(edge)
        touching[edge.target].append(edge)
    for _ in range(EXCHANGE_ROUNDS):
        before = picked.copy()
        for node, edges in enumerate(touching):
            candidates = _nearest(network, allowed[node], node, picked, unit)
            rows = network.options[node].counts[candidates]
            rows = rows + sum(_joined(network, e, node, candidates, picked) for e in edges)
            here = int(np.flatnonzero(candidates == picked[node])[0])
            totals = counts - rows[here] + rows
            best = int(_price(totals, limit, unit).argmin())
            picked[node], counts = candidates[best], totals[best]
        if (picked == before).all():
            break
    return Choice(picked, counts, bool((counts <= limit + 1e-6).all()))


def _nearest(
    network: Network, allowed: np.ndarray, node: int, picked: np.ndarray, unit: np.ndarray
) -> np.ndarray:
    """The cheapest allowed options of `node` at equal prices, its present one first."""
    if len(allowed) > EXCHANGE_BREADTH:
        order = (network.options[node].counts[allowed] / unit).sum(axis=1).argsort(kind="stable")
        allowed = allowed[order[:EXCHANGE_BREADTH]]
    return np.concatenate([picked[node : node + 1], allowed[allowed != picked[node]]])


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
