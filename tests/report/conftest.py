"""A hand-made report with every part: a small residual network on a board."""

from __future__ import annotations

import math

import pytest

from codesign.report.data import (
    AccuracyPart,
    BitwidthPart,
    BitwidthRow,
    BlockPart,
    BoardPart,
    EpochPart,
    Fact,
    HostPart,
    LayerBitwidths,
    Quantity,
    ReportData,
    SimulationPart,
    StagePart,
    StreamPart,
    TimelinePart,
    TimelineRow,
    VerdictPart,
    WidthPart,
)

LAYERS = ("features.0.conv", "features.1.block.conv1", "features.1.block.conv2", "classifier.fc1")


def _block(name: str, kind: str, i: int) -> BlockPart:
    weights = kind == "MatVec"
    return BlockPart(
        name=name,
        kind=kind,
        size="64 x 576" if weights else "32 x 32 x 64",
        input_type="uint4",
        weight_type="int3" if weights else "",
        output_type="int14" if weights else "uint4",
        pe=8,
        simd=16 if weights else 1,
        multiplier="lut" if weights else "",
        memory="block" if weights else "lut",
        interval_cycles=36_000 - 900 * i,
        resources={"lut": 900.0 + 130 * i, "ff": 700.0, "BRAM18": 8.0 if weights else 0.0},
        origins=(f"{name}.weight",) if weights else (),
    )


def _network() -> tuple[tuple[BlockPart, ...], tuple[StreamPart, ...]]:
    blocks, edges, last = [], [], "host"
    for i, layer in enumerate(LAYERS):
        for kind in ("Window", "WidthConverter", "MatVec", "Threshold"):
            name = f"{layer}.{kind.lower()}" if kind != "MatVec" else layer
            blocks.append(_block(name, kind, i))
            edges.append((last, f"{name}.in0"))
            last = f"{name}.out0"
        if i == 0:
            blocks.append(_block("fork", "Fork", i))
            edges.append((last, "fork.in0"))
            last = "fork.out0"
        if i == 2:
            blocks.append(_block("add", "Add", i))
            edges += [(last, "add.in0"), ("fork.out1", "add.in1")]
            last = "add.out0"
    edges.append((last, "host"))
    streams = (
        StreamPart(
            source=a,
            target=b,
            qtype="uint4",
            lanes=8,
            bits=32,
            beats_per_frame=8192,
            depth=16,
            style="srl",
            high_water=12,
            resources={"lut": 40.0},
        )
        for a, b in edges
    )
    return tuple(blocks), tuple(streams)


def _row(bits: int) -> BitwidthRow:
    counts = {"lut": 4000.0 + 900 * bits**2, "lutram": 10.0, "dsp": 0.0, "BRAM18": 12.0 * bits}
    fits = bits < 6
    return BitwidthRow(bits, counts, 12_000 / bits if fits else None, fits)


def _epoch(i: int) -> EpochPart:
    return EpochPart(
        epoch=i,
        phase="float" if i < 8 else "learn bits" if i < 30 else "fixed bits",
        train_loss=2.2 * math.exp(-i / 12) + 0.1,
        train_accuracy=1 - 0.8 * math.exp(-i / 9),
        validation_accuracy=0.97 - 0.8 * math.exp(-i / 9),
        board_ratio=0.9 + 2 * math.exp(-i / 10),
        board_lambda=0.01 * i,
        seconds=1.5,
        bits={layer: 2 + 6 * math.exp(-i / (8 + 3 * n)) for n, layer in enumerate(LAYERS)},
    )


@pytest.fixture(scope="session")
def full_report() -> ReportData:
    """Every part of a report, of plausible size."""
    blocks, streams = _network()
    rows = tuple(
        TimelineRow(b.name, tuple(max(0.0, math.sin((t - 4 * i) / 9)) for t in range(120)))
        for i, b in enumerate(blocks)
    )
    stages = tuple(
        StagePart(b.name, 0.2 + 0.04 * i, 0.5 - 0.02 * i, 0.3 - 0.02 * i)
        for i, b in enumerate(blocks)
    )
    counts = {"lut": 53_200.0, "lutram": 17_400.0, "ff": 106_400.0, "dsp": 220.0, "BRAM18": 280.0}
    return ReportData(
        title="ResNet-8 on TUL PYNQ-Z2",
        command="codesign run flows/resnet8-pynq-z2.toml --seed 3 --out runs/resnet8",
        provenance=(Fact("Seed", "3"), Fact("Git commit", "0123abc"), Fact("torch", "2.13.0")),
        verdict=VerdictPart(True, "Fits pynq-z2: 53 % of the usable LUT is the fullest count."),
        board=BoardPart(
            name="pynq-z2",
            title="TUL PYNQ-Z2",
            part="xc7z020clg400-1",
            clock_hz=100e6,
            device=counts,
            budget={k: v * 0.7 for k, v in counts.items()},
            source="DS190",
        ),
        fps=Quantity(2777.8, "simulated"),
        latency_s=Quantity(0.00093, "simulated"),
        bottleneck="features.0.conv",
        blocks=blocks,
        streams=streams,
        total={"lut": 19_800.0, "lutram": 2100.0, "ff": 21_000.0, "dsp": 0.0, "BRAM18": 32.0},
        input=HostPart(
            name="image",
            shape=(32, 32, 3),
            onnx_shape=(3, 32, 32),
            qtype="uint8",
            scale=1 / 255,
            offset=-0.5,
        ),
        output=HostPart(name="class", shape=(1,), qtype="uint4", meaning="class"),
        widths=tuple(
            WidthPart(
                layer=layer,
                weight_bits=2 + i,
                activation_bits=4,
                start_weight_bits=8,
                start_activation_bits=4,
                weights=36_864,
            )
            for i, layer in enumerate(LAYERS)
        ),
        history=tuple(_epoch(i) for i in range(1, 41)),
        simulation=SimulationPart(
            interval_cycles=36_000,
            latency_cycles=93_000,
            total_cycles=500_000,
            fps=2777.8,
            clock_hz=100e6,
            frames=8,
            stages=stages,
            timeline=TimelinePart(0, 1550.0, rows),
        ),
        bitwidths=BitwidthPart(
            tuple(_row(b) for b in range(1, 9)),
            tuple(
                LayerBitwidths(layer, 2 + i, tuple(_row(b) for b in range(1, 9)))
                for i, layer in enumerate(LAYERS)
            ),
            refolded=tuple(_row(b) for b in range(1, 9)),
            assumption="At 1 bit weights are bipolar (-1, +1) and activations are 0 or 1.",
        ),
        accuracies=(
            AccuracyPart("float", 0.9712, 10_000),
            AccuracyPart("torch", 0.9655, 10_000),
            AccuracyPart("integer", 0.9655, 10_000, note="equal class on every frame"),
        ),
        notes=("The first layer takes 8-bit pixels as they are.",),
    )
