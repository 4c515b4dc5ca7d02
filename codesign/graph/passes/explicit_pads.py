"""auto_pad of convolutions and pools becomes explicit pads."""

from __future__ import annotations

from typing import Any

SPATIAL_OPS = ("Conv", "MaxPool", "AveragePool")


def run(model: Any) -> Any:
    """Replace SAME_UPPER, SAME_LOWER and VALID by numbers."""
    for node in model.graph.node:
        mode = next((a.s.decode() for a in node.attribute if a.name == "auto_pad"), "NOTSET")
        if node.op_type in SPATIAL_OPS and mode != "NOTSET":
            _set_pads(node, _pads(model, node, mode))
    return model


def _pads(model: Any, node: Any, mode: str) -> list[int]:
    size = model.get_tensor_shape(node.input[0])[2:]
    if mode == "VALID":
        return [0] * (2 * len(size))
    ones = [1] * len(size)
    attrs = {a.name: list(a.ints) for a in node.attribute}
    kernel = attrs.get("kernel_shape") or list(model.get_tensor_shape(node.input[1])[2:])
    stride, dilation = attrs.get("strides", ones), attrs.get("dilations", ones)
    total = [
        max(0, (-(-n // s) - 1) * s + (k - 1) * d + 1 - n)
        for n, k, s, d in zip(size, kernel, stride, dilation, strict=True)
    ]
    small, large = [t // 2 for t in total], [t - t // 2 for t in total]
    return small + large if mode == "SAME_UPPER" else large + small


def _set_pads(node: Any, pads: list[int]) -> None:
    from onnx.helper import make_attribute

    kept = [a for a in node.attribute if a.name not in ("auto_pad", "pads")]
    del node.attribute[:]
    node.attribute.extend([*kept, make_attribute("pads", pads)])
