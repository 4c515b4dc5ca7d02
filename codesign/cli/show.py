"""What commands print: tables for people, JSON for programs."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

PIPE_WIDTH = 140
"""Columns of text when the output is no terminal: wide enough that no table is folded."""
ENDLESS = 10_000


def print_json(value: object) -> None:
    """`value` (structs, mappings, numbers) as indented JSON on stdout."""
    import msgspec

    text = msgspec.json.format(msgspec.json.encode(value), indent=2).decode()
    sys.stdout.write(text + "\n")


def print_line(text: str = "", style: str = "") -> None:
    """One line of text, never folded."""
    console().print(text, style=style, markup=False, highlight=False, soft_wrap=True)


def print_aside(text: str) -> None:
    """Lines on stderr: what a person wants to know while stdout holds the answer."""
    sys.stderr.write(text + "\n")


def print_table(
    title: str,
    columns: Sequence[str],
    rows: Iterable[Sequence[str]],
    caption: str = "",
    left: int = 1,
    optional: Sequence[str] = (),
) -> None:
    """A table whose first `left` columns are words and whose others are numbers.

    Units stand in the headers, the source of the numbers in `caption`. On a narrow terminal the
    `optional` columns are left out, in this order: a number is never cut.
    """
    found, out, dropped = list(rows), console(), []
    kept = list(columns)
    table = _table(title, columns, found, kept, left)
    for name in optional:
        if out.measure(table, options=out.options.update_width(ENDLESS)).maximum <= out.width:
            break
        kept.remove(name)
        dropped.append(name)
        table = _table(title, columns, found, kept, left)
    hidden = f" Left out for want of width: {', '.join(dropped)}." if dropped else ""
    table.caption = caption + hidden
    out.print(table)


def _table(
    title: str, columns: Sequence[str], rows: list[Sequence[str]], kept: list[str], left: int
) -> Any:
    """The columns named in `kept`; words may be folded, numbers not."""
    from rich import box
    from rich.table import Table
    from rich.text import Text

    table = Table(
        title=title,
        box=box.SIMPLE_HEAD,
        title_justify="left",
        caption_justify="left",
        title_style="bold",
        pad_edge=False,
    )
    shown = [i for i, name in enumerate(columns) if name in kept]
    for i in shown:
        if i < left:
            table.add_column(columns[i], min_width=8, overflow="fold")
        else:
            table.add_column(columns[i], justify="right", no_wrap=True)
    for row in rows:
        table.add_row(*(Text(row[i]) for i in shown))
    return table


@contextmanager
def busy(words: str) -> Iterator[None]:
    """A spinner with `words` on stderr while the body runs; nothing where that is no terminal."""
    from rich.console import Console

    error = Console(stderr=True)
    if not error.is_terminal:
        yield
        return
    with error.status(words):
        yield


def console() -> Any:
    """A console on stdout as it is now."""
    from rich.console import Console

    width = None if sys.stdout.isatty() else PIPE_WIDTH
    return Console(highlight=False, width=width)
