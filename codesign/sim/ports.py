"""The port of each process at which most tokens move: its pulse, for the picture of a run."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from codesign.sim.encode import Code
from codesign.sim.engine import State
from codesign.sim.occupancy import last_times

PICTURED_FRAMES = 3


@dataclass(frozen=True)
class BusyPorts:
    """Per process: the channel of that port, and whether the process writes it."""

    channels: np.ndarray
    at_source: np.ndarray

    @classmethod
    def of(cls, code: Code) -> BusyPorts:
        """Those of a machine."""
        channels = np.array([_busiest(code, p) for p in range(len(code.loop_lo) - 1)])
        return cls(channels, code.source[channels] == np.arange(len(channels)))

    def times(self, code: Code, state: State) -> np.ndarray:
        """When the tokens of the last frame moved, all of the first port, then of the next, ...

        The rings of `state` must hold a frame (`observed_slots`).
        """
        found = np.empty(code.tokens_per_frame[self.channels].sum(), np.int64)
        last_times(found, self.channels, self.at_source, code.tokens_per_frame, state)
        return found


def _busiest(code: Code, process: int) -> int:
    """The channel at `process` with most tokens."""
    touched = code.touch[code.touch_lo[process] : code.touch_lo[process + 1]]
    return int(touched[np.argmax(code.tokens_per_frame[touched])])
