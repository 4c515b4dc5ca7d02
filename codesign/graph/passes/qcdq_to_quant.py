"""QuantizeLinear, (Clip,) DequantizeLinear chains become one quantiser node each.

What remains are DequantizeLinear nodes of stored integers (weights and biases).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from codesign.graph.passes.canonical_domains import LINEAR_QUANT, OWN
from codesign.graph.passes.node_access import attribute, constant, refuse, replace_nodes
from codesign.graph.passes.quantiser_parameters import constants, parameters

RANGES = {
    "UINT4": (0, 15),
    "INT4": (-8, 7),
    "UINT8": (0, 255),
    "INT8": (-128, 127),
    "UINT16": (0, 65535),
    "INT16": (-32768, 32767),
}


@dataclass(frozen=True)
class Chain:
    """A QuantizeLinear, the Clips behind it, the DequantizeLinears that read it, and its range."""

    quantise: Any
    clips: tuple[Any, ...]
    dequantise: tuple[Any, ...]
    low: int
    high: int


def run(model: Any) -> Any:
    """Fuse every chain; raises UnsupportedLayer for blocked, dynamic or broken ones."""
    from onnx.helper import make_opsetid

    for node in list(model.graph.node):
        if node.op_type in ("QuantizeLinear", "DequantizeLinear") and attribute(
            node, "block_size", 0
        ):
            raise refuse(
                node,
                "its scales are blocked (block_size is set)",
                "use one scale per tensor or per channel",
            )
    names = [n.name for n in model.get_nodes_by_op_type("QuantizeLinear")]
    if names:
        model.model.opset_import.append(make_opsetid(OWN, 1))
    for name in names:
        _fuse(model, _chain(model, next(n for n in model.graph.node if n.name == name)))
    return model


def _chain(model: Any, quantise: Any) -> Chain:
    low, high = _range(model, quantise)
    clips, tensor = [], quantise.output[0]
    readers = _readers(model, tensor)
    while len(readers) == 1 and readers[0].op_type == "Clip":
        clip = readers[0]
        low, high = (f(int(a), b) for f, a, b in zip((max, min), (low, high), _bounds(model, clip)))
        clips, tensor = [*clips, clip], clip.output[0]
        readers = _readers(model, tensor)
    final = tensor in {o.name for o in model.graph.output}
    other = next((n.op_type for n in readers if n.op_type != "DequantizeLinear"), None)
    if final or other or not readers or low >= high:
        raise refuse(
            quantise,
            f"its integers go to {other or 'the output'}, not only to DequantizeLinear",
            "export with QuantizeLinear and DequantizeLinear in pairs (QDQ format)",
        )
    for node in readers:
        _check_pair(model, quantise, node)
    return Chain(quantise, tuple(clips), tuple(readers), low, high)


def _readers(model: Any, tensor: str) -> list[Any]:
    return [n for n in model.graph.node if tensor in n.input]


def _range(model: Any, node: Any) -> tuple[int, int]:
    """Integers of the type of its zero point (or its output_dtype); raises UnsupportedLayer."""
    from onnx import TensorProto

    kind = attribute(node, "output_dtype", 0) or TensorProto.UINT8
    if len(node.input) > 2 and node.input[2]:
        kind = model.get_initializer(node.input[2], return_dtype=True)[1] or kind
    name = TensorProto.DataType.Name(kind)
    if name not in RANGES:
        raise refuse(node, f"it quantises to {name}", f"use one of {', '.join(RANGES)}")
    return RANGES[name]


def _bounds(model: Any, clip: Any) -> tuple[int, int]:
    """Bounds of a Clip of integers; a missing one is far away."""
    found = [
        constant(model, clip, i, what) if len(clip.input) > 1 else attribute(clip, what, None)
        for i, what in ((1, "min"), (2, "max"))
    ]
    far = (-(1 << 31), 1 << 31)
    return tuple(
        f if v is None else int(np.asarray(v).ravel()[0]) for v, f in zip(found, far, strict=True)
    )


def _check_pair(model: Any, quantise: Any, dequantise: Any) -> None:
    """Raise UnsupportedLayer unless both have the same scale, zero point and axis."""
    ours, theirs = (parameters(model, n) for n in (quantise, dequantise))
    if not all(np.array_equal(a, b) for a, b in zip(ours, theirs, strict=True)):
        raise refuse(
            dequantise,
            f"its scale, zero point or axis is not that of {quantise.name} in front of it",
            "give both nodes of a pair the same parameters",
        )


def _fuse(model: Any, chain: Chain) -> None:
    from onnx.helper import make_node

    node, (first, *others) = chain.quantise, chain.dequantise
    fused = make_node(
        LINEAR_QUANT,
        [node.input[0], *constants(model, node)],
        [first.output[0]],
        name=node.name,
        domain=OWN,
        low=chain.low,
        high=chain.high,
    )
    copies = [make_node("Identity", [first.output[0]], [n.output[0]], name=n.name) for n in others]
    replace_nodes(model, [node, *chain.clips, *chain.dequantise], [fused, *copies])
