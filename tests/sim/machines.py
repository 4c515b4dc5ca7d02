"""Random machines: chains, forks, joins, windows, stall lists, depths that may deadlock."""

from __future__ import annotations

import random
from math import gcd

from codesign.program import Loop, Process, Read, Segment
from codesign.sim.machine import Channel, Machine


def random_machine(seed: int) -> Machine:
    """A machine of 2 to 8 processes whose token counts per frame agree on every channel."""
    dice = random.Random(seed)
    processes: dict[str, Process] = {}
    loose: list[tuple[str, str, int]] = []  # (process, port, tokens per frame) without a reader
    channels: list[Channel] = []
    add_process(dice, processes, loose, channels, inputs=0, outputs=dice.randint(1, 2))
    for _ in range(dice.randint(0, 5)):
        outputs = 1 if len(loose) > 2 else dice.choice((1, 1, 2))
        add_process(
            dice, processes, loose, channels, min(len(loose), dice.choice((1, 1, 2))), outputs
        )
    while loose:
        add_process(dice, processes, loose, channels, inputs=min(2, len(loose)), outputs=0)
    return Machine(processes, tuple(channels))


def add_process(dice, processes, loose, channels, inputs, outputs) -> None:
    """One more process that reads `inputs` of the loose ends and leaves `outputs` new ones."""
    name = f"p{len(processes)}"
    taken = [loose.pop(dice.randrange(len(loose))) for _ in range(inputs)]
    needs = {f"in{i}": tokens for i, (_, _, tokens) in enumerate(taken)}
    outs = [f"out{i}" for i in range(outputs)]
    process = random_process(dice, name, needs, outs)
    processes[name] = process
    for i, (source, port, _) in enumerate(taken):
        depth, latency = dice.choice((1, 1, 2, 2, 3, 4, 6, 9, 14)), dice.choice((1, 1, 2, 3, 5))
        ends = (source, port, name, f"in{i}")
        channels.append(Channel(f"{source}.{port}", *ends, depth, latency))
    for port in outs:
        loose.append((name, port, tokens_of(process, port)))


def tokens_of(process: Process, port: str) -> int:
    """Tokens that `process` writes to `port` in one frame."""
    return sum(
        loop.repeat * s.count for loop in process.loops for s in loop.segments if port in s.writes
    )


def random_process(dice, name: str, needs: dict[str, int], outs: list[str]) -> Process:
    """A program that releases `needs` tokens per port and frame and writes every port of `outs`."""
    common = gcd(*needs.values()) if needs else dice.randint(1, 4)
    repeat = dice.choice([d for d in range(1, common + 1) if common % d == 0])
    left = {port: tokens // repeat for port, tokens in needs.items()}
    segments: list[Segment] = []
    while any(left.values()) or not segments:
        segments += random_segments(dice, left, outs)
    written = {port for s in segments for port in s.writes}
    missing = tuple(port for port in outs if port not in written)
    if missing:
        segments.append(Segment(dice.randint(1, 4), writes=missing, **random_gaps(dice)))
    return Process(name, (Loop(repeat, tuple(segments)),))


def random_segments(dice, left: dict[str, int], outs: list[str]) -> list[Segment]:
    """One or two segments; takes what they release off `left`."""
    writes = tuple(port for port in outs if dice.random() < 0.5)
    ports = [port for port, tokens in left.items() if tokens and dice.random() < 0.8]
    if not ports:
        return [Segment(dice.randint(1, 3), writes=writes, **random_gaps(dice))]
    if len(ports) == 1 and dice.random() < 0.5:
        return window(dice, ports[0], left, writes)
    count = dice.randint(1, min(left[port] for port in ports))
    for port in ports:
        left[port] -= count
    reads = tuple(Read(port) for port in ports)
    return [Segment(count, reads, writes, **random_gaps(dice))]


def window(dice, port: str, left: dict[str, int], writes: tuple[str, ...]) -> list[Segment]:
    """Peeks with bulk release: each shape has seen the last token that it releases."""
    chunk = dice.randint(1, min(left[port], 9))
    left[port] -= chunk
    ahead = dice.randint(0, chunk - 1)
    shapes = [
        [(chunk, Read(port, 0, 1, 0, chunk))],
        [(chunk, Read(port, chunk - 1, -1, 0, chunk))],
        [(chunk - ahead, Read(port, ahead, 0, 1, ahead))],
        [(dice.randint(1, 3), Read(port, ahead, 0, 0)), (1, Read(port, chunk - 1, 0, chunk))],
        [(dice.randint(1, 4), Read(port, chunk - 1, 0, 0, chunk))],
    ]
    if chunk % 2 == 0:
        shapes.append([(chunk // 2, Read(port, 1, 0, 2))])
        shapes.append([(chunk // 2, Read(port, 1, 2, 0, chunk))])
    chosen = dice.choice(shapes)
    return [Segment(count, (read,), writes, **random_gaps(dice)) for count, read in chosen]


def random_gaps(dice) -> dict[str, int | None]:
    """Mostly full rate, sometimes slow, sometimes a stall before the first event."""
    return {
        "gap": dice.choice((1, 1, 1, 2, 5)),
        "first_gap": dice.choice((None, None, None, 1, 3, 11)),
    }


def paced(name: str, gaps: list[int], **ports: str) -> Process:
    """A source (`writes="out0"`) or sink (`reads="in0"`) with one gap per token of a frame."""
    reads = (Read(ports["reads"]),) if "reads" in ports else ()
    writes = (ports["writes"],) if "writes" in ports else ()
    return Process(name, (Loop(1, tuple(Segment(1, reads, writes, gap) for gap in gaps)),))
