"""A graph as the search sees it: options of every node, and what joining their lanes costs."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np

from codesign.blocks.base import Fold, Port
from codesign.blocks.fork import Fork
from codesign.blocks.width_converter import WidthConverter
from codesign.board import Board
from codesign.cost.estimate import block_cost
from codesign.cost.fifo import cheapest_style, fifo_cost, prices
from codesign.cost.resources import Resources
from codesign.graph.ir import IntGraph
from codesign.lowering import conversion_hops, full_rate_depth, host_lanes
from codesign.search.options import Kinds, Options, options_of, vector
from codesign.sim.host import beat_gap_cycles, bits_per_cycle
from codesign.types import QType


@dataclass(frozen=True)
class Device:
    """What counts and prices depend on; `price` as in `codesign.cost.fifo.prices`."""

    family: str
    kinds: Kinds
    price: tuple[tuple[str, float], ...]


@dataclass(frozen=True)
class Edge:
    """A tensor between two nodes; lanes at each end by option index of that node."""

    source: int
    target: int
    source_lanes: np.ndarray
    target_lanes: np.ndarray
    qtype: QType
    elements: int


@dataclass(frozen=True)
class Network:
    """Options by node (their counts include the streams that leave it, forks and host ends)."""

    names: tuple[str, ...]
    options: tuple[Options, ...]
    edges: tuple[Edge, ...]
    device: Device

    def counts(self, choice: np.ndarray) -> np.ndarray:
        """Counts of the whole design when node i takes option `choice[i]`."""
        total = sum(o.counts[c] for o, c in zip(self.options, choice, strict=True))
        for edge in self.edges:
            a, b = edge.source_lanes[choice[edge.source]], edge.target_lanes[choice[edge.target]]
            total = total + conversion(edge, a, b, self.device)
        return total

    def conversions(
        self, edge: Edge, source_lanes: np.ndarray, target_lanes: np.ndarray
    ) -> np.ndarray:
        """Counts (source lanes, target lanes, kinds) of the converters of `edge`."""
        ends = tuple(map(tuple, (np.unique(edge.source_lanes), np.unique(edge.target_lanes))))
        table = _conversions(*ends, edge.elements, edge.qtype, self.device)
        at = (
            np.searchsorted(e, n) for e, n in zip(ends, (source_lanes, target_lanes), strict=True)
        )
        return table[np.ix_(*at)]

    def folds(self, choice: np.ndarray) -> dict[str, Fold]:
        """Folding of each block."""
        picked = (o.folds[c] for o, c in zip(self.options, choice, strict=True))
        return dict(zip(self.names, picked, strict=True))

    def interval_cycles(self, choice: np.ndarray) -> int:
        """Interval of the slowest node, host transfer included."""
        return int(max(o.intervals[c] for o, c in zip(self.options, choice, strict=True)))


def network_of(graph: IntGraph, board: Board) -> Network:
    """The network of `graph` on `board`."""
    budget = board.budget()
    device = Device(board.family, tuple(budget.flat()), prices(budget, budget))
    options = [options_of(node.block, board.family, device.kinds) for node in graph.nodes]
    builder = _Joiner(graph, board, device, options)
    builder.host_input()
    for index in range(len(graph.nodes)):
        builder.outputs(index)
    names = tuple(node.block.name for node in graph.nodes)
    return Network(names, tuple(builder.options), tuple(builder.edges), device)


class _Joiner:
    """Adds the cost of what lies between nodes to the options of the node that decides it."""

    def __init__(
        self, graph: IntGraph, board: Board, device: Device, options: list[Options]
    ) -> None:
        self.graph, self.board, self.device, self.options = graph, board, device, options
        self.edges: list[Edge] = []
        self.readers: dict[str, list[tuple[int, int]]] = {}
        for index, node in enumerate(graph.nodes):
            for port, tensor in enumerate(node.inputs):
                self.readers.setdefault(tensor, []).append((index, port))
        self.first = self.readers[graph.input_tensor][0]
        ends = (self._port(self.first, "inputs"), self._port(self._last(), "outputs"))
        moved = tuple(port.elements * port.qtype.bits for port in ends)
        self.host_bits_per_cycle = bits_per_cycle(moved, board.clock_hz, board)

    def host_input(self) -> None:
        """The first reader decides the lanes of the host's stream."""
        index, port_index = self.first
        port, options = self._port(self.first, "inputs"), self.options[index]
        lanes = self._host_lanes(port, options.in_lanes[:, port_index])
        self._pace(index, port, lanes, self.host_bits_per_cycle[0])
        depths = np.full(len(lanes), full_rate_depth(None, "out0"))
        readers = self.readers[self.graph.input_tensor]
        self._leave(index, port, lanes, depths, len(readers))
        self._edges(index, lanes, port, readers)

    def outputs(self, index: int) -> None:
        """Streams that leave node `index`."""
        node = self.graph.nodes[index]
        for port_index, tensor in enumerate(node.outputs):
            port = node.block.outputs()[port_index]
            lanes = self.options[index].out_lanes[:, port_index]
            depths = self.options[index].out_depths[:, port_index]
            readers = self.readers.get(tensor, [])
            to_host = tensor == self.graph.output_tensor
            self._leave(index, port, lanes, depths, len(readers) + to_host)
            self._edges(index, lanes, port, readers)
            if to_host:
                self._host_output(index, port, lanes)

    def _host_output(self, index: int, port: Port, lanes: np.ndarray) -> None:
        wanted = self._host_lanes(port, lanes)
        self._pace(index, port, wanted, self.host_bits_per_cycle[1])
        self._join(Edge(index, index, lanes, wanted, port.qtype, port.elements))

    def _leave(
        self, index: int, port: Port, lanes: np.ndarray, depths: np.ndarray, readers: int
    ) -> None:
        """Add the stream behind a port, and a fork with its streams where several read it."""
        rows = [
            vector(self._stream_and_fork(port, int(n), int(d), readers), self.device.kinds)
            for n, d in zip(lanes, depths, strict=True)
        ]
        options = self.options[index]
        self.options[index] = replace(options, counts=options.counts + np.array(rows))

    def _stream_and_fork(self, port: Port, lanes: int, depth: int, readers: int) -> Resources:
        width = lanes * port.qtype.bits
        cost = stream(depth, width, self.device)
        if readers <= 1:
            return cost
        fork = Fork(
            name="",
            fold=Fold(pe=lanes),
            channels=lanes,
            vectors=port.elements // lanes,
            itype=port.qtype,
            copies=readers,
        )
        behind = stream(full_rate_depth(fork.program(), "out0"), width, self.device)
        return cost + block_cost(fork, self.device.family) + behind.scaled(readers)

    def _edges(
        self, index: int, lanes: np.ndarray, port: Port, readers: list[tuple[int, int]]
    ) -> None:
        for reader, port_index in readers:
            target = self.options[reader].in_lanes[:, port_index]
            self._join(Edge(index, reader, lanes, target, port.qtype, port.elements))

    def _join(self, edge: Edge) -> None:
        """Keep the edge, or add its converters to the options when one node decides both ends."""
        if edge.source != edge.target:
            self.edges.append(edge)
            return
        options = self.options[edge.source]
        rows = [
            conversion(edge, a, b, self.device)
            for a, b in zip(edge.source_lanes, edge.target_lanes, strict=True)
        ]
        self.options[edge.source] = replace(options, counts=options.counts + np.array(rows))

    def _host_lanes(self, port: Port, lanes: np.ndarray) -> np.ndarray:
        ports = (Port(port.qtype, int(n), port.elements // int(n)) for n in lanes)
        return np.array([host_lanes(p, self.board) for p in ports])

    def _pace(self, index: int, port: Port, lanes: np.ndarray, bits_a_cycle: float) -> None:
        """Options are no faster than the host's transfer in these lanes."""
        gaps = [beat_gap_cycles(int(n) * port.qtype.bits, bits_a_cycle) for n in lanes]
        transfer = np.array(gaps) * (port.elements // lanes)
        options = self.options[index]
        slower = np.maximum(options.intervals, transfer)
        self.options[index] = replace(options, intervals=slower)

    def _port(self, end: tuple[int, int], side: str) -> Port:
        return getattr(self.graph.nodes[end[0]].block, side)()[end[1]]

    def _last(self) -> tuple[int, int]:
        tensor = self.graph.output_tensor
        return next(
            (i, node.outputs.index(tensor))
            for i, node in enumerate(self.graph.nodes)
            if tensor in node.outputs
        )


def conversion(edge: Edge, in_lanes: int, out_lanes: int, device: Device) -> np.ndarray:
    """Counts of the width converters of `edge` between these lanes, and the streams behind them."""
    return _conversion(int(in_lanes), int(out_lanes), edge.elements, edge.qtype, device)


def stream(depth: int, width_bits: int, device: Device) -> Resources:
    """A FIFO in the style that lowering gives it."""
    style, depth = cheapest_style(device.family, depth, width_bits, device.price)
    return fifo_cost(device.family, depth, width_bits, style)


@lru_cache(maxsize=4096)
def _conversions(
    source_lanes: tuple[int, ...],
    target_lanes: tuple[int, ...],
    elements: int,
    qtype: QType,
    device: Device,
) -> np.ndarray:
    """Counts (source lanes, target lanes, kinds)."""
    rows = [
        [_conversion(int(a), int(b), elements, qtype, device) for b in target_lanes]
        for a in source_lanes
    ]
    return np.array(rows)


@lru_cache(maxsize=1 << 17)
def _conversion(
    in_lanes: int, out_lanes: int, elements: int, qtype: QType, device: Device
) -> np.ndarray:
    total = Resources()
    for source, target in conversion_hops(in_lanes, out_lanes):
        block = WidthConverter(
            name="", in_lanes=source, out_lanes=target, elements=elements, itype=qtype
        )
        depth = full_rate_depth(block.program(), "out0")
        behind = stream(depth, target * qtype.bits, device)
        total = total + block_cost(block, device.family) + behind
    return vector(total, device.kinds)
