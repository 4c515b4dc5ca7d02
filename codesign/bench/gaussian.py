"""DQ's first experiment: quantise 10^4 samples of N(0, 1), learn the quantiser by SGD.

"Mixed Precision DNNs: All you need is a good parametrization" (Uhlich et al., ICLR 2020). The paper
shows curves, no numbers; what it states is that U3 beats U1 and U2, and P3 beats P1 and P2. The
error alone lets widths grow; rows with at most 4 bits, which are not the paper's, tell how much of
the order is that.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from codesign.bench.frame import Bench, Context, Entry, Score
from codesign.quant.methods import method
from codesign.quant.quantiser import Quantiser

SAMPLES, BATCH, STEPS, TAIL = 10_000, 1_000, 300, 100
RATE, WIDTH_BITS, PENALTY = 0.1, 4, 0.1
RANKS = {"u3": 1, "u1": 2, "u2": 2, "p3": 1, "p1": 2, "p2": 2}


@dataclass(frozen=True)
class Job:
    """A parametrisation by name, and whether widths over the first one cost anything."""

    method: str
    is_held: bool


def measure(entry: Entry, seed: int, context: Context) -> Score:
    """Mean squared error over all samples, averaged over the last steps; the seed also draws the start."""
    generator = torch.Generator().manual_seed(seed)
    samples = torch.randn(SAMPLES, generator=generator)
    job: Job = entry.job
    quantiser = started(job.method, 2.0 ** float(torch.randn((), generator=generator)))
    optimiser = torch.optim.SGD(quantiser.own_parameters(), lr=RATE)
    tail: list[float] = []
    steps = max(2, round(STEPS * context.part))
    for step in range(steps):
        batch = samples[torch.randint(0, SAMPLES, (BATCH,), generator=generator)]
        loss = (quantiser.quantise(batch) - batch).square().mean()
        loss = loss + excess(quantiser) if job.is_held else loss
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        quantiser.clip_()
        if step >= steps - min(TAIL, steps // 2):
            tail.append(error(quantiser, samples))
    return Score(seed, last=sum(tail) / len(tail), best=min(tail))


def started(name: str, reach: float) -> Quantiser:
    """A quantiser of 4 bits whose range ends at `reach` times 2."""
    quantiser = method(name).make(WIDTH_BITS, True, True, False, ())
    quantiser.calibrated.fill_(True)
    top = torch.tensor(2 * reach)
    levels = 2 ** (WIDTH_BITS - 1) - 1
    if name.startswith("u"):
        quantiser.assign(top / levels, torch.tensor(float(levels)))
    else:
        quantiser.assign(top * 2.0**-levels, top)
    return quantiser


def excess(quantiser: Quantiser) -> Tensor:
    """The squared hinge of widths over 4 bits, as DQ's constraints are."""
    return PENALTY * torch.relu(quantiser.bits() - WIDTH_BITS).square()


@torch.no_grad()
def error(quantiser: Quantiser, samples: Tensor) -> float:
    """Mean squared error over all samples."""
    return float((quantiser.quantise(samples) - samples).square().mean())


def _entries() -> Iterator[Entry]:
    for name, rank in RANKS.items():
        yield Entry(name.upper(), rank, Job(name, is_held=False), name[0])
    for name in RANKS:
        yield Entry(f"{name.upper()}, at most {WIDTH_BITS} bits", None, Job(name, is_held=True))


def gaussian() -> Bench:
    """The table."""
    return Bench(
        name="gaussian",
        title="Quantising 10,000 samples of N(0, 1) by SGD on the parameters of the quantiser",
        protocol=(
            f"{SAMPLES:,} samples, {STEPS} steps of SGD at rate {RATE:g} on batches of {BATCH:,}, "
            f"from {WIDTH_BITS} bits and a range of 2 times 2^N(0, 1); where widths are held at "
            f"most {WIDTH_BITS} bits, {PENALTY:g} times the squared excess is added; mean over the "
            f"last {TAIL} steps, beside it the least of them"
        ),
        unit="mean squared error",
        published_unit="rank in the paper",
        seeds=10,
        entries=tuple(_entries()),
        measure=measure,
    )
