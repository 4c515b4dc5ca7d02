"""What `codesign build` writes: stable bytes, readable names, nothing left out."""

from __future__ import annotations

import re
from pathlib import Path

import msgspec
import pytest

from codesign.cli import main
from codesign.lowering import assemble
from codesign.rtl.build import files_of
from codesign.rtl.names import identifiers
from tests import small_graphs
from tests.rtl.machines import BOARD, saved, tiny

GOLDEN = Path(__file__).parent.parent / "golden" / "tiny_top.sv"


def _folder_bytes(folder: Path) -> dict[str, bytes]:
    files = (p for p in sorted(folder.rglob("*")) if p.is_file())
    return {str(p.relative_to(folder)): p.read_bytes() for p in files}


def test_same_design_gives_the_same_bytes(tmp_path):
    source = saved(tmp_path / "design", *tiny())
    for out in ("a", "b"):
        assert main(["build", str(source), "--out", str(tmp_path / out)]) == 0
    first = _folder_bytes(tmp_path / "a")
    assert first == _folder_bytes(tmp_path / "b")
    assert {"top.sv", "tb.sv", "files.f", "bench.f", "fc0_weight.mem"} <= set(first)


def test_top_of_a_tiny_design_is_the_golden_text():
    assert files_of(*tiny(), BOARD)["top.sv"] == GOLDEN.read_text()


def test_every_listed_file_is_there():
    files = files_of(*tiny(), BOARD)
    for name in ("files.f", "bench.f"):
        listed = files[name].split()
        assert len(listed) == len(set(listed)) and set(listed) <= set(files)
    assert "top.sv" in files["files.f"].split() and "tb.sv" not in files["files.f"].split()


def test_weights_are_in_the_memory_file():
    """Read back by the words of hw/mvu.sv: row after row, one weight a word."""
    design, params = tiny()
    words = files_of(design, params, BOARD)["fc0_weight.mem"].split()
    assert len(words) == 24
    values = [int(w, 16) - (16 if int(w, 16) > 7 else 0) for w in words]
    assert values == params["fc0.weight"].reshape(-1).tolist()


def test_every_stream_has_one_channel_and_every_block_one_instance():
    graph = small_graphs.residual()
    design = assemble(graph, {}, BOARD)
    text = files_of(design, graph.params, BOARD)["top.sv"]
    assert len(re.findall(r"^  channel #\(", text, re.MULTILINE)) == len(design.streams)
    for block in design.blocks:
        assert len(re.findall(rf"^ +\) {block.name}_i \($", text, re.MULTILINE)) == 1
    declared = re.findall(r"^  logic (?:\[\d+:0\] )?(.*);", text, re.MULTILINE)
    nets = [net for line in declared for net in line.split(", ")]
    assert len(nets) == len(set(nets))


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (("a/b", "a_b", "a b"), ["a_b", "a_b_2", "a_b_3"]),
        (("1x", "_y", "é"), ["b1x", "b_y", "b_"]),
        (("begin",), ["begin"]),
    ],
)
def test_names_are_identifiers_and_never_the_same(names, expected):
    design, _ = tiny()
    blocks = tuple(msgspec.structs.replace(design.blocks[0], name=n) for n in names)
    renamed = msgspec.structs.replace(design, blocks=blocks)
    assert list(identifiers(renamed).values())[1:] == expected
