"""A network too large for one run of Yosys: its blocks one by one, then what joins them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import msgspec

from codesign.blocks.base import Params
from codesign.cost.family import load_family
from codesign.design import Design
from codesign.rtl.alone import modules_of, port_widths, side_by_side, wrapped
from codesign.rtl.instance import Rtl
from codesign.rtl.top import instances, top_text
from codesign.tools.yosys import (
    Job,
    Synthesis,
    SynthesisFailed,
    synthesise,
    synthesise_parts,
)

GLUE = "glue"
# Blocks in one run of Yosys: reading the libraries takes longer than a small block.
TOGETHER = 8
# Of the header of a module of hw/: all up to the end of its port list.
HEADER = re.compile(r"\bmodule\s+\w+.*?\n\);", re.DOTALL)


class Part(msgspec.Struct, frozen=True):
    """A module of the top that was synthesised out of context: the blocks that are copies of it, or
    "glue" for the FIFOs, the adapters and the wires between black boxes."""

    blocks: tuple[str, ...]
    synthesis: Synthesis


@dataclass(frozen=True)
class Piece:
    """A part before synthesis: its sources for a module called `name`, with `widths` of its ports."""

    blocks: tuple[str, ...]
    name: str
    sources: Mapping[str, str]
    widths: Mapping[str, int]


@dataclass(frozen=True)
class Way:
    """How the pieces are synthesised; `timeout_s` is for one of them."""

    family: str
    options: tuple[str, ...]
    native: bool = False
    timeout_s: float = 3600

    def job(self, sources: Mapping[str, str], top: str) -> Job:
        """One run of Yosys."""
        return Job(sources, top, self.family, options=self.options, native=self.native)


def pieces(design: Design, params: Params, family: str) -> list[Piece]:
    """Each distinct block of `design` with its constants, and the glue; copies share a piece."""
    rtls = instances(design, params, load_family(family))
    copies: dict[str, list[str]] = {}
    for name, rtl in rtls.items():
        sources = wrapped(rtl, port_widths(design.block(name)), "part")
        copies.setdefault(repr(sorted(sources.items())), []).append(name)
    found = [_piece(design, rtls, tuple(names), i) for i, names in enumerate(copies.values())]
    return [*found, Piece((GLUE,), "top", _glue(design, rtls), {})]


def synthesise_pieces(waiting: Sequence[Piece], way: Way) -> Iterator[Part]:
    """The parts in turn, some in one run; runs that the user's cache has cost nothing. Raises as
    `synthesise`."""
    blocks, glue = waiting[:-1], waiting[-1]
    for start in range(0, len(blocks), TOGETHER):
        yield from _run(blocks[start : start + TOGETHER], way)
    yield Part(glue.blocks, synthesise(way.job(glue.sources, glue.name), way.timeout_s))


def _run(batch: Sequence[Piece], way: Way) -> list[Part]:
    """The parts of a run; when it fails, each alone: large modules may need all the memory."""
    sources = {name: text for piece in batch for name, text in piece.sources.items()}
    widths = {piece.name: piece.widths for piece in batch}
    sources["batch.sv"] = side_by_side("batch", widths)
    try:
        done = synthesise_parts(
            way.job(sources, "batch"), tuple(widths), way.timeout_s * len(batch)
        )
    except SynthesisFailed:
        if len(batch) == 1:
            raise
        return [part for piece in batch for part in _run((piece,), way)]
    return [Part(piece.blocks, found) for piece, found in zip(batch, done, strict=True)]


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


def _piece(design: Design, rtls: Mapping[str, Rtl], names: tuple[str, ...], place: int) -> Piece:
    widths, module = port_widths(design.block(names[0])), f"part_{place}"
    return Piece(names, module, wrapped(rtls[names[0]], widths, module), widths)


def _glue(design: Design, rtls: Mapping[str, Rtl]) -> dict[str, str]:
    files = (f"{rtl.module}.sv" for rtl in rtls.values())
    blocks = {name: modules_of(name.removesuffix(".sv"))[name] for name in files}
    own = modules_of("axis_in", "axis_out", "channel", "loader", "large_ram")
    return own | {"blocks.sv": black_boxes(blocks), "top.sv": top_text(design, rtls)}
