"""Each rule of a design, broken by hand."""

import msgspec
import pytest

from codesign.blocks.base import Fold
from codesign.board import load_board
from codesign.design_rules import verify
from codesign.errors import IllegalFold, InvariantBroken
from codesign.lowering import assemble
from codesign.types import QType
from tests.small_graphs import cnn, mlp, residual

BOARD = load_board("pynq-z1")
DESIGN = assemble(mlp(), {}, BOARD)
replaced = msgspec.structs.replace


def _with_stream(index, **changes):
    streams = list(DESIGN.streams)
    streams[index] = replaced(streams[index], **changes)
    return replaced(DESIGN, streams=tuple(streams))


@pytest.mark.parametrize("graph", [mlp(), cnn(), residual()], ids=lambda g: g.name)
def test_what_lowering_makes_is_sound(graph):
    verify(assemble(graph, {}, BOARD))


@pytest.mark.parametrize(
    ("broken", "text"),
    [
        (replaced(DESIGN, blocks=(*DESIGN.blocks, DESIGN.blocks[0])), "unique"),
        (_with_stream(1, target="ghost.in0"), "ghost"),
        (replaced(DESIGN, streams=DESIGN.streams[:-1]), "exactly one stream"),
        (replaced(DESIGN, streams=(*DESIGN.streams, DESIGN.streams[1])), "exactly one stream"),
        (_with_stream(1, qtype=QType(30)), "type, lanes and beats"),
        (_with_stream(1, lanes=2), "type, lanes and beats"),
        (_with_stream(1, beats_per_frame=3), "type, lanes and beats"),
        (_with_stream(1, depth=0), "at least 1 token"),
        (_with_stream(1, style="paper"), "paper"),
        (replaced(DESIGN, output=replaced(DESIGN.output, shape=(7,))), "input and output"),
    ],
)
def test_a_broken_rule_is_named(broken, text):
    with pytest.raises(InvariantBroken, match=text):
        verify(broken)


def test_a_cycle_is_found():
    design = assemble(residual(), {}, BOARD)
    ends = {s.source: s for s in design.streams}
    first, back = ends["stem_fork.out0"], ends["act1.out0"]
    swap = {
        first.name: replaced(first, target=back.target),
        back.name: replaced(back, target=first.target),
    }
    streams = tuple(swap.get(s.name, s) for s in design.streams)
    with pytest.raises(InvariantBroken, match=r"waits for itself.*conv0"):
        verify(replaced(design, streams=streams))


def test_an_illegal_folding_is_found():
    blocks = (replaced(DESIGN.blocks[0], fold=Fold(multiplier="abacus")), *DESIGN.blocks[1:])
    with pytest.raises(IllegalFold, match="abacus"):
        verify(replaced(DESIGN, blocks=blocks))
