"""The table people come for: LUT, BRAM, DSP and frames per second at every bit width, 1 to 8."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from codesign.board import Board
from codesign.cost.estimate import estimate, interval_of, spread
from codesign.cost.family import load_family
from codesign.cost.model import Widths, add_widths, bounds
from codesign.cost.resources import Resources
from codesign.design import Design
from codesign.graph.ir import IntGraph
from codesign.search.around import Around
from codesign.search.folding import find_folds
from codesign.search.layers import inner_quantisers, quantisers_behind, uniform
from codesign.search.plan import plan
from codesign.search.retyping import weight_bits_of

WIDTHS = tuple(range(1, 9))
ASSUMPTION = (
    "Estimates under the design's own folding and FIFO depths; refolded rows are searched "
    "anew for the most frames per second, with FIFOs of least depth. b bits: symmetric weights of "
    "b bits, activations with 2^b - 1 thresholds. 1 bit: bipolar weights; activations are bipolar "
    "where they were signed (products are then XNOR and popcount), else one unsigned bit. The "
    "network's input, and quantisers before the first or behind the last weights, stay as they "
    "are. Accumulators and thresholds keep their distance from the worst case of their type."
)


class BitwidthRow(msgspec.Struct, frozen=True):
    """The network at one width; `fps` is None when no folding fits (refolded rows only).

    `low` and `high` bound `resources` nine times in ten, as far as the family is fitted.
    """

    bits: int
    resources: Resources
    fps: float | None
    fits: bool
    low: Resources
    high: Resources


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
    behind = quantisers_behind(view.graph)
    inner = inner_quantisers(view.graph)
    weights = weight_bits_of(view.graph)
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
    """Rows of one design under its own folding."""

    def __init__(self, design: Design, board: Board) -> None:
        self.around = Around(design, board)
        self.graph = self.around.retyper.graph
        self.total, self.budget = estimate(design, board).total, board.budget()
        self.widths = spread(design, load_family(board.family))
        self.fps = design.clock_hz / interval_of(design, board)[0]
        self.present = self._row(0, self.total, self.widths)

    def row(self, bits: int, layers: Iterable[str], quantisers: Iterable[str]) -> BitwidthRow:
        """The design with these layers' weights and these quantisers at `bits` bits."""
        weights, acts = dict.fromkeys(layers, bits), dict.fromkeys(quantisers, bits)
        change, changed = self.around.change_and_widths(weights, acts)
        by_kind = dict(self.widths)
        for kind, widths in changed.items():
            add_widths(by_kind, kind, widths)
        return self._row(bits, self.total + change, by_kind)

    def _row(self, bits: int, resources: Resources, by_kind: dict[str, Widths]) -> BitwidthRow:
        fits = resources.fits(self.budget)
        return BitwidthRow(bits, resources, self.fps, fits, *bounds(resources, by_kind))


def _refolded(graph: IntGraph, board: Board, bits: int) -> BitwidthRow:
    found = find_folds(uniform(graph, bits), board)
    demand = estimate(found.design, board)
    fps = found.fps if found.fits else None
    return BitwidthRow(bits, demand.total, fps, found.fits, demand.low, demand.high)
