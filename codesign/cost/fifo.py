"""What a stream's FIFO occupies; the law it implements is that of codesign/program.py."""

from __future__ import annotations

from functools import lru_cache

from codesign.cost.family import Family, load_family
from codesign.cost.resources import CostTerm, Resources, total
from codesign.design import STYLE_LATENCY_CYCLES, Stream


def fifo_terms(family: Family, depth: int, width_bits: int, style: str) -> tuple[CostTerm, ...]:
    """Storage and control of a FIFO of `depth` tokens of `width_bits`; analytic."""
    return _terms(family.name, depth, width_bits, style)


def stream_cost(family: Family, stream: Stream) -> Resources:
    """What `stream` occupies."""
    return fifo_cost(family.name, stream.depth, stream.bits, stream.style)


@lru_cache(maxsize=65536)
def fifo_cost(family: str, depth: int, width_bits: int, style: str) -> Resources:
    """Sum of the terms, for the family called `family`."""
    return total(term.resources for term in _terms(family, depth, width_bits, style))


@lru_cache(maxsize=65536)
def _terms(family_name: str, depth: int, width_bits: int, style: str) -> tuple[CostTerm, ...]:
    family = load_family(family_name)
    storage = family.ram(depth, width_bits, style)
    return (CostTerm("storage", storage), CostTerm("control", _control(family, depth, style)))


def _control(family: Family, depth: int, style: str) -> Resources:
    """Counters of one FIFO.

    Free slots seen by the writer (credits) and tokens seen by the reader: an up-down counter each,
    with a register for "not zero". A shift register is addressed by the token count itself; a
    memory has a write and a read pointer as well.
    """
    count_bits = depth.bit_length()
    pointer_bits = 0 if style == "srl" else (depth - 1).bit_length()
    luts = 2 * (family.adder(count_bits) + 1) + 2 * (family.adder(pointer_bits))
    return Resources(lut=luts, ff=2 * (count_bits + 1) + 2 * pointer_bits)


def prices(left: Resources, budget: Resources) -> tuple[tuple[str, float], ...]:
    """Price of each count: one over what is left of it, at least a twentieth of the budget.

    A count that the board does not have costs as much as a whole budget of another.
    """
    limit, rest = budget.flat(), left.flat()
    least = {kind: max(rest.get(kind, 0.0), n / 20) for kind, n in limit.items()}
    return tuple((kind, 1.0 / n if n > 0 else 1.0) for kind, n in least.items())


@lru_cache(maxsize=65536)
def cheapest_style(
    family: str,
    tokens: int,
    width_bits: int,
    price: tuple[tuple[str, float], ...],
    most_latency_cycles: int = 0,
) -> tuple[str, int]:
    """Style and depth of the cheapest FIFO that holds `tokens` beside the latency of its style.

    `price` comes from `prices`; styles with more than `most_latency_cycles` are left out. The depth
    grows by the latency of the style, so that the stream keeps its rate.
    """
    options = []
    for style in load_family(family).fifo_styles:
        latency = STYLE_LATENCY_CYCLES[style]
        if latency <= most_latency_cycles:
            counts = fifo_cost(family, tokens + latency, width_bits, style).flat()
            cost = sum(value * counts.get(kind, 0.0) for kind, value in price)
            options.append((cost, len(options), style, tokens + latency))
    return min(options)[2:]
