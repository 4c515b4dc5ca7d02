"""Memory of training by every procedure: parameters, optimiser, gradients, activations of a frame.

With P parameters, W of them weights, S elements that a frame stores (`NetworkSize.stored`), A bits
an activation, Q quantisers, C slices, L layers with weights. Float numbers have 4 bytes. Norms' inputs
and buffers that an implementation might add are not counted. S A / 8 is what a device has to keep;
QAT in a float framework keeps 4 S.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from math import isqrt

import msgspec

from codesign.memory.on_device import FLOAT_BYTES, TrainingNeed, local_need, niti_need
from codesign.memory.sizes import BITS_PER_BYTE, LayerSize, NetworkSize

LOCAL_LOSSES = ("pred", "sim", "predsim")
POOLED = 2048  # elements that a local predictor sees at most

change = msgspec.structs.replace


def float_need(size: NetworkSize, moments: int = 1, act_bits: float = 32) -> TrainingNeed:
    """4 P, 4 P for each of the `moments` of the optimiser, 4 P of gradients; S A / 8 a frame.

    The slides of the QAT benchmark leave gradients out (`memory_need` does as they do).
    """
    parameters = FLOAT_BYTES * size.parameters
    return TrainingNeed(
        parameter_bytes=parameters,
        optimiser_bytes=moments * parameters,
        gradient_bytes=parameters,
        frame_bytes=size.stored * act_bits / BITS_PER_BYTE,
    )


def with_numbers(need: TrainingNeed, count: int, moments: int) -> TrainingNeed:
    """`need` and `count` learned numbers more (steps, ranges), with `moments` each."""
    extra = FLOAT_BYTES * count
    return change(
        need,
        parameter_bytes=need.parameter_bytes + extra,
        optimiser_bytes=need.optimiser_bytes + moments * extra,
        gradient_bytes=need.gradient_bytes + extra,
    )


def quantisers(size: NetworkSize) -> int:
    """Q: one for the weights of each layer and one for each hidden activation."""
    return len(size.weighted) + len(size.hidden)


def slices(size: NetworkSize) -> int:
    """C of FDQMP: output channels of convolutions, one for a matrix, one for each activation."""
    return sum(_channels(layer) if _pixels(layer) > 1 else 1 for layer in size.weighted) + len(
        size.hidden
    )


def qat_need(size: NetworkSize, act_bits: float = 32) -> TrainingNeed:
    """Float master weights, and a learned step (LSQ) for each quantiser: + 12 Q; S A / 8 a frame."""
    return with_numbers(float_need(size, act_bits=act_bits), quantisers(size), 1)


def learned_need(size: NetworkSize, act_bits: float = 32) -> TrainingNeed:
    """Widths learned under budgets (U3): step and range of each quantiser, two moments each: + 32 Q."""
    return with_numbers(float_need(size, act_bits=act_bits), 2 * quantisers(size), 2)


def inq_need(size: NetworkSize, act_bits: float = 32) -> TrainingNeed:
    """As float, the mask T of one bit a weight (held values lie in W itself), n1 of each layer."""
    need = float_need(size, act_bits=act_bits)
    masks = size.weights / BITS_PER_BYTE + len(size.weighted)
    return change(need, parameter_bytes=need.parameter_bytes + masks)


def surgery_need(size: NetworkSize, act_bits: float = 32) -> TrainingNeed:
    """As INQ, the mask of surgery with one bit a weight, and two thresholds of each layer."""
    need = inq_need(size, act_bits)
    extra = size.weights / BITS_PER_BYTE + 2 * FLOAT_BYTES * len(size.weighted)
    return change(need, parameter_bytes=need.parameter_bytes + extra)


def fdqmp_need(size: NetworkSize, act_bits: float = 32) -> TrainingNeed:
    """RMSprop with momentum has two moments; (d, xmax) for each slice: + 32 C; S A / 8 a frame."""
    return with_numbers(float_need(size, 2, act_bits), 2 * slices(size), 2)


def limpq_need(size: NetworkSize, act_bits: float = 32, widths: int = 5) -> TrainingNeed:
    """As QAT, with a step for each quantiser at each of the `widths`, two moments each."""
    return with_numbers(qat_need(size, act_bits), widths * quantisers(size), 2)


def distilled_need(size: NetworkSize, act_bits: float = 32) -> TrainingNeed:
    """As QAT, and a float teacher of the same size: + 4 P; it keeps no activations."""
    need = qat_need(size, act_bits)
    teacher = FLOAT_BYTES * size.parameters
    return change(need, parameter_bytes=need.parameter_bytes + teacher)


def integer_need(size: NetworkSize, weight_bits: float = 8) -> TrainingNeed:
    """NITI (codesign/memory/on_device.py), an exponent of one byte for each weight and activation
    tensor, and for each frame the int32 sums of the largest layer."""
    need = niti_need(size, weight_bits)
    sums = 4 * max(layer.outputs for layer in size.weighted)
    return change(
        need,
        parameter_bytes=need.parameter_bytes + 2 * len(size.weighted),
        frame_bytes=need.frame_bytes + sums,
    )


def blocks_need(loss: str, size: NetworkSize, act_bits: float = 32) -> TrainingNeed:
    """Local losses of this name (`local_need`), with a head for each hidden layer."""
    return local_need(size, head_parameters(size, loss), act_bits)


def head_parameters(size: NetworkSize, loss: str) -> int:
    """Parameters of the heads of "pred", "sim" or "predsim" (codesign/ondevice/local_loss.py)."""
    classes = size.weighted[-1].outputs
    predictors = 0 if loss == "sim" else sum(_predictor(w, classes) for w in size.weighted[:-1])
    return predictors + (0 if loss == "pred" else sum(map(_features, size.weighted[:-1])))


def _predictor(layer: LayerSize, classes: int) -> int:
    channels, side = _channels(layer), isqrt(_pixels(layer))
    pooled = max((s for s in range(1, side + 1) if channels * s * s <= POOLED), default=1)
    return (channels * pooled**2 + 1) * classes


def _features(layer: LayerSize) -> int:
    return _channels(layer) ** 2 * (9 if _pixels(layer) > 1 else 1)


def _pixels(layer: LayerSize) -> int:
    """How often each weight is used in a frame: the pixels of the output, 1 for a matrix."""
    return layer.macs // layer.weights


def _channels(layer: LayerSize) -> int:
    return layer.outputs // _pixels(layer)


@dataclass(frozen=True)
class Procedure:
    """A row: what is trained how, and the bytes of it for a network and bits an activation."""

    name: str
    counts: str
    need: Callable[[NetworkSize, float], TrainingNeed]


PROCEDURES = (
    Procedure("float, SGD", "4P + 4P + 4P; 4S", lambda size, act: float_need(size)),
    Procedure("float, Adam or RMSprop", "4P + 8P + 4P; 4S", lambda size, act: float_need(size, 2)),
    Procedure("QAT (LSQ, progressive)", "float + 12Q; S A/8", qat_need),
    Procedure("learned widths (U3, budgets)", "float + 32Q; S A/8", learned_need),
    Procedure("QAT with a float teacher", "QAT + 4P; S A/8", distilled_need),
    Procedure("one-shot allocation", "QAT + 16Q for each width; S A/8", limpq_need),
    Procedure("INQ", "float + W/8 + L; S A/8", inq_need),
    Procedure("INQ after surgery", "INQ + W/8 + 8L; S A/8", surgery_need),
    Procedure("FDQMP (U3 by slices)", "4P + 8P + 4P + 32C; S A/8", fdqmp_need),
    *(
        Procedure(
            f"local losses ({loss}), Adam",
            "16 (P + heads); largest block A/8",
            partial(blocks_need, loss),
        )
        for loss in LOCAL_LOSSES
    ),
    Procedure(
        "NITI, int8",
        "W + 2L + 4 max W; int8 inputs, masks, int32 sums",
        lambda size, act: integer_need(size),
    ),
    Procedure(
        "NITI, int4 weights",
        "W/2 + 2L + 4 max W; as int8",
        lambda size, act: integer_need(size, 4),
    ),
)


class TrainingRow(msgspec.Struct, frozen=True):
    """Bytes of one procedure; `batch_bytes` is all of it with a batch."""

    procedure: str
    counts: str
    parameter_bytes: float
    optimiser_bytes: float
    gradient_bytes: float
    frame_bytes: float
    batch_bytes: float

    @property
    def numbers(self) -> tuple[float, ...]:
        """The columns in order."""
        fixed = (self.parameter_bytes, self.optimiser_bytes, self.gradient_bytes)
        return (*fixed, self.frame_bytes, self.batch_bytes)


def training_rows(size: NetworkSize, act_bits: float, frames: int) -> tuple[TrainingRow, ...]:
    """A row for each procedure with batches of `frames`, activations of QAT at `act_bits`."""
    needs = ((p, p.need(size, act_bits)) for p in PROCEDURES)
    return tuple(
        TrainingRow(
            p.name,
            p.counts,
            need.parameter_bytes,
            need.optimiser_bytes,
            need.gradient_bytes,
            need.frame_bytes,
            need.batch_bytes(frames),
        )
        for p, need in needs
    )
