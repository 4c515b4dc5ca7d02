"""What the simulator and integer execution say that a run of the hardware must show."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import groupby

import numpy as np

from codesign.blocks.base import Params
from codesign.board import Board
from codesign.design import Design, Stream
from codesign.graph.execute import execute, graph_of
from codesign.program import Loop, Process, Read, Segment
from codesign.sim.deadlock import explain
from codesign.sim.encode import encode
from codesign.sim.engine import advance, start
from codesign.sim.host import SINK, SOURCE
from codesign.sim.machine import Machine, machine_of
from codesign.types import QType
from codesign.verify.stimulus import Pacing

NEVER_CYCLE = 1 << 40


@dataclass(frozen=True)
class Times:
    """Cycle of issue and cycle of release of every token of a channel, in order."""

    issues: np.ndarray
    releases: np.ndarray


def times(design: Design, board: Board, pacing: Pacing) -> dict[str, Times]:
    """Times of every token of the frames that the source sends, by channel; raises Deadlock.

    What a block writes for the next frame before it needs an input (a border) belongs to them.
    """
    machine = paced(machine_of(design, board), pacing)
    code = encode(machine)
    state = start(code, code.tokens_per_frame)
    if not advance(code, state, 1):
        raise explain(machine)
    found = {}
    for c, channel in enumerate(machine.channels):
        tokens = slice(state.base[c], state.base[c] + code.tokens_per_frame[c])
        both = (t[tokens] for t in (state.write_time, state.release_time))
        found[channel.name] = Times(*(t[t < NEVER_CYCLE] for t in both))
    return found


def paced(machine: Machine, pacing: Pacing) -> Machine:
    """A machine whose single frame is the whole run, and one frame more that never comes."""
    frames = pacing.frames + 1
    whole = {
        name: replace(process, loops=process.loops * frames)
        for name, process in machine.processes.items()
    }
    sent, taken = pacing.gaps_and_more
    sent[len(pacing.source_gaps)] = NEVER_CYCLE
    whole[SOURCE] = _host(SOURCE, sent, writes=("out0",))
    whole[SINK] = _host(SINK, taken, reads=(Read("in0"),))
    return replace(machine, processes=whole)


def _host(name: str, gaps: np.ndarray, **ports: tuple) -> Process:
    runs = ((gap, len(list(same))) for gap, same in groupby(gaps.tolist()))
    return Process(name, (Loop(1, tuple(Segment(n, gap=gap, **ports) for gap, n in runs)),))


def codes(design: Design, params: Params, x: np.ndarray) -> dict[str, np.ndarray]:
    """Bits of every element on the wires of each stream, by its name: (beats, lanes).

    `x` holds integers (frames, elements).
    """
    tensors = execute(graph_of(design, params), x, keep=True)[1]
    return {s.name: _wire_codes(s, tensors[s.source]) for s in design.streams}


def _wire_codes(stream: Stream, values: np.ndarray) -> np.ndarray:
    values = values.reshape(-1, stream.lanes).astype(np.int64)
    if stream.qtype.step == 2:
        return (values > 0).astype(np.int64)
    return values & ((1 << stream.qtype.bits) - 1)


def value_of(code: int, qtype: QType) -> int:
    """The integer that `code` stands for."""
    if qtype.step == 2:
        return 2 * code - 1
    return code - (1 << qtype.bits) if qtype.min < 0 and code >> (qtype.bits - 1) else code
