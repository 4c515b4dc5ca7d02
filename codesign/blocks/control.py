"""What starts the events of a block: counters and the fire condition."""

from __future__ import annotations

from math import ceil

from codesign.cost.family import Family
from codesign.cost.resources import CostTerm, Resources


def counters(family: Family, *lengths: int) -> Resources:
    """Counters modulo each of `lengths`: register, increment, and the comparison with the end."""
    widths = [(n - 1).bit_length() for n in lengths if n > 1]
    luts = sum(family.adder(b) + ceil(b / family.lut_inputs) for b in widths)
    return Resources(lut=luts, ff=sum(widths))


def control(family: Family, ports: int, latency_cycles: int, *lengths: int) -> CostTerm:
    """Counters of the event program, one LUT a port for the fire condition and its acknowledge,
    and a flip-flop a pipeline stage for the valid bit that travels beside the data."""
    handshake = Resources(lut=ports, ff=latency_cycles)
    return CostTerm("control", handshake + counters(family, *lengths))
