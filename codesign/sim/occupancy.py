"""How full a channel gets, and how busy a process is over time, from a frame's timestamps.

Both read the rings of an engine state whose `slots` hold a whole frame behind `depth` older tokens
(`observed_slots`), after every frame.
"""

from __future__ import annotations

import numpy as np

from codesign.sim.encode import Code
from codesign.sim.jit import jit


def observed_slots(code: Code) -> np.ndarray:
    """Ring sizes that keep the times of the last frame and of the `depth` tokens before it."""
    return code.depth + code.tokens_per_frame


@jit
def update_high_water(high_water, tokens_per_frame, state):
    """Raise `high_water` (tokens per channel) to what the last frame reached.

    A token is in the channel from its write to its release, both cycles included.
    """
    for c in range(len(high_water)):
        base, slots, tokens = state.base[c], state.slots[c], tokens_per_frame[c]
        # Older tokens were counted in their own frame; they only have to have left.
        left = min(state.written[c], slots)
        slot = (state.put[c] - left) % slots
        put, leave, inside = slot, slot, 0
        for i in range(left):
            now = state.write_time[base + put]
            inside += 1
            while state.release_time[base + leave] < now:
                leave = leave + 1 if leave + 1 < slots else 0
                inside -= 1
            if i >= left - tokens:
                high_water[c] = max(high_water[c], inside)
            put = put + 1 if put + 1 < slots else 0


@jit
def last_times(times, ports, at_source, tokens_per_frame, state):
    """Into `times`: when the tokens of the last frame moved at each port, one port after the other.

    A port is its channel; `at_source` tells the end that writes from the one that releases.
    """
    at = 0
    for p in range(len(ports)):
        c = ports[p]
        ring = state.write_time if at_source[p] else state.release_time
        base, slots = state.base[c], state.slots[c]
        slot = (state.put[c] - tokens_per_frame[c]) % slots
        for _ in range(tokens_per_frame[c]):
            times[at] = ring[base + slot]
            at += 1
            slot = slot + 1 if slot + 1 < slots else 0
