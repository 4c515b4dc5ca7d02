"""The debug mode of the pass list names a pass that is wrong, and no other."""

import numpy as np

from codesign.graph.pass_trace import first_change, trace_passes
from codesign.graph.passes import PASSES, explicit_pads
from tests.graph.test_channels_last import picture_net, to_channels_last


def inputs(shape):
    return np.random.default_rng(0).integers(0, 32, (3, *shape)).astype(np.float32) / 8


def test_no_pass_changes_a_result(tmp_path):
    path = picture_net(1, True).save(tmp_path / "net.onnx")
    results = trace_passes(path, inputs((3, 7, 6)))
    assert len(results) == len(PASSES) and first_change(results) is None
    path = to_channels_last(path, keep_input=False)
    assert first_change(trace_passes(path, inputs((7, 6, 3)))) is None


def test_a_pass_that_changes_a_result_is_named(tmp_path, monkeypatch):
    def spoil(model):
        for node in model.get_nodes_by_op_type("LeakyRelu"):
            node.attribute[0].f = 0.5
        return model

    monkeypatch.setattr(explicit_pads, "run", spoil)
    path = picture_net(2, True).save(tmp_path / "net.onnx")
    first = first_change(trace_passes(path, inputs((3, 7, 6))))
    assert first.name == "explicit_pads" and first.largest_change > 0
