"""FIFOs as the search sees them: every style that is worth a choice, at the depth of full rate."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from itertools import product

import numpy as np

from codesign.blocks.base import Fold
from codesign.blocks.fork import Fork
from codesign.blocks.width_converter import WidthConverter
from codesign.cost.family import load_family
from codesign.cost.fifo import cheapest_style, fifo_cost
from codesign.cost.parts import block_cost
from codesign.design import STYLE_LATENCY_CYCLES
from codesign.lowering import conversion_hops, full_rate_depth
from codesign.search.options import Kinds, vector
from codesign.types import QType

# Styles of the streams that one choice decides, in flow order, and the counts of all of it.
Way = tuple[tuple[str, ...], np.ndarray]


@dataclass(frozen=True)
class Device:
    """What counts and prices depend on; `price` as in `codesign.cost.fifo.prices`."""

    family: str
    kinds: Kinds
    price: tuple[tuple[str, float], ...]


@lru_cache(maxsize=1 << 16)
def fifos(tokens: int, width_bits: int, device: Device) -> tuple[Way, ...]:
    """Styles of a FIFO that no other dominates; the one that lowering takes by itself first."""
    first, _ = cheapest_style(device.family, tokens, width_bits, device.price)
    styles = [first, *(s for s in load_family(device.family).fifo_styles if s != first)]
    ways = []
    for style in styles:
        depth = tokens + STYLE_LATENCY_CYCLES[style]
        cost = fifo_cost(device.family, depth, width_bits, style)
        ways.append(((style,), vector(cost, device.kinds)))
    return undominated(ways)


@lru_cache(maxsize=1 << 16)
def leaving(
    lanes: int, elements: int, qtype: QType, depth: int, readers: int, device: Device
) -> tuple[Way, ...]:
    """What stands behind a port: its stream, with several readers a fork and a stream for each.

    Streams behind a fork have one style; it follows that of the stream in front.
    """
    before = fifos(depth, lanes * qtype.bits, device)
    if readers <= 1:
        return before
    fork = Fork(
        name="",
        fold=Fold(pe=lanes),
        channels=lanes,
        vectors=elements // lanes,
        itype=qtype,
        copies=readers,
    )
    tokens = full_rate_depth(fork.program(), "out0")
    cost = vector(block_cost(fork, device.family), device.kinds)
    behind = fifos(tokens, lanes * qtype.bits, device)
    return undominated(
        [((*a, *b), cost + x + readers * y) for (a, x), (b, y) in product(before, behind)]
    )


@lru_cache(maxsize=1 << 17)
def conversion(
    in_lanes: int, out_lanes: int, elements: int, qtype: QType, device: Device
) -> tuple[Way, ...]:
    """Width converters between these lanes with the streams behind them; nothing for equal lanes."""
    ways: list[Way] = [((), np.zeros(len(device.kinds)))]
    for source, target in conversion_hops(in_lanes, out_lanes):
        block = WidthConverter(
            name="", in_lanes=source, out_lanes=target, elements=elements, itype=qtype
        )
        tokens = full_rate_depth(block.program(), "out0")
        cost = vector(block_cost(block, device.family), device.kinds)
        behind = fifos(tokens, target * qtype.bits, device)
        ways = [((*a, *b), cost + x + y) for (a, x), (b, y) in product(ways, behind)]
    return undominated(ways)


def undominated(ways: list[Way]) -> tuple[Way, ...]:
    """Those that no other is at least as good as in every count; the first is always kept."""
    kept: list[Way] = []
    for i, (styles, counts) in enumerate(ways):
        better = any(
            (other <= counts).all() and ((other < counts).any() or j < i)
            for j, (_, other) in enumerate(ways)
            if j != i
        )
        if i == 0 or not better:
            kept.append((styles, counts))
    return tuple(kept)


@dataclass(frozen=True)
class Joints:
    """Conversions between all pairs of lanes: n ways, sorted by flat cell of a table of `shape`.

    `ways` (n,) counts the ways within a cell; `counts` (n, kinds).
    """

    shape: tuple[int, int]
    cells: np.ndarray
    ways: np.ndarray
    counts: np.ndarray

    def among(self, sources: np.ndarray, targets: np.ndarray) -> Joints:
        """For the lanes at these positions only."""
        place = [np.full(size, -1) for size in self.shape]
        for axis, picked in zip(place, (sources, targets), strict=True):
            axis[picked] = np.arange(len(picked))
        a, b = (
            axis[c] for axis, c in zip(place, np.divmod(self.cells, self.shape[1]), strict=True)
        )
        rows = np.flatnonzero((a >= 0) & (b >= 0))
        cells = a[rows] * len(targets) + b[rows]
        return Joints((len(sources), len(targets)), cells, self.ways[rows], self.counts[rows])


@lru_cache(maxsize=4096)
def joints(
    source_lanes: tuple[int, ...],
    target_lanes: tuple[int, ...],
    elements: int,
    qtype: QType,
    device: Device,
) -> Joints:
    """Conversions from each of `source_lanes` to each of `target_lanes`."""
    cells, numbers, rows = [], [], []
    for cell, (a, b) in enumerate(product(source_lanes, target_lanes)):
        for number, (_, counts) in enumerate(conversion(a, b, elements, qtype, device)):
            cells.append(cell)
            numbers.append(number)
            rows.append(counts)
    shape = len(source_lanes), len(target_lanes)
    return Joints(shape, np.array(cells), np.array(numbers), np.array(rows))
