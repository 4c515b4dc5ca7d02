"""Designs whose weights lie in memories that are filled at start-up, whole under Verilator."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from codesign.blocks.base import Fold
from codesign.board import load_board
from codesign.cli import main
from codesign.cost.estimate import estimate
from codesign.design import Design
from codesign.errors import RtlMismatch
from codesign.graph.ir import IntGraph
from codesign.lowering import assemble
from codesign.rtl import build as build_module
from codesign.rtl.build import files_of
from codesign.sim.simulate import simulate
from codesign.verify.frames import random_frames
from codesign.verify.verify import verify_design
from tests import small_graphs
from tests.marks import needs_verilator
from tests.rtl.machines import saved

ZCU104, ICEBREAKER = load_board("zcu104"), load_board("icebreaker")


def _convolutional() -> tuple[Design, IntGraph]:
    """A convolution of 24 x 96 bits (2 columns of URAM) and a dense layer of 144 x 8 bits."""
    graph = small_graphs.cnn()
    names = [n.block.name for n in graph.nodes if n.block.params and hasattr(n.block, "weight")]
    conv, dense = names[0], names[-1]
    folds = {conv: Fold(4, 9, memory="large"), dense: Fold(1, 4, memory="large")}
    return assemble(graph, folds, ZCU104), graph


def _dense() -> tuple[Design, IntGraph]:
    """Dense layers of 12 x 32 bits (2 columns of SPRAM) and 12 x 16 bits."""
    graph = small_graphs.mlp()
    folds = {"fc0": Fold(2, 4, memory="large"), "fc1": Fold(2, 2, memory="large")}
    return assemble(graph, folds, ICEBREAKER), graph


@needs_verilator
@pytest.mark.parametrize(("make", "kind"), [(_convolutional, "URAM"), (_dense, "SPRAM")])
def test_a_loaded_network_is_equal_and_starts_when_stated(tmp_path, capsys, make, kind):
    design, graph = make()
    board = load_board(design.board)
    found = estimate(design, board)
    assert found.verdict.fits and found.total.ram[kind] >= 2
    source = saved(tmp_path / "design", design, graph.params)
    capsys.readouterr()
    assert main(["verify", str(source), "--frames", "3", "--json"]) == 0
    verified = json.loads(capsys.readouterr().out)
    assert verified["startup_cycles"] == simulate(design, board).startup_cycles > 0
    assert [run["values"] > 0 for run in verified["runs"]] == [True] * 3


@needs_verilator
def test_frames_that_are_let_in_too_early_are_caught(tmp_path, monkeypatch):
    library = tmp_path / "hw"
    shutil.copytree(build_module.package_data("hw"), library)
    text, sound = (library / "loader.sv").read_text(), "rst_o <= rst_i || !loaded_i;"
    assert sound in text
    (library / "loader.sv").write_text(text.replace(sound, "rst_o <= rst_i;"))
    monkeypatch.setattr(build_module, "package_data", lambda kind: library)
    sketch = small_graphs.Sketch("one", (4,), small_graphs.QType(4, False))
    graph = sketch.graph(sketch.dense("fc0", "x", 3, 4), (3,))
    design = assemble(graph, {"fc0": Fold(1, 2, memory="large")}, ICEBREAKER)
    frames = random_frames(design.input, 2, 0)
    with pytest.raises(RtlMismatch, match="must start in cycle 40 .* start in cycle 1"):
        verify_design(design, graph.params, ICEBREAKER, frames, tmp_path / "work")


def test_the_file_of_weights_is_what_the_header_of_the_memory_says():
    """Read back: per memory the low 16 bits of every word, then the high ones; simd lanes of pe."""
    design, graph = _dense()
    beats = [
        int(line, 16) for line in files_of(design, graph.params, ICEBREAKER)["weights.hex"].split()
    ]
    assert len(beats) == 12 * 2 + 12
    words = [low | high << 16 for low, high in zip(beats[:12], beats[12:24], strict=True)]
    found = [[(word >> (4 * lane)) & 15 for lane in range(8)] for word in words]
    weight = graph.params["fc0.weight"]
    # Word g*3 + b: rows 2g and 2g + 1, columns 4b to 4b + 3.
    for g in range(4):
        for b in range(3):
            rows = weight[2 * g : 2 * g + 2, 4 * b : 4 * b + 4]
            assert found[g * 3 + b] == [int(v) & 15 for v in rows.reshape(-1)]


def test_a_design_without_large_memories_has_no_loader():
    design = assemble(small_graphs.mlp(), {}, ZCU104)
    files = files_of(design, small_graphs.mlp().params, ZCU104)
    assert "weights.hex" not in files
    assert "weights" not in files["tb.sv"] and "loader" not in files["top.sv"]


def _edited(folder: Path) -> Path:
    """A design for a family without such a memory, edited to ask for it."""
    graph = small_graphs.mlp()
    design = assemble(graph, {}, load_board("pynq-z2"))
    path = saved(folder, design, graph.params) / "design.json"
    text = json.loads(path.read_text())
    next(b for b in text["blocks"] if b["name"] == "fc0")["fold"]["memory"] = "large"
    path.write_text(json.dumps(text))
    return folder


@pytest.mark.parametrize("command", ["estimate", "simulate", "build", "verify"])
def test_a_family_without_large_memories_refuses_them(tmp_path, capsys, command):
    folder = _edited(tmp_path / "design")
    out = ["--out", str(tmp_path / "rtl")] if command == "build" else []
    capsys.readouterr()
    code = main([command, str(folder), *out, "--json"])
    error = json.loads(capsys.readouterr().out)["error"]
    assert code == error["exit_code"] != 0 and error["code"] == "IllegalFold"
    assert error["message"] == (
        "fc0: memory 'large' must be a RAM of the device, and AMD 7 series has none besides "
        "BRAM18; choose 'lut' or 'block'"
    )
    assert not (tmp_path / "rtl").exists()
