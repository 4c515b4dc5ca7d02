"""Bit widths of each layer: where training began and what it learned."""

from __future__ import annotations

from codesign.report.colours import BLUE, FAINT, GRID, TEAL
from codesign.report.data import ReportData, WidthPart
from codesign.report.figures.base import Figure
from codesign.report.svg import canvas, circle, legend, line, rect, shortened, soft, text

ROW, HEAD = 34, 44


def draw(data: ReportData, width: int) -> str | None:
    """One row per layer: a dot for weights, one for activations, a tail to where they started."""
    if not data.widths:
        return None
    left, right = min(260.0, width * 0.34), width - 24
    top = max(8.0, *(b for w in data.widths for b in _all_bits(w)))

    def x(bits: float) -> float:
        return left + (right - left) * bits / top

    grid = [
        line(x(b), HEAD - 12, x(b), HEAD + ROW * len(data.widths), GRID)
        + soft(x(b), HEAD - 18, str(b), anchor="middle")
        for b in range(int(top) + 1)
    ]
    rows = [_row(w, HEAD + i * ROW, left, x) for i, w in enumerate(data.widths)]
    key = legend(0, 10, (("weights", BLUE), ("activations", TEAL), ("start", FAINT)))
    height = HEAD + ROW * len(data.widths) + 4
    return canvas(FIGURE.name, FIGURE.title, width, height, [key, *grid, *rows])


def _row(layer: WidthPart, y: float, left: float, x) -> str:
    name = text(0, y + 13, shortened(layer.layer, left - 10), 12)
    weights = soft(0, y + 26, f"{layer.weights:,} weights", 10) if layer.weights else ""
    return "".join(
        (
            name,
            weights,
            _dumbbell(layer.weight_bits, layer.start_weight_bits, y + 9, x, BLUE, "weights"),
            _dumbbell(
                layer.activation_bits,
                layer.start_activation_bits,
                y + 21,
                x,
                TEAL,
                "activations",
            ),
        )
    )


def _dumbbell(bits: float | None, start: float | None, y: float, x, colour: str, what: str) -> str:
    if bits is None:
        return ""
    tip = f"{what}: {bits:g} bit" + (f", started at {start:g}" if start else "")
    label = text(x(bits) + 8, y + 4, f"{bits:g}", 11, colour, font_weight=600)
    moved = start is not None and abs(start - bits) > 1e-6
    first = min(bits, start) if moved else 0
    last = max(bits, start) if moved else bits
    bar = rect(x(first), y - 1, x(last) - x(first), 2, FAINT if moved else GRID)
    begin = circle(x(start), y, 3, FAINT) if moved else ""
    if moved and start > bits:
        label = text(x(bits) - 8, y + 4, f"{bits:g}", 11, colour, "end", font_weight=600)
    return bar + begin + circle(x(bits), y, 5, colour, tip) + label


def _all_bits(layer: WidthPart) -> list[float]:
    values = (
        layer.weight_bits,
        layer.activation_bits,
        layer.start_weight_bits,
        layer.start_activation_bits,
    )
    return [v for v in values if v is not None]


FIGURE = Figure(
    "widths",
    "Bit widths learned",
    "Large dot: the width that was exported. Small dot: the width training began with.",
    draw,
)
