"""Random small Brevitas networks, exported to QONNX: integers against qonnx, outputs against torch."""

import numpy as np
import pytest
import torch
from brevitas import nn as qnn
from brevitas.export import export_qonnx
from brevitas.quant import (
    Int8ActPerTensorFixedPoint,
    Int8ActPerTensorFloat,
    Int8WeightPerChannelFloat,
    Int8WeightPerTensorFixedPoint,
    Uint8ActPerTensorFloat,
)

from codesign.graph.load import import_model
from tests.graph.compared import assert_compared, integers_of


def network(rng, narrow: bool):
    """Conv, batch norm, pool, residual join and dense, with random bits and quantiser kinds."""
    dyadic = bool(rng.integers(2))
    weight = Int8WeightPerTensorFixedPoint if dyadic else Int8WeightPerChannelFloat
    act = Int8ActPerTensorFixedPoint if dyadic else Int8ActPerTensorFloat
    bits = [int(b) for b in rng.integers(2, 5 if narrow else 9, 6)]

    class Small(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.inp = qnn.QuantIdentity(act_quant=act, bit_width=8)
            self.conv1 = qnn.QuantConv2d(
                2, 4, 3, padding=1, bias=True, weight_quant=weight, weight_bit_width=bits[0]
            )
            self.bn1 = torch.nn.BatchNorm2d(4)
            self.act1 = qnn.QuantReLU(act_quant=Uint8ActPerTensorFloat, bit_width=bits[1])
            self.conv2 = qnn.QuantConv2d(
                4,
                4,
                3,
                padding=1,
                bias=False,
                weight_quant=weight,
                weight_bit_width=bits[2],
                groups=4,
            )
            self.join = qnn.QuantIdentity(act_quant=act, bit_width=bits[3])
            self.act2 = qnn.QuantReLU(act_quant=Uint8ActPerTensorFloat, bit_width=bits[4])
            self.fc = qnn.QuantLinear(
                16, 5, bias=True, weight_quant=weight, weight_bit_width=bits[5]
            )

        def forward(self, x):
            x = self.act1(self.bn1(self.conv1(self.inp(x))))
            x = self.join(self.conv2(x)) + self.join(x)
            x = torch.nn.functional.max_pool2d(self.act2(x), 2)
            return self.fc(x.flatten(1))

    return Small()


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("seed", range(6))
def test_random_network(tmp_path, seed):
    rng = np.random.default_rng(seed)
    torch.manual_seed(seed)
    model = network(rng, narrow=seed % 2 == 0)
    with torch.no_grad():
        for _ in range(5):
            model(torch.randn(16, 2, 4, 4))
        model.bn1.weight.copy_(torch.randn(4))
        model.bn1.bias.copy_(torch.randn(4))
    model.eval()
    path = tmp_path / "net.onnx"
    x = rng.normal(size=(60, 2, 4, 4)).astype(np.float32)
    with torch.no_grad():
        logits = model(torch.tensor(x)).numpy()
        sample = torch.tensor(x[:1])
        export_qonnx(model, sample, str(path), dynamo=False, opset_version=13)
    graph = import_model(path)
    names = [n.block.name for n in graph.nodes]
    assert {"conv1", "conv2", "fc"} <= set(names)
    assert_compared(path, graph, x, exact=False)
    classes = integers_of(graph, x)[:, 0]
    assert (classes == logits.argmax(1)).mean() >= 0.95  # torch may fall off a tie of its own
