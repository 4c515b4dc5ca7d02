"""A plain torch network becomes a Brevitas one, layer by layer, as its QuantConfig says."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass

import brevitas.nn as qnn
from torch import nn

from codesign.errors import BadInput
from codesign.models.compact.layers import keep_pruned
from codesign.models.join import Join, Signed
from codesign.quant.config import QuantConfig
from codesign.quant.handles import record_quantisers
from codesign.quant.proxies import act_injector, pixel_injector, weight_injector
from codesign.quant.trace import trace

WEIGHT_LAYERS = (nn.Linear, nn.Conv1d, nn.Conv2d)
SHAPE_ONLY = (nn.Flatten, nn.Identity, nn.Dropout, nn.ZeroPad2d, nn.Unflatten)
KEPT = SHAPE_ONLY + (
    nn.BatchNorm1d,
    nn.BatchNorm2d,
    nn.MaxPool1d,
    nn.MaxPool2d,
    nn.AvgPool2d,
    nn.AdaptiveAvgPool2d,
    nn.Dropout2d,
)


@dataclass(frozen=True)
class Plan:
    """What conversion needs to know: the config, the data's range, and which layers are the ends."""

    config: QuantConfig
    input_max: int
    first: str
    last: str


def quantise(
    model: nn.Module, config: QuantConfig, input_shape: tuple[int, ...], input_max: int = 255
) -> nn.Module:
    """A quantised copy of `model`, with the same layer names and float weights.

    Linear, Conv1d and Conv2d get quantised weights; ReLU and ReLU6 become unsigned quantisers,
    Hardtanh and Signed a signed one, Join one shared by both branches. The first weight layer quantises the
    input, whose raw integers are 0..`input_max` and whose values are those times 1/input_max. The
    last weight layer has one scale for all outputs, so that logits compare as integers, and no
    output quantiser. Raises BadInput for a layer without a quantised form, a name in
    `config.layers` that is not in the network, or a network that does not run on `input_shape`.
    """
    plan = _plan(model, config, input_shape, input_max)
    quantised = _convert_children(copy.deepcopy(model), "", plan, {})
    return record_quantisers(quantised, input_shape)


def _plan(
    model: nn.Module, config: QuantConfig, input_shape: tuple[int, ...], input_max: int
) -> Plan:
    modules = dict(model.named_modules())
    unknown = sorted(set(config.layers) - set(modules))
    if unknown:
        raise BadInput(
            f"the QuantConfig names {', '.join(unknown)}, but the layers of {type(model).__name__} "
            f"are {', '.join(name for name in modules if name)}",
            unknown=unknown,
        )
    order = [v.name for v in trace(model, input_shape) if not tuple(modules[v.name].children())]
    weighted = [name for name in order if isinstance(modules[name], WEIGHT_LAYERS)]
    if not weighted:
        raise BadInput(f"{type(model).__name__} has no Linear or Conv layer to quantise")
    for name in order[: order.index(weighted[0])]:
        if not isinstance(modules[name], SHAPE_ONLY):
            raise _unsupported(name, modules[name], "before the first Linear or Conv layer")
    return Plan(config, input_max, weighted[0], weighted[-1])


def _convert_children(
    module: nn.Module, path: str, plan: Plan, done: dict[int, nn.Module]
) -> nn.Module:
    for name, child in module.named_children():
        if id(child) not in done:
            done[id(child)] = _convert(child, f"{path}.{name}" if path else name, plan, done)
        module._modules[name] = done[id(child)]
    return module


def _convert(child: nn.Module, path: str, plan: Plan, done: dict[int, nn.Module]) -> nn.Module:
    for kinds, converter in CONVERTERS:
        if isinstance(child, kinds):
            if type(child).forward not in [kind.forward for kind in kinds]:
                raise _unsupported(path, child, "since it has a forward of its own")
            return converter(child, path, plan)
    if isinstance(child, KEPT):
        return child
    if _is_torch_leaf(child) or any(True for _ in child.parameters(recurse=False)):
        raise _unsupported(path, child, "here")
    return _convert_children(child, path, plan, done)


def _is_torch_leaf(module: nn.Module) -> bool:
    """A layer of torch itself; a user's own module without weights is left for lowering to judge."""
    own = type(module).__module__.startswith("torch.nn")
    return own and not isinstance(module, nn.Sequential | nn.ModuleList | nn.ModuleDict)


def _unsupported(path: str, module: nn.Module, where: str) -> BadInput:
    return BadInput(
        f"{path} is a {type(module).__name__}, which has no quantised form {where}; layers that do "
        "are Linear, Conv1d, Conv2d, ReLU, ReLU6, Hardtanh, Join and Signed of codesign.models.join, BatchNorm, "
        "max and average pooling, Flatten, Dropout and Identity",
        layer=path,
        kind=type(module).__name__,
    )


def _weight_options(layer: nn.Module, path: str, plan: Plan) -> dict[str, object]:
    sliced = layer.weight.dim() > 2 or plan.config.per_channel_dense
    per_channel = plan.config.slices_weights_of(path) and sliced and path != plan.last
    if hasattr(layer, "mask"):
        plan.config.check_pruned(path)
    shape = (layer.weight.shape[0],) + (1,) * (layer.weight.dim() - 1) if per_channel else ()
    pixels = pixel_injector(plan.config, plan.input_max) if path == plan.first else None
    return {
        "bias": layer.bias is not None,
        "weight_quant": weight_injector(plan.config, path, shape, path == plan.first),
        "input_quant": pixels,
    }


def _linear(layer: nn.Linear, path: str, plan: Plan) -> nn.Module:
    options = _weight_options(layer, path, plan)
    return _same_weights(layer, qnn.QuantLinear(layer.in_features, layer.out_features, **options))


def _convolution(layer: nn.Conv1d | nn.Conv2d, path: str, plan: Plan) -> nn.Module:
    kind = qnn.QuantConv2d if isinstance(layer, nn.Conv2d) else qnn.QuantConv1d
    geometry = ("kernel_size", "stride", "padding", "dilation", "groups", "padding_mode")
    shape = {field: getattr(layer, field) for field in geometry}
    options = _weight_options(layer, path, plan)
    return _same_weights(layer, kind(layer.in_channels, layer.out_channels, **shape, **options))


def _same_weights(layer: nn.Module, quantised: nn.Module) -> nn.Module:
    quantised.weight.data.copy_(layer.weight.data)
    if layer.bias is not None:
        quantised.bias.data.copy_(layer.bias.data)
    if hasattr(layer, "mask"):
        keep_pruned(quantised, layer.mask)
    return quantised.train(layer.training)


def _unsigned_act(layer: nn.Module, path: str, plan: Plan) -> nn.Module:
    return qnn.QuantIdentity(act_quant=act_injector(plan.config, path)).train(layer.training)


def _signed_act(layer: nn.Module, path: str, plan: Plan) -> nn.Module:
    injector = act_injector(plan.config, path, signed=True)
    return qnn.QuantIdentity(act_quant=injector).train(layer.training)


def _join(layer: Join, path: str, plan: Plan) -> Join:
    # A bipolar sum would lose the residual stream, so a join carries at least -1, 0, +1.
    injector = act_injector(plan.config, path, signed=True, least_bits=2)
    layer.quantiser = qnn.QuantIdentity(act_quant=injector).train(layer.training)
    return layer


CONVERTERS: tuple[tuple[tuple[type, ...], Callable[..., nn.Module]], ...] = (
    ((nn.Linear,), _linear),
    ((nn.Conv1d, nn.Conv2d), _convolution),
    ((nn.ReLU, nn.ReLU6), _unsigned_act),
    ((nn.Hardtanh, Signed), _signed_act),
    ((Join,), _join),
)
