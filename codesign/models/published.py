"""Shapes of published networks for studies of search, simulation and hardware; nothing is trained.

CNV: Umuroglu et al., FINN, FPGA 2017. MobileNet-v1: Howard et al., arXiv 1704.04861, quantised as
in Brevitas's ImageNet examples (first weights 8 bits). ResNet-50 v1.5: He et al., CVPR 2016, with
the stride of a stage in its 3x3 convolution; first and last weights 8 bits, as in FINN's example.
"""

from __future__ import annotations

from collections.abc import Callable

from codesign.graph.ir import IntGraph
from codesign.models.shape_graph import ShapeGraph
from codesign.types import BIPOLAR, QType

PIXEL = QType(8, False)
CNV_CHANNELS = (64, 64, 128, 128, 256, 256)
# (output channels, stride) of each separable block.
MOBILE_BLOCKS = (
    (64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (512, 2),
    (512, 1), (512, 1), (512, 1), (512, 1), (512, 1), (1024, 2), (1024, 1),
)  # fmt: skip
# (blocks, inner channels, stride) of each stage; the output has four times the inner channels.
RESNET50_STAGES = ((3, 64, 1), (4, 128, 2), (6, 256, 2), (3, 512, 2))
# Least bits of both operands of a residual addition: wider than activations, as in FINN's example.
RESIDUAL_BITS = 4


def cnv(weight_bits: int, act_bits: int) -> IntGraph:
    """CNV for 32x32 pictures of 10 classes; a pool after every second convolution but the last."""
    graph = ShapeGraph(f"CNV W{weight_bits}A{act_bits}", (32, 32), 3, PIXEL)
    otype = BIPOLAR if act_bits == 1 else QType(act_bits, False)
    for i, channels in enumerate(CNV_CHANNELS):
        graph.conv(f"conv{i}", channels, weight_bits)
        graph.act(f"conv{i}_act", otype)
        if i in (1, 3):
            graph.max_pool(f"pool{i}", 2, 2)
    for i in range(2):
        graph.dense(f"fc{i}", 512, weight_bits)
        graph.act(f"fc{i}_act", otype)
    graph.dense("fc2", 10, weight_bits)
    return graph.classes()


def mobilenet_v1(weight_bits: int, act_bits: int) -> IntGraph:
    """MobileNet-v1 for 224x224 pictures of 1000 classes."""
    graph = ShapeGraph(f"MobileNet-v1 W{weight_bits}A{act_bits}", (224, 224), 3, PIXEL)
    otype = QType(act_bits, False)
    graph.conv("stem", 32, 8, stride=2, pad=1)
    graph.act("stem_act", otype)
    for i, (channels, stride) in enumerate(MOBILE_BLOCKS):
        graph.depthwise(f"depth{i}", weight_bits, stride)
        graph.act(f"depth{i}_act", otype)
        graph.conv(f"point{i}", channels, weight_bits, kernel=1)
        graph.act(f"point{i}_act", otype)
    graph.mean("mean")
    graph.act("mean_act", otype)
    graph.dense("fc", 1000, weight_bits)
    return graph.classes()


def resnet50(weight_bits: int, act_bits: int) -> IntGraph:
    """ResNet-50 for 224x224 pictures of 1000 classes."""
    graph = ShapeGraph(f"ResNet-50 W{weight_bits}A{act_bits}", (224, 224), 3, PIXEL)
    otype, sum_type = QType(act_bits, False), QType(max(RESIDUAL_BITS, act_bits), False)
    graph.conv("stem", 64, 8, kernel=7, stride=2, pad=3)
    graph.act("stem_act", sum_type)
    graph.max_pool("pool", 3, 2, 1)
    for stage, (blocks, channels, stride) in enumerate(RESNET50_STAGES):
        for block in range(blocks):
            name = f"s{stage}b{block}"
            _bottleneck(graph, name, channels, 1 if block else stride, weight_bits, otype, sum_type)
    graph.mean("mean")
    graph.act("mean_act", QType(8, False))
    graph.dense("fc", 1000, 8)
    return graph.classes()


def _bottleneck(
    graph: ShapeGraph,
    name: str,
    channels: int,
    stride: int,
    weight_bits: int,
    otype: QType,
    sum_type: QType,
) -> None:
    """1x1, 3x3 and 1x1 convolution beside the identity, or a 1x1 where the shape changes."""
    start, wide = graph.here, 4 * channels
    signed = QType(sum_type.bits)
    shortcut = start
    if stride != 1 or start[2] != wide:
        graph.conv(f"{name}_short", wide, weight_bits, kernel=1, stride=stride)
        graph.act(f"{name}_short_act", signed)
        shortcut = graph.here
        graph.goto(start)
    graph.act(f"{name}_in", otype)
    for i, (size, kernel, step) in enumerate(((channels, 1, 1), (channels, 3, stride))):
        graph.conv(f"{name}_conv{i}", size, weight_bits, kernel, step, kernel // 2)
        graph.act(f"{name}_act{i}", otype)
    graph.conv(f"{name}_conv2", wide, weight_bits, kernel=1)
    graph.act(f"{name}_act2", signed)
    graph.add(f"{name}_add", shortcut)
    graph.act(f"{name}_out", sum_type)


# Networks of docs/results/search.md, by name.
PUBLISHED: dict[str, Callable[[], IntGraph]] = {
    "cnv-w1a1": lambda: cnv(1, 1),
    "cnv-w2a2": lambda: cnv(2, 2),
    "cnv-w4a4": lambda: cnv(4, 4),
    "mobilenet-v1-w4a4": lambda: mobilenet_v1(4, 4),
    "resnet-50-w1a2": lambda: resnet50(1, 2),
    "resnet-50-w2a4": lambda: resnet50(2, 4),
}
