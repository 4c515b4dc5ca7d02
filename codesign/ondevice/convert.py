"""An integer network with the layers of a float one."""

from __future__ import annotations

import copy
from contextlib import suppress

import torch
from torch import nn

from codesign.errors import BadInput
from codesign.ondevice.layers import Convolution, Dense, Flatten, Layer, MaxPool, Relu
from codesign.ondevice.network import IntegerNetwork
from codesign.quant.config import QuantConfig
from codesign.quant.trace import trace

NORMS = (nn.BatchNorm1d, nn.BatchNorm2d)
WIDTHS = range(2, 9)


def integer_network(
    model: nn.Module,
    input_shape: tuple[int, ...],
    config: QuantConfig,
    input_max: int,
    generator: torch.Generator,
    input_mean: int = 0,
) -> IntegerNetwork:
    """The layers of the float `model` as integers, without biases and norms, Xavier-uniform.

    Weights have the widths of `config`, 2..8 bits; `input_mean` is taken from all pixels. Raises
    BadInput for another width, for a network that is more than a chain of layers, and for a layer
    without an integer form: there are Linear, Conv2d (square, without groups), ReLU, MaxPool2d and
    Flatten.
    """
    model = _without_norms(copy.deepcopy(model)).eval()
    modules = dict(model.named_modules())
    names = [v.name for v in trace(model, input_shape) if not any(modules[v.name].children())]
    _check_chain(model, [modules[name] for name in names], input_shape)
    layers: list[tuple[str, Layer]] = []
    for name in names:
        layers += _converted(name, modules[name], config, bool(layers) and _is_flat(layers))
    network = IntegerNetwork(layers, input_max, input_mean)
    for layer in network.weighted:
        layer.xavier(generator)
    return network


def _without_norms(model: nn.Module) -> nn.Module:
    """Biases and norms fall away; a convolution has none left."""
    for module in model.modules():
        if getattr(module, "bias", None) is not None and not isinstance(module, NORMS):
            module.bias = None
        for name, child in module.named_children():
            if isinstance(child, NORMS):
                setattr(module, name, nn.Identity())
    return model


def _check_chain(model: nn.Module, leaves: list[nn.Module], input_shape: tuple[int, ...]) -> None:
    """One after the other, the leaves must compute what the model computes."""
    x = torch.rand(2, *input_shape, generator=torch.Generator().manual_seed(0))
    with torch.no_grad(), suppress(RuntimeError):  # of shapes that do not go together
        found = x
        for leaf in leaves:
            found = leaf(found.flatten(1) if isinstance(leaf, nn.Linear) else found)
        if torch.allclose(found, model(x), atol=1e-5):
            return
    raise BadInput(
        f"{type(model).__name__} is more than a chain of layers (it has shortcuts, or computes in "
        "its own forward); integer training takes chains such as tfc and cnv",
        model=type(model).__name__,
    )


def _is_flat(layers: list[tuple[str, Layer]]) -> bool:
    return any(isinstance(layer, Flatten | Dense) for _, layer in layers)


def _converted(
    name: str, module: nn.Module, config: QuantConfig, flat: bool
) -> list[tuple[str, Layer]]:
    if isinstance(module, nn.Identity | nn.Dropout | nn.Dropout2d):
        return []
    for kinds, convert in CONVERTERS:
        if isinstance(module, kinds):
            layer = convert(name, module, config)
            opened = isinstance(layer, Dense) and not flat
            return [(f"{name}.flatten", Flatten())] * opened + [(name, layer)]
    raise _unsupported(name, module, "which has no integer form")


def _width(name: str, config: QuantConfig) -> int:
    bits = config.weight_bits_of(name)
    if bits not in WIDTHS:
        raise BadInput(f"{name}: integer training has weights of 2 to 8 bits, not {bits}")
    return bits


def _dense(name: str, layer: nn.Linear, config: QuantConfig) -> Layer:
    return Dense(layer.in_features, layer.out_features, _width(name, config))


def _convolution(name: str, layer: nn.Conv2d, config: QuantConfig) -> Layer:
    sides = [_side(size) for size in (layer.kernel_size, layer.stride, layer.padding)]
    plain = layer.groups == 1 and _side(layer.dilation) == 1 and layer.padding_mode == "zeros"
    if None in sides or not plain:
        words = "which must be square, without groups and dilation, padded with zeros"
        raise _unsupported(name, layer, words)
    return Convolution(layer.in_channels, layer.out_channels, *sides, _width(name, config))


def _max_pool(name: str, layer: nn.MaxPool2d, config: QuantConfig) -> Layer:
    side = _side(layer.kernel_size)
    plain = _side(layer.padding) == 0 and _side(layer.dilation) == 1 and not layer.ceil_mode
    if side is None or _side(layer.stride) != side or not plain:
        raise _unsupported(name, layer, "which must be square, not overlap and not be padded")
    return MaxPool(side)


def _side(size: int | str | tuple[int, ...]) -> int | None:
    """The number that both axes have; None where they differ or a word stands there."""
    sides = {size} if isinstance(size, int) else set(size)
    only = sides.pop() if len(sides) == 1 else None
    return only if isinstance(only, int) else None


def _unsupported(name: str, module: nn.Module, what: str) -> BadInput:
    return BadInput(
        f"{name} is a {type(module).__name__}, {what} in integer training; there are Linear, "
        "Conv2d, ReLU, MaxPool2d and Flatten",
        layer=name,
        kind=type(module).__name__,
    )


CONVERTERS = (
    ((nn.Linear,), _dense),
    ((nn.Conv2d,), _convolution),
    ((nn.ReLU,), lambda *_: Relu()),
    ((nn.MaxPool2d,), _max_pool),
    ((nn.Flatten,), lambda *_: Flatten()),
)
