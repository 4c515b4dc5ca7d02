"""What a stream's FIFO occupies; the law it implements is in docs/architecture.md and program.py."""

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


def cheapest_style(
    family: Family, tokens: int, width_bits: int, weights: dict[str, float]
) -> tuple[str, int]:
    """Style and depth of the cheapest FIFO that holds `tokens` beside the latency of its style.

    `weights` prices each count (lut, lutram, ff, dsp, memory kinds); the depth grows by the latency
    of the style, so that the stream keeps its rate.
    """
    options = []
    for style in family.fifo_styles:
        depth = tokens + STYLE_LATENCY_CYCLES[style]
        counts = fifo_cost(family.name, depth, width_bits, style).flat()
        price = sum(weights.get(kind, 0.0) * count for kind, count in counts.items())
        options.append((price, len(options), style, depth))
    _, _, style, depth = min(options)
    return style, depth
