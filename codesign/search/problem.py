"""The choice of one option per node as a graph of tables over lanes.

What a choice costs is a sum: the counts of each node's option, and of the width converters on each
edge, which depend on the lanes at its two ends alone. So the lanes of the ports are the variables of
a small factor graph, each node is a table over the lanes of its own ports (the cheapest option for
these lanes, once counts are priced), and each edge a table over the lanes at its ends.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from codesign.search.network import Edge, Network


@dataclass(frozen=True)
class NodeTable:
    """Options of a node, sorted by cell of a table over `variables` of this `shape`.

    `options` (n,) holds indices into the network's options, `cells` (n,) flat cells; `first` is the
    row of its first option in `Problem.rows`.
    """

    variables: tuple[int, ...]
    shape: tuple[int, ...]
    options: np.ndarray
    cells: np.ndarray
    first: int

    @cached_property
    def starts(self) -> np.ndarray:
        """Where each occupied cell starts."""
        return np.flatnonzero(np.diff(self.cells, prepend=-1))

    @property
    def rows(self) -> slice:
        """Its rows in `Problem.rows`."""
        return slice(self.first, self.first + len(self.options))

    def cheapest(self, values: np.ndarray) -> np.ndarray:
        """Table of the least of `values` (n,) in each cell; infinite where there is no option."""
        table = np.full(int(np.prod(self.shape)), np.inf)
        table[self.cells[self.starts]] = np.minimum.reduceat(values, self.starts)
        return table.reshape(self.shape)


@dataclass(frozen=True)
class PairTable:
    """Converters of an edge over the lanes at its ends; `first` is its row in `pair_rows`."""

    variables: tuple[int, int]
    shape: tuple[int, int]
    first: int

    @property
    def rows(self) -> slice:
        """Its rows in `Problem.pair_rows`, source lanes first."""
        return slice(self.first, self.first + self.shape[0] * self.shape[1])


@dataclass(frozen=True)
class Problem:
    """`rows` (options, kinds) and `pair_rows` (cells, kinds) hold counts; `domains` lanes by variable.

    `position` of a variable is its node and, for each option of that node's table, its lane's index.
    """

    network: Network
    nodes: tuple[NodeTable, ...]
    pairs: tuple[PairTable, ...]
    sizes: tuple[int, ...]
    lane_of: tuple[np.ndarray, ...]
    owner: tuple[int, ...]
    rows: np.ndarray
    pair_rows: np.ndarray

    @cached_property
    def joined(self) -> tuple[tuple[int, ...], ...]:
        """Indices of the pairs that touch each node."""
        found: list[list[int]] = [[] for _ in self.nodes]
        for index, pair in enumerate(self.pairs):
            for variable in pair.variables:
                found[self.owner[variable]].append(index)
        return tuple(map(tuple, found))

    def choice(self, picks: np.ndarray) -> np.ndarray:
        """The network's option indices of `picks`, positions in each node's table."""
        return np.array([n.options[p] for n, p in zip(self.nodes, picks, strict=True)])

    def counts(self, picks: np.ndarray) -> np.ndarray:
        """Counts of the whole design when node i takes its option number `picks[i]`."""
        first = np.array([n.first for n in self.nodes])
        total = self.rows[first + picks].sum(axis=0)
        cells = [self.pair_cell(pair, picks) for pair in self.pairs]
        return total + (self.pair_rows[cells].sum(axis=0) if cells else 0.0)

    def pair_cell(self, pair: PairTable, picks: np.ndarray) -> int:
        """The row of `pair_rows` that `picks` select."""
        a, b = (int(self.lane_of[v][picks[self.owner[v]]]) for v in pair.variables)
        return pair.first + a * pair.shape[1] + b


def problem_of(network: Network, kept: list[np.ndarray]) -> Problem:
    """The problem in which node i may take the options at indices `kept[i]`."""
    builder = _Builder(network, kept)
    nodes = [builder.node(i) for i in range(len(kept))]
    pairs = [builder.pair(edge) for edge in network.edges]
    return Problem(
        network,
        tuple(nodes),
        tuple(pairs),
        tuple(builder.sizes),
        tuple(builder.lane_of),
        tuple(builder.owner),
        np.concatenate([network.options[i].counts[n.options] for i, n in enumerate(nodes)]),
        np.concatenate(builder.pair_rows or [np.zeros((0, len(network.device.kinds)))]),
    )


class _Builder:
    """Gives each distinct column of lanes of a node one variable."""

    def __init__(self, network: Network, kept: list[np.ndarray]) -> None:
        self.network, self.kept = network, kept
        self.sizes: list[int] = []
        self.owner: list[int] = []
        self.lane_of: list[np.ndarray] = []
        self.lanes: list[np.ndarray] = []
        self.pair_rows: list[np.ndarray] = []
        self.variable: dict[tuple[int, bytes], int] = {}
        self.ends: list[list[np.ndarray]] = [[] for _ in kept]
        self.rows = self.cells = 0
        for edge in network.edges:
            self.ends[edge.source].append(edge.source_lanes)
            self.ends[edge.target].append(edge.target_lanes)

    def node(self, index: int) -> NodeTable:
        """The table of a node; its options sorted by cell."""
        columns = {}
        for lanes in self.ends[index]:
            unique, inverse = np.unique(lanes[self.kept[index]], return_inverse=True)
            columns.setdefault(inverse.tobytes(), (unique, inverse))
        shape = tuple(len(unique) for unique, _ in columns.values())
        cells = np.zeros(len(self.kept[index]), np.int64)
        for (_, inverse), size in zip(columns.values(), shape, strict=True):
            cells = cells * size + inverse
        order = np.argsort(cells, kind="stable")
        variables = []
        for key, (unique, inverse) in columns.items():
            variables.append(len(self.sizes))
            self.variable[index, key] = len(self.sizes)
            self.sizes.append(len(unique))
            self.owner.append(index)
            self.lane_of.append(inverse[order])
        table = NodeTable(tuple(variables), shape, self.kept[index][order], cells[order], self.rows)
        self.rows += len(order)
        return table

    def pair(self, edge: Edge) -> PairTable:
        """The table of an edge."""
        ends = ((edge.source, edge.source_lanes), (edge.target, edge.target_lanes))
        columns = [np.unique(lanes[self.kept[node]], return_inverse=True) for node, lanes in ends]
        variables = tuple(
            self.variable[node, inverse.tobytes()]
            for (node, _), (_, inverse) in zip(ends, columns, strict=True)
        )
        table = self.network.conversions(edge, *(unique for unique, _ in columns))
        self.pair_rows.append(table.reshape(-1, table.shape[-1]))
        pair = PairTable(variables, table.shape[:2], self.cells)
        self.cells += len(self.pair_rows[-1])
        return pair
