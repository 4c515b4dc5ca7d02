"""Networks by name: built in, or the user's as "package.module:Class"."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from pathlib import Path

from torch import nn

from codesign.errors import BadInput
from codesign.imports import import_object
from codesign.models.checkpoint import load_checkpoint
from codesign.models.cnv import Cnv
from codesign.models.compact.apply import compacted
from codesign.models.inverted import EfficientNetLite0, MobileNetV2
from codesign.models.mobile import Mobile
from codesign.models.quantise import quantise
from codesign.models.resnet import ResNet, ResNet18
from codesign.models.squeezenext import SqueezeNext
from codesign.models.tfc import Tfc
from codesign.quant.config import QuantConfig
from codesign.quant.handles import record_quantisers
from codesign.recipe.compact import CompactSpec

MODELS: dict[str, Callable[..., nn.Module]] = {
    "tfc": Tfc,
    "cnv": Cnv,
    "resnet": ResNet,
    "resnet18": ResNet18,
    "mobile": Mobile,
    "mobilenet_v2": MobileNetV2,
    "efficientnet_lite0": EfficientNetLite0,
    "squeezenext": SqueezeNext,
}


def build_model(
    name: str,
    input_shape: tuple[int, ...],
    classes: int,
    config: QuantConfig,
    input_max: int = 255,
    checkpoint: str | Path | None = None,
    compact: Mapping[str, CompactSpec] | None = None,
    **options: object,
) -> nn.Module:
    """A Brevitas network that takes float32 (batch, *input_shape) and returns (batch, classes).

    `name` is one of MODELS or "package.module:Class"; the class is called with those of
    input_shape, classes, config and **options that its signature names. If it makes a network
    without Brevitas layers, they are quantised as `config` says. Inputs are raw integers
    0..input_max times float32(1/input_max). `checkpoint` holds float or quantised weights
    (torch.save of a state_dict). `compact` names layers that are made compact before they are
    quantised, from the float weights of `checkpoint` where it is given. Raises BadInput.
    """
    model = _made(name, tuple(input_shape), classes, config, options)
    if compact:
        model, checkpoint = _compact(name, model, tuple(input_shape), compact, checkpoint), None
    if _has_quantisers(model):
        model = record_quantisers(model, tuple(input_shape))
    else:
        model = quantise(model, config, tuple(input_shape), input_max)
    if checkpoint is not None:
        load_checkpoint(model, Path(checkpoint))
    return model


def _compact(
    name: str,
    model: nn.Module,
    input_shape: tuple[int, ...],
    specs: Mapping[str, CompactSpec],
    checkpoint: str | Path | None,
) -> nn.Module:
    if _has_quantisers(model):
        raise _is_quantised(name)
    if checkpoint is not None:
        load_checkpoint(record_quantisers(model, input_shape), Path(checkpoint))
    return compacted(model, specs)


def float_model(
    name: str, input_shape: tuple[int, ...], classes: int, **options: object
) -> nn.Module:
    """The network without quantisation; raises BadInput for one that is written quantised."""
    model = _made(name, tuple(input_shape), classes, QuantConfig(), options)
    if _has_quantisers(model):
        raise _is_quantised(name)
    return model


def _is_quantised(name: str) -> BadInput:
    return BadInput(
        f"model {name} has Brevitas layers of its own, and a float network is needed here; give one "
        "of plain torch layers",
        model=name,
    )


def _made(
    name: str, input_shape: tuple[int, ...], classes: int, config: QuantConfig, options: dict
) -> nn.Module:
    factory = MODELS.get(name) or _user_class(name)
    given = {"input_shape": input_shape, "classes": classes, "config": config}
    return _call(name, factory, given, options)


def _call(name: str, factory: Callable[..., nn.Module], given: dict, options: dict) -> nn.Module:
    parameters = inspect.signature(factory).parameters
    takes_any = any(p.kind is p.VAR_KEYWORD for p in parameters.values())
    unknown = sorted(set(options) - set(parameters))
    if unknown and not takes_any:
        raise BadInput(
            f"model {name} has no option {', '.join(unknown)}; it takes "
            f"{', '.join(p for p in parameters if p not in given) or 'none'}",
            unknown=unknown,
        )
    model = factory(**{k: v for k, v in given.items() if k in parameters}, **options)
    if not isinstance(model, nn.Module):
        raise BadInput(f"model {name} made a {type(model).__name__}, not a torch.nn.Module")
    return model


def _user_class(name: str) -> Callable[..., nn.Module]:
    if ":" not in name:
        raise BadInput(
            f"model {name!r} is unknown; built in are {', '.join(MODELS)}, and your own is named "
            "package.module:Class",
            model=name,
        )
    return import_object(name, "model")


def _has_quantisers(model: nn.Module) -> bool:
    return any(getattr(module, "is_quant_enabled", False) for module in model.modules())
