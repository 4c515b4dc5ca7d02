"""Laws that hold for every block, every example and every folding.

A new block joins by its line in BLOCKS; without examples, a naive function and a closed form of its
interval it fails here.
"""

from __future__ import annotations

from pathlib import Path

import msgspec
import numpy as np
import pytest

from codesign.blocks import BLOCKS, AnyBlock
from codesign.blocks.base import Block, Fold, ParamRef
from codesign.blocks.samples import sample
from codesign.cost.family import load_family
from codesign.design import (
    Design,
    HostInput,
    HostOutput,
    Stream,
    load_design,
    load_params,
    save_design,
)
from codesign.errors import IllegalFold
from codesign.types import QType
from tests.conformance.naive import CLOSED_FORM, NAIVE
from tests.conformance.roster import EXAMPLES, FOLDED, leaves, missing
from tests.conformance.stepping import interval_cycles, run

FRAMES = 3


def test_every_block_takes_part() -> None:
    shipped = {cls for cls in leaves(Block) if cls.__module__.startswith("codesign.")}
    assert {cls.__name__: missing(cls) for cls in shipped | set(BLOCKS) if missing(cls)} == {}
    assert all(type(block) is cls for cls in BLOCKS for block, _ in cls.examples())


def test_a_block_without_examples_is_noticed() -> None:
    class Bare(Block, frozen=True):
        """A block that answers nothing."""

    assert missing(Bare) == [
        "examples",
        "a naive function",
        "a closed form of its interval",
        "a line in BLOCKS",
    ]


@pytest.mark.parametrize(("block", "params"), EXAMPLES)
def test_law_1_function_is_the_naive_one(block: Block, params: dict) -> None:
    frames = [
        sample(port.qtype, FRAMES, port.elements, seed=7 + i)
        for i, port in enumerate(block.inputs())
    ]
    results = block.execute(params, *frames)
    ports = block.outputs()
    assert [r.shape for r in results] == [(FRAMES, p.elements) for p in ports]
    for frame in range(FRAMES):
        expected = NAIVE[type(block)](block, params, *(x[frame].tolist() for x in frames))
        assert [r[frame].tolist() for r in results] == expected
    for result, port in zip(results, ports, strict=True):
        assert np.issubdtype(result.dtype, np.integer)
        assert port.qtype.min <= result.min() and result.max() <= port.qtype.max


@pytest.mark.parametrize(("block", "params"), EXAMPLES)
def test_law_1_holds_at_the_ends_of_the_input_type(block: Block, params: dict) -> None:
    for end in ("min", "max"):
        frames = [np.full((1, p.elements), getattr(p.qtype, end)) for p in block.inputs()]
        expected = NAIVE[type(block)](block, params, *(x[0].tolist() for x in frames))
        assert [r[0].tolist() for r in block.execute(params, *frames)] == expected


@pytest.mark.parametrize("block", FOLDED)
def test_law_5_interval_is_closed_form_and_stepped(block: Block) -> None:
    interval = block.program().interval_cycles
    assert interval == CLOSED_FORM[type(block)](block)
    frames = 4
    assert interval_cycles(block, run(block, frames), frames) == interval


@pytest.mark.parametrize("block", FOLDED)
def test_law_5_program_moves_the_beats_of_the_ports(block: Block) -> None:
    state = run(block, 2)
    for i, port in enumerate(block.inputs()):
        assert state.fifos[f"in{i}"].released == 2 * port.beats_per_frame
    for i, port in enumerate(block.outputs()):
        assert state.fifos[f"out{i}"].written == 2 * port.beats_per_frame
    for channel in block.program().channels:
        fifo = state.fifos[channel.name]
        assert fifo.released == fifo.written, f"{channel.name} keeps tokens between frames"


@pytest.mark.parametrize(("block", "params"), EXAMPLES)
def test_law_7_illegal_folds_name_legal_values(block: Block, params: dict) -> None:
    legal = block.legal_folds()
    for fold in legal:
        block.folded(fold)
    largest = max(f.pe for f in legal)
    for knob, value, text in (
        ("pe", largest + 1, "nearest legal|must be 1"),
        ("pe", 0, "nearest legal|must be 1"),
        ("simd", max(f.simd for f in legal) + 1, "nearest legal|must be 1"),
        ("multiplier", "magic", "must be lut"),
        ("memory", "paper", "must be lut"),
    ):
        with pytest.raises(IllegalFold, match=text) as raised:
            block.folded(msgspec.structs.replace(Fold(), **{knob: value}))
        assert block.name in raised.value.message and knob in raised.value.message
        assert raised.value.fields["found"] == value
        assert raised.value.fields["legal"]


@pytest.mark.parametrize(("block", "params"), EXAMPLES)
def test_legal_folds_are_distinct_and_sorted(block: Block, params: dict) -> None:
    legal = block.legal_folds()
    assert len(set(legal)) == len(legal) and legal[0] == Fold()
    work = [f.pe * f.simd for f in legal]
    assert work == sorted(work)
    intervals = [block.folded(f).program().interval_cycles for f in (legal[0], legal[-1])]
    assert intervals[0] >= intervals[1]


@pytest.mark.parametrize("block", FOLDED)
def test_law_8_block_survives_json(block: Block) -> None:
    text = msgspec.json.encode(block)
    assert msgspec.json.decode(text, type=AnyBlock) == block


def test_law_8_design_of_every_block_survives_its_file(tmp_path: Path) -> None:
    blocks = tuple(block for cls in BLOCKS for block, _ in cls.examples())
    params = {
        f"{b.name}.{n}": v for cls in BLOCKS for b, ps in cls.examples() for n, v in ps.items()
    }
    port = blocks[0].inputs()[0]
    stream = Stream("host", f"{blocks[0].name}.in0", port.qtype, port.lanes, port.beats_per_frame)
    design = Design(
        name="all",
        board="pynq-z1",
        clock_hz=1e8,
        input=HostInput("x", (2, 6), (6, 2), port.qtype, 1 / 255),
        output=HostOutput("y", (1,), QType(4, False), "class"),
        blocks=blocks,
        streams=(stream,),
        origins={blocks[0].name: ("conv1.weight",)},
    )
    save_design(design, params, tmp_path)
    assert load_design(tmp_path) == design
    found = load_params(tmp_path)
    assert found.keys() == params.keys()
    assert all(np.array_equal(found[name], params[name]) for name in params)


@pytest.mark.parametrize(("block", "params"), EXAMPLES)
def test_parameters_are_those_the_references_describe(block: Block, params: dict) -> None:
    assert {ref.name for ref in block.params} == set(params)
    for ref in block.params:
        assert isinstance(ref, ParamRef)
        values = params[ref.name]
        assert values.shape == ref.shape
        assert ref.qtype.min <= values.min() and values.max() <= ref.qtype.max


@pytest.mark.parametrize("family", ["xc7", "xcup", "ecp5", "ice40"])
@pytest.mark.parametrize(("block", "params"), EXAMPLES)
def test_cost_is_given_for_every_fold_and_family(block: Block, params: dict, family: str) -> None:
    device = load_family(family)
    for fold in block.folds_on(device):
        folded = block.folded(fold)
        terms = folded.cost_terms(device)
        assert terms and all(v >= 0 for t in terms for v in t.resources.flat().values())
        assert folded.cost(device).lut > 0


@pytest.mark.parametrize(("block", "params"), EXAMPLES)
def test_same_types_give_the_same_block(block: Block, params: dict) -> None:
    assert block.retyped(*(p.qtype for p in block.inputs())) == block


@pytest.mark.parametrize(("block", "params"), EXAMPLES)
def test_wider_inputs_are_carried_and_cost_no_less(block: Block, params: dict) -> None:
    device = load_family("xc7")
    wider = block.retyped(*(QType(p.qtype.bits + 3, p.qtype.signed) for p in block.inputs()))
    wider.check()
    assert [p.qtype.bits - 3 for p in wider.inputs()] == [p.qtype.bits for p in block.inputs()]
    assert [p.beats_per_frame for p in wider.outputs()] == [
        p.beats_per_frame for p in block.outputs()
    ]
    assert wider.cost(device).lut >= block.cost(device).lut
