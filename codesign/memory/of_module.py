"""Sizes of a torch network, float or quantised."""

from __future__ import annotations

import torch
from torch import nn

from codesign.memory.sizes import LayerSize, NetworkSize
from codesign.quant.trace import Visit, trace

WEIGHTED = (nn.Linear, nn.Conv1d, nn.Conv2d, nn.ConvTranspose2d)
NORMS = (nn.BatchNorm1d, nn.BatchNorm2d)
POOLS = (nn.AdaptiveAvgPool2d, nn.AvgPool2d, nn.MaxPool1d, nn.MaxPool2d)


def size_of_module(model: nn.Module, input_shape: tuple[int, ...]) -> NetworkSize:
    """Counts for one frame of `input_shape` (no batch axis); raises BadInput if it does not run."""
    modules = dict(model.named_modules())
    visits = [v for v in trace(model, input_shape) if isinstance(modules[v.name], KINDS)]
    layers = tuple(_layer(v, modules[v.name]) for v in visits)
    return NetworkSize(type(model).__name__, torch.Size(input_shape).numel(), layers)


def _layer(visit: Visit, module: nn.Module) -> LayerSize:
    own = {key: p.numel() for key, p in module.named_parameters(recurse=False)}
    if not isinstance(module, WEIGHTED):
        kind = "norm" if isinstance(module, NORMS) else "pool"
        return LayerSize(visit.name, kind, 0, sum(own.values()), visit.elements_out)
    # Each pixel of the side that the first axis of the weights counts meets all its weights.
    transposed = isinstance(module, nn.ConvTranspose2d)
    elements = visit.elements_in if transposed else visit.elements_out
    macs = own["weight"] * elements // module.weight.shape[0]
    return LayerSize(
        visit.name, "weights", own["weight"], own.get("bias", 0), visit.elements_out, macs
    )


KINDS = (*WEIGHTED, *NORMS, *POOLS)
