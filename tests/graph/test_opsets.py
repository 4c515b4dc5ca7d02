"""Operators in the forms of older and newer ONNX versions: attributes or inputs, more outputs."""

import numpy as np
import onnx
import pytest
from onnx import helper, numpy_helper

from codesign.errors import BadInput, UnsupportedLayer
from codesign.graph.load import import_model
from tests.graph.compared import BYTE, DYADIC, agrees
from tests.graph.nets import Net


def ints(net, *values):
    """A constant of int64."""
    return net.const(np.array(values, np.int64))


def started(shape, opset, bits=4):
    """A net whose input is quantised."""
    net = Net(shape, opset)
    return net, net.quant("x", 2.0**-bits, bits, signed=0)


def ends(tmp_path, net, x, frames=12, signed=1):
    """The net with a quantiser behind `x`, compared with qonnx."""
    net.quant(x, 0.3, 4, signed=signed)
    agrees(tmp_path, net, frames=frames)


@pytest.mark.parametrize("opset", [11, 13])
def test_squeeze_and_unsqueeze(tmp_path, opset):
    net, x = started((1, 1, 3, 4), opset)
    if opset < 13:
        x = net.node("Unsqueeze", net.node("Squeeze", x, axes=[1]), axes=[2])
    else:
        x = net.node("Squeeze", x, ints(net, 1))
        x = net.node("Unsqueeze", x, ints(net, 2))
    ends(tmp_path, net, x)


@pytest.mark.parametrize("opset", [7, 10, 11, 13])
@pytest.mark.parametrize("sides", ["both", "low", "high"])
def test_clip(tmp_path, opset, sides):
    net, x = started((1, 12), opset)
    x = net.node("Sub", x, net.const(np.float32(0.5)))
    low, high = (-0.25 if sides != "high" else None), (0.3 if sides != "low" else None)
    if opset < 11:
        bounds = {k: v for k, v in (("min", low), ("max", high)) if v is not None}
        x = net.node("Clip", x, **bounds)
    else:
        x = net.node(
            "Clip", x, *("" if v is None else net.const(np.float32(v)) for v in (low, high))
        )
    ends(tmp_path, net, x)


@pytest.mark.parametrize("opset", [7, 10, 12, 13])
@pytest.mark.parametrize("mask", [False, True])
def test_dropout(tmp_path, opset, mask):
    net, x = started((1, 12), opset)
    if opset < 12:
        x = net.node("Dropout", x, ratio=0.4, outputs=1 + mask)
    else:
        x = net.node("Dropout", x, net.const(np.float32(0.4)), outputs=1 + mask)
    ends(tmp_path, net, x.replace("_1", "_0"))


def test_dropout_in_training_is_refused(tmp_path):
    net, x = started((1, 12), 13)
    x = net.node("Dropout", x, net.const(np.float32(0.4)), net.const(np.array(True)))
    net.quant(x, 0.3, 4)
    with pytest.raises(UnsupportedLayer, match="training"):
        import_model(net.save(tmp_path / "net.onnx"), BYTE, DYADIC)


@pytest.mark.parametrize("opset", [7, 9, 14, 15])
def test_batch_norm(tmp_path, opset):
    rng = np.random.default_rng(0)
    net, x = started((1, 3, 4, 4), opset)
    parameters = [*rng.normal(size=(3, 3)), rng.uniform(0.2, 3, 3)]
    attrs = {"training_mode": 0} if opset >= 14 else {"momentum": 0.8}
    x = net.node("BatchNormalization", x, *map(net.const, parameters), epsilon=1e-3, **attrs)
    ends(tmp_path, net, x)


@pytest.mark.parametrize("wrong", ["training_mode", "spatial", "outputs"])
def test_batch_norm_that_is_none_of_inference_is_refused(tmp_path, wrong):
    opset = {"training_mode": 14, "spatial": 8, "outputs": 13}[wrong]
    net, x = started((1, 3, 4, 4), opset)
    shape = (3, 4, 4) if wrong == "spatial" else (3,)
    parameters = [net.const(np.ones(shape)) for _ in range(4)]
    attrs = {"training_mode": 1} if wrong == "training_mode" else {}
    attrs = {"spatial": 0} if wrong == "spatial" else attrs
    outputs = {"training_mode": 3, "spatial": 1, "outputs": 5}[wrong]
    net.node("BatchNormalization", x, *parameters, outputs=outputs, **attrs)
    first = f"t{net.count}_0"
    net.quant(first, 0.3, 4)
    with pytest.raises(UnsupportedLayer, match="inference"):
        import_model(net.save(tmp_path / "net.onnx"), BYTE, DYADIC)


@pytest.mark.parametrize("form", ["attribute", "input", "10", "11", "13", "sizes"])
def test_nearest_upsampling(tmp_path, form):
    opset = {"attribute": 7, "input": 9, "10": 10, "11": 11, "13": 13, "sizes": 13}[form]
    net, x = started((1, 2, 3, 4), opset)
    scales = [1.0, 1.0, 2.0, 3.0]
    values = net.const(np.float32(scales)) if form != "attribute" else ""
    nearest = {"mode": "nearest"}
    floor = {"coordinate_transformation_mode": "asymmetric", "nearest_mode": "floor"}
    x = {
        "attribute": lambda: net.node("Upsample", x, scales=scales, **nearest),
        "input": lambda: net.node("Upsample", x, values, **nearest),
        "10": lambda: net.node("Resize", x, values, **nearest),
        "11": lambda: net.node("Resize", x, net.const(np.zeros(0)), values, **floor, **nearest),
        "13": lambda: net.node("Resize", x, "", values, **nearest),
        "sizes": lambda: net.node("Resize", x, "", "", ints(net, 1, 2, 6, 12), **nearest),
    }[form]()
    ends(tmp_path, net, x, signed=0)


def test_linear_upsampling_is_refused(tmp_path):
    net, x = started((1, 2, 3, 4), 13)
    x = net.node("Resize", x, "", net.const(np.float32([1, 1, 2, 2])), mode="linear")
    net.quant(x, 0.3, 4)
    with pytest.raises(UnsupportedLayer, match=r"Resize.*mode linear.*nearest"):
        import_model(net.save(tmp_path / "net.onnx"), BYTE, DYADIC)


@pytest.mark.parametrize("opset", [7, 11, 13, 18])
def test_pad(tmp_path, opset):
    net, x = started((1, 2, 3, 4), opset)
    pads = [0, 0, 1, 2, 0, 0, 0, 1]
    if opset < 11:
        x = net.node("Pad", x, pads=pads, value=0.125)
    elif opset < 18:
        x = net.node("Pad", x, ints(net, *pads), net.const(np.float32(0.125)))
    else:
        x = net.node("Pad", x, ints(net, 1, 2, 0, 1), "", ints(net, 2, 3))
    ends(tmp_path, net, x)


@pytest.mark.parametrize("opset", [7, 10, 13])
def test_slice(tmp_path, opset):
    net, x = started((1, 6, 3, 4), opset)
    if opset < 10:
        x = net.node("Slice", x, starts=[1], ends=[5], axes=[1])
    else:
        x = net.node("Slice", x, ints(net, 1), ints(net, 5), ints(net, 1))
    ends(tmp_path, net, x)


@pytest.mark.parametrize("opset", [11, 13])
@pytest.mark.parametrize("zeros", [False, True])
def test_reshape_with_copied_and_free_sizes(tmp_path, opset, zeros):
    net, x = started((1, 6, 3, 4), opset)
    x = net.node("Reshape", x, ints(net, 0, 0, -1) if zeros else ints(net, 1, -1, 12))
    ends(tmp_path, net, x)


@pytest.mark.parametrize("op", ["ReduceMean", "ReduceSum", "GlobalAveragePool"])
@pytest.mark.parametrize("opset", [11, 13, 18])
@pytest.mark.parametrize("kept", [0, 1])
def test_reductions(tmp_path, op, opset, kept):
    net, x = started((1, 6, 4, 4), opset)
    as_input = opset >= (13 if op == "ReduceSum" else 18)
    if op == "GlobalAveragePool":
        x = net.node(op, x)
    elif as_input:
        x = net.node(op, x, ints(net, 2, 3), keepdims=kept)
    else:
        x = net.node(op, x, axes=[-2, -1], keepdims=kept)
    ends(tmp_path, net, x)


@pytest.mark.parametrize(("axis", "frames"), [(1, 12), (-3, 12), (0, 1), (-4, 1)])
def test_flatten(tmp_path, axis, frames):
    net, x = started((1, 2, 3, 4), 13)
    ends(tmp_path, net, net.node("Flatten", x, axis=axis), frames=frames)


@pytest.mark.parametrize("axis", [2, 3])
def test_flatten_into_more_rows_than_frames_is_refused(tmp_path, axis):
    net, x = started((1, 2, 3, 4), 13)
    net.quant(net.node("Flatten", x, axis=axis), 0.3, 4)
    with pytest.raises(UnsupportedLayer, match="batch axis"):
        import_model(net.save(tmp_path / "net.onnx"), BYTE, DYADIC)


@pytest.mark.parametrize("opset", [7, 11, 13])
def test_gemm(tmp_path, opset):
    rng = np.random.default_rng(1)
    net, x = started((1, 12), opset)
    weight, bias = net.weight(rng.normal(size=(5, 12)), 0.25, 4), net.const(rng.normal(size=5))
    ends(tmp_path, net, net.node("Gemm", x, weight, bias, transB=1, alpha=0.5, beta=2.0))


def test_gemm_of_a_transposed_activation_is_refused(tmp_path):
    net, x = started((1, 1), 13)
    x = net.node("Gemm", x, net.weight(np.ones((1, 4)), 0.25, 4), transA=1)
    net.quant(x, 0.3, 4)
    with pytest.raises(UnsupportedLayer, match="transA"):
        import_model(net.save(tmp_path / "net.onnx"), BYTE, DYADIC)


@pytest.mark.parametrize("opset", [8, 9])
def test_initialisers_that_are_listed_as_inputs(tmp_path, opset):
    """Before IR version 4 every initialiser was an input, too."""
    net, x = started((1, 12), opset)
    x = net.node("MatMul", x, net.weight(np.ones((12, 3)), 0.25, 4))
    net.quant(x, 0.3, 4)
    path = net.save(tmp_path / "net.onnx")
    model = onnx.load(path)
    for initialiser in model.graph.initializer:
        shape = numpy_helper.to_array(initialiser).shape
        info = helper.make_tensor_value_info(initialiser.name, initialiser.data_type, shape)
        model.graph.input.append(info)
    path.write_bytes(model.SerializeToString())
    assert import_model(path, BYTE, DYADIC).input.onnx_shape == (12,)


def test_files_older_than_opset_7_are_refused(tmp_path):
    net, x = started((1, 12), 6)
    net.quant(x, 0.3, 4)
    with pytest.raises(BadInput, match="version_converter"):
        import_model(net.save(tmp_path / "net.onnx"), BYTE, DYADIC)
