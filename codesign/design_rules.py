"""The laws of a Design, as a table: `verify` checks all and names the place that breaks one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from math import prod

from codesign.blocks.base import Block, Port
from codesign.blocks.folds import MEMORIES
from codesign.board import Board
from codesign.cost.family import Family, load_family
from codesign.design import HOST, STYLE_LATENCY_CYCLES, Design, Stream
from codesign.errors import IllegalFold, InvariantBroken

# (where, what was found) of each breach of a rule.
Breaches = Iterator[tuple[str, str]]


def verify(design: Design) -> None:
    """Check every rule of `RULES`, then every folding.

    Raises InvariantBroken with the rule and the place, or IllegalFold from the block itself.
    """
    for rule, breaches in RULES:
        for where, found in breaches(design):
            raise InvariantBroken(
                f"design {design.name}, {where}: {rule}; found {found}; let `codesign estimate` "
                "build the design again",
                design=design.name,
                where=where,
                rule=rule,
            )
    for block in design.blocks:
        block.check()


def check_memories(design: Design, board: Board) -> None:
    """Raise IllegalFold for weights in a memory that the family of `board` lacks."""
    family = load_family(board.family)
    for block in design.blocks:
        check_memory(block, family)


def check_memory(block: Block, family: Family) -> None:
    """Raise IllegalFold for weights in a memory that `family` lacks."""
    if block.large_memories() and family.large is None:
        raise IllegalFold(
            f"{block.name}: memory 'large' must be a RAM of the device, and {family.title} has none "
            f"besides {family.block_ram}; choose 'lut' or 'block'",
            block=block.name,
            knob="memory",
            found=block.fold.memory,
            legal=MEMORIES,
        )


def _names(design: Design) -> Breaches:
    for name, count in Counter(b.name for b in design.blocks).items():
        if count > 1 or name == HOST or "." in name:
            yield f"block {name}", f"{count} of this name"


def _known_ends(design: Design) -> Breaches:
    ports = _ports(design)
    for stream in design.streams:
        for end, known in ((stream.source, ports[0]), (stream.target, ports[1])):
            if end != HOST and end not in known:
                yield f"stream {stream.name}", f"{end!r}"


def _connected_once(design: Design) -> Breaches:
    sources, targets = _ports(design)
    for known, used in (
        (sources, Counter(s.source for s in design.streams)),
        (targets, Counter(s.target for s in design.streams)),
    ):
        for end in (*known, HOST):
            if used[end] != 1:
                yield f"port {end}", f"{used[end]} streams"


def _shapes_agree(design: Design) -> Breaches:
    sources, targets = _ports(design)
    for stream in design.streams:
        for end, known in ((stream.source, sources), (stream.target, targets)):
            port = known.get(end)
            if port is not None and port != Port(
                stream.qtype, stream.lanes, stream.beats_per_frame
            ):
                found = f"{_shape(stream)} on the stream, {_shape(port)} at {end}"
                yield f"stream {stream.name}", found


def _depths(design: Design) -> Breaches:
    for stream in design.streams:
        if stream.depth < 1:
            yield f"stream {stream.name}", f"depth {stream.depth}"


def _styles(design: Design) -> Breaches:
    for stream in design.streams:
        if stream.style not in STYLE_LATENCY_CYCLES:
            yield f"stream {stream.name}", f"style {stream.style!r}"


def _host_shapes(design: Design) -> Breaches:
    for end, declared in (("source", design.input), ("target", design.output)):
        for stream in design.streams:
            sent = f"{stream.lanes * stream.beats_per_frame} of {stream.qtype}"
            said = f"{prod(declared.shape)} of {declared.qtype}"
            if getattr(stream, end) == HOST and sent != said:
                yield f"stream {stream.name}", f"{sent} on the stream, {said} declared"


def _no_cycle(design: Design) -> Breaches:
    """Blocks are taken off once nothing writes to them any more; what remains is a cycle."""
    edges = {(_owner(s.source), _owner(s.target)) for s in design.streams}
    edges = {e for e in edges if HOST not in e}
    while edges:
        inner = {e for e in edges if e[0] in {target for _, target in edges}}
        if inner == edges:
            yield "blocks", " and ".join(sorted({source for source, _ in edges}))
            return
        edges = inner


RULES: tuple[tuple[str, Callable[[Design], Breaches]], ...] = (
    ("block names are unique, hold no dot and are not 'host'", _names),
    ("a stream joins 'block.outN' to 'block.inN' of blocks that exist, or the host", _known_ends),
    ("every port, and each end of the host, has exactly one stream", _connected_once),
    ("both ends of a stream have its type, lanes and beats per frame", _shapes_agree),
    ("the host's streams carry what the design declares as its input and output", _host_shapes),
    ("a stream holds at least 1 token", _depths),
    (f"a FIFO is made of {', '.join(STYLE_LATENCY_CYCLES)}", _styles),
    ("no block waits for itself through a cycle of streams", _no_cycle),
)


def _ports(design: Design) -> tuple[dict[str, Port], dict[str, Port]]:
    """Source ports and target ports of all blocks, by the name a stream uses."""
    sources, targets = {}, {}
    for block in design.blocks:
        sources |= {f"{block.name}.out{i}": p for i, p in enumerate(block.outputs())}
        targets |= {f"{block.name}.in{i}": p for i, p in enumerate(block.inputs())}
    return sources, targets


def _shape(end: Port | Stream) -> str:
    return f"{end.lanes} lanes of {end.qtype}, {end.beats_per_frame} beats"


def _owner(end: str) -> str:
    return end.rpartition(".")[0] or end
