"""The hardware of small designs under Verilator, sound and broken."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from codesign.cli import main
from codesign.design import save_design
from codesign.errors import RtlMismatch
from codesign.lowering import assemble
from codesign.rtl import build as build_module
from codesign.rtl.bench import bench_text
from codesign.rtl.inner import inner_wires
from codesign.sim.simulate import simulate
from codesign.types import QType
from codesign.verify.compare import first_difference
from codesign.verify.expected import codes, times, value_of
from codesign.verify.frames import random_frames
from codesign.verify.records import Record, read_record
from codesign.verify.stimulus import free_running
from codesign.verify.verify import verify_design
from tests.marks import needs_verilator
from tests.rtl.machines import BOARD, saved, tiny
from tests.small_graphs import cnn


@needs_verilator
def test_a_sound_design_is_equal_in_every_run(tmp_path, capsys):
    source = saved(tmp_path / "design", *tiny())
    capsys.readouterr()
    assert main(["verify", str(source), "--frames", "5", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["outputs"] == 5 * 3 and found["channels"] == 4
    # 6 + 4 + 4 + 3 beats a frame, each with a cycle of issue and of release
    assert [r["times"] for r in found["runs"]] == [170, 170, 0]
    assert [r["values"] for r in found["runs"]] == [85, 85, 85]
    plain, slow, _ = (r["cycles"] for r in found["runs"])
    assert slow > plain == simulate(tiny()[0], BOARD, 5).total_cycles


@needs_verilator
def test_golden_frames_beside_the_design_are_taken(tmp_path, capsys):
    source = saved(tmp_path / "design", *tiny())
    images = np.random.default_rng(1).integers(0, 256, (4, 6)).astype(np.float32)
    np.savez(source / "model.golden.npz", inputs=images, outputs=images)
    capsys.readouterr()
    assert main(["verify", str(source), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["frames"] == 4 and found["inputs"].endswith("model.golden.npz")


# (file, sound text, broken text, kind, block, channel): wrong bits, wrong cycles, a lost token.
BREAKS = (
    ("adder_tree.sv", "assign sum_o = gen_level[Levels].value;",
     "assign sum_o = ~gen_level[Levels].value;", "data", "fc0", "fc0.out0->act0.in0"),
    ("mvu_core.sv", "assign last = beat_q == BeatBits'(Beats - 1);",
     "assign last = beat_q == BeatBits'(Beats - 2);", "issue", "fc0", "fc0.out0->act0.in0"),
    ("channel.sv", "assign valid_o = level_q != 0;",
     "assign valid_o = level_q > (Width == 4 ? 1 : 0);", "release", "fc1", "act0.out0->fc1.in0"),
)  # fmt: skip


@needs_verilator
@pytest.mark.parametrize("broken", BREAKS, ids=lambda b: b[0])
def test_broken_hardware_is_caught_where_it_is_broken(tmp_path, monkeypatch, broken):
    name, sound, wrong, kind, block, channel = broken
    library = tmp_path / "hw"
    shutil.copytree(build_module.package_data("hw"), library)
    text = (library / name).read_text()
    assert sound in text
    (library / name).write_text(text.replace(sound, wrong))
    monkeypatch.setattr(build_module, "package_data", lambda kind: library)
    design, params = tiny()
    with pytest.raises(RtlMismatch) as caught:
        verify_design(design, params, BOARD, random_frames(design.input, 3, 0), tmp_path / "work")
    fields = caught.value.fields
    assert (fields["kind"], fields["block"], fields["channel"]) == (kind, block, channel)
    assert fields["expected"] != fields["found"]
    wave = Path(fields["waveform"])
    assert "$enddefinitions" in wave.read_text() and str(wave) in str(caught.value)


def test_predicted_times_are_the_simulators():
    """Free-running, the run of several frames as one is the simulator's own trace."""
    design, _ = tiny()
    trace = simulate(design, BOARD, 3, trace=True).trace
    found = times(design, BOARD, free_running(design, BOARD, 3))
    for channel in trace:
        assert found[channel.name].issues.tolist() == list(channel.writes)
        assert found[channel.name].releases.tolist() == list(channel.releases)


def test_records_are_read_lane_by_lane(tmp_path):
    class Link:
        source = "x"

        class stream:
            bits, lanes, qtype = 9, 3, QType(3)

    (tmp_path / "x.issue").write_text("00000003\n0000001f\n000")
    (tmp_path / "x.release").write_text("00000004 0d1\n00000020 1ff\n0000")
    record = read_record(tmp_path, Link)
    assert record.issues.tolist() == [3, 31] and record.releases.tolist() == [4, 32]
    # 0x0d1 = 011 010 001, the first lane in the low bits
    assert record.codes.tolist() == [[1, 2, 3], [7, 7, 7]]
    assert [value_of(7, QType(3)), value_of(7, QType(3, False))] == [-1, 7]


def test_the_channel_inside_a_window_is_watched(tmp_path):
    """A token that leaves the line buffer a cycle late is named, with the block that releases it."""
    graph = cnn()
    design = assemble(graph, {}, BOARD)
    expected = times(design, BOARD, free_running(design, BOARD, 2))
    lines = [i for i in inner_wires(design) if i.name == "win.lines"]
    assert [i.beats_per_frame for i in lines] == [6 * 6 * 3]
    assert f".{lines[0].issue})" in bench_text(design)
    values = codes(design, graph.params, random_frames(design.input, 2, 0).x)
    nothing = np.zeros((0, 0), np.int64)
    found = {
        name: Record(t.issues, t.releases, values.get(name, nothing))
        for name, t in expected.items()
    }
    assert first_difference(design, found, values, expected) is None
    late = found["win.lines"].releases.copy()
    late[-1] += 1
    found["win.lines"] = replace(found["win.lines"], releases=late)
    difference = first_difference(design, found, values, expected)
    assert (difference.kind, difference.block, difference.channel) == (
        "release",
        "win",
        "win.lines",
    )
    assert (difference.frame, difference.beat) == (1, 6 * 6 * 3 - 1)
    assert difference.found == difference.expected + 1


@needs_verilator
@pytest.mark.slow
def test_a_published_network_is_equal(tmp_path, models_dir):
    """TFC_2W2A of the FINN examples, whole."""
    from codesign import api

    graph = api.load(models_dir / "TFC_2W2A.onnx")
    plan = api.estimate(graph, "pynq-z2", target_fps=20_000)
    save_design(plan.design, graph.params, tmp_path)
    found = api.verify(tmp_path, frames=2)
    assert found.frames == 2 and all(run.values > 2000 for run in found.runs)
