"""Nearest upsampling, depth to space and back: walks over buffered rows."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from math import ceil, floor

from codesign.graph.arrange import as_picture, walked
from codesign.graph.builder import Builder, Value, need_integers, unsupported
from codesign.graph.onnx_node import OnnxNode
from codesign.graph.values import Tensor, canonical

HALF = Fraction(1, 2)

# The place in the input (n pixels) of pixel i of the output (m pixels), before rounding.
COORDINATES: dict[str, Callable[[int, int, int], Fraction]] = {
    "asymmetric": lambda i, n, m: Fraction(i * n, m),
    "half_pixel": lambda i, n, m: (i + HALF) * n / m - HALF,
    "half_pixel_symmetric": lambda i, n, m: (i + HALF) * n / m - HALF,
    "pytorch_half_pixel": lambda i, n, m: (i + HALF) * n / m - HALF if m > 1 else Fraction(0),
    "tf_half_pixel_for_nn": lambda i, n, m: (i + HALF) * n / m,
    "align_corners": lambda i, n, m: Fraction(i * (n - 1), max(m - 1, 1)),
}
ROUNDINGS: dict[str, Callable[[Fraction], int]] = {
    "round_prefer_floor": lambda x: ceil(x - HALF),
    "round_prefer_ceil": lambda x: floor(x + HALF),
    "floor": floor,
    "ceil": ceil,
}


def resize(build: Builder, node: OnnxNode, x: Value, *_: Value) -> Tensor:
    """Nearest upsampling by whole factors (Resize and Upsample): every pixel is repeated."""
    tensor = as_picture(build, node, need_integers(node, x))
    shape, old = build.shapes[node.outputs[0]][1:], tensor.order.shape
    if node.attrs.get("mode", "nearest") != "nearest" or len(shape) not in (2, 3):
        raise unsupported(
            node,
            f"mode {node.attrs.get('mode', 'nearest')} over {len(old)} axes",
            "upsample pictures with mode='nearest', or by a transposed convolution",
        )
    pairs = list(zip(old, shape, strict=True))
    if shape[0] != old[0] or not all(_repeats(node, n, m) for n, m in pairs[1:]):
        raise unsupported(
            node,
            f"from {old} to {shape} it does not repeat every pixel equally often",
            "upsample by whole factors with mode='nearest' (torch.nn.Upsample)",
        )
    channels, (rows, down), (columns, right) = old[0], *_factors(pairs)
    course = rows, (down, columns, right, channels), (0, channels, 0, 1)
    return walked(build, node, tensor, course, canonical(shape), channels)


def _factors(pairs: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """(size, factor) of rows and columns; one row of a (C, L) tensor."""
    found = [(n, m // n) for n, m in pairs[1:]]
    return found if len(found) == 2 else [(1, 1), *found]


def _repeats(node: OnnxNode, n: int, m: int) -> bool:
    """True when pixel i of m is pixel i // (m/n) of n."""
    if m == n:
        return True
    upsample = node.op == "Upsample"
    mode = node.attrs.get("coordinate_transformation_mode", "half_pixel")
    rounding = node.attrs.get("nearest_mode", "round_prefer_floor")
    place = COORDINATES.get("asymmetric" if upsample else str(mode))
    rounded = ROUNDINGS["floor" if upsample else str(rounding)]
    if m % n or place is None:
        return False
    return all(min(max(rounded(place(i, n, m)), 0), n - 1) == i // (m // n) for i in range(m))


def depth_to_space(build: Builder, node: OnnxNode, x: Value) -> Tensor:
    """Blocks of channels become pixels; DCR: the block is the outer part of them, CRD: the inner."""
    tensor = as_picture(build, node, need_integers(node, x))
    b = int(node.attrs["blocksize"])
    channels, height, width = tensor.order.shape
    c = channels // (b * b)
    strides = (1, b * b) if node.attrs.get("mode", "DCR") == "CRD" else (c, 1)
    course = height, (b, width, b, c), (b * strides[0], channels, *strides)
    order = canonical((c, height * b, width * b))
    return walked(build, node, tensor, course, order, c)


def space_to_depth(build: Builder, node: OnnxNode, x: Value) -> Tensor:
    """Blocks of pixels become channels, the block outermost."""
    tensor = as_picture(build, node, need_integers(node, x))
    b = int(node.attrs["blocksize"])
    c, height, width = tensor.order.shape
    course = height // b, (width // b, b, b, c), (b * c, width * c, c, 1)
    order = canonical((b * b * c, height // b, width // b))
    return walked(build, node, tensor, course, order, b * b * c)
