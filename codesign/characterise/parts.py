"""A network too large for one run of Yosys: its blocks one by one, then what joins them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import msgspec

from codesign.blocks.base import Params
from codesign.cost.family import Family, load_family
from codesign.design import Design
from codesign.rtl.alone import modules_of, port_widths, wrapped
from codesign.rtl.top import instances, top_text
from codesign.tools.yosys import Job, Synthesis, synthesise

GLUE = "glue"
# Of the header of a module of hw/: all up to the end of its port list.
HEADER = re.compile(r"\bmodule\s+\w+.*?\n\);", re.DOTALL)


class Part(msgspec.Struct, frozen=True):
    """A module of the top that was synthesised out of context: the blocks that are copies of it, or
    "glue" for the FIFOs, the adapters and the wires between black boxes."""

    blocks: tuple[str, ...]
    synthesis: Synthesis


@dataclass(frozen=True)
class Piece:
    """A part before synthesis."""

    blocks: tuple[str, ...]
    job: Job


def pieces(
    design: Design, params: Params, family: str, options: tuple[str, ...], native: bool = False
) -> list[Piece]:
    """Each distinct block of `design` with its constants, and the glue; copies share a piece."""
    known = load_family(family)
    copies: dict[tuple[tuple[str, str], ...], list[str]] = {}
    for name, sources in _alone(design, params, known):
        copies.setdefault(tuple(sorted(sources.items())), []).append(name)
    blocks = [
        Piece(tuple(names), Job(dict(sources), "part", family, options=options, native=native))
        for sources, names in copies.items()
    ]
    glue = Job(_glue(design, params, known), "top", family, options=options, native=native)
    return [*blocks, Piece((GLUE,), glue)]


def synthesise_pieces(waiting: Sequence[Piece], timeout_s: float) -> Iterator[Part]:
    """The parts, one at a time; those that the user's cache has cost nothing. Raises as
    `synthesise`."""
    for piece in waiting:
        yield Part(piece.blocks, synthesise(piece.job, timeout_s))


def together(parts: Sequence[Part]) -> Synthesis:
    """The cells of all copies of all parts; the longest path is that of the slowest part."""
    cells: Counter[str] = Counter()
    for part in parts:
        for cell, number in part.synthesis.cells.items():
            cells[cell] += number * len(part.blocks)
    first = parts[0].synthesis
    delays_ps = [p.synthesis.logic_ps for p in parts if p.synthesis.logic_ps is not None]
    seconds = round(sum(part.synthesis.seconds for part in parts), 2)
    return Synthesis(
        first.tool,
        first.version,
        first.family,
        dict(sorted(cells.items())),
        max(delays_ps, default=None),
        seconds,
    )


def black_boxes(sources: Mapping[str, str]) -> str:
    """The modules of `sources` without their insides."""
    headers = (HEADER.search(text).group() for text in sources.values())
    return "".join(f"(* blackbox *)\n{header}\nendmodule\n" for header in headers)


def _alone(design: Design, params: Params, family: Family) -> Iterator[tuple[str, dict[str, str]]]:
    for name, rtl in instances(design, params, family).items():
        yield name, wrapped(rtl, port_widths(design.block(name)), "part")


def _glue(design: Design, params: Params, family: Family) -> dict[str, str]:
    rtls = instances(design, params, family)
    blocks = {
        f"{rtl.module}.sv": modules_of(rtl.module)[f"{rtl.module}.sv"] for rtl in rtls.values()
    }
    own = modules_of("axis_in", "axis_out", "channel", "loader", "large_ram")
    return own | {"blocks.sv": black_boxes(blocks), "top.sv": top_text(design, rtls)}
