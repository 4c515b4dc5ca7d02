"""FINN's folding files: published ones, a round trip, and files that are wrong."""

import json

import pytest

from codesign import api
from codesign.blocks.add import Add
from codesign.blocks.base import Fold
from codesign.board import load_board
from codesign.cli import main
from codesign.design import save_design
from codesign.errors import BadInput, IllegalFold
from codesign.finn.apply import fold_as
from codesign.finn.layers import layer_named
from codesign.finn.write import folding_of, write_folding
from codesign.lowering import assemble
from codesign.models.published import cnv, mobilenet_v1
from codesign.search.folding import find_folds
from codesign.sim.simulate import simulate
from codesign.types import QType
from tests.small_graphs import Sketch, cnn, mlp, residual

PYNQ = load_board("pynq-z1")

# PE and SIMD of the MatrixVectorActivation layers, and SIMD of the ConvolutionInputGenerators, of
# cnv-w1a1 in Xilinx/finn-examples, build/bnn-pynq/folding_config.
CNV_PRODUCTS = ((16, 3), (32, 32), (16, 32), (16, 32), (4, 32), (1, 32), (1, 4), (1, 8), (5, 1))
CNV_WINDOWS = (3, 32, 32, 32, 32, 32)


def _cnv_file(path):
    entries = {"Defaults": {}, "Thresholding_Batch_0": {"PE": 1, "ram_style": "distributed"}}
    for i, (pe, simd) in enumerate(CNV_PRODUCTS):
        if i < len(CNV_WINDOWS):
            window = {"SIMD": CNV_WINDOWS[i], "ram_style": "distributed"}
            entries[f"ConvolutionInputGenerator_{i}"] = window
        entries[f"MatrixVectorActivation_{i}"] = {"PE": pe, "SIMD": simd, "ram_style": "auto"}
    entries["LabelSelect_Batch_0"] = {"PE": 1}
    path.write_text(json.dumps(entries))
    return path


def _file(path, **entries):
    path.write_text(json.dumps(entries))
    return path


def test_the_published_folding_of_cnv_gives_the_published_rate(tmp_path):
    """FINN reports 3,000 frames/s for it on a PYNQ-Z1 at 100 MHz: 32,768 cycles of the first
    dense layer."""
    graph = cnv(1, 1)
    folded = fold_as(_cnv_file(tmp_path / "cnv.json"), graph, PYNQ)
    design = folded.plan.design
    products = [design.block(f"conv{i}") for i in range(6)]
    products += [design.block(f"fc{i}") for i in range(3)]
    assert [(b.fold.pe, b.fold.simd) for b in products] == list(CNV_PRODUCTS)
    windows = [design.block(f"conv{i}_window").fold.pe for i in range(5)]
    assert windows == list(CNV_WINDOWS[:5])
    assert folded.plan.estimate.interval_cycles == 32768
    assert folded.plan.fits
    # The input is quantised by the host, and a window of the whole picture needs no hardware.
    assert [note.split()[0] for note in folded.notes] == [
        "Thresholding_Batch_0",
        "ConvolutionInputGenerator_5",
    ]
    # The layers that the file leaves open are not slower.
    assert simulate(design, PYNQ).interval_cycles == 32768


@pytest.mark.parametrize(
    "graph", [mlp((32, 16, 10)), cnn(8), residual(), cnv(2, 2)], ids=lambda g: g.name
)
def test_a_folding_written_and_read_is_the_same(graph, tmp_path):
    design = find_folds(graph, PYNQ).design
    path = tmp_path / "folding.json"
    write_folding(design, path)
    again = fold_as(path, graph, PYNQ)
    for node in graph.nodes:
        block = node.block
        if "pool" not in block.name:  # a pool of FINN is one layer, whose window has no folding
            assert again.plan.design.block(block.name).fold == design.block(block.name).fold
    assert again.notes == ()
    depths = {s.name: s.depth for s in again.plan.design.streams}
    assert all(depths[s.name] >= s.depth for s in design.streams if s.name in depths)


def test_depthwise_layers_and_padding_have_their_own_entries():
    board = load_board("zcu104")
    entries = folding_of(assemble(mobilenet_v1(4, 4), {}, board))
    kinds = [layer_named(name) for name in entries if name != "Defaults"]
    assert None not in kinds
    assert sum(name.startswith("VVAU_hls_") for name in entries) == 13
    assert sum(name.startswith("MVAU_hls_") for name in entries) == 15
    assert sum(name.startswith("FMPadding_rtl_") for name in entries) == 14


def test_depths_of_the_file_are_taken_where_they_are_deeper(tmp_path):
    graph = mlp((12, 8, 6))
    defaults = {"inFIFODepths": [[64], "all"], "outFIFODepths": [[2], ["MVAU"]]}
    entries = {f"MVAU_hls_{i}": {"PE": 1, "SIMD": 2} for i in range(2)}
    path = _file(tmp_path / "f.json", Defaults=defaults, **entries)
    design = fold_as(path, graph, PYNQ).plan.design
    depths = {s.target: s.depth for s in design.streams}
    assert depths["fc0.in0"] == 64
    assert depths["arg_max.in0"] < 64


# Attributes that FINN's operators have (get_nodeattr_types of Xilinx/finn, custom_op/fpgadataflow);
# its ApplyConfig fails at any other, and where "Defaults" is missing.
DEPTHS = {"inFIFODepths", "outFIFODepths"}
PRODUCT = {"PE", "SIMD", "resType", "ram_style", "mem_mode", *DEPTHS}
ATTRIBUTES = {
    "MVAU_hls": PRODUCT,
    "MVAU_rtl": PRODUCT,
    "VVAU_hls": PRODUCT,
    "VVAU_rtl": PRODUCT,
    "ConvolutionInputGenerator_rtl": {"SIMD", "parallel_window", "ram_style", *DEPTHS},
    "Thresholding_rtl": {"PE", "depth_trigger_bram", "depth_trigger_uram", *DEPTHS},
    "FMPadding_rtl": {"SIMD", *DEPTHS},
    "StreamingMaxPool_hls": {"PE", *DEPTHS},
    "Pool_hls": {"PE", *DEPTHS},
    "GlobalAccPool_hls": {"PE", *DEPTHS},
    "AddStreams_hls": {"PE", *DEPTHS},
    "LabelSelect_hls": {"PE", *DEPTHS},
}
WORDS = {
    "ram_style": {"auto", "block", "distributed", "ultra"},
    "resType": {"auto", "lut", "dsp"},
    "parallel_window": {0, 1},
}


@pytest.mark.parametrize(
    ("graph", "board"),
    [(cnn(8), "pynq-z1"), (residual(), "pynq-z1"), (mobilenet_v1(4, 4), "zcu104")],
    ids=lambda x: getattr(x, "name", x),
)
def test_what_is_written_has_the_attributes_of_finns_operators(graph, board):
    board = load_board(board)
    design = assemble(graph, {}, board)
    entries = folding_of(design)
    assert entries.pop("Defaults") == {}
    for name, attributes in entries.items():
        operator, _, number = name.rpartition("_")
        assert number.isdigit()
        assert set(attributes) <= ATTRIBUTES[operator]
        for key, value in attributes.items():
            assert value in WORDS.get(key, [value])
            if key in DEPTHS:
                assert all(type(depth) is int and depth >= 1 for depth in value)
            elif key not in WORDS:
                assert type(value) is int and value >= 0


def test_thresholds_in_block_ram_are_written_and_read(tmp_path):
    graph = mlp((32, 16, 10))
    fold = Fold(pe=1, memory="block")
    design = assemble(graph, {"act0": fold}, PYNQ)
    path = tmp_path / "f.json"
    write_folding(design, path)
    assert json.loads(path.read_text())["Thresholding_rtl_0"]["depth_trigger_bram"] > 0
    assert fold_as(path, graph, PYNQ).plan.design.block("act0").fold == fold


def test_names_and_defaults_of_older_files_are_understood(tmp_path):
    """1-D windows and down-samplers, one depth for all ports, pairs of defaults."""
    names = {
        "ConvolutionInputGenerator1D_3": "ConvolutionInputGenerator",
        "DownSampler_0": "ConvolutionInputGenerator",
        "StreamingFCLayer_Batch_12": "MVAU",
        "ConvDoublePacked_Batch_0": "MVAU",
        "Vector_Vector_Activate_Batch_0": "VVAU",
        "FMPadding_Pixel_hls_0": "FMPadding_Pixel",
    }
    assert {n: layer_named(n).names[0] for n in names} == names
    defaults = {
        "inFIFODepth": [48, "all"],
        "PE": [2, ["MatrixVectorActivation"], 1, ["LabelSelect"]],
        "mem_mode": ["internal_decoupled", ["MatrixVectorActivation"]],
    }
    entries = {
        "StreamingFIFO_0": {"depth": 64, "impl_style": "rtl"},
        "MatrixVectorActivation_0": {"SIMD": 3, "mem_mode": "external"},
        "MatrixVectorActivation_1": {"SIMD": 2, "runtime_writeable_weights": 1},
        "LabelSelect_Batch_0": {"outputDataType": "UINT16"},
    }
    path = _file(tmp_path / "f.json", Defaults=defaults, **entries)
    folded = fold_as(path, mlp((12, 8, 6)), PYNQ)
    design = folded.plan.design
    assert [design.block(n).fold.pe for n in ("fc0", "fc1", "arg_max")] == [2, 2, 1]
    depths = {s.target: s.depth for s in design.streams}
    assert depths["fc0.in0"] == depths["arg_max.in0"] == 48
    words = ("StreamingFIFO", "mem_mode 'external'", "runtime_writeable_weights")
    assert all(any(word in note for note in folded.notes) for word in words)


@pytest.mark.parametrize(
    ("entries", "kind", "words"),
    [
        ({"MVAU_hls_0": {"PE": 1}}, BadInput, "must be those of the network"),
        (
            {f"MVAU_{i}": {"PE": 5} for i in range(2)},
            IllegalFold,
            "MVAU_0 of the folding file: fc0",
        ),
        ({f"MVAU_{i}": {"PE": "8"} for i in range(2)}, BadInput, "PE must be a whole number"),
        ({"fc0": {"inFIFODepths": 3}}, BadInput, "must be a list of whole numbers"),
        ({"MVAU_0": [1]}, BadInput, "must map names of layers"),
        ({"Defaults": {"PE": 3}, "fc0": {}}, BadInput, "Defaults.PE"),
        ({"Defaults": {"PE": [1, 5]}, "fc0": {}}, BadInput, "layers a list of names"),
        ({"Defaults": {"PE": [1, ["MVAU", 2]]}, "fc0": {}}, BadInput, "layers a list of names"),
        ({"Defaults": [1, "all"], "fc0": {}}, BadInput, "must map names of layers"),
        ({"fc0": {"ram_style": ["block"]}}, BadInput, "ram_style must be a word"),
        ({"fc0": {"resType": {"lut": 1}}}, BadInput, "resType must be a word"),
        ({"fc0": {"parallel_window": 1}}, BadInput, "fc0 is no window"),
        ({"fc0": {"parallel_window": "yes"}}, BadInput, "parallel_window must be 0 or 1"),
        ({"fc0": {"inFIFODepths": [10**30]}}, BadInput, "up to 2,147,483,647"),
    ],
)
def test_what_is_wrong_is_named(tmp_path, entries, kind, words):
    with pytest.raises(kind, match=words):
        fold_as(_file(tmp_path / "f.json", **entries), mlp((12, 8, 6)), PYNQ)


@pytest.mark.parametrize("text", ["{", "[" * 100_000, "\xff", '{"fc0": {"ram_style": []}}'])
def test_a_file_that_is_wrong_ends_without_a_traceback(tmp_path, capsys, text):
    path = tmp_path / "f.json"
    path.write_bytes(text.encode("latin-1"))
    save_design(assemble(mlp((12, 8, 6)), {}, PYNQ), {}, tmp_path)
    assert main(["estimate", str(tmp_path), "--folding", str(path)]) == 2
    assert "Traceback" not in capsys.readouterr().err


def test_branches_beside_each_other_are_noted_and_may_be_named(tmp_path):
    """The file names no tensors: which of two convolutions before one sum comes first it cannot say."""
    sketch = Sketch("split", (8,), QType(4, False))
    arms = [sketch.dense(name, "x", 6, 8, vectors=1) for name in ("left", "right")]
    types = tuple(sketch.types[arm] for arm in arms)
    fields = {"channels": 6, "vectors": 1, "itypes": types, "scales": (1, 1)}
    graph = sketch.graph(sketch.node(Add(name="sum", **fields, otype=QType(16)), *arms), (6,))
    by_place = _file(tmp_path / "p.json", MVAU_0={"PE": 1}, MVAU_1={"PE": 3})
    folded = fold_as(by_place, graph, PYNQ)
    assert [note.split(" lie ")[0] for note in folded.notes] == ["left, right"]
    assert folded.plan.design.block("right").fold.pe == 3
    by_name = _file(tmp_path / "n.json", left={"PE": 3}, MVAU_0={"PE": 1})
    folded = fold_as(by_name, graph, PYNQ)
    assert folded.notes == ()
    assert [folded.plan.design.block(n).fold.pe for n in ("left", "right")] == [3, 1]
    assert (
        fold_as(_file(tmp_path / "m.json", MVAU_0={}, MVAU_1={}), mlp((12, 8, 6)), PYNQ).notes == ()
    )


def test_what_a_block_does_not_offer_is_a_note(tmp_path):
    path = _file(tmp_path / "f.json", fc0={"PE": 2, "resType": "dsp", "ram_style": "ultra"})
    folded = fold_as(path, mlp((12, 8, 6), bits=1), PYNQ)
    assert len(folded.notes) == 2
    assert "ultra" in folded.notes[0]
    assert folded.plan.design.block("fc0").fold.pe == 2


def test_the_command_reads_and_writes(tmp_path, capsys):
    graph = mlp((12, 8, 6))
    save_design(assemble(graph, {}, PYNQ), graph.params, tmp_path)
    path, out = _file(tmp_path / "f.json", fc0={"PE": 4, "SIMD": 3}), tmp_path / "out.json"
    words = ["estimate", str(tmp_path), "--folding", str(path), "--write-folding", str(out)]
    assert main([*words, "--json"]) == 0
    blocks = {b["name"]: b for b in json.loads(capsys.readouterr().out)["blocks"]}
    assert (blocks["fc0"]["pe"], blocks["fc0"]["simd"]) == (4, 3)
    assert json.loads(out.read_text())["MVAU_hls_0"]["SIMD"] == 3
    again = api.fold_as(graph, out, "pynq-z1").plan.design
    assert again.block("fc0").fold.simd == 3
    # 96 products of fc0, 12 of them a cycle: 8 cycles at 100 MHz.
    assert main([*words, "--target-fps", "1.3e7", "--json"]) == 3
    assert "The target is missed" in capsys.readouterr().out
    assert main([*words, "--pad-channels"]) == 2
    assert "--pad-channels asks for a search" in capsys.readouterr().err
    assert main(["estimate", str(tmp_path), "--folding", str(tmp_path / "none.json")]) == 2
    (tmp_path / "f.json").write_text("{")
    assert main(["estimate", str(tmp_path), "--folding", str(path)]) == 2
    assert "not a JSON file" in capsys.readouterr().err
