"""How the project's quantisers become nodes of QONNX."""

from __future__ import annotations

from typing import ClassVar

from brevitas.export.onnx.qonnx.function import BrevitasBinaryQuantOp, BrevitasQuantOp
from brevitas.export.onnx.qonnx.handler import (
    BrevitasActQuantProxyHandler,
    BrevitasWeightQuantProxyHandler,
)
from brevitas.export.onnx.qonnx.manager import QONNXManager
from torch import nn

from codesign.errors import BadInput
from codesign.quant.proxies import ActProxy, WeightProxy


def _operator(proxy: nn.Module) -> type:
    """Brevitas takes every 1-bit quantiser for bipolar; unsigned 1 bit is a Quant of 0 and 1."""
    return BrevitasBinaryQuantOp if proxy.quantiser.bipolar else BrevitasQuantOp


class WeightHandler(BrevitasWeightQuantProxyHandler):
    """Weight quantiser to Quant or BipolarQuant."""

    handled_layer = WeightProxy

    def prepare_for_export(self, module: WeightProxy) -> None:
        if not module.quantiser.has_qonnx_form:
            raise BadInput(
                f"weights of {type(module.quantiser).__name__} are not quantised; train with another "
                "weight_quantiser to export"
            )
        super().prepare_for_export(module)
        self.symbolic_kwargs["narrow_range"] = module.quantiser.narrow
        self.quant_op = _operator(module)


class ActHandler(BrevitasActQuantProxyHandler):
    """Activation quantiser to Quant or BipolarQuant."""

    handled_layer = ActProxy

    def prepare_for_export(self, module: ActProxy) -> None:
        if not module.quantiser.has_qonnx_form:
            raise BadInput(
                f"activations of {type(module.quantiser).__name__} have no QONNX node, whose levels "
                "are equally spaced; train with act_quantiser = 'u3' or 'fixed' to export"
            )
        super().prepare_for_export(module)
        self.quant_op = _operator(module)


class QonnxManager(QONNXManager):
    """Brevitas's exporter, which also knows the project's proxies."""

    handlers: ClassVar = [WeightHandler, ActHandler, *QONNXManager.handlers]
