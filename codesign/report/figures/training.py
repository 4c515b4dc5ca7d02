"""Training curves: accuracy, loss, demand on the board and bit widths by epoch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import groupby

from codesign.report.colours import SERIES
from codesign.report.data import EpochPart, ReportData
from codesign.report.figures.base import Figure, Panel, panel_width, tiled
from codesign.report.figures.plot import Curve, Plot, value_range
from codesign.report.svg import canvas, legend, shortened, soft, text

TOP, PLOT, LEFT = 56, 150, 40
History = Sequence[EpochPart]


def draw(data: ReportData, width: int) -> str | None:
    """Up to five panels: those whose numbers the history holds."""
    wide = panel_width(width)
    panels = [
        _panel(title, shown, data.history, wide, limit)
        for title, curves, limit in _contents(data.history)
        if (shown := {name: curve for name, curve in curves.items() if curve})
    ]
    if not panels:
        return None
    body, height = tiled(panels, width)
    return canvas(FIGURE.name, FIGURE.title, width, height, [body])


def _contents(history: History) -> list[tuple[str, dict[str, Curve], float | None]]:
    """(title, curves by name, value of the limit line) of every panel."""
    accuracy = {
        "validation": _curve(history, "validation_accuracy", 100),
        "training": _curve(history, "train_accuracy", 100),
    }
    layers = list(dict.fromkeys(name for e in history for name in e.bits))
    bits = {n: [(e.epoch, e.bits[n]) for e in history if n in e.bits] for n in layers}
    return [
        ("Accuracy (%)", accuracy, None),
        ("Training loss", {"loss": _curve(history, "train_loss")}, None),
        ("Demand over budget, scarcest resource", {"": _curve(history, "board_ratio")}, 1.0),
        ("Mean weight bits", bits, None),
        ("Weight of the board term", {"": _unless_zero(_curve(history, "board_lambda"))}, None),
    ]


def _unless_zero(curve: Curve) -> Curve:
    return curve if any(value for _, value in curve) else []


def _curve(history: History, field: str, factor: float = 1) -> Curve:
    pairs = ((e.epoch, getattr(e, field)) for e in history)
    return [(epoch, value * factor) for epoch, value in pairs if value is not None]


def _panel(
    title: str, curves: Mapping[str, Curve], history: History, width: float, limit: float | None
) -> Panel:
    values = [v for curve in curves.values() for _, v in curve] + ([limit] if limit else [])
    epochs = (history[0].epoch, history[-1].epoch)
    plot = Plot(LEFT, TOP, width - 6, TOP + PLOT, epochs, value_range(values))
    coloured = [(n, c, SERIES[i % len(SERIES)]) for i, (n, c) in enumerate(curves.items())]
    parts = [text(0, 12, title, 13, font_weight=600), plot.axes(), *_phases(history, plot)]
    parts += [plot.limit(limit)] if limit else []
    parts += [plot.curve(name, curve, colour) for name, curve, colour in coloured]
    parts += [_key([(n, colour) for n, _, colour in coloured], width)] if len(curves) > 1 else []
    return Panel("".join(parts), TOP + PLOT + 22)


def _phases(history: History, plot: Plot) -> list[str]:
    """Where a phase begins; nothing when there is one only."""
    starts = [(name, next(group).epoch) for name, group in groupby(history, lambda e: e.phase)]
    return [plot.boundary(epoch, name) for name, epoch in starts] if len(starts) > 1 else []


def _key(items: list[tuple[str, str]], width: float) -> str:
    most = max(2, int(width / 110))
    more = f"+ {len(items) - most} more" if len(items) > most else ""
    shown = [(shortened(name, 76, 11), colour) for name, colour in items[:most]]
    return legend(LEFT, 32, shown) + soft(width, 12, more, anchor="end")


FIGURE = Figure(
    "training",
    "Training",
    "By epoch. Accuracies are measured; the demand on the board is predicted analytically.",
    draw,
)
