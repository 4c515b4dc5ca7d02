"""Export of a quantised network to QONNX, with golden inputs and outputs beside it."""

from __future__ import annotations

import copy
import io
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
import torch
from qonnx.core.modelwrapper import ModelWrapper
from qonnx.util.cleanup import cleanup_model
from torch import Tensor, nn

from codesign.errors import BadInput, InvariantBroken, reason
from codesign.files import write_bytes_atomic
from codesign.ondevice.export import to_qonnx
from codesign.ondevice.network import IntegerNetwork
from codesign.quant.handles import handles
from codesign.quant.qonnx_export import QonnxManager
from codesign.train.export_check import ExportCheck, check_export
from codesign.train.export_names import restore_names, tag_nodes

__all__ = ["ExportCheck", "ExportResult", "check_export", "export_qonnx"]

OPSET = 13
GOLDEN_SAMPLES = 8


@dataclass(frozen=True)
class ExportResult:
    """Files of an export: the network, and float32 arrays `inputs` and `outputs` (.npz)."""

    path: Path
    golden_path: Path
    golden_samples: int


def export_qonnx(
    model: nn.Module,
    input_shape: tuple[int, ...],
    path: str | Path,
    golden_inputs: Tensor | np.ndarray | None = None,
) -> ExportResult:
    """Write `model` to `path` as QONNX (opset 13, batch 1) and golden pairs to <stem>.golden.npz.

    The model is not changed. `golden_inputs` is float32 (samples, *input_shape); without it eight
    random images on the input quantiser's grid are used. Weights are stored quantised. Nodes carry
    the names of torch modules (see export_names). Raises BadInput when torch cannot express the
    network in ONNX or the files cannot be written.
    """
    path = Path(path)
    exported = copy.deepcopy(model).eval().cpu()
    inputs = _golden_inputs(exported, tuple(input_shape), golden_inputs)
    with torch.no_grad():
        outputs = exported(inputs).numpy()
    proto = _proto(exported, tuple(input_shape))
    golden_path = path.with_suffix(".golden.npz")
    write_bytes_atomic(golden_path, _npz(inputs=inputs.numpy(), outputs=outputs))
    write_bytes_atomic(path, proto.SerializeToString())
    return ExportResult(path, golden_path, len(inputs))


def _proto(model: nn.Module, input_shape: tuple[int, ...]) -> onnx.ModelProto:
    """The network in QONNX; one of integers writes itself."""
    if isinstance(model, IntegerNetwork):
        return to_qonnx(model, input_shape)
    return _clean(_to_onnx(model, input_shape), model)


def _to_onnx(model: nn.Module, input_shape: tuple[int, ...]) -> onnx.ModelProto:
    """The safe route: a copy in evaluation mode on the CPU, TorchScript exporter."""
    sample = torch.zeros(1, *input_shape)
    try:
        return QonnxManager.export(
            copy.deepcopy(model), args=sample, dynamo=False, opset_version=OPSET
        )
    except (RuntimeError, TypeError, ValueError, AssertionError) as error:
        raise BadInput(
            f"{type(model).__name__} cannot be expressed in ONNX "
            f"({reason(error)}); build it from layers that build_model knows",
            model=type(model).__name__,
        ) from error


def _clean(proto: onnx.ModelProto, model: nn.Module) -> onnx.ModelProto:
    _store_quantised_weights(proto.graph, model)
    tag_nodes(proto.graph, {name for name, _ in model.named_modules()})
    clean = cleanup_model(ModelWrapper(proto), extract_conv_bias=True).model
    restore_names(clean.graph)
    return clean


def _store_quantised_weights(graph: onnx.GraphProto, model: nn.Module) -> None:
    """Brevitas exports float weights, which Quant would round otherwise than their quantiser."""
    initialisers = {entry.name: entry for entry in graph.initializer}
    for name, layer in model.named_modules():
        if not getattr(getattr(layer, "weight_quant", None), "is_quant_enabled", False):
            continue
        entry = initialisers.get(f"{name}.weight")
        if entry is None:
            raise InvariantBroken(
                f"{name}: the exported graph holds no initialiser {name}.weight, so its quantised "
                "weights have nowhere to go; give every layer weights of its own",
                layer=name,
            )
        value = layer.quant_weight().value.detach().numpy()
        entry.CopyFrom(onnx.numpy_helper.from_array(value, entry.name))


def _golden_inputs(
    model: nn.Module, input_shape: tuple[int, ...], given: Tensor | np.ndarray | None
) -> Tensor:
    if given is not None:
        return torch.as_tensor(given, dtype=torch.float32).detach().cpu()
    pixels = next((handle for handle in handles(model) if handle.role == "input"), None)
    shape = (GOLDEN_SAMPLES, *input_shape)
    generator = torch.Generator().manual_seed(0)
    if pixels is None:
        return torch.rand(shape, generator=generator)
    levels = 2 ** pixels.integer_bits()
    integers = torch.randint(0, levels, shape, generator=generator).float()
    return integers * pixels.quantiser.scale(integers)


def _npz(**arrays: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **arrays)
    return buffer.getvalue()
