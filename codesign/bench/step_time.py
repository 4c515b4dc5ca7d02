"""What quantisation costs a training step: forward, backward and SGD, against the float network.

Float and quantised steps alternate in one process, and the ratio is that of their medians, so that
whatever else the machine does falls on both.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from statistics import median

import torch
from torch import nn
from torch.nn import functional

from codesign.bench.frame import Bench, Context, Entry, Score
from codesign.models.registry import build_model
from codesign.quant.config import QuantConfig

SHAPE, CLASSES, BATCH, BITS = (3, 32, 32), 10, 128, 4
CHANNELS = (32, 64, 64)
ROUNDS = 12


class ThreeConvolutions(nn.Sequential):
    """Three 3x3 convolutions with BatchNorm, ReLU and 2x2 max pooling, then logits."""

    def __init__(self) -> None:
        super().__init__()
        channels = SHAPE[0]
        for width in CHANNELS:
            self.append(nn.Conv2d(channels, width, 3, padding=1, bias=False))
            self.append(nn.BatchNorm2d(width))
            self.append(nn.ReLU())
            self.append(nn.MaxPool2d(2))
            channels = width
        pixels = (SHAPE[1] >> len(CHANNELS)) * (SHAPE[2] >> len(CHANNELS))
        self.append(nn.Flatten())
        self.append(nn.Linear(channels * pixels, CLASSES, bias=False))


def measure(entry: Entry, seed: int, context: Context) -> Score:
    """Median time of a quantised step over the median of the float steps between."""
    torch.manual_seed(seed)
    batch = max(2, round(BATCH * context.part))
    x = torch.randint(0, 256, (batch, *SHAPE)) / 255
    y = torch.randint(0, CLASSES, (batch,))
    float_step = stepper(ThreeConvolutions(), x, y)
    own_step = stepper(_network(str(entry.job)), x, y)
    times: dict[Callable[[], None], list[float]] = {float_step: [], own_step: []}
    for _ in range(max(2, round(ROUNDS * context.part))):
        for step, taken in times.items():
            began = time.process_time()
            step()
            taken.append(time.process_time() - began)
    # The first of each allocates and calibrates.
    own, plain = (median(times[step][1:]) for step in (own_step, float_step))
    return Score(seed, last=round(own / plain, 4))


def stepper(model: nn.Module, x: torch.Tensor, y: torch.Tensor) -> Callable[[], None]:
    """One training step of `model` on the batch."""
    optimiser = torch.optim.SGD(model.train().parameters(), lr=1e-3, momentum=0.9)

    def step() -> None:
        loss = functional.cross_entropy(model(x), y)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()

    return step


def _network(quantiser: str) -> nn.Module:
    if quantiser == "plain":
        return ThreeConvolutions()
    config = QuantConfig(BITS, BITS, quantiser=quantiser)
    return build_model(f"{__name__}:ThreeConvolutions", SHAPE, CLASSES, config)


def step() -> Bench:
    """The table; the goal is 1.5, Brevitas' own quantisers are at 2.4 to 2.6."""
    rows = (
        ("plain torch again", "plain"),
        ("U3", "u3"),
        ("LSQ", "fixed"),
        ("float quantiser", "float"),
    )
    return Bench(
        name="step",
        title="Time of a training step over that of the float network",
        protocol=(
            f"Three 3x3 convolutions ({', '.join(map(str, CHANNELS))} channels) on 32x32 images, batch "
            f"{BATCH}, {BITS} bits per tensor, forward, backward and SGD; processor time, median of "
            f"{ROUNDS - 1} steps that alternate with float ones; the goal is 1.5"
        ),
        unit="ratio",
        published_unit="nothing published",
        seeds=3,
        entries=tuple(Entry(name, None, job) for name, job in rows),
        measure=measure,
    )
