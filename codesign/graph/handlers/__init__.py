"""One function per ONNX op: abstract values in, the value of its output out.

`HANDLERS` is the list of everything the importer understands; a new op is one function in a small
file and one line here.
"""

from __future__ import annotations

from collections.abc import Callable

from codesign.graph.handlers import (
    elementwise,
    joins,
    linear,
    linear_quant,
    multi_threshold,
    outputs,
    padding,
    pieces,
    pooling,
    quantisers,
    rearrange,
    shapes,
    smooth,
    transposed,
    trunc,
)

Handler = Callable[..., object]

HANDLERS: dict[str, Handler] = {
    "Quant": quantisers.quant,
    "BipolarQuant": quantisers.bipolar_quant,
    "LinearQuant": linear_quant.linear_quant,
    "DequantizeLinear": linear_quant.dequantize_linear,
    "MultiThreshold": multi_threshold.multi_threshold,
    "Trunc": trunc.trunc,
    "QuantAvgPool2d": trunc.quant_average_pool,
    "MatMul": linear.matmul,
    "Gemm": linear.gemm,
    "Conv": linear.conv,
    "ConvTranspose": transposed.conv_transpose,
    "Add": joins.add,
    "Sub": joins.sub,
    "Sum": joins.total,
    "Mul": elementwise.mul,
    "Div": elementwise.div,
    "Neg": elementwise.neg,
    "BatchNormalization": elementwise.batch_norm,
    "Relu": elementwise.relu,
    "Clip": elementwise.clip,
    "LeakyRelu": elementwise.leaky_relu,
    "Sigmoid": smooth.sigmoid,
    "Tanh": smooth.tanh,
    "HardSigmoid": smooth.hard_sigmoid,
    "MaxPool": pooling.max_pool,
    "AveragePool": pooling.average_pool,
    "GlobalAveragePool": pooling.global_average_pool,
    "ReduceMean": pooling.reduce_mean,
    "ReduceSum": pooling.reduce_sum,
    "Pad": padding.pad,
    "Concat": pieces.concat,
    "Split": pieces.split,
    "Slice": pieces.slice_,
    "Resize": rearrange.resize,
    "Upsample": rearrange.resize,
    "DepthToSpace": rearrange.depth_to_space,
    "SpaceToDepth": rearrange.space_to_depth,
    "Reshape": shapes.reshape,
    "Flatten": shapes.reshape,
    "Squeeze": shapes.reshape,
    "Unsqueeze": shapes.reshape,
    "Transpose": shapes.transpose,
    "Identity": shapes.identity,
    "Dropout": shapes.dropout,
    "Softmax": outputs.softmax,
    "LogSoftmax": outputs.softmax,
    "ArgMax": outputs.arg_max,
    "TopK": outputs.top_k,
}

# Handlers that can take the sum of two tensors before there is a block for it: elementwise
# functions, index algebra, quantisers. All others get its exact integers.
TAKE_SUMS = {
    *("Quant", "BipolarQuant", "MultiThreshold", "Trunc"),
    *("Add", "Sub", "Sum", "Mul", "Div", "Neg", "BatchNormalization"),
    *("Relu", "Clip", "LeakyRelu", "Sigmoid", "Tanh", "HardSigmoid"),
    *("Reshape", "Flatten", "Squeeze", "Unsqueeze", "Transpose", "Identity", "Dropout"),
}

_CURVES = "use QuantReLU or QuantHardTanh, or a sigmoid or tanh in front of a quantiser"
_NORMS = "use torch.nn.BatchNorm1d or 2d, whose scales are constants after training"
_LOOPS = "use convolutions over time, or run this part on the host"

# What to change in the model where an op without a handler has a common substitute.
ADVICE: dict[str, str] = {
    **dict.fromkeys(
        ("Elu", "Selu", "Celu", "Gelu", "Erf", "HardSwish", "Softplus", "Mish"), _CURVES
    ),
    **dict.fromkeys(("LayerNormalization", "InstanceNormalization", "LpNormalization"), _NORMS),
    **dict.fromkeys(("LSTM", "GRU", "RNN", "Scan", "Loop", "If"), _LOOPS),
    "PRelu": "use torch.nn.LeakyReLU, whose slope is a constant",
    "NonMaxSuppression": "end the export before it and run it on the host",
}
