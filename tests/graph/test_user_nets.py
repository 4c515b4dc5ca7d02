"""Networks as users build them, with Brevitas: exact, or off by proven float32 ties."""

import numpy as np
import pytest

from codesign.graph.load import import_model
from tests.graph.compared import assert_compared
from tests.graph.user_nets import NETWORKS, written

FRAMES = 4


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", NETWORKS)
def test_network_equals_qonnx(tmp_path, name):
    path = tmp_path / f"{name}.onnx"
    shape = written(name, path)
    x = np.random.default_rng(0).normal(size=(FRAMES, *shape)).astype(np.float32)
    assert_compared(path, import_model(path), x, exact=False)
