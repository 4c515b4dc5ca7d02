"""Networks imported and compared with what qonnx computes from the same file."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from codesign.graph.check import check_against_qonnx
from codesign.graph.execute import execute, from_real, to_stream
from codesign.graph.ir import IntGraph
from codesign.graph.load import import_model
from codesign.types import QType
from tests.graph.nets import Net

BYTE = QType(8, False)
DYADIC = 2.0**-8


def random_inputs(shape: tuple[int, ...], qtype: QType, scale: float, seed: int = 7) -> np.ndarray:
    """Values that a host of this type and scale sends, as float32."""
    q = np.random.default_rng(seed).integers(qtype.min, qtype.max + 1, shape)
    return (q * scale).astype(np.float32)


def assert_compared(path: Path, graph: IntGraph, x: np.ndarray, exact: bool = True) -> None:
    """Integers were compared and are qonnx's; unless `exact`, proven float32 ties are let pass."""
    report = check_against_qonnx(path, graph, x)
    assert report.ok, report.sentence
    assert report.integers > 0
    assert not (exact and report.differences), report.sentence


def agrees(
    tmp_path: Path,
    net: Net,
    qtype: QType = BYTE,
    scale: float = DYADIC,
    frames: int = 16,
    exact: bool = True,
    **options: object,
) -> tuple[IntGraph, np.ndarray]:
    """Save, import and compare on random inputs; the graph and these inputs."""
    path = net.save(tmp_path / "net.onnx")
    graph = import_model(path, qtype, scale, **options)
    x = random_inputs((frames, *net.shape[1:]), qtype, scale)
    assert_compared(path, graph, x, exact)
    return graph, x


def integers_of(graph: IntGraph, x: np.ndarray) -> np.ndarray:
    """What the integer graph answers to real inputs x: (frames, elements of its output)."""
    return execute(graph, to_stream(graph.input, from_real(graph.input, x)))


def kinds(graph: IntGraph) -> list[type]:
    """Types of the blocks, in order."""
    return [type(node.block) for node in graph.nodes]
