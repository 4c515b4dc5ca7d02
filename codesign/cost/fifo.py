"""What a stream's FIFO occupies; the law it implements is that of codesign/program.py."""

from __future__ import annotations

from functools import lru_cache

from codesign.cost.family import Family, load_family
from codesign.cost.model import kind_model, scaled
from codesign.cost.resources import CostTerm, Resources, total
from codesign.design import STYLE_LATENCY_CYCLES, Stream

# The kind of unit that a FIFO is in the data set (hw/channel.sv).
KIND = "Channel"


def fifo_terms(family: Family, depth: int, width_bits: int, style: str) -> tuple[CostTerm, ...]:
    """Storage and control of a FIFO of `depth` tokens of `width_bits`; analytic."""
    return _terms(family.name, depth, width_bits, style)


def fitted_fifo_terms(
    family: Family, depth: int, width_bits: int, style: str
) -> tuple[CostTerm, ...]:
    """The same as synthesis takes them, where the family has coefficients.

    hw/channel.sv has no shift registers: LUT RAM stands in for them.
    """
    if kind_model(KIND, family.name) and style == "srl":
        style = _in_luts(family)
    return scaled(_terms(family.name, depth, width_bits, style), KIND, family.name)


def _in_luts(family: Family) -> str:
    return "lutram" if family.lutram else "register"


def stream_cost(family: Family, stream: Stream) -> Resources:
    """What `stream` occupies."""
    return fifo_cost(family.name, stream.depth, stream.bits, stream.style)


@lru_cache(maxsize=65536)
def fifo_cost(family: str, depth: int, width_bits: int, style: str) -> Resources:
    """What synthesis takes of a FIFO, for the family called `family`; analytic without
    coefficients."""
    terms = fitted_fifo_terms(load_family(family), depth, width_bits, style)
    return total(term.resources for term in terms)


@lru_cache(maxsize=65536)
def _terms(family_name: str, depth: int, width_bits: int, style: str) -> tuple[CostTerm, ...]:
    family = load_family(family_name)
    storage = family.ram(depth, width_bits, style)
    # Free slots seen by the writer (credits) and tokens seen by the reader: an up-down counter each,
    # with a register for "not zero".
    count_bits = depth.bit_length()
    credits = Resources(lut=2 * (family.adder(count_bits) + 1), ff=2 * (count_bits + 1))
    # A shift register is addressed by the token count; a memory has a write and a read pointer.
    pointer_bits = 0 if style == "srl" else (depth - 1).bit_length()
    pointers = Resources(lut=2 * family.adder(pointer_bits), ff=2 * pointer_bits)
    return (
        CostTerm("storage", storage),
        CostTerm("credits", credits),
        CostTerm("pointers", pointers),
    )


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
    known = load_family(family)
    # Where FIFOs were measured, only the styles that the data set has.
    styles = (_in_luts(known), "block") if kind_model(KIND, family) else known.fifo_styles
    for style in styles:
        latency = STYLE_LATENCY_CYCLES[style]
        if latency <= most_latency_cycles:
            counts = fifo_cost(family, tokens + latency, width_bits, style).flat()
            cost = sum(value * counts.get(kind, 0.0) for kind, value in price)
            options.append((cost, len(options), style, tokens + latency))
    return min(options)[2:]


@lru_cache(maxsize=65536)
def storage_bits(family: str, depth: int, width_bits: int, style: str) -> int:
    """Bits of memory that a FIFO takes up: its flip-flops, the words of the LUTs that serve as
    memory (2^inputs bits each), whole block RAMs."""
    known = load_family(family)
    taken = known.ram(depth, width_bits, style)
    blocks = sum(
        n * max(d * w for d, w in known.kind(kind).aspects) for kind, n in taken.ram.items()
    )
    return int(taken.ff + taken.lutram * (1 << known.lut_inputs) + blocks)
