"""From an ONNX file to the integer graph."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from codesign.design import HostInput, HostOutput
from codesign.errors import BadInput, UnsupportedLayer
from codesign.graph.builder import Builder, Value, need_linear, unsupported
from codesign.graph.handlers import ADVICE, HANDLERS, TAKE_SUMS
from codesign.graph.input_layout import channels_last_input
from codesign.graph.ir import IntGraph, Node, TensorView
from codesign.graph.logits import common_scale, emit_arg_max
from codesign.graph.onnx_node import OnnxNode, read_nodes
from codesign.graph.passes import tidy
from codesign.graph.read import read_onnx
from codesign.graph.sums import whole
from codesign.graph.values import Constant, Tensor, canonical, linear
from codesign.types import BIPOLAR, TERNARY, QType

# What a handler stumbles over where a node lacks inputs or has attributes of another kind.
NOT_AS_DECLARED = (TypeError, ValueError, LookupError, AttributeError, ArithmeticError)

REPLACE = "replace it in the model, or end the export before it"


def import_model(
    path: Path | str,
    input_qtype: QType | None = None,
    input_scale: float | None = None,
    input_offset: float = 0,
    classify: bool | None = None,
) -> IntGraph:
    """Read a quantised ONNX (QONNX) file as an exact integer graph.

    The host sends integers q with real input = input_scale*q + input_offset. Without `input_qtype`
    the file's own annotation counts, else the first quantiser's integers are what the host sends.
    `classify` appends an arg-max (default: where the output is a vector of two or more values).
    Raises BadInput and UnsupportedLayer.
    """
    model = tidy(read_onnx(Path(path)))
    build = _start(model, input_qtype, input_scale, input_offset)
    for node in read_nodes(model.graph):
        _step(build, node)
    return _finish(build, model, Path(path).stem, classify)


def _start(model: Any, qtype: QType | None, scale: float | None, offset: float) -> Builder:
    build = Builder()
    for node in model.graph.node:
        for name in node.input:
            build.readers.setdefault(name, []).append(node.op_type)
        build.shapes.update({o: tuple(model.get_tensor_shape(o) or ()) for o in node.output if o})
    for initialiser in model.graph.initializer:
        build.values[initialiser.name] = _constant(model, initialiser.name)
    name = model.graph.input[0].name
    shape = tuple(model.get_tensor_shape(name))[1:]
    build.channels_last = len(shape) in (2, 3) and channels_last_input(model)
    order, channels = _input_order(shape, build.channels_last)
    annotated = qtype_of_annotation(model, name)
    if qtype is not None or annotated is not None:
        qtype = annotated if qtype is None else qtype
        meaning = linear(Fraction(1 if scale is None else scale), Fraction(offset))
        build.fix_host(qtype, meaning)
        build.values[name] = Tensor(build.input_tensor, qtype, (meaning,), order, channels)
    elif scale is not None or offset:
        raise BadInput(
            f"input {name!r} has no integer type that a scale or an offset could belong to; "
            "give the type with them (--input uint8, input_qtype)",
            tensor=name,
        )
    else:
        build.values[name] = Tensor(None, None, (linear(),), order, channels)
    return build


def _input_order(shape: tuple[int, ...], channels_last: bool) -> tuple[np.ndarray, int]:
    """Stream index of each element of the input, and the innermost size of the stream."""
    if len(shape) not in (2, 3):
        return np.arange(int(np.prod(shape))).reshape(shape), int(np.prod(shape))
    if channels_last:
        return np.arange(int(np.prod(shape))).reshape(shape), shape[-1]
    return canonical(shape), shape[0]


def _constant(model: Any, name: str) -> Constant:
    qtype = qtype_of_annotation(model, name)
    return Constant(model.get_initializer(name), None, qtype, (name,))


def qtype_of_annotation(model: Any, tensor: str) -> QType | None:
    """The QONNX type annotation of a tensor; None for floats, fixed point and no annotation."""
    datatype = model.get_tensor_datatype(tensor)
    name = datatype.name
    if name == "BIPOLAR":
        return BIPOLAR
    if name == "TERNARY":
        return TERNARY
    if not datatype.is_integer() or datatype.is_fixed_point():
        return None
    return QType(datatype.bitwidth(), datatype.signed())


def _step(build: Builder, node: OnnxNode) -> None:
    handler = HANDLERS.get(node.op)
    if handler is None:
        raise UnsupportedLayer(
            f"{node}: op {node.op} of domain {node.domain or 'ai.onnx'!r} has no hardware form; "
            f"supported are {', '.join(sorted(HANDLERS))}: {ADVICE.get(node.op, REPLACE)}",
            node=node.name,
            op=node.op,
        )
    shapes = [build.shapes.get(name, ()) for name in node.outputs]
    if any(0 in shape for shape in shapes):
        raise unsupported(
            node,
            f"its result has the shape {shapes[0]}, without any element",
            "check kernel, strides and pads of the layers up to here against the size of the input",
        )
    arguments = [build.values.get(name) if name else None for name in node.inputs]
    if node.op not in TAKE_SUMS:
        arguments = [whole(build, node, value) for value in arguments]
    try:
        result = handler(build, node, *arguments)
    except NOT_AS_DECLARED as error:
        raise UnsupportedLayer(
            f"{node}: its inputs or attributes are not those of a {node.op} ({error}); "
            "check the file with onnx.checker and export it again",
            node=node.name,
            op=node.op,
        ) from error
    results = result if isinstance(result, tuple) else (result,)
    for name, value in zip(node.outputs, results, strict=False):
        if value is not None:
            build.values[name] = value
            _record(build, node, name, value)


def _record(build: Builder, node: OnnxNode, name: str, value: Value) -> None:
    """Remember which integers this ONNX tensor became, where its meaning is affine."""
    if isinstance(value, Constant) or value.name is None or value.linear is None or value.terms:
        return
    decision = build.decisions.get(name)
    build.views.append(TensorView(name, node.name, value.name, value.order, value.chain, decision))


def _finish(build: Builder, model: Any, name: str, classify: bool | None) -> IntGraph:
    output = model.graph.output[0].name
    last = next(n for n in read_nodes(model.graph) if output in n.outputs)
    value = _ending(build, last, output)
    if value.name != build.class_tensor:
        vector = value.elements >= 2 and max(value.order.shape) == value.elements
        if classify and not vector:
            raise BadInput(f"{name}: classify needs a vector of classes, not {value.order.shape}")
        if vector and classify is not False:
            value = emit_arg_max(build, last, value)
        else:
            value = common_scale(build, last, value, drop_offset=False)
    if not build.nodes:
        raise BadInput(f"{name}: nothing is left to compute in hardware")
    return IntGraph(
        name=name,
        nodes=_needed(build.nodes, value.name),
        input=_host_input(build, model),
        output=_host_output(build, output, value),
        input_tensor=build.input_tensor,
        output_tensor=value.name,
        params=build.params,
        origins=build.origins,
        notes=tuple(build.notes),
        views=tuple(build.views),
    )


def _ending(build: Builder, last: OnnxNode, output: str) -> Tensor:
    """The network's output as integers of one tensor; `last` is the node that computes it."""
    if output not in build.values:
        raise unsupported(
            last,
            f"the network ends with its result {output!r}, which has no hardware form",
            "end the network with another result of this node, or before it",
        )
    value = need_linear(last, build.values[output])
    if value.terms:
        value = whole(build, last, value)
        _record(build, last, output, value)
    return value


def _needed(nodes: list[Node], output: str) -> tuple[Node, ...]:
    """The blocks that the output depends on: a part of a split that nothing reads has none."""
    read, kept = {output}, []
    for node in reversed(nodes):
        if not read.isdisjoint(node.outputs):
            kept.append(node)
            read.update(node.inputs)
    return tuple(reversed(kept))


def _host_input(build: Builder, model: Any) -> HostInput:
    name = model.graph.input[0].name
    onnx_shape = tuple(model.get_tensor_shape(name))[1:]
    picture = len(onnx_shape) in (2, 3)
    shape = (*onnx_shape[1:], onnx_shape[0]) if picture else (int(np.prod(onnx_shape)),)
    shape = onnx_shape if build.channels_last else shape
    meaning = build.host_meaning
    scale, offset = float(meaning.scale[0]), float(meaning.offset[0])
    last = build.channels_last
    return HostInput(name, shape, onnx_shape, build.host_qtype, scale, offset, last)


def _host_output(build: Builder, name: str, value: Tensor) -> HostOutput:
    if value.name == build.class_tensor:
        return HostOutput(name, (1,), value.qtype, "class")
    step = value.linear
    if step.offset[0]:
        build.note(f"real output = {float(step.scale[0]):.9g}*q + {float(step.offset[0]):.9g}")
    stream = _stream_shape(build, value.order)
    return HostOutput(name, stream, value.qtype, "logits", float(step.scale[0]))


def _stream_shape(build: Builder, order: np.ndarray) -> tuple[int, ...]:
    """Shape of an output in stream order."""
    shape = order.shape
    if np.array_equal(order, np.arange(order.size).reshape(shape)):
        return shape
    if np.array_equal(order, canonical(shape)):
        return (*shape[1:], shape[0])
    build.note(f"the output comes in the order of the stream, not of its ONNX shape {shape}")
    return (order.size,)
