"""Plans, fits and the command line with padded channels."""

from __future__ import annotations

import json

import numpy as np
import pytest

from codesign import api
from codesign.board import load_board
from codesign.cli import main
from codesign.design import save_design
from codesign.errors import BadInput
from codesign.graph.channel_sets import channels_of
from codesign.graph.execute import execute, execute_design
from codesign.graph.pad_channels import pad_channels
from codesign.lowering import assemble
from codesign.search.padded_plan import plan_padded
from codesign.search.plan import plan
from codesign.sim.simulate import simulate
from tests.search.test_padding import prime_mlp
from tests.small_graphs import cnn, mlp

SMALL = load_board("pynq-z1").share(0.012)


def test_a_padded_plan_fits_runs_and_computes_the_same():
    graph = prime_mlp()
    plain, found = plan(graph, SMALL), plan_padded(graph, SMALL)
    assert found.fits and found.padded.sizes and found.estimate.fps > plain.estimate.fps
    assert simulate(found.design, SMALL).interval_cycles == found.estimate.interval_cycles
    x = np.random.default_rng(0).integers(0, 16, (5, 7))
    network = found.network(graph)
    assert np.array_equal(execute_design(found.design, network.params, x), execute(graph, x))
    assert any("channels padded: fc" in note for note in found.design.notes)
    assert "arg_max takes its channels apart" in found.padded.sentences[1]


def test_round_counts_are_left_alone():
    graph = mlp((8, 16, 4))
    found = plan_padded(graph, SMALL)
    assert found.design == plan(graph, SMALL).design
    assert (found.padded.tried, found.padded.sizes) == (1, {})
    assert "padding" not in found.proven


def test_what_does_not_fit_padded_either_is_advised():
    found = plan_padded(prime_mlp(), SMALL.share(0.01))
    assert not found.fits and found.estimate.verdict.levers
    assert "paddings of channel counts tried" in found.proven


def test_fit_names_what_it_padded(tmp_path, capsys):
    (row,) = api.fit(prime_mlp(), [SMALL], pad_channels=True)
    assert row.padded and 0 < row.fps <= row.fps_bound
    graph = cnn(6)
    save_design(assemble(graph, {}, load_board("pynq-z1")), graph.params, tmp_path)
    words = ["fit", str(tmp_path), "--boards", "pynq-z1", "--pad-channels", "--json"]
    assert main(words) == 0
    assert json.loads(capsys.readouterr().out)[0]["padded"] == {}
    assert main(["estimate", str(tmp_path), "--pad-channels"]) == 2
    assert "give the ONNX file" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["TFC_1W1A", "TFC_2W2A", "cifar10_cnvW1A1", "espcn_subpixel_w4a4"])
def test_published_networks_compute_the_same_padded(name, models_dir):
    graph = api.load(models_dir / f"{name}.onnx", "uint8", 1 / 255)
    free = [s for s in channels_of(graph).sets if s.layers and not s.fixed]
    padded = pad_channels(graph, {s.layers[0]: s.channels + 2 for s in free})
    shape = (2, int(np.prod(graph.input.shape)))
    x = np.random.default_rng(1).integers(0, graph.input.qtype.max + 1, shape)
    assert len(free) >= 3
    assert np.array_equal(execute(padded, x), execute(graph, x))


def test_a_design_cannot_be_padded():
    design = assemble(prime_mlp(), {}, SMALL)
    with pytest.raises(BadInput, match="a design holds none"):
        api.estimate(design, pad_channels=True)
