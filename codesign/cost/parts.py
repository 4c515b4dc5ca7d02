"""What one block or one stream takes, as synthesis takes it where that has been fitted."""

from __future__ import annotations

from functools import lru_cache

from codesign.blocks.base import Block
from codesign.cost.family import Family, load_family
from codesign.cost.fifo import KIND as FIFO
from codesign.cost.fifo import stream_cost
from codesign.cost.model import Widths, scaled, widths
from codesign.cost.resources import CostTerm, Resources, total
from codesign.design import Stream


@lru_cache(maxsize=1 << 17)
def block_cost(block: Block, family: str) -> Resources:
    """What synthesis takes of `block` on the family called `family`; analytic without
    coefficients."""
    return total(term.resources for term in fitted_terms(block, load_family(family)))


def fitted_terms(block: Block, family: Family) -> tuple[CostTerm, ...]:
    """The cost terms of `block` as synthesis takes them, where the family has coefficients."""
    return scaled(block.cost_terms(family), type(block).__name__, family.name)


def block_widths(block: Block, family: str) -> tuple[str, Widths]:
    """(kind, how far the resources of `block` may lie from `block_cost`)."""
    kind = type(block).__name__
    return kind, widths(block_cost(block, family), kind, family)


def stream_widths(stream: Stream, family: Family) -> tuple[str, Widths]:
    """(kind, how far the resources of `stream` may lie from `stream_cost`)."""
    return FIFO, widths(stream_cost(family, stream), FIFO, family.name)
