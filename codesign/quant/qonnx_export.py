"""How the project's quantisers become nodes of QONNX."""

from __future__ import annotations

from typing import ClassVar

import torch
from brevitas.export.onnx.qonnx.function import (
    DOMAIN_STRING,
    BrevitasBinaryQuantOp,
    BrevitasQuantOp,
)
from brevitas.export.onnx.qonnx.handler import (
    BrevitasActQuantProxyHandler,
    BrevitasWeightQuantProxyHandler,
)
from brevitas.export.onnx.qonnx.manager import QONNXManager
from torch import Tensor, nn

from codesign.errors import BadInput
from codesign.quant.proxies import ActProxy, WeightProxy
from codesign.quant.staircase import Staircase


class ThresholdsFunction(torch.autograd.Function):
    """A staircase as MultiThreshold: each threshold is there as often as the level climbs."""

    @staticmethod
    def symbolic(g, x, thresholds, scale: float, bits: int):
        kind = f"{DOMAIN_STRING}::MultiThreshold"
        out = g.op(kind, x, thresholds, out_dtype_s=f"UINT{bits}", out_scale_f=scale)
        out.setType(x.type())
        return out

    @staticmethod
    def forward(ctx, x: Tensor, thresholds: Tensor, scale: float, bits: int) -> Tensor:
        return (x.unsqueeze(-1) >= thresholds[0]).sum(-1) * scale


class AsStored(torch.autograd.Function):
    """Weights as the file stores them, quantised already; the node keeps their initialiser apart."""

    @staticmethod
    def symbolic(g, x):
        return g.op("Identity", x)

    @staticmethod
    def forward(ctx, x: Tensor) -> Tensor:
        return x.clone()


def _operator(proxy: nn.Module) -> type:
    """Brevitas takes every 1-bit quantiser for bipolar; unsigned 1 bit is a Quant of 0 and 1."""
    return BrevitasBinaryQuantOp if proxy.quantiser.bipolar else BrevitasQuantOp


def _described(
    handler: BrevitasWeightQuantProxyHandler | BrevitasActQuantProxyHandler,
) -> tuple[Tensor, ...]:
    """What Brevitas wants to know beside the values."""
    return tuple(handler.symbolic_kwargs[key] for key in ("scale", "zero_point", "bit_width"))


class WeightHandler(BrevitasWeightQuantProxyHandler):
    """Weight quantiser to Quant or BipolarQuant, or to nothing where levels are real numbers."""

    handled_layer = WeightProxy
    has_real_levels = False

    def prepare_for_export(self, module: WeightProxy) -> None:
        if not module.quantiser.has_qonnx_form:
            raise BadInput(
                f"weights of {type(module.quantiser).__name__} are not quantised; train with another "
                "weight_quantiser to export"
            )
        super().prepare_for_export(module)
        self.symbolic_kwargs["narrow_range"] = module.quantiser.narrow
        self.quant_op = _operator(module)
        self.has_real_levels = module.quantiser.has_real_levels

    def symbolic_execution(self, x: Tensor) -> tuple[Tensor, ...]:
        if not self.has_real_levels:
            return super().symbolic_execution(x)
        return AsStored.apply(x), *_described(self)


class ActHandler(BrevitasActQuantProxyHandler):
    """Activation quantiser to Quant, BipolarQuant, or MultiThreshold where levels lie unevenly."""

    handled_layer = ActProxy
    stairs: Staircase | None = None

    def prepare_for_export(self, module: ActProxy) -> None:
        if not module.quantiser.has_qonnx_form:
            raise BadInput(
                f"activations of {type(module.quantiser).__name__} have no QONNX node; train with "
                "another act_quantiser, for instance 'u3' or 'fixed', to export"
            )
        super().prepare_for_export(module)
        self.quant_op = _operator(module)
        self.stairs = module.quantiser.staircase()

    def symbolic_execution(self, x: Tensor) -> tuple[Tensor, ...]:
        if self.stairs is None:
            return super().symbolic_execution(x)
        scale, bits = self.stairs.scale, int(self.stairs.levels[-1]).bit_length()
        y = ThresholdsFunction.apply(x, self.stairs.repeated()[None], float(scale), bits)
        return y, *_described(self)


class QonnxManager(QONNXManager):
    """Brevitas's exporter, which also knows the project's proxies."""

    handlers: ClassVar = [WeightHandler, ActHandler, *QONNXManager.handlers]
