"""Numbers as people read them; the unit stands in the text or in the header of the column."""

from __future__ import annotations

from typing import TYPE_CHECKING

from codesign.cost.verdict import word as resource_name

if TYPE_CHECKING:
    from codesign.report.data import StartupPart

__all__ = [
    "bounded",
    "bounds",
    "count",
    "megahertz",
    "percent",
    "rate",
    "resource_name",
    "seconds",
    "shape",
    "startup",
]


def count(value: float | None) -> str:
    """A count with thousands separators: 12345.4 is "12,345"; halves of a small count are kept."""
    if value is None:
        return "–"
    if abs(value) < 100 and abs(value - round(value)) > 0.05:
        return f"{value:.1f}"
    return f"{value:,.0f}"


def bounds(low: float | None, high: float | None) -> str:
    """An interval: "1,150–1,360"; empty where there is none or nothing between its ends."""
    if low is None or high is None or round(low) >= round(high):
        return ""
    return f"{low:,.0f}–{high:,.0f}"


def bounded(value: float | None, low: float | None, high: float | None) -> str:
    """A count and its interval: "1,234 (1,150–1,360)"."""
    interval = bounds(low, high)
    return f"{count(value)} ({interval})" if interval else count(value)


def percent(fraction: float | None, digits: int = 0) -> str:
    """A fraction in percent: 0.123 is "12 %"; what is not zero never reads as "0 %"."""
    if fraction is None:
        return "–"
    if 0 < fraction < 0.5 * 10 ** -(digits + 2):
        return "< 1 %" if digits == 0 else f"< {10**-digits:.{digits}f} %"
    return f"{fraction * 100:,.{digits}f} %"


def seconds(value: float | None) -> str:
    """A duration in the unit that suits it: 0.00123 is "1.23 ms"."""
    if value is None:
        return "–"
    for limit, factor, unit in ((1e-6, 1e9, "ns"), (1e-3, 1e6, "µs"), (1, 1e3, "ms")):
        if value < limit:
            return f"{value * factor:.3g} {unit}"
    return f"{value:.3g} s" if value < 120 else f"{value / 60:.1f} min"


def rate(fps: float | None) -> str:
    """Frames per second: three significant digits below 100, whole numbers above."""
    if fps is None:
        return "–"
    return f"{fps:.3g}" if fps < 100 else f"{fps:,.0f}"


def startup(part: StartupPart) -> str:
    """The time of loading in words."""
    return (
        f"memories are loaded in {count(part.cycles)} cycles ({seconds(part.seconds)}) before the "
        f"first frame ({part.source})"
    )


def megahertz(hz: float) -> str:
    """A clock: 100e6 is "100 MHz"."""
    return f"{hz / 1e6:g} MHz"


def shape(values: tuple[int, ...]) -> str:
    """A shape: (28, 28, 1) is "28 × 28 × 1"."""
    return " × ".join(map(str, values)) or "scalar"
