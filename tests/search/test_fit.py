"""Fit over boards: rows keep what the plan says, and the help that is named helps."""

import json

import msgspec
import pytest

from codesign import api
from codesign.board import load_board
from codesign.cli import main
from codesign.cost.estimate import estimate
from codesign.design import save_design
from codesign.errors import BadInput
from codesign.lowering import assemble
from codesign.search.fit import fit
from codesign.search.folding import find_folds
from codesign.search.plan import plan
from tests.small_graphs import cnn, mlp, residual

PYNQ = load_board("pynq-z1")


@pytest.fixture
def folder(tmp_path):
    """A saved design of a small network."""
    graph = mlp((64, 64, 10))
    save_design(assemble(graph, {}, PYNQ), graph.params, tmp_path)
    return tmp_path


def _with(board, **counts):
    ram = dict(board.counts.ram) | counts.pop("ram", {})
    return msgspec.structs.replace(
        board, counts=msgspec.structs.replace(board.counts, **counts, ram=ram)
    )


def test_a_row_is_the_plan_of_its_board():
    graph, boards = cnn(8), [PYNQ.share(0.05), PYNQ, load_board("icebreaker")]
    for row, board in zip(fit(graph, boards), boards, strict=True):
        found = plan(graph, board)
        assert (row.board, row.fits) == (board.name, found.fits)
        assert row.fps == pytest.approx(found.estimate.fps)
        assert row.fps <= row.fps_bound * (1 + 1e-9)
        assert max(row.used.values()) <= 1
        assert row.proof.startswith("Proven")


def test_what_is_lacking_at_least_is_not_enough_when_halved():
    """The proof says how much more of the scarce counts the next rate needs; half of it is too little."""
    board = PYNQ.share(0.04)
    graph = cnn(8)
    found = find_folds(graph, board)
    proof = found.proof
    assert proof.refuted_fps > found.fps
    budget = board.budget().flat()
    half = {k: budget[k] * (1 + proof.least_excess / 2) for k in proof.binding}
    usable = {"lut": 0.7, "lutram": 0.5, "ff": 0.5, "dsp": 0.8}
    counts = {k: int(half[k] / usable[k]) for k in usable if k in half}
    ram = {k: int(half[k] / 0.8) for k in half if k not in usable}
    wider = find_folds(graph, _with(board, **counts, ram=ram))
    assert wider.fps < proof.refuted_fps


@pytest.mark.parametrize(
    "none", [{"dsp": 0}, {"ram": {"BRAM18": 0}}, {"dsp": 0, "ram": {"BRAM18": 0}}]
)
@pytest.mark.parametrize("graph", [mlp((32, 16, 10)), residual()], ids=lambda g: g.name)
def test_boards_without_dsps_or_block_rams(graph, none):
    board = _with(PYNQ, **none)
    found = plan(graph, board)
    assert found.fits
    used = found.estimate.total.flat()
    assert all(used.get("BRAM18" if kind == "ram" else kind, 0) == 0 for kind in none)


def test_prime_sizes_are_as_fast_as_their_stream():
    """13 bytes have no divisor within the 8 of a transfer: one comes in each cycle."""
    found = plan(mlp((13, 7, 3)), PYNQ)
    fold = found.design.block("fc0").fold
    assert found.fits and found.estimate.interval_cycles == 13
    assert (fold.simd, fold.pe) == (1, 7)


def test_an_impossible_target_names_what_binds_and_what_can_be_reached(folder, capsys):
    board = "pynq-z1-4pct"
    assert main(["estimate", str(folder), "--board", board, "--target-fps", "1e7"]) == 3
    text = capsys.readouterr().out
    best = find_folds(mlp((64, 64, 10)), load_board(board)).fps
    assert "Proven: every folding for the target needs" in text
    assert "more LUT" in text
    assert f"a target of at most {best:,.0f} frames/s fits" in text


def test_the_command_prints_rows_and_exits_with_3_where_nothing_fits(folder, capsys):
    assert main(["fit", str(folder), "--boards", "pynq-z1,icebreaker-1pct", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert [(r["board"], r["fits"]) for r in rows] == [
        ("pynq-z1", True),
        ("icebreaker-1pct", False),
    ]
    assert main(["fit", str(folder), "--boards", "icebreaker-1pct"]) == 3
    text = capsys.readouterr().out
    assert "icebreaker-1pct: limited by" in text
    assert "Proof" in text


def test_an_unknown_board_and_a_target_below_0_are_refused(folder, capsys):
    assert main(["fit", str(folder), "--boards", "pynq-z11"]) == 2
    assert "pynq-z1" in capsys.readouterr().err
    with pytest.raises(BadInput, match="target_fps"):
        api.fit(mlp(), ["pynq-z1"], target_fps=-1)


def test_minimise_takes_least_of_what_it_names(folder, capsys):
    graph = mlp((64, 64, 10), bits=6)
    spent = {}
    for kind in ("lut", "dsp", "BRAM18"):
        found = find_folds(graph, PYNQ, 2e5, minimise={kind: 1.0})
        spent[kind] = estimate(found.design, PYNQ).total.flat()
        assert found.proof.cost == pytest.approx(spent[kind].get(kind, 0.0))
        assert found.proof.cost_bound == pytest.approx(found.proof.cost, rel=1e-3, abs=0.5)
    assert spent["lut"]["lut"] < spent["dsp"]["lut"]
    assert spent["dsp"]["dsp"] == 0
    words = ["estimate", str(folder), "--board", "pynq-z1", "--target-fps", "1e4"]
    assert main([*words, "--minimise", "luts"]) == 2
    assert "lut, lutram, ff, dsp, BRAM18" in capsys.readouterr().err
