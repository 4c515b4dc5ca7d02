"""Gives the streams of an assembled design the styles that the search has chosen."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from codesign.blocks.fork import Fork
from codesign.blocks.width_converter import WidthConverter
from codesign.design import HOST, STYLE_LATENCY_CYCLES, Design, Stream

# By the end that a tensor leaves ("act0.out0", "host"): style of its stream, then of those behind its
# fork. By the end that it reaches ("fc1.in0", "host."): styles of the streams behind its converters.
Styles = dict[str, tuple[str, ...]]
HOST_OUTPUT = f"{HOST}."


def styled(design: Design, styles: Mapping[str, tuple[str, ...]]) -> Design:
    """`design` with these styles, depths adapted to their latency; others stay."""
    finder = _Finder(design)
    streams = []
    for stream in design.streams:
        end, number = finder.place(stream)
        chosen = styles.get(end, ())
        style = chosen[number] if number < len(chosen) else stream.style
        tokens = stream.depth - STYLE_LATENCY_CYCLES[stream.style]
        depth = tokens + STYLE_LATENCY_CYCLES[style]
        streams.append(msgspec.structs.replace(stream, style=style, depth=depth))
    return msgspec.structs.replace(design, streams=tuple(streams))


class _Finder:
    """Where a stream stands between the blocks of the graph."""

    def __init__(self, design: Design) -> None:
        self.blocks = {block.name: block for block in design.blocks}
        self.into = {s.target: s for s in design.streams}
        self.from_ = {s.source: s for s in design.streams if s.source != HOST}

    def place(self, stream: Stream) -> tuple[str, int]:
        """(end that decides its style, number among the streams of that end)."""
        name = stream.source.rpartition(".")[0]
        block = self.blocks.get(name)
        if isinstance(block, Fork):
            return self.into[f"{name}.in0"].source, 1
        if isinstance(block, WidthConverter):
            return self._reached(stream), self._hop(name)
        return stream.source, 0

    def _hop(self, converter: str) -> int:
        """1 for the second of two converters in a row, else 0."""
        before = self.into[f"{converter}.in0"].source.rpartition(".")[0]
        return int(isinstance(self.blocks.get(before), WidthConverter))

    def _reached(self, stream: Stream) -> str:
        """The end of the graph that a stream leads to, through converters."""
        name = stream.target.rpartition(".")[0]
        if isinstance(self.blocks.get(name), WidthConverter):
            return self._reached(self.from_[f"{name}.out0"])
        return HOST_OUTPUT if stream.target == HOST else stream.target
