"""Tables of trained networks: DQ 1 and 3, the QAT benchmark, width, INQ and FDQMP, all scaled.

Published numbers belong to other networks and protocols and stand beside ours for their order.
"""

from __future__ import annotations

from collections.abc import Iterator

from codesign.bench.frame import Bench, Entry
from codesign.bench.protocol import ENDS, FLOAT, SEEDS, TITLE, Job, change, measure, scaled
from codesign.memory.of_module import size_of_module
from codesign.models.resnet import ResNet
from codesign.quant.config import QuantConfig
from codesign.recipe import BudgetSpec, Recipe
from codesign.recipe.procedures import InqSpec

ERROR = "test error (%)"
# Steps and ranges by SGD as in the paper: what is compared is the scale of their gradients.
DQ_STEPS = {"quantiser_optimiser": "network", "quantiser_lr": 0.05}
FROM_FLOAT = {"lr": 0.01}

DQ1 = {
    "u1": (17.8, 8.18, 28.9, 9.03),
    "u2": (8.80, 7.44, 9.43, 7.74),
    "u3": (8.50, 7.32, 9.23, 7.40),
    "p1": (11.70, 7.90, 22.91, 11.68),
    "p2": (53.07, 23.01, 90.0, 35.68),
    "p3": (10.61, 7.56, 15.10, 9.86),
}
DQ1_COLUMNS = (
    ("W random", False, False),
    ("W float", False, True),
    ("W+A random", True, False),
    ("W+A float", True, True),
)


def table(name: str, title: str, published: str, entries: Iterator[Entry], gap: float) -> Bench:
    """A bench under the scaled protocol."""
    return Bench(name, title, TITLE, ERROR, published, SEEDS, tuple(entries), measure, gap)


def dq1() -> Bench:
    """Six parametrisations, from random weights or a float network, weights alone or activations too."""
    title = "DQ table 1: parametrisations without constraint"
    return table("dq1", title, "ResNet-20, CIFAR-10 error (%)", _dq1(), 1.0)


def _dq1() -> Iterator[Entry]:
    for column, (label, acts, start) in enumerate(DQ1_COLUMNS):
        published = 7.29 if start else 8.50
        job = Job(scaled(FLOAT, **(FROM_FLOAT if start else {})), start)
        yield Entry(f"float, {label}", published, job, label)
        for method, errors in DQ1.items():
            quant = QuantConfig(weight_quantiser=method, act_quantiser=method if acts else "float")
            recipe = scaled(quant, **DQ_STEPS, **(FROM_FLOAT if start else {}))
            yield Entry(f"{method.upper()}, {label}", errors[column], Job(recipe, start), label)


def dq3() -> Bench:
    """Fixed against learned widths in the memory of 2-bit weights (and 4-bit activations).

    Learned widths are held by dual ascent, in the last row by the paper's hinge; all are projected.
    """
    title = "DQ table 3: fixed widths, learned ranges and learned widths in a budget"
    return table("dq3", title, "ResNet-20, CIFAR-10 error (%)", _dq3(), 0.5)


def _dq3() -> Iterator[Entry]:
    yield Entry("float", 7.29, Job(scaled(FLOAT, **FROM_FLOAT), True))
    weights, total, largest = _sizes_kib(2, 4)
    for name, published, acts, frozen in (
        ("2/32 fixed", 10.81, "float", True),
        ("2/32 learned range", 9.47, "float", False),
        ("2/4 fixed", 11.30, "fixed", True),
        ("2/4 learned range", 9.62, "fixed", False),
    ):
        quant = QuantConfig(weight_bits=2, weight_quantiser="fixed", act_quantiser=acts)
        lr = {"quantiser_lr": 0.0} if frozen else {}
        yield Entry(name, published, Job(scaled(quant, **lr, **FROM_FLOAT), True))
    for name, published, budget in (
        ("learned widths (8a)", 8.59, BudgetSpec(weights_kib=weights)),
        (
            "learned widths (8a+8b)",
            9.38,
            BudgetSpec(weights_kib=weights, activations_sum_kib=total),
        ),
        (
            "learned widths (8a+8c)",
            8.58,
            BudgetSpec(weights_kib=weights, activations_max_kib=largest),
        ),
        (
            "DQ's own hinge, learned widths (8a+8c)",
            8.58,
            BudgetSpec(penalty="hinge", weights_kib=weights, activations_max_kib=largest),
        ),
    ):
        acts = "float" if budget.memory.keys() == {"weights_kib"} else "u3"
        quant = QuantConfig(weight_quantiser="u3", act_quantiser=acts)
        recipe = scaled(quant, epochs=24, finetune_epochs=6, **FROM_FLOAT)
        yield Entry(name, published, Job(change(recipe, budget=budget), True))


def _sizes_kib(weight_bits: int, act_bits: int) -> tuple[float, float, float]:
    """Weights, all activations and the largest one of the protocol's network in KiB."""
    size = _network(16)
    acts = [count * act_bits / 8192 for count in size.hidden]
    return size.weights * weight_bits / 8192, sum(acts), max(acts)


def _network(channels: int):
    shape = (3, 16, 16)
    return size_of_module(ResNet(shape, 10, depth=8, channels=channels, shortcut="widen"), shape)


def qat() -> Bench:
    """The QAT benchmark of the slides: every method at its width."""
    title = "QAT benchmark: methods at 3 bits (BNN 1, TWN 2), first and last layer at 8"
    return table("qat", title, "ResNet-20, CIFAR-10, W3A3 error (%)", _qat(), 2.0)


def _qat() -> Iterator[Entry]:
    yield Entry("float", 8.5, Job(scaled(FLOAT)))
    binary = QuantConfig(1, 1, weight_quantiser="bnn", act_quantiser="fixed", binary_act="bipolar")
    ternary = QuantConfig(2, 2, weight_quantiser="twn", act_quantiser="qnn")
    dorefa = QuantConfig(3, 3, quantiser="dorefa")
    rows = (
        ("BNN (1 bit)", 34.0, binary),
        ("TWN (2 bits)", 27.0, ternary),
        ("QNN", 19.5, QuantConfig(3, 3, quantiser="qnn")),
        ("LSQ", 10.0, QuantConfig(3, 3, quantiser="fixed")),
        ("DoReFa", 12.0, dorefa),
        (
            "PACT with DoReFa weights",
            None,
            change(dorefa, quantiser="u3", weight_quantiser="dorefa", act_quantiser="pact"),
        ),
    )
    for name, published, quant in rows:
        yield Entry(name, published, Job(scaled(change(quant, layers=ENDS))))


def width() -> Bench:
    """Width against precision: the widest network at b bits in the memory of 16 channels at 4 bits."""
    title = "Width against precision at one memory"
    return table("width", title, "rank in the slides (3 to 4 bits best)", _width(), 0.0)


def _width() -> Iterator[Entry]:
    budget = memory_bits(16, 4)
    for bits, rank in ((2, 2.0), (3, 1.0), (4, 1.0), (6, 2.0), (8, 2.0)):
        k = widest(bits, budget)
        recipe = scaled(QuantConfig(bits, max(bits, 4), quantiser="fixed"))
        model = change(recipe.model, options={**recipe.model.options, "channels": k})
        yield Entry(f"{bits} bits, k = {k}", rank, Job(change(recipe, model=model)))


def memory_bits(channels: int, bits: int) -> float:
    """Mem(k, b) of the protocol's network: all weights, and the largest activation of at least 4 bits."""
    size = _network(channels)
    return size.weights * bits + max(size.hidden) * max(bits, 4)


def widest(bits: int, budget_bits: float) -> int:
    """Largest channel count whose memory is at most the budget."""
    k = 1
    while memory_bits(k + 1, bits) <= budget_bits:
        k += 1
    return k


INQ_PORTIONS = {
    5: (0.5, 0.75, 0.875, 1.0),
    4: (0.3, 0.5, 0.8, 0.9, 0.95, 1.0),
    3: (0.2, 0.4, 0.6, 0.7, 0.8, 0.9, 0.95, 1.0),
    2: (0.2, 0.4, 0.6, 0.7, 0.8, 0.85, 0.9, 0.95, 0.975, 1.0),
}


def inq() -> Bench:
    """INQ's bits with its portions, and both partitions at 5 bits."""
    published = "ResNet-18, ImageNet top-1 error (%)"
    return table("inq", "INQ: bits and partitions", published, _inq(), 0.2)


def _inq() -> Iterator[Entry]:
    yield Entry("float", 31.73, Job(scaled(FLOAT, **FROM_FLOAT), True), "partition")
    for bits, published in ((5, 31.02), (4, 31.11), (3, 31.92), (2, 33.98)):
        yield Entry(f"{bits} bits", published, Job(_inq_recipe(bits, "largest"), True), "bits")
    yield Entry("5 bits, largest", 31.02, Job(_inq_recipe(5, "largest"), True), "partition")
    yield Entry("5 bits, random", 32.11, Job(_inq_recipe(5, "random"), True), "partition")


def _inq_recipe(bits: int, partition: str) -> Recipe:
    quant = QuantConfig(weight_bits=bits, weight_quantiser="inq", act_quantiser="float")
    portions = INQ_PORTIONS[bits]
    step = max(1, round(29 / (len(portions) - 1)))
    recipe = scaled(quant, epochs=1, procedure="inq", **FROM_FLOAT)
    return change(recipe, inq=InqSpec(portions, partition, step))


FDQMP_ROWS = (
    ("STE", "ste", "ste", 34.26, 76.7),
    ("Gauss noise", "gauss-noise", "gauss-noise", 34.12, None),
    ("position", "position", "position", 34.00, None),
    ("EWGS", "ewgs", "ewgs", 33.63, 78.9),
    ("Tanh", "tanh", "tanh", 33.87, None),
    ("InvTanh", "invtanh", "invtanh", 33.67, None),
    ("ACos", "acos", "acos", 34.25, None),
    ("EWGS, InvTanh", "ewgs", "invtanh", 33.59, None),
    ("EWGS, STE", "ewgs", "ste", None, 75.5),
)


def fdqmp() -> Bench:
    """Modified gradients at 3 and at 2 bits, slices by channel."""
    published = "EfficientNet-Lite0, ImageNet top-1 error (%)"
    title = "FDQMP: modified gradients of weights and activations"
    return table("fdqmp", title, published, _fdqmp(), 0.4)


def _fdqmp() -> Iterator[Entry]:
    for column, bits in ((3, 3), (4, 2)):
        for row in FDQMP_ROWS:
            if row[column] is not None:
                quant = QuantConfig(
                    bits,
                    bits,
                    quantiser="fixed",
                    per_channel=True,
                    weight_gradient=row[1],
                    act_gradient=row[2],
                    first_grid="spread",
                )
                name = f"W{bits}A{bits} {row[0]}"
                yield Entry(name, row[column], Job(scaled(quant, label_smoothing=0.1)), str(bits))
