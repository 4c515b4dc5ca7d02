"""From a graph to the network of the search: nodes get the cost of what lies between them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from codesign.blocks.base import Port
from codesign.board import Board
from codesign.cost.adapters import adapters_cost
from codesign.cost.fifo import prices
from codesign.design import HOST
from codesign.graph.ir import IntGraph
from codesign.lowering import full_rate_depth, host_lanes
from codesign.search.network import Edge, Network
from codesign.search.options import Options, options_of, vector
from codesign.search.streams import Device, Way, conversion, leaving
from codesign.search.styling import HOST_OUTPUT
from codesign.sim.host import beat_gap_cycles, bits_per_cycle

Lanes = Callable[[Options], np.ndarray]


def network_of(graph: IntGraph, board: Board) -> Network:
    """The network of `graph` on `board`."""
    budget = board.budget()
    device = Device(board.family, tuple(budget.flat()), prices(budget, budget))
    joiner = _Joiner(graph, board, device)
    joiner.host_input()
    for index in range(len(graph.nodes)):
        joiner.outputs(index)
    return joiner.network()


@dataclass(frozen=True)
class _Tensor:
    """A tensor whose lanes node `node` decides; `lanes` tells them for its options."""

    node: int
    lanes: Lanes
    port: Port
    readers: tuple[tuple[int, int], ...]


class _Joiner:
    """Adds the cost of what lies between nodes to the options of the node that decides it.

    Each choice of styles makes an option of its own; `styles` and `ends` as in `Network`.
    """

    def __init__(self, graph: IntGraph, board: Board, device: Device) -> None:
        self.graph, self.board, self.device = graph, board, device
        blocks = [node.block for node in graph.nodes]
        self.options = [options_of(block, board.family, device.kinds) for block in blocks]
        self.styles: list[list[tuple[tuple[str, ...], ...]]] = [
            [()] * len(o.folds) for o in self.options
        ]
        self.ends: list[list[str]] = [[] for _ in blocks]
        self.tensors: list[_Tensor] = []
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
        index, column = self.first
        port = self._port(self.first, "inputs")

        def lanes(options: Options) -> np.ndarray:
            return self._host_lanes(port, options.in_lanes[:, column])

        readers = tuple(self.readers[self.graph.input_tensor])
        tensor = _Tensor(index, lanes, port, readers)
        self._pace(tensor, self.host_bits_per_cycle[0])
        depths = np.full(len(self.options[index].folds), full_rate_depth(None, "out0"))
        self._leave(tensor, HOST, depths, len(readers))

    def outputs(self, index: int) -> None:
        """Streams that leave node `index`."""
        node = self.graph.nodes[index]
        for column, name in enumerate(node.outputs):
            self._output(index, column, name)

    def network(self) -> Network:
        """The network, all tensors joined."""
        edges = []
        for tensor in self.tensors:
            lanes = tensor.lanes(self.options[tensor.node])
            for reader, column in tensor.readers:
                if reader != tensor.node:
                    edges.append(self._edge(tensor, lanes, reader, column))
        names = tuple(node.block.name for node in self.graph.nodes)
        styles, ends = tuple(map(tuple, self.styles)), tuple(map(tuple, self.ends))
        return Network(names, tuple(self.options), tuple(edges), self.device, styles, ends)

    def _edge(self, tensor: _Tensor, lanes: np.ndarray, reader: int, column: int) -> Edge:
        wanted = self.options[reader].in_lanes[:, column]
        end = f"{self.graph.nodes[reader].block.name}.in{column}"
        port = tensor.port
        return Edge(tensor.node, reader, lanes, wanted, port.qtype, port.elements, end)

    def _output(self, index: int, column: int, name: str) -> None:
        port = self.graph.nodes[index].block.outputs()[column]
        tensor = _Tensor(
            index, lambda o: o.out_lanes[:, column], port, tuple(self.readers.get(name, ()))
        )
        to_host = name == self.graph.output_tensor
        depths = self.options[index].out_depths[:, column]
        end = f"{self.graph.nodes[index].block.name}.out{column}"
        self._leave(tensor, end, depths, len(tensor.readers) + to_host)
        if to_host:
            wanted = replace(tensor, lanes=lambda o: self._host_lanes(port, o.out_lanes[:, column]))
            self._pace(wanted, self.host_bits_per_cycle[1])
            self._joined(tensor, wanted.lanes, HOST_OUTPUT)
            self._adapters(wanted)

    def _leave(self, tensor: _Tensor, end: str, depths: np.ndarray, readers: int) -> None:
        """Add the stream behind a port, and a fork with its streams where several read it; join
        those readers that are the node itself."""
        lanes, port = tensor.lanes(self.options[tensor.node]), tensor.port
        ways = [
            leaving(int(n), port.elements, port.qtype, int(d), readers, self.device)
            for n, d in zip(lanes, depths, strict=True)
        ]
        self._expand(tensor.node, end, ways)
        self.tensors.append(tensor)
        for reader, column in tensor.readers:
            if reader == tensor.node:
                name = f"{self.graph.nodes[reader].block.name}.in{column}"
                self._joined(tensor, lambda o, c=column: o.in_lanes[:, c], name)

    def _joined(self, tensor: _Tensor, wanted: Lanes, end: str) -> None:
        """Add the converters of an edge both of whose ends this node decides."""
        options, port = self.options[tensor.node], tensor.port
        ways = [
            conversion(int(a), int(b), port.elements, port.qtype, self.device)
            for a, b in zip(tensor.lanes(options), wanted(options), strict=True)
        ]
        self._expand(tensor.node, end, ways)

    def _adapters(self, tensor: _Tensor) -> None:
        """Add the adapters to the host; that of the output counts its beats."""
        options, kinds = self.options[tensor.node], self.device.kinds
        beats = tensor.port.elements // tensor.lanes(options)
        counts = [vector(adapters_cost(self.device.family, int(n)), kinds) for n in beats]
        self.options[tensor.node] = replace(options, counts=options.counts + np.array(counts))

    def _expand(self, node: int, end: str, ways: list[tuple[Way, ...]]) -> None:
        """One option for each way of each option."""
        repeated = np.repeat(np.arange(len(ways)), [len(w) for w in ways])
        options = self.options[node].only(repeated)
        rows = np.array([counts for found in ways for _, counts in found])
        self.options[node] = replace(options, counts=options.counts + rows)
        before, added = self.styles[node], [styles for found in ways for styles, _ in found]
        pairs = zip(repeated.tolist(), added, strict=True)
        self.styles[node] = [(*before[i], styles) for i, styles in pairs]
        self.ends[node].append(end)

    def _host_lanes(self, port: Port, lanes: np.ndarray) -> np.ndarray:
        ports = (Port(port.qtype, int(n), port.elements // int(n)) for n in lanes)
        return np.array([host_lanes(p, self.board) for p in ports])

    def _pace(self, tensor: _Tensor, bits_a_cycle: float) -> None:
        """Options are no faster than the host's transfer in these lanes."""
        options, port = self.options[tensor.node], tensor.port
        lanes = tensor.lanes(options)
        gaps = [beat_gap_cycles(int(n) * port.qtype.bits, bits_a_cycle) for n in lanes]
        transfer = np.array(gaps) * (port.elements // lanes)
        slower = np.maximum(options.intervals, transfer)
        self.options[tensor.node] = replace(options, intervals=slower)

    def _port(self, end: tuple[int, int], side: str) -> Port:
        return getattr(self.graph.nodes[end[0]].block, side)()[end[1]]

    def _last(self) -> tuple[int, int]:
        tensor = self.graph.output_tensor
        return next(
            (i, node.outputs.index(tensor))
            for i, node in enumerate(self.graph.nodes)
            if tensor in node.outputs
        )
