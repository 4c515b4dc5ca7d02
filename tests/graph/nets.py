"""Small QONNX networks written node by node, for tests that compare with qonnx."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from onnx import TensorProto, helper, numpy_helper

QONNX = "qonnx.custom_op.general"


class Net:
    """Collects nodes and initialisers; every method returns the name of its result."""

    def __init__(self, shape: tuple[int, ...], opset: int = 13) -> None:
        self.shape, self.nodes, self.inits, self.count = shape, [], [], 0
        self.last, self.opset, self.domains = "x", opset, (QONNX,)

    def const(self, value: object, name: str = "") -> str:
        """An initialiser; floats become float32."""
        array = np.asarray(value)
        array = array.astype(np.float32) if array.dtype.kind == "f" else array
        name = name or f"const_{len(self.inits)}"
        self.inits.append(numpy_helper.from_array(array, name))
        return name

    def node(self, op: str, *inputs: str, domain: str = "", outputs: int = 1, **attrs) -> str:
        """Any node."""
        self.count += 1
        names = [f"t{self.count}_{i}" for i in range(outputs)]
        self.nodes.append(
            helper.make_node(op, inputs, names, name=f"{op}_{self.count}", domain=domain, **attrs)
        )
        self.last = names[-1]
        return names[-1]

    def quant(self, x: str, scale, bits: int, zero=0.0, signed=1, narrow=0, mode="ROUND") -> str:
        """A Quant node."""
        parameters = [self.const(np.float32(v)) for v in (scale, zero, float(bits))]
        return self.node(
            "Quant", x, *parameters, domain=QONNX, signed=signed, narrow=narrow, rounding_mode=mode
        )

    def weight(self, values, scale, bits: int, name: str = "") -> str:
        """A weight quantiser."""
        return self.quant(self.const(np.asarray(values, float), name), scale, bits, narrow=1)

    def batch_norm(self, x: str, rng: np.random.Generator, channels: int) -> str:
        """A batch norm whose scales have both signs."""
        gamma, beta, mean = rng.normal(size=(3, channels))
        parameters = (gamma, beta, mean, rng.uniform(0.2, 3, channels))
        return self.node("BatchNormalization", x, *(self.const(p) for p in parameters))

    def save(self, path: Path) -> Path:
        """Write the file; the last node's result is the output (an index behind TopK, ArgMax)."""
        indices = self.nodes[-1].op_type in ("TopK", "ArgMax")
        kind = TensorProto.INT64 if indices else TensorProto.FLOAT
        info = [helper.make_tensor_value_info("x", TensorProto.FLOAT, self.shape)]
        out = [helper.make_tensor_value_info(self.last, kind, None)]
        graph = helper.make_graph(self.nodes, "net", info, out, self.inits)
        opsets = [helper.make_opsetid("", self.opset)]
        opsets += [helper.make_opsetid(domain, 1) for domain in self.domains]
        ir_version = 8 if self.opset <= 13 else 10
        model = helper.make_model(graph, opset_imports=opsets, ir_version=ir_version)
        path.write_bytes(model.SerializeToString())
        return path
