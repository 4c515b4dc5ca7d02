"""What FIFOs are made of, chosen for the board behind their depths."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from codesign.design import STYLE_LATENCY_CYCLES, Design, Stream


def tokens_of(stream: Stream) -> int:
    """Tokens that the FIFO holds beside the latency of its style."""
    return stream.depth - STYLE_LATENCY_CYCLES[stream.style]


def fifos_of(design: Design, fifos: Mapping[str, tuple[str, int]]) -> Design:
    """`design` with (style, depth) of each stream."""

    def sized(stream: Stream) -> Stream:
        style, depth = fifos[stream.name]
        return msgspec.structs.replace(stream, style=style, depth=depth)

    return msgspec.structs.replace(design, streams=tuple(map(sized, design.streams)))
