"""The AXI4-Stream adapters at both ends of a design: hw/axis_in.sv and hw/axis_out.sv."""

from __future__ import annotations

from functools import lru_cache

from codesign.blocks.control import counters
from codesign.cost.family import Family, load_family
from codesign.cost.resources import CostTerm, Resources, total

AXIS_IN, AXIS_OUT = "axis_in", "axis_out"


def axis_in_terms() -> tuple[CostTerm, ...]:
    """A transfer takes place where both sides are ready; analytic."""
    return (CostTerm("handshake", Resources(lut=1)),)


def axis_out_terms(family: Family, beats: int) -> tuple[CostTerm, ...]:
    """The same, and a counter of the `beats` of a frame with its end, which short counters have in
    their own LUTs; analytic.

    On the 7 series 1, 4, 6, 9, 13 LUTs for 1, 3, 10, 100, 784 beats, as Yosys 0.59 takes of it alone.
    """
    short = 1 < beats <= 1 << (family.lut_inputs + 1)
    return (
        CostTerm("handshake", Resources(lut=1 + short)),
        CostTerm("beats", counters(family, beats)),
    )


@lru_cache(maxsize=4096)
def adapters_cost(family: str, beats: int) -> Resources:
    """Both adapters of a design whose frame leaves in `beats` beats, on the family called `family`."""
    terms = (*axis_in_terms(), *axis_out_terms(load_family(family), beats))
    return total(term.resources for term in terms)
