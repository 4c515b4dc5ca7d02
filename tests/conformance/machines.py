"""A block alone between sources and sinks."""

from __future__ import annotations

import random

from codesign.blocks.base import Block
from codesign.sim.machine import Channel, Machine
from tests.sim.machines import paced


def machine_around(block: Block, dice: random.Random | None = None) -> Machine:
    """`block` with a source and a sink per port; `dice` gives them random gaps and small depths.

    Without `dice` channels are as deep as full rate needs: forward latency + 1.
    """
    program = block.program()
    names = {p.name: f"{block.name}.{p.name}" for p in program.processes}
    processes = {names[p.name]: p for p in program.processes}
    reader, writer = (names[program.processes[i].name] for i in (0, -1))
    channels = [
        Channel(c.name, names[c.source], c.name, names[c.target], c.name, c.depth)
        for c in program.channels
    ]
    latency = 1 + program.processes[-1].latency_cycles
    for i, port in enumerate(block.inputs()):
        processes[f"source{i}"] = paced("source", _gaps(port.beats_per_frame, dice), writes="out0")
        depth = dice.randint(1, 4) if dice else 2
        channels.append(Channel(f"in{i}", f"source{i}", "out0", reader, f"in{i}", depth))
    for i, port in enumerate(block.outputs()):
        processes[f"sink{i}"] = paced("sink", _gaps(port.beats_per_frame, dice), reads="in0")
        depth = dice.randint(1, 2 + latency) if dice else 1 + latency
        channels.append(Channel(f"out{i}", writer, f"out{i}", f"sink{i}", "in0", depth, latency))
    return Machine(processes, tuple(channels))


def _gaps(beats: int, dice: random.Random | None) -> list[int]:
    return [dice.choice((1, 1, 1, 2, 5)) if dice else 1 for _ in range(beats)]
