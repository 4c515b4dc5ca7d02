"""A graph as the search sees it: options of every node, and what joining their lanes costs."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from codesign.blocks.base import Fold
from codesign.design import Design
from codesign.search.options import Options
from codesign.search.streams import Device, Joints, conversion, joints
from codesign.search.styling import Styles, styled
from codesign.types import QType


@dataclass(frozen=True)
class Edge:
    """A tensor between two nodes; lanes at each end by option index of that node.

    `end` is the reading port as streams name it ("conv1.in0").
    """

    source: int
    target: int
    source_lanes: np.ndarray
    target_lanes: np.ndarray
    qtype: QType
    elements: int
    end: str = ""

    @cached_property
    def lanes(self) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """Distinct lanes at source and target, ascending."""
        return tuple(np.unique(self.source_lanes).tolist()), tuple(
            np.unique(self.target_lanes).tolist()
        )


@dataclass(frozen=True)
class Network:
    """Options by node (their counts include the streams that leave it, forks and host ends).

    `styles[i][k]` are the styles of the streams that option k of node i decides, in the order of
    `ends[i]`, which names the ends that these streams leave or reach. A choice holds an option for
    each node and, behind these, a way for each edge (number of a conversion between its lanes); ways
    that are not given are the first ones, which lowering takes by itself.
    """

    names: tuple[str, ...]
    options: tuple[Options, ...]
    edges: tuple[Edge, ...]
    device: Device
    styles: tuple[tuple[tuple[tuple[str, ...], ...], ...], ...] = ()
    ends: tuple[tuple[str, ...], ...] = ()

    def counts(self, choice: np.ndarray) -> np.ndarray:
        """Counts of the whole design under a choice."""
        total = sum(o.counts[c] for o, c in zip(self.options, choice, strict=False))
        return total + sum(way[1] for way in self._ways(choice))

    def joints(self, edge: Edge) -> Joints:
        """Conversions of `edge` between all of its lanes."""
        return joints(*edge.lanes, edge.elements, edge.qtype, self.device)

    def folds(self, choice: np.ndarray) -> dict[str, Fold]:
        """Folding of each block."""
        picked = (o.folds[c] for o, c in zip(self.options, choice, strict=False))
        return dict(zip(self.names, picked, strict=True))

    def styled(self, design: Design, choice: np.ndarray) -> Design:
        """`design`, assembled from the folds of `choice`, with the FIFO styles of `choice`."""
        styles: Styles = {}
        for ends, rows, option in zip(self.ends, self.styles, choice, strict=False):
            styles |= zip(ends, rows[option], strict=True)
        for edge, way in zip(self.edges, self._ways(choice), strict=True):
            styles[edge.end] = way[0]
        return styled(design, styles)

    def interval_cycles(self, choice: np.ndarray) -> int:
        """Interval of the slowest node, host transfer included."""
        return int(max(o.intervals[c] for o, c in zip(self.options, choice, strict=False)))

    def _ways(self, choice: np.ndarray) -> list[tuple[tuple[str, ...], np.ndarray]]:
        """The conversion on each edge."""
        numbers = choice[len(self.options) :]
        found = []
        for i, edge in enumerate(self.edges):
            a, b = (
                int(lanes[choice[node]])
                for lanes, node in (
                    (edge.source_lanes, edge.source),
                    (edge.target_lanes, edge.target),
                )
            )
            ways = conversion(a, b, edge.elements, edge.qtype, self.device)
            found.append(ways[numbers[i] if len(numbers) else 0])
        return found
