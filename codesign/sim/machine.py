"""The machine that a design is, as timing sees it: processes and channels, nothing else."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from codesign.board import Board
from codesign.design import HOST, STYLE_LATENCY_CYCLES, Design, Stream
from codesign.errors import InvariantBroken
from codesign.program import Process
from codesign.sim.host import SINK, SOURCE, host_sink, host_source


@dataclass(frozen=True)
class Channel:
    """A FIFO of `depth` tokens from one process port to another; forward latency in cycles."""

    name: str
    source: str
    source_port: str
    target: str
    target_port: str
    depth: int
    forward_latency_cycles: int = 1


@dataclass(frozen=True)
class Machine:
    """Processes by name, in flow order, and the channels between them; see `verify`."""

    processes: Mapping[str, Process]
    channels: tuple[Channel, ...]

    def with_depths(self, depths: Mapping[str, int]) -> Machine:
        """The same machine with other depths for the channels named in `depths`."""
        channels = (replace(c, depth=depths.get(c.name, c.depth)) for c in self.channels)
        return replace(self, channels=tuple(channels))

    def with_process(self, name: str, process: Process) -> Machine:
        """The same machine with another program for process `name`."""
        return replace(self, processes={**self.processes, name: process})

    @property
    def own_interval_cycles(self) -> int:
        """Interval of the slowest process alone: no steady interval is shorter."""
        return max(p.interval_cycles for p in self.processes.values())


def machine_of(design: Design, board: Board) -> Machine:
    """Flatten the blocks' programs and the streams of `design`, with the host of `board` around.

    A stream has forward latency 1 + latency_cycles of the process that writes it + that of its
    style. Raises InvariantBroken when a stream names a port that no process has.
    """
    programs = {block.name: block.program() for block in design.blocks}
    processes = {SOURCE: host_source(design, board)}
    channels: list[Channel] = []
    for block, program in programs.items():
        alone = len(program.processes) == 1
        names = {p.name: block if alone else f"{block}.{p.name}" for p in program.processes}
        processes |= {names[p.name]: p for p in program.processes}
        channels += [
            Channel(
                f"{block}.{c.name}",
                *(names[c.source], c.name, names[c.target], c.name),
                *(c.depth, c.forward_latency_cycles),
            )
            for c in program.channels
        ]
    processes[SINK] = host_sink(design, board)
    ends = _port_owners(processes, programs)
    channels += [_stream_channel(stream, ends, processes) for stream in design.streams]
    return Machine(processes, tuple(channels))


def _stream_channel(
    stream: Stream, ends: Mapping[str, str], processes: Mapping[str, Process]
) -> Channel:
    """The channel that `stream` is."""
    source = f"{HOST}.out0" if stream.source == HOST else stream.source
    target = f"{HOST}.in0" if stream.target == HOST else stream.target
    for end in (source, target):
        if end not in ends:
            raise InvariantBroken(
                f"stream {stream.name}: port {end} must belong to a process; the ports are "
                f"{', '.join(sorted(ends))}",
                stream=stream.name,
                port=end,
            )
    latency = 1 + processes[ends[source]].latency_cycles + STYLE_LATENCY_CYCLES[stream.style]
    ports = (ends[source], source.rpartition(".")[2], ends[target], target.rpartition(".")[2])
    return Channel(stream.name, *ports, stream.depth, latency)


def _port_owners(processes: Mapping[str, Process], blocks: Iterable[str]) -> dict[str, str]:
    """Process that owns each port "block.port" ("host.out0" and "host.in0" for the host)."""
    owners = {f"{HOST}.out0": SOURCE, f"{HOST}.in0": SINK}
    for name, process in processes.items():
        block = name if name in blocks else name.rpartition(".")[0]
        if name not in (SOURCE, SINK):
            owners |= {f"{block}.{port}": name for port in ports_of(process)}
    return owners


def ports_of(process: Process) -> set[str]:
    """Every port that `process` reads or writes."""
    segments = [s for loop in process.loops for s in loop.segments]
    reads = {read.port for s in segments for read in s.reads}
    return reads | {port for s in segments for port in s.writes}
