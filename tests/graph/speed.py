"""How long import, lowering and integer execution take, in processor time without imports.

python -m tests.graph.speed FOLDER

FOLDER holds TFC_1W1A.onnx and cifar10_cnvW1A1.onnx. The large graph is ResNet-50 (arXiv:1512.03385)
with bipolar weights and 2-bit activations, random parameters, 224x224 pixels; its sums are those of
batch norms and activations on unrelated scales.
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from codesign.board import load_board
from codesign.graph.execute import execute
from codesign.graph.ir import IntGraph
from codesign.graph.load import import_model
from codesign.lowering import assemble
from codesign.types import QType
from tests.graph.nets import QONNX, Net

STAGES = ((64, 3), (128, 4), (256, 6), (512, 3))
PIXEL = QType(8, False)
IMAGES = 10_000
BOARD = "zcu104"


class ResNet50:
    """Writes the graph node by node."""

    def __init__(self, size: int = 224) -> None:
        self.net, self.rng = Net((1, 3, size, size)), np.random.default_rng(0)

    def conv(self, x: str, inputs: int, outputs: int, kernel: int, stride: int = 1) -> str:
        """Bipolar convolution and batch norm."""
        raw = self.net.const(self.rng.normal(size=(outputs, inputs, kernel, kernel)))
        scale = self.net.const(self.rng.uniform(0.01, 0.02, (outputs, 1, 1, 1)))
        weight = self.net.node("BipolarQuant", raw, scale, domain=QONNX)
        attrs = {"kernel_shape": [kernel] * 2, "strides": [stride] * 2, "pads": [kernel // 2] * 4}
        return self.net.batch_norm(self.net.node("Conv", x, weight, **attrs), self.rng, outputs)

    def relu(self, x: str) -> str:
        return self.net.quant(self.net.node("Relu", x), self.rng.uniform(0.3, 0.6), 2, signed=0)

    def bottleneck(self, x: str, inputs: int, width: int, stride: int) -> str:
        """1x1, 3x3, 1x1 and the shortcut."""
        y = self.relu(self.conv(x, inputs, width, 1))
        y = self.relu(self.conv(y, width, width, 3, stride))
        y = self.conv(y, width, 4 * width, 1)
        if inputs != 4 * width:
            x = self.conv(x, inputs, 4 * width, 1, stride)
        return self.relu(self.net.node("Add", y, x))

    def save(self, path: Path) -> Path:
        x = self.relu(self.conv("x", 3, 64, 7, 2))
        pool = {"kernel_shape": [3, 3], "strides": [2, 2], "pads": [1] * 4}
        x, inputs = self.net.node("MaxPool", x, **pool), 64
        for width, blocks in STAGES:
            for block in range(blocks):
                x = self.bottleneck(x, inputs, width, 2 if width > 64 and not block else 1)
                inputs = 4 * width
        x = self.net.quant(self.net.node("GlobalAveragePool", x), 0.05, 4, signed=0)
        flat = self.net.node("Flatten", x, axis=1)
        self.net.node(
            "MatMul", flat, self.net.weight(self.rng.normal(size=(inputs, 1000)), 0.25, 4)
        )
        return self.net.save(path)


def measured(path: Path, *host: object) -> tuple[IntGraph, str]:
    """The graph and a row of the table."""
    start = time.process_time()
    graph = import_model(path, *host)
    read = time.process_time()
    assemble(graph, {}, load_board(BOARD))
    done = time.process_time()
    name = f"{path.stem} | {len(graph.nodes)}"
    return graph, f"| {name} | {read - start:.2f} | {done - read:.2f} |"


def main(arguments: list[str]) -> int:
    """Print the tables."""
    folder = Path(arguments[0])
    print("| file | blocks | import, s | lowering, s |\n|---|---|---|---|")
    tfc, row = measured(folder / "TFC_1W1A.onnx", PIXEL, 1 / 255)
    print(row)
    print(measured(folder / "cifar10_cnvW1A1.onnx")[1], flush=True)
    with tempfile.TemporaryDirectory() as place:
        large = ResNet50().save(Path(place) / "resnet50_w1a2.onnx")
        print(measured(large, PIXEL, 1 / 255)[1])
    x = np.random.default_rng(0).integers(0, 256, (IMAGES, 784))
    start = time.process_time()
    execute(tfc, x)
    print(f"\n{IMAGES:,} images through TFC_1W1A: {time.process_time() - start:.2f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
