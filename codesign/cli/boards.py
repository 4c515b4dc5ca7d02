"""`codesign boards`: what the boards hold and where the numbers come from."""

from __future__ import annotations

from typing import Annotated

import typer

from codesign.cli import show


def boards(
    json: Annotated[bool, typer.Option("--json", help="Print JSON with all numbers.")] = False,
) -> None:
    """List the boards with what their parts hold and how much of it a design may use.

    Example: codesign boards --json
    """
    from codesign.board import all_boards

    known = all_boards()
    if json:
        show.print_json([_entry(board) for board in known])
        return
    from codesign.report.format import count, megahertz

    rows = [
        (
            b.name,
            b.part,
            *(count(n) for n in (b.counts.lut, b.counts.ff, b.counts.dsp)),
            ", ".join(f"{count(n)} {kind}" for kind, n in b.counts.ram.items() if n),
            megahertz(b.clock_hz),
            f"{b.memory_bandwidth_bytes_per_s / 1e9:.3g}",
        )
        for b in known
    ]
    columns = ("Board", "Part", "LUT", "FF", "DSP", "Memories", "Clock", "Host memory (GB/s)")
    caption = "Whole device, from data sheets; --json also gives the usable budget and each source."
    show.print_table("Boards", columns, rows, caption, left=2, optional=(*columns[7:5:-1], "Part"))


def _entry(board) -> dict[str, object]:
    return {
        "name": board.name,
        "title": board.title,
        "part": board.part,
        "family": board.family,
        "clock_hz": board.clock_hz,
        "stream_bits": board.stream_bits,
        "memory_bandwidth_bytes_per_s": board.memory_bandwidth_bytes_per_s,
        "device": board.resources.flat(),
        "budget": board.budget().flat(),
        "source": board.source.strip(),
    }
