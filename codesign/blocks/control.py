"""What starts the events of a block: counters and the fire condition."""

from __future__ import annotations

from math import ceil

from codesign.cost.family import Family
from codesign.cost.resources import CostTerm, Resources

# A register chain without reset of this length and more becomes a shift register in a LUT.
SHORTEST_SHIFT = 3


def counters(family: Family, *lengths: int) -> Resources:
    """Counters modulo each of `lengths`.

    A bit of a counter with up to one bit more than a LUT has inputs is a function of all its bits;
    a longer one is an incrementer and the comparison with the end.
    """
    widths = [(n - 1).bit_length() for n in lengths if n > 1]
    return Resources(lut=sum(_counter_luts(family, b) for b in widths), ff=sum(widths))


def ended(*lengths: int) -> tuple[int, ...]:
    """Lengths of counters whose registers hold their end, too: a power of two takes a bit more."""
    return tuple(n + 1 for n in lengths if n > 1)


def _counter_luts(family: Family, bits: int) -> float:
    if bits <= family.lut_inputs + 1:
        return bits - (bits == 1)
    return family.adder(bits) + ceil(bits / family.lut_inputs)


def control(
    family: Family, ports: int, latency_cycles: int, *lengths: int
) -> tuple[CostTerm, CostTerm]:
    """Counters of the event program; and one LUT a port for the fire condition and its acknowledge,
    one for each place at which a counter is compared, and a flip-flop a pipeline stage for the
    valid bit that travels beside the data."""
    widths = [(n - 1).bit_length() for n in lengths if n > 1]
    ends = sum(ceil(b / family.lut_inputs) for b in widths)
    return (
        CostTerm("counters", counters(family, *lengths)),
        CostTerm("handshake", Resources(lut=ports + ends, ff=latency_cycles)),
    )


def stepped(family: Family, latency_cycles: int, length: int) -> tuple[CostTerm, CostTerm]:
    """Control where every event reads all inputs and writes all outputs: one AND, a counter of groups
    that nothing else looks at, and the valid bits beside the data."""
    handshake = Resources(lut=1, ff=latency_cycles)
    return CostTerm("counters", counters(family, length)), CostTerm("handshake", handshake)


def delayed(family: Family, cycles: int, bits: int = 1) -> Resources:
    """`bits` bits `cycles` cycles later, without reset: registers, or shift registers in LUTs."""
    if cycles >= SHORTEST_SHIFT and family.srl_depth:
        return Resources(lut=bits, lutram=bits)
    return Resources(ff=bits * cycles)
