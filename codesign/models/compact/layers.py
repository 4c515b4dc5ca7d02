"""Decomposed and pruned layers with the weights of a trained one.

They are chains of Linear and Conv2d with a `Signed` between, where a quantised network quantises.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor, nn

from codesign.errors import BadInput
from codesign.models.compact.decompose import cp_factors, svd_factors
from codesign.models.compact.ranks import (
    cp_convolution_rank,
    svd_affine_rank,
    svd_convolution_rank,
)
from codesign.models.join import Signed


def svd_affine(layer: nn.Linear, rank: int) -> nn.Sequential:
    """y = U V x + b: layers `down` (R, I) and `up` (O, R)."""
    up, down = svd_factors(_array(layer.weight), rank)
    parts = nn.Sequential()
    parts.add_module("down", nn.Linear(layer.in_features, rank, bias=False))
    parts.add_module("between", Signed())
    parts.add_module("up", nn.Linear(rank, layer.out_features, bias=layer.bias is not None))
    _fill(parts.down, down)
    _fill(parts.up, up, layer.bias)
    return parts


def svd_convolution(layer: nn.Conv2d, rank: int) -> nn.Sequential:
    """`depthwise` with R kernels for each input channel, then `pointwise` (1x1).

    The matrix (O, k) of each input channel is decomposed alone; R = 1 is a depthwise separable layer.
    """
    outputs, inputs, *kernel = layer.weight.shape
    matrices = _array(layer.weight).reshape(outputs, inputs, -1)
    pairs = [svd_factors(matrices[:, channel], rank) for channel in range(inputs)]
    parts = nn.Sequential()
    parts.add_module("depthwise", _spatial(layer, inputs, rank * inputs))
    parts.add_module("between", Signed())
    parts.add_module("pointwise", _pointwise(rank * inputs, outputs, layer.bias is not None))
    _fill(parts.depthwise, np.concatenate([right for _, right in pairs]).reshape(-1, 1, *kernel))
    _fill(parts.pointwise, np.concatenate([left for left, _ in pairs], axis=1), layer.bias)
    return parts


def cp_convolution(layer: nn.Conv2d, rank: int) -> nn.Sequential:
    """`down` (1x1 to R channels), `depthwise`, `up` (1x1)."""
    outputs, inputs, *kernel = layer.weight.shape
    a, b, c = cp_factors(_array(layer.weight).reshape(outputs, inputs, -1), rank)
    parts = nn.Sequential()
    parts.add_module("down", _pointwise(inputs, rank, bias=False))
    parts.add_module("between", Signed())
    parts.add_module("depthwise", _spatial(layer, rank, rank))
    parts.add_module("behind", Signed())
    parts.add_module("up", _pointwise(rank, outputs, layer.bias is not None))
    _fill(parts.down, b.T)
    _fill(parts.depthwise, c.T.reshape(rank, 1, *kernel))
    _fill(parts.up, a, layer.bias)
    return parts


def pruned(layer: nn.Module, ratio: float) -> nn.Module:
    """`layer` with the part `ratio` of its weights, the smallest ones, 0 for good."""
    size = layer.weight.detach().abs().flatten()
    mask = torch.ones_like(size)
    mask[size.argsort(stable=True)[: int(ratio * len(size))]] = 0
    return keep_pruned(layer, mask.view_as(layer.weight))


def keep_pruned(layer: nn.Module, mask: Tensor) -> nn.Module:
    """Cut the weights where `mask` is 0, and their gradients for ever; returns `layer`."""
    layer.register_buffer("mask", mask.detach().clone())
    layer.weight.data.mul_(layer.mask)
    layer.weight.register_hook(lambda gradient: gradient * layer.mask)
    return layer


def _svd(layer: nn.Module, ratio: float) -> nn.Module:
    if isinstance(layer, nn.Linear):
        rank = svd_affine_rank(layer.out_features, layer.in_features, ratio)
        return svd_affine(layer, rank)
    return svd_convolution(layer, svd_convolution_rank(*_sizes(layer), ratio))


def _cp(layer: nn.Module, ratio: float) -> nn.Module:
    return cp_convolution(layer, cp_convolution_rank(*_sizes(layer), ratio))


def _separable(layer: nn.Module, ratio: float) -> nn.Module:
    _sizes(layer)
    return svd_convolution(layer, 1)


METHODS: dict[str, Callable[[nn.Module, float], nn.Module]] = {
    "svd": _svd,
    "cp": _cp,
    "separable": _separable,
    "prune": pruned,
}


def _sizes(layer: nn.Module) -> tuple[int, int, int]:
    """Outputs, inputs and kernel elements of a plain convolution; raises BadInput."""
    if not isinstance(layer, nn.Conv2d) or layer.groups > 1:
        raise BadInput(
            f"it is a {type(layer).__name__}, and this decomposition is one of a Conv2d without "
            "groups; Linear has svd and prune"
        )
    outputs, inputs, height, width = layer.weight.shape
    return outputs, inputs, height * width


def _spatial(layer: nn.Conv2d, inputs: int, outputs: int) -> nn.Conv2d:
    keys = ("stride", "padding", "dilation", "padding_mode")
    geometry = {key: getattr(layer, key) for key in keys}
    return nn.Conv2d(inputs, outputs, layer.kernel_size, groups=inputs, bias=False, **geometry)


def _pointwise(inputs: int, outputs: int, bias: bool) -> nn.Conv2d:
    return nn.Conv2d(inputs, outputs, 1, bias=bias)


def _array(weight: Tensor) -> np.ndarray:
    return weight.detach().double().cpu().numpy()


def _fill(layer: nn.Module, weight: np.ndarray, bias: Tensor | None = None) -> None:
    values = torch.as_tensor(weight, dtype=layer.weight.dtype)
    layer.weight.data.copy_(values.reshape(layer.weight.shape))
    if bias is not None:
        layer.bias.data.copy_(bias.data)
