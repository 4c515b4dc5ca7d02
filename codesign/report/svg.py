"""The few SVG elements that the figures are made of.

Text is sized in the units of the view box, which is about one CSS pixel, because every figure is
drawn once for a wide and once for a narrow screen.
"""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

from codesign.report.colours import GRID, INK, SOFT

CHAR_WIDTH = 0.6
"""Mean width of a character over the font size: enough to decide what must be shortened."""


def element(tag: str, *inner: str, **attributes: object) -> str:
    """One element around SVG text; `stroke_width=2` becomes stroke-width="2", a trailing underscore is dropped."""
    pairs = ((k.rstrip("_").replace("_", "-"), v) for k, v in attributes.items() if v is not None)
    written = "".join(f' {k}="{escape(_number(v))}"' for k, v in pairs)
    return f"<{tag}{written}>{''.join(inner)}</{tag}>"


def _number(value: object) -> str:
    return f"{value:.2f}".rstrip("0").rstrip(".") if isinstance(value, float) else str(value)


def rect(x: float, y: float, w: float, h: float, fill: str, tip: str = "", **more: object) -> str:
    """A rectangle; `tip` is shown when the pointer rests on it."""
    inner = tooltip(tip) if tip else ""
    return element("rect", inner, x=x, y=y, width=max(w, 0), height=max(h, 0), fill=fill, **more)


def tooltip(words: str) -> str:
    """What is shown when the pointer rests on the element that this stands in."""
    return element("title", escape(words))


def line(x1: float, y1: float, x2: float, y2: float, stroke: str = GRID, **more: object) -> str:
    """A straight line."""
    return element("line", x1=x1, y1=y1, x2=x2, y2=y2, stroke=stroke, **more)


def path(d: str, stroke: str, width: float = 1.5, **more: object) -> str:
    """An open path without filling."""
    return element("path", d=d, fill="none", stroke=stroke, stroke_width=width, **more)


def circle(x: float, y: float, r: float, fill: str, tip: str = "", **more: object) -> str:
    """A dot; `tip` is shown when the pointer rests on it."""
    inner = tooltip(tip) if tip else ""
    return element("circle", inner, cx=x, cy=y, r=r, fill=fill, **more)


def text(
    x: float,
    y: float,
    content: str,
    size: float = 12,
    fill: str = INK,
    anchor: str = "start",
    **more: object,
) -> str:
    """A line of text whose baseline is at `y`; `anchor` is start, middle or end."""
    return element(
        "text", escape(content), x=x, y=y, font_size=size, fill=fill, text_anchor=anchor, **more
    )


def soft(x: float, y: float, content: str, size: float = 11, anchor: str = "start") -> str:
    """Secondary text: axis labels, units."""
    return text(x, y, content, size, SOFT, anchor)


def shortened(content: str, width: float, size: float = 12) -> str:
    """`content`, cut in the middle when it is wider than `width`: names differ at both ends."""
    room = max(3, int(width / (size * CHAR_WIDTH)))
    if len(content) <= room:
        return content
    head = (room - 1) // 2
    return f"{content[:head]}…{content[len(content) - (room - 1 - head) :]}"


def canvas(name: str, title: str, width: float, height: float, body: Iterable[str]) -> str:
    """A whole figure called `name`; `title` is what a screen reader says."""
    return element(
        "svg",
        *body,
        viewBox=f"0 0 {round(width)} {round(height)}",
        role="img",
        aria_label=title,
        data_figure=name,
        preserveAspectRatio="xMinYMin meet",
    )


def legend(x: float, y: float, items: Iterable[tuple[str, str]], size: float = 11) -> str:
    """Small coloured squares with their names, in one row from `x`; items are (name, colour)."""
    parts = []
    for name, colour in items:
        parts += [rect(x, y - 9, 10, 10, colour, rx=2), soft(x + 14, y, name, size)]
        x += 14 + len(name) * size * CHAR_WIDTH + 14
    return "".join(parts)
