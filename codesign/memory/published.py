"""Published memory tables, computed anew and set beside what was printed."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from codesign.memory.sizes import NetworkSize, activation_bytes, weight_bytes
from codesign.memory.training import memory_need
from codesign.memory.width import original_bits, widest

KIB, MIB, MB = 2.0**10, 2.0**20, 1e6
WIDTH_BITS = (1, 2, 3, 4, 6, 8, 32)


class Row(msgspec.Struct, frozen=True):
    """What was computed and what was printed, column by column, in the unit of the table.

    `printed` is empty for a row that the paper does not have.
    """

    name: str
    computed: tuple[float, ...]
    printed: tuple[float, ...] = ()


class Table(msgspec.Struct, frozen=True):
    """A table of a paper; `digits` after the point were printed there."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[Row, ...]
    digits: int
    note: str = ""

    def differing(self) -> tuple[Row, ...]:
        """Rows of which a number, rounded like the printed one, is another."""
        return tuple(
            row
            for row in self.rows
            for pairs in (zip(row.computed, row.printed, strict=False),)
            if any(round(a, self.digits) != b for a, b in pairs)
        )


def width_table() -> Table:
    """Widest ResNet-20 in M0/C at each width (slides of the QAT benchmark)."""
    printed = {
        1: (91, 65, 53, 46, 37, 32, 16),
        2: (64, 45, 37, 32, 26, 22, 11),
        4: (44, 32, 26, 22, 18, 16, 7),
        8: (31, 22, 18, 16, 12, 11, 5),
        16: (21, 15, 12, 11, 9, 7, 3),
        32: (14, 10, 8, 7, 6, 5, 2),
    }
    rows = tuple(
        Row(f"M0/{part}", tuple(widest(b, original_bits() / part) for b in WIDTH_BITS), row)
        for part, row in printed.items()
    )
    columns = tuple(f"{b} bit" for b in WIDTH_BITS)
    note = f"M0 = {original_bits():,} bits: ResNet-20 with k = 16 in float32"
    return Table("Channels k of a ResNet-20 that fits a memory", columns, rows, 0, note)


def training_table() -> Table:
    """Inference and training memory of ResNet-20 (slides of the QAT benchmark), MB of 10^6 B."""
    size = resnet20()
    rows = (
        Row("W32A32", _training(size, 32, 32), (0.07, 1.08, 1.15, 2.16, 0.77)),
        Row("W3A3", _training(size, 3, 3), (0.01, 0.10, 0.11, 2.16, 0.07)),
        Row("W3A4", _training(size, 3, 4)),
    )
    columns = ("activation", "parameters", "inference", "training", "+ per frame")
    note = (
        "The slides print 0.006 for the activation at 3 bits and add rounded parts: 0.07 + 1.08 = "
        "1.15, exactly 1.144; W3A4 is not theirs, it follows their rule of at least 4 bits"
    )
    return Table("Memory of ResNet-20 (MB)", columns, rows, 2, note)


def dq_cifar_table() -> Table:
    """Sizes of DQ table 3 (Uhlich et al., ICLR 2020): ResNet-20, KiB."""
    size = resnet20()
    widths = {"32/32": (32, 32), "2/32": (2, 32), "2/4": (2, 4)}
    printed = {"32/32": (1048, 64, 736), "2/32": (65.5, 64, 736), "2/4": (65.5, 8, 92)}
    rows = tuple(
        Row(name, _dq(size, *widths[name], KIB, sums=True), printed[name]) for name in widths
    )
    columns = ("weights", "largest activation", "all activations")
    note = (
        "Weights without biases and norms; hidden activations without the input and the logits; "
        "whole KiB where the paper prints them so"
    )
    return Table("ResNet-20 on CIFAR-10 (KiB)", columns, _rounded(rows), 1, note)


def dq_imagenet_table() -> Table:
    """Sizes of DQ table 4 (Uhlich et al., ICLR 2020): ImageNet networks, MiB."""
    printed = {
        "MobileNetV2 32/32": (13.23, 4.59),
        "MobileNetV2 4/4": (1.65, 0.57),
        "ResNet-18 32/32": (44.56, 3.04),
        "ResNet-18 4/4": (5.57, 0.38),
    }
    sizes = {"MobileNetV2": _imagenet("mobilenet_v2"), "ResNet-18": _imagenet("resnet18")}
    rows = tuple(
        Row(name, _dq(sizes[name.split()[0]], bits, bits, MIB), row)
        for name, row in printed.items()
        for bits in (int(name.rpartition("/")[2]),)
    )
    note = (
        "Within 1 %: 64 channels of 112x112 in float32 are 3.0625 MiB, the paper prints 3.04; "
        "ResNet-18's weights are 44.55 MiB, with the bias of its last layer 44.56"
    )
    return Table("ImageNet networks (MiB)", ("weights", "largest activation"), rows, 2, note)


TABLES: dict[str, Callable[[], Table]] = {
    "width": width_table,
    "training": training_table,
    "dq3": dq_cifar_table,
    "dq4": dq_imagenet_table,
}


def _training(size: NetworkSize, weight_bits: int, act_bits: int) -> tuple[float, ...]:
    need = memory_need(size, weight_bits, act_bits)
    parts = [round(x / MB, 2) for x in (need.activation_bytes, need.parameter_bytes)]
    return (*parts, sum(parts), need.training_bytes / MB, need.frame_bytes / MB)


def _dq(
    size: NetworkSize, weight_bits: int, act_bits: int, unit: float, sums: bool = False
) -> tuple[float, ...]:
    largest = activation_bytes((max(size.hidden),), act_bits) / unit
    every = (activation_bytes(size.hidden, act_bits) / unit,) if sums else ()
    return (weight_bytes(size, weight_bits) / unit, largest, *every)


def _rounded(rows: tuple[Row, ...]) -> tuple[Row, ...]:
    """Computed values as whole numbers where the printed ones are."""
    return tuple(
        Row(
            row.name,
            tuple(
                float(round(a)) if float(b).is_integer() else a
                for a, b in zip(row.computed, row.printed, strict=True)
            ),
            row.printed,
        )
        for row in rows
    )


def resnet20() -> NetworkSize:
    """The ResNet-20 of the slides: CIFAR-10, 16 channels, option-A shortcuts, a bias in the end."""
    from codesign.memory.of_module import size_of_module
    from codesign.models.resnet import ResNet

    shape = (3, 32, 32)
    model = ResNet(shape, 10, depth=20, channels=16, shortcut="widen", logits_bias=True)
    return size_of_module(model, shape)


def _imagenet(name: str) -> NetworkSize:
    from codesign.memory.of_module import size_of_module
    from codesign.models.registry import MODELS

    shape = (3, 224, 224)
    return size_of_module(MODELS[name](shape, 1000), shape)
