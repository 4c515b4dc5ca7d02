"""What a simulation found; everything is JSON-serialisable."""

from __future__ import annotations

import msgspec


class StageUse(msgspec.Struct, frozen=True):
    """Shares (0..1, sum 1) of the steady state in which a process works, waits for input, or for
    space; `name` is the block, or "block.process" where a block has several."""

    name: str
    busy: float
    starved: float
    blocked: float


class ChannelUse(msgspec.Struct, frozen=True):
    """Depth of a channel and the most tokens it held, in tokens."""

    name: str
    depth: int
    high_water: int


class TimelineRow(msgspec.Struct, frozen=True):
    """First and last cycle of each of the first frames, and the share of each bin at work."""

    name: str
    frames: tuple[tuple[int, int], ...]
    busy: tuple[float, ...]


class Timeline(msgspec.Struct, frozen=True):
    """The first frames of an idle machine; bin i covers `bin_cycles` cycles from i*bin_cycles on."""

    bin_cycles: int
    rows: tuple[TimelineRow, ...]


class TokenTimes(msgspec.Struct, frozen=True):
    """Cycle of issue and cycle of release of every token of a channel."""

    name: str
    writes: tuple[int, ...]
    releases: tuple[int, ...]


class Simulation(msgspec.Struct, frozen=True, kw_only=True):
    """Exact cycles of a design.

    `latency_cycles`: issue of the first input beat to receipt of the last output beat of a frame
    on an idle machine. `interval_cycles`: cycles per frame in steady state. `total_cycles`: cycles
    of `frames` frames from reset to the last event. `steady` says how the interval is known:
    "free" (certified period of the machine as it is), "paced" (certified with the host paced at the
    slowest process, which is then the interval) or "bounded" (no certificate yet: mean of the last
    frame simulated). `io_bound`: the host's transfer alone sets the interval. `startup_cycles`: cycles
    from reset to cycle 0, in which memories without initial contents are filled.
    """

    interval_cycles: float
    latency_cycles: int
    total_cycles: int
    frames: int
    fps: float
    clock_hz: float
    io_bound: bool
    steady: str
    stages: tuple[StageUse, ...]
    channels: tuple[ChannelUse, ...]
    timeline: Timeline
    startup_cycles: int = 0
    trace: tuple[TokenTimes, ...] = ()
