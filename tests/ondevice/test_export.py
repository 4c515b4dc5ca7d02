"""An integer network as QONNX: qonnx, the integer graph and the network itself agree exactly."""

from __future__ import annotations

import numpy as np
import onnx
import pytest
import torch

from codesign.blocks import MatVec
from codesign.data.load import load_dataset
from codesign.graph.load import import_model
from codesign.graph.reference import run_qonnx
from codesign.models.registry import MODELS
from codesign.ondevice.convert import integer_network
from codesign.ondevice.export import to_qonnx
from codesign.ondevice.layers import Dense, MaxPool, Relu, Update
from codesign.ondevice.network import IntegerNetwork
from codesign.quant.config import QuantConfig
from codesign.train.batches import to_input
from tests.graph.compared import integers_of

NETS = {
    "tfc-int8": ("tfc", {"sizes": (32, 16)}, 8),
    "tfc-int4": ("tfc", {"sizes": (32, 16)}, 4),
    "cnv-int8": ("cnv", {"stages": ((8,), (8,)), "hidden": (16,)}, 8),
    "cnv-int3": ("cnv", {"stages": ((8,), (8,)), "hidden": (16,)}, 3),
}


def trained(name, options, bits, data):
    generator = torch.Generator().manual_seed(0)
    model = MODELS[name](data.input_shape, data.class_count, **options)
    config = QuantConfig(weight_bits=bits)
    mean = round(float(data.train.x.mean()))
    network = integer_network(model, data.input_shape, config, data.input_max, generator, mean)
    x, y = torch.as_tensor(data.train.x), torch.as_tensor(data.train.y)
    for index in torch.randperm(len(y), generator=generator).split(64):
        network.train().learn(x[index], y[index], Update(5, generator))
    network.fix_shifts()
    return network.eval()


@pytest.mark.parametrize("net", NETS)
def test_every_sum_of_the_last_layer_is_the_same(net, tmp_path):
    data = load_dataset("digits")
    network = trained(*NETS[net], data)
    path = tmp_path / "net.onnx"
    onnx.save(to_qonnx(network, data.input_shape), path)
    x = to_input(data.test.x, data.input_max)
    graph = import_model(path, classify=False)
    found = integers_of(graph, x.numpy())
    expected = network.sums(torch.as_tensor(data.test.x)).values.numpy()
    assert np.array_equal(found, expected)
    assert np.array_equal(run_qonnx(path, x[:40].numpy()), network(x[:40]).numpy())
    widths = {n.block.wtype.bits for n in graph.nodes if isinstance(n.block, MatVec)}
    assert max(widths) <= NETS[net][2]


def test_bytes_behind_a_pool_without_relu(tmp_path):
    """uint8 pixels less 119 behind a border of zeros; a signed activation, a pool, and a ReLU that comes after it."""
    generator = torch.Generator().manual_seed(1)
    model = torch.nn.Sequential(
        torch.nn.Conv2d(1, 4, 3, padding=1, bias=False),
        torch.nn.MaxPool2d(2),
        torch.nn.ReLU(),
        torch.nn.Flatten(),
        torch.nn.Linear(16, 6, bias=False),
        torch.nn.Linear(6, 3, bias=False),
    )
    network = integer_network(model, (1, 4, 4), QuantConfig(weight_bits=8), 255, generator, 119)
    x = torch.randint(0, 256, (64, 1, 4, 4), generator=generator, dtype=torch.uint8)
    network.train().learn(x, torch.arange(64) % 3, Update(5, generator))
    network.fix_shifts()
    path = tmp_path / "net.onnx"
    onnx.save(to_qonnx(network.eval(), (1, 4, 4)), path)
    graph = import_model(path, classify=False)
    real = to_input(x, 255)
    found = integers_of(graph, real.numpy())
    assert np.array_equal(found, network.sums(x).values.numpy())
    assert np.array_equal(run_qonnx(path, real.numpy()), network(real).numpy())
    assert [type(layer) for layer in network.layers][1:3] == [MaxPool, Relu]


def test_a_layer_of_its_own_is_exact_beyond_float32():
    """4,000 products of 127 x 127 pass 2^24: the network's sums hold them."""
    layer = Dense(4000, 2, 8)
    layer.weight.fill_(127)
    network = IntegerNetwork([("fc", layer)], 255).eval()
    pixels = torch.full((1, 4000), 255, dtype=torch.uint8)
    assert network.sums(pixels).values.tolist() == [[127 * 255 * 4000] * 2]
