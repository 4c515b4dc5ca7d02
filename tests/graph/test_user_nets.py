"""Networks as users build them, with Brevitas: exact, and through estimate and simulation."""

import numpy as np
import pytest

from codesign.graph.check import check_against_qonnx
from codesign.graph.load import import_model

pytest.importorskip("brevitas")
pytestmark = pytest.mark.filterwarnings("ignore")
NAMES = (
    "resnet-8",
    "resnet-20",
    "inception",
    "u-net",
    "mobilenet-w3a3",
    "mixer-channels-last",
    "keywords-1d",
    "autoencoder",
    "resnet-w1a2",
)
FRAMES = 4


@pytest.mark.parametrize("name", NAMES)
def test_network_equals_qonnx(tmp_path, name):
    from tests.graph.user_nets import written

    path = tmp_path / f"{name}.onnx"
    shape = written(name, path)
    graph = import_model(path)
    x = np.random.default_rng(0).normal(size=(FRAMES, *shape)).astype(np.float32)
    report = check_against_qonnx(path, graph, x)
    assert report.ok and report.integers, report.sentence
