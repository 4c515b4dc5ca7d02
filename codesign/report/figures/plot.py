"""A small line plot: the map from values to pixels, its axes, its curves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, floor

from codesign.report.colours import GRID, RED
from codesign.report.svg import circle, line, path, soft

Curve = Sequence[tuple[float, float]]


@dataclass(frozen=True)
class Plot:
    """A plotting area in pixels and the ranges of values it shows."""

    left: float
    top: float
    right: float
    bottom: float
    x_range: tuple[float, float]
    y_range: tuple[float, float]

    def x(self, value: float) -> float:
        """Pixel column of `value`."""
        low, high = self.x_range
        return self.left + (self.right - self.left) * (value - low) / ((high - low) or 1)

    def y(self, value: float) -> float:
        """Pixel row of `value`."""
        low, high = self.y_range
        return self.bottom - (self.bottom - self.top) * (value - low) / ((high - low) or 1)

    def axes(self) -> str:
        """Horizontal grid lines with their values, and whole numbers below."""
        rows = "".join(
            line(self.left, self.y(t), self.right, self.y(t))
            + soft(self.left - 6, self.y(t) + 4, f"{t:g}", anchor="end")
            for t in ticks(*self.y_range, 4)
        )
        whole = sorted({round(t) for t in ticks(*self.x_range, 6)})
        inside = [t for t in whole if self.x_range[0] <= t <= self.x_range[1]]
        return rows + "".join(
            soft(self.x(t), self.bottom + 16, str(t), anchor="middle") for t in inside
        )

    def limit(self, value: float) -> str:
        """A dashed line across at `value`."""
        y = self.y(value)
        return line(self.left, y, self.right, y, RED, stroke_dasharray="5 3")

    def boundary(self, value: float, label: str) -> str:
        """A vertical line at `value` with a word at its top: where a phase begins."""
        x = self.x(value)
        rule = line(x, self.top, x, self.bottom, GRID, stroke_dasharray="2 2")
        return rule + soft(x, self.top - 5, label, 10)

    def curve(self, name: str, points: Curve, colour: str) -> str:
        """A line with dots that tell their values."""
        way = " L".join(f"{self.x(a):.1f} {self.y(b):.1f}" for a, b in points)
        size = 2.2 if len(points) < 60 else 1.2
        dots = (
            circle(self.x(a), self.y(b), size, colour, f"{name}, {a}: {b:.4g}") for a, b in points
        )
        return path(f"M{way}", colour, 1.8) + "".join(dots)


def value_range(values: Sequence[float]) -> tuple[float, float]:
    """Range with a little air; from zero where the values come near it."""
    low, high = min(values), max(values)
    air = (high - low) * 0.06 or max(abs(high) * 0.05, 0.05)
    return (0.0 if 0 <= low < high * 0.5 else low - air), high + air


def ticks(low: float, high: float, wanted: int) -> list[float]:
    """About `wanted` round values inside [low, high]."""
    raw = (high - low) / wanted
    if raw <= 0:
        return [low]
    power = 10.0 ** _decade(raw)
    step = next(m * power for m in (1, 2, 5, 10) if m * power >= raw * 0.999)
    first, last = ceil(low / step - 1e-9), floor(high / step + 1e-9)
    return [round(i * step, 12) for i in range(first, last + 1)]


def _decade(value: float) -> int:
    return int(f"{value:e}".split("e")[1])
