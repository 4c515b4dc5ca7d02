"""finn-base's executor agrees with qonnx, where it is installed; otherwise a sentence says so."""

import numpy as np

from codesign.graph.second_opinion import compare_with_finn, finn_installed
from tests.graph.test_channels_last import picture_net


def test_second_opinion(tmp_path):
    path = picture_net(4, True).save(tmp_path / "net.onnx")
    x = np.random.default_rng(0).integers(0, 32, (3, 3, 7, 6)).astype(np.float32) / 8
    sentence = compare_with_finn(path, x)
    expected = "in 3 of 3 frames" if finn_installed() else "not installed"
    assert expected in sentence
