"""The choice of one option per node as a graph of tables over lanes.

What a choice costs is a sum: the counts of each node's option, and of the conversion on each edge, which
depends on the lanes at its two ends alone. So the lanes of the ports are the variables of a small factor
graph: each node is a table over the lanes of its own ports, each edge one over the lanes at its ends, and
a cell holds the options (or ways of converting) with these lanes.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from codesign.search.network import Edge, Network


@dataclass(frozen=True)
class Table:
    """Options sorted by cell of a table over `variables` of this `shape`.

    `options` (n,) holds the network's numbers of them, `cells` (n,) flat cells; `first` is the row
    of its first option in `Problem.rows`.
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

    @cached_property
    def lanes(self) -> tuple[np.ndarray, ...]:
        """For each variable the index of its value in each option."""
        return np.unravel_index(self.cells, self.shape) if self.shape else ()

    @property
    def rows(self) -> slice:
        """Its rows in `Problem.rows`."""
        return slice(self.first, self.first + len(self.options))

    def cheapest(self, values: np.ndarray) -> np.ndarray:
        """Table of the least of `values` (n,) in each cell; infinite where there is no option."""
        table = np.full(int(np.prod(self.shape)), np.inf)
        table[self.cells[self.starts]] = np.minimum.reduceat(values, self.starts)
        return table.reshape(self.shape)

    def within(self, cell: int) -> slice:
        """Options of one cell."""
        low, high = np.searchsorted(self.cells, (cell, cell + 1))
        return slice(int(low), int(high))


@dataclass(frozen=True)
class Problem:
    """`tables` of the nodes, then of the edges; `rows` (options of all, kinds) holds counts.

    `sizes` of the variables; `owner` of a variable is (table of its node, axis there). Picks are
    positions, one in each table.
    """

    network: Network
    tables: tuple[Table, ...]
    sizes: tuple[int, ...]
    owner: tuple[tuple[int, int], ...]
    rows: np.ndarray

    @property
    def nodes(self) -> tuple[Table, ...]:
        """Tables of the nodes."""
        return self.tables[: len(self.network.names)]

    @cached_property
    def joined(self) -> tuple[tuple[int, ...], ...]:
        """Tables of the edges that touch each node."""
        found: list[list[int]] = [[] for _ in self.nodes]
        for index in range(len(found), len(self.tables)):
            for variable in self.tables[index].variables:
                found[self.owner[variable][0]].append(index)
        return tuple(map(tuple, found))

    @cached_property
    def firsts(self) -> np.ndarray:
        """Row of the first option of each table."""
        return np.array([t.first for t in self.tables])

    def choice(self, picks: np.ndarray) -> np.ndarray:
        """The network's choice."""
        return np.array([t.options[p] for t, p in zip(self.tables, picks, strict=True)])

    def picks(self, choice: np.ndarray) -> np.ndarray | None:
        """Where the options of a choice stand; None when one of them is not there."""
        picks = np.zeros(len(self.tables), np.int64)
        for i, table in enumerate(self.tables):
            among = slice(None)
            if i >= len(self.nodes):
                among = table.within(self.cell(table, picks))
            found = np.flatnonzero(table.options[among] == choice[i])
            if len(found) == 0:
                return None
            picks[i] = found[0] + (among.start or 0)
        return picks

    def counts(self, picks: np.ndarray) -> np.ndarray:
        """Counts of the whole design."""
        return self.rows[self.firsts + picks].sum(axis=0)

    def cell(self, edge: Table, picks: np.ndarray) -> int:
        """The cell of an edge between the lanes that the picks of its nodes have."""
        a, b = (self._lane(v, picks) for v in edge.variables)
        return int(a * edge.shape[1] + b)

    def _lane(self, variable: int, picks: np.ndarray) -> int:
        table, axis = self.owner[variable]
        return self.tables[table].lanes[axis][picks[table]]


def problem_of(network: Network, kept: list[np.ndarray]) -> Problem:
    """The problem in which node i may take the options at indices `kept[i]`."""
    builder = _Builder(network, kept)
    for index in range(len(kept)):
        builder.node(index)
    for edge in network.edges:
        builder.edge(edge)
    return Problem(
        network,
        tuple(builder.tables),
        tuple(builder.sizes),
        tuple(builder.owner),
        np.concatenate(builder.rows),
    )


class _Builder:
    """Gives each distinct column of lanes of a node one variable."""

    def __init__(self, network: Network, kept: list[np.ndarray]) -> None:
        self.network, self.kept = network, kept
        self.tables: list[Table] = []
        self.sizes: list[int] = []
        self.owner: list[tuple[int, int]] = []
        self.rows: list[np.ndarray] = []
        self.first = 0
        self.variable: dict[tuple[int, bytes], int] = {}
        self.columns: list[list[np.ndarray]] = [[] for _ in kept]
        for edge in network.edges:
            self.columns[edge.source].append(edge.source_lanes)
            self.columns[edge.target].append(edge.target_lanes)

    def node(self, index: int) -> None:
        """The table of a node."""
        columns = {}
        for lanes in self.columns[index]:
            unique, inverse = np.unique(lanes[self.kept[index]], return_inverse=True)
            columns.setdefault(inverse.tobytes(), (len(unique), inverse))
        shape = tuple(size for size, _ in columns.values())
        cells = np.zeros(len(self.kept[index]), np.int64)
        variables = []
        for axis, (key, (size, inverse)) in enumerate(columns.items()):
            cells = cells * size + inverse
            self.variable[index, key] = len(self.sizes)
            variables.append(len(self.sizes))
            self.sizes.append(size)
            self.owner.append((index, axis))
        order = np.argsort(cells, kind="stable")
        options = self.kept[index][order]
        counts = self.network.options[index].counts[options]
        self._add(tuple(variables), shape, options, cells[order], counts)

    def edge(self, edge: Edge) -> None:
        """The table of an edge."""
        variables, places = [], []
        ends = ((edge.source, edge.source_lanes), (edge.target, edge.target_lanes))
        for (node, lanes), every in zip(ends, edge.lanes, strict=True):
            unique, inverse = np.unique(lanes[self.kept[node]], return_inverse=True)
            variables.append(self.variable[node, inverse.tobytes()])
            places.append(np.searchsorted(every, unique))
        joints = self.network.joints(edge).among(*places)
        self._add(tuple(variables), joints.shape, joints.ways, joints.cells, joints.counts)

    def _add(
        self,
        variables: tuple[int, ...],
        shape: tuple[int, ...],
        options: np.ndarray,
        cells: np.ndarray,
        counts: np.ndarray,
    ) -> None:
        self.tables.append(Table(variables, shape, options, cells, self.first))
        self.rows.append(counts)
        self.first += len(options)
