"""The table people come for: LUT, BRAM, DSP and frames per second at every bit width, 1 to 8."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from codesign.board import Board
from codesign.cost.estimate import block_cost, estimate, interval_of
from codesign.cost.family import load_family
from codesign.cost.fifo import stream_cost
from codesign.cost.resources import Resources, total
from codesign.design import Design
from codesign.graph.ir import IntGraph
from codesign.search.folding import find_folds
from codesign.search.layers import inner_quantisers, quantisers_behind, uniform
from codesign.search.plan import plan
from codesign.search.retyping import Retyper, weight_bits_of

WIDTHS = tuple(range(1, 9))
ASSUMPTION = (
    "Analytic estimates under the design's own folding and FIFO depths; refolded rows are searched "
    "anew for the most frames per second. b bits: symmetric weights of b bits, activations with "
    "2^b - 1 thresholds. 1 bit: bipolar weights; activations are bipolar where they were signed "
    "(products are then XNOR and popcount), else one unsigned bit. The network's input, and "
    "quantisers before the first or behind the last weights, stay as they are. Accumulators and "
    "thresholds keep their distance from the worst case of their type."
)


class BitwidthRow(msgspec.Struct, frozen=True):
    """The network at one width; `fps` is None when no folding fits (refolded rows only)."""

    bits: int
    resources: Resources
    fps: float | None
    fits: bool


class LayerBitwidths(msgspec.Struct, frozen=True):
    """One layer at each width of its weights and of the activations behind them, the others as
    they are."""

    layer: str
    present_bits: int
    rows: tuple[BitwidthRow, ...]


class BitwidthTable(msgspec.Struct, frozen=True):
    """`present` is the design as it is; `uniform` and `layers` keep its folding, `refolded` not."""

    present: BitwidthRow
    uniform: tuple[BitwidthRow, ...]
    layers: tuple[LayerBitwidths, ...]
    refolded: tuple[BitwidthRow, ...] = ()
    assumption: str = ASSUMPTION


def per_bitwidth(
    graph: IntGraph, board: Board, design: Design | None = None, refold: bool = False
) -> BitwidthTable:
    """Resources and frames per second at uniform widths 1..8, and per layer at each width.

    `design` is the folding to keep (default: the plan of `graph` on `board`); with `refold` each
    uniform width is also folded anew.
    """
    design = design or plan(graph, board).design
    view = _View(design, board)
    behind = quantisers_behind(view.retyper.graph)
    inner = inner_quantisers(view.retyper.graph)
    weights = weight_bits_of(view.retyper.graph)
    acts = {layer: [q for q in behind[layer] if q in inner] for layer in weights}
    layers = [
        LayerBitwidths(name, bits, tuple(view.row(b, [name], acts[name]) for b in WIDTHS))
        for name, bits in weights.items()
    ]
    return BitwidthTable(
        present=view.present,
        uniform=tuple(view.row(b, weights, inner) for b in WIDTHS),
        layers=tuple(layers),
        refolded=tuple(_refolded(graph, board, b) for b in WIDTHS) if refold else (),
    )


class _View:
    """One design; a row costs only the parts that change."""

    def __init__(self, design: Design, board: Board) -> None:
        self.design, self.board, self.retyper = design, board, Retyper(design)
        self.family = load_family(board.family)
        self.blocks = {b.name: b for b in design.blocks}
        self.streams = {s.name: s for s in design.streams}
        self.total, self.budget = estimate(design, board).total, board.budget()
        self.fps = design.clock_hz / interval_of(design, board)[0]
        self.present = self._row(0, self.total)

    def row(self, bits: int, layers: Iterable[str], quantisers: Iterable[str]) -> BitwidthRow:
        """The design with these layers' weights and these quantisers at `bits` bits."""
        changes = dict.fromkeys(layers, bits), dict.fromkeys(quantisers, bits)
        blocks, streams = self.retyper.changed(*changes)
        after = self._cost(blocks.values(), streams.values())
        before = self._cost(
            (self.blocks[name] for name in blocks), (self.streams[name] for name in streams)
        )
        return self._row(bits, self.total + after + before.scaled(-1))

    def _cost(self, blocks: Iterable, streams: Iterable) -> Resources:
        parts = total(block_cost(b, self.family.name) for b in blocks)
        return parts + total(stream_cost(self.family, s) for s in streams)

    def _row(self, bits: int, resources: Resources) -> BitwidthRow:
        return BitwidthRow(bits, resources, self.fps, resources.fits(self.budget))


def _refolded(graph: IntGraph, board: Board, bits: int) -> BitwidthRow:
    found = find_folds(uniform(graph, bits), board)
    demand = estimate(found.design, board).total
    return BitwidthRow(bits, demand, found.fps if found.fits else None, found.fits)
