"""From the integer graph and a folding to a Design: forks, width converters, streams, host ends."""

from __future__ import annotations

from collections.abc import Mapping
from math import lcm

from codesign.blocks.base import Block, Fold, Port, divisors
from codesign.blocks.fork import Fork
from codesign.blocks.width_converter import WidthConverter
from codesign.board import Board
from codesign.cost.family import load_family
from codesign.cost.fifo import cheapest_style, prices
from codesign.design import HOST, Design, Stream
from codesign.design_rules import check_memory
from codesign.errors import InvariantBroken
from codesign.graph.ir import IntGraph, Node
from codesign.program import Program


def assemble(graph: IntGraph, folds: Mapping[str, Fold], board: Board) -> Design:
    """The design of `graph` on `board` with `folds` (by block name; others keep their own fold).

    A tensor with several readers gets a Fork, ends with different lanes a WidthConverter (two
    through their least common multiple where neither divides the other), every stream the depth
    that full rate needs in the cheapest style without latency. Raises IllegalFold for an illegal
    folding, InvariantBroken for a graph whose tensors do not join up.
    """
    builder = _Builder(graph, folds, board)
    builder.host_input()
    for node in graph.nodes:
        builder.node(node)
    builder.host_output()
    return Design(
        name=graph.name,
        board=board.name,
        clock_hz=board.clock_hz,
        input=graph.input,
        output=graph.output,
        blocks=tuple(builder.blocks.values()),
        streams=tuple(builder.streams),
        origins=graph.origins,
        notes=graph.notes,
    )


def full_rate_depth(program: Program | None, port: str) -> int:
    """Least depth in tokens at which a stream from `port` carries a token each cycle: FL + 1.

    FL is 1 and the pipeline of the process that writes the port; a style that has latency of its
    own needs that much more. `program` None is the host.
    """
    return 2 + (0 if program is None else _writer_latency_cycles(program, port))


def _writer_latency_cycles(program: Program, port: str) -> int:
    for process in program.processes:
        if any(port in s.writes for loop in process.loops for s in loop.segments):
            return process.latency_cycles
    raise InvariantBroken(f"no process of the program writes port {port}", port=port)


def host_lanes(port: Port, board: Board) -> int:
    """Lanes of the host's stream for a block's `port`: its own, as far as the stream is wide."""
    most = max(1, board.stream_bits // port.qtype.bits)
    return max(n for n in divisors(port.lanes) if n <= most)


def conversion_hops(in_lanes: int, out_lanes: int) -> tuple[tuple[int, int], ...]:
    """(in, out) lanes of the width converters between two ports: none, one, or two through the
    least common multiple."""
    if in_lanes == out_lanes:
        return ()
    common = lcm(in_lanes, out_lanes)
    if common in (in_lanes, out_lanes):
        return ((in_lanes, out_lanes),)
    return ((in_lanes, common), (common, out_lanes))


class _Builder:
    """Blocks and streams in flow order; `ends` holds the free source ends of each tensor."""

    def __init__(self, graph: IntGraph, folds: Mapping[str, Fold], board: Board) -> None:
        self.graph, self.folds, self.board = graph, folds, board
        self.family = load_family(board.family)
        self.price = prices(board.budget(), board.budget())
        self.blocks: dict[str, Block] = {}
        self.programs: dict[str, Program] = {}
        self.streams: list[Stream] = []
        self.ends: dict[str, list[tuple[str, Port]]] = {}
        self.readers = [t for node in graph.nodes for t in node.inputs] + [graph.output_tensor]

    def host_input(self) -> None:
        """The host's stream has the lanes of its first reader, as far as the board allows."""
        tensor = self.graph.input_tensor
        for node in self.graph.nodes:
            if tensor in node.inputs:
                port = self._folded(node).inputs()[node.inputs.index(tensor)]
                lanes = host_lanes(port, self.board)
                self._offer(tensor, HOST, Port(port.qtype, lanes, port.elements // lanes))
                return
        raise InvariantBroken(f"graph {self.graph.name}: no block reads the input {tensor!r}")

    def node(self, node: Node) -> None:
        """Add the block, the converters before it and the forks behind it."""
        block = self._folded(node)
        joined = [
            self._converted(*self._take(tensor, block.name), port, block.name)
            for tensor, port in zip(node.inputs, block.inputs(), strict=True)
        ]
        self._add(block)
        for i, (source, port) in enumerate(joined):
            self._connect(source, f"{block.name}.in{i}", port)
        for i, (tensor, port) in enumerate(zip(node.outputs, block.outputs(), strict=True)):
            self._offer(tensor, f"{block.name}.out{i}", port)

    def host_output(self) -> None:
        """The last tensor goes to the host in lanes that the board's stream holds."""
        source, port = self._take(self.graph.output_tensor, HOST)
        lanes = host_lanes(port, self.board)
        wanted = Port(port.qtype, lanes, port.elements // lanes)
        source, port = self._converted(source, port, wanted, HOST)
        self._connect(source, HOST, port)

    def _folded(self, node: Node) -> Block:
        block = node.block.folded(self.folds.get(node.block.name, node.block.fold))
        check_memory(block, self.family)
        return block

    def _add(self, block: Block) -> None:
        if block.name in self.blocks or block.name == HOST:
            raise InvariantBroken(f"design {self.graph.name}: two blocks are called {block.name!r}")
        self.blocks[block.name] = block
        self.programs[block.name] = block.program()

    def _offer(self, tensor: str, source: str, port: Port) -> None:
        """Make `tensor` available, through a fork when it has several readers."""
        copies = self.readers.count(tensor)
        if copies > 1:
            fork = Fork(
                name=self._free_name(f"{_block_of(source)}_fork"),
                fold=Fold(pe=port.lanes),
                channels=port.lanes,
                vectors=port.beats_per_frame,
                itype=port.qtype,
                copies=copies,
            )
            self._add(fork)
            self._connect(source, f"{fork.name}.in0", port)
            self.ends[tensor] = [(f"{fork.name}.out{i}", port) for i in range(copies)]
        else:
            self.ends[tensor] = [(source, port)]

    def _take(self, tensor: str, reader: str) -> tuple[str, Port]:
        """The next free source end of `tensor`."""
        if not self.ends.get(tensor):
            raise InvariantBroken(
                f"graph {self.graph.name}: {reader} reads tensor {tensor!r}, which no block before "
                "it writes",
                block=reader,
                tensor=tensor,
            )
        return self.ends[tensor].pop(0)

    def _converted(self, source: str, port: Port, wanted: Port, reader: str) -> tuple[str, Port]:
        """Bring `port` to the lanes of `wanted`, through their least common multiple if need be."""
        name = f"{_block_of(source)}_to_{reader}"
        hops = conversion_hops(port.lanes, wanted.lanes)
        suffixes = ("",) if len(hops) == 1 else ("_join", "_split")
        for (_, lanes), suffix in zip(hops, suffixes, strict=False):
            source, port = self._convert(source, port, lanes, name + suffix)
        return source, port

    def _convert(self, source: str, port: Port, lanes: int, name: str) -> tuple[str, Port]:
        converter = WidthConverter(
            name=self._free_name(name),
            in_lanes=port.lanes,
            out_lanes=lanes,
            elements=port.elements,
            itype=port.qtype,
        )
        converter.check()
        self._add(converter)
        self._connect(source, f"{converter.name}.in0", port)
        return f"{converter.name}.out0", converter.outputs()[0]

    def _connect(self, source: str, target: str, port: Port) -> None:
        program = self.programs.get(_block_of(source))
        depth = full_rate_depth(program, source.rpartition(".")[2])
        style, depth = cheapest_style(self.board.family, depth, port.bits, self.price)
        shape = port.qtype, port.lanes, port.beats_per_frame
        self.streams.append(Stream(source, target, *shape, depth, style))

    def _free_name(self, wanted: str) -> str:
        """`wanted`, or with the first free number when a block has that name."""
        taken = {*self.blocks, *(node.block.name for node in self.graph.nodes)}
        name, number = wanted, 2
        while name in taken:
            name, number = f"{wanted}{number}", number + 1
        return name


def _block_of(end: str) -> str:
    """Block of "block.port"; the host is its own."""
    return end.rpartition(".")[0] or end
