"""Three networks nobody here trained: exact on 1000 test images, and on a PYNQ-Z1.

    CODESIGN_DATA=/path/to/data python docs/examples/foreign_networks.py

`models/` in that folder holds the files of README's "Data" section. Prints one Markdown row each.
"""

import os
from fractions import Fraction
from pathlib import Path

import numpy as np

from codesign import api
from codesign.data import load_dataset

FRAMES = 1000
BOARD = "pynq-z1"


def pixels(x: np.ndarray) -> np.ndarray:
    """What TFC reads: pixels as fractions of 255."""
    return x.astype(np.float32) / np.float32(255)


def signed_pixels(x: np.ndarray) -> np.ndarray:
    """What this CNV reads: (2x/255 - 1) * 128, floored and clipped to int8."""
    return np.clip(np.floor((x / 255 * 2 - 1) * 128), -128, 127).astype(np.float32)


RAW_PIXELS = {"input_qtype": "uint8", "input_scale": Fraction(1, 255)}
NETWORKS = {
    "TFC_1W1A": ("mnist", pixels, RAW_PIXELS),
    "TFC_2W2A": ("mnist", pixels, RAW_PIXELS),
    "cifar10_cnvW1A1": ("cifar-10", signed_pixels, {}),
}


def row(name: str, data: str, prepare: object, options: dict) -> str:
    """Import, compare with qonnx, fold for the board, simulate."""
    path = Path(os.environ["CODESIGN_DATA"]) / "models" / f"{name}.onnx"
    graph = api.load(path, **options)
    test = load_dataset(data).test
    x = prepare(test.x[:FRAMES])
    report = api.check(path, graph, x)
    classes = api.execute(graph, x)[:, 0]
    right = (classes == test.y[:FRAMES]).mean()
    plan = api.estimate(graph, BOARD)
    run = api.simulate(plan.design, BOARD)
    need = plan.estimate.total
    return (
        f"| {name} | {FRAMES - len(report.class_mismatches)} of {FRAMES} | {right:.1%} "
        f"| {need.lut:,.0f} | {need.ff:,.0f} | {need.dsp:.0f} | {need.ram.get('BRAM18', 0):.0f} "
        f"| {'yes' if plan.fits else 'no'} | {run.interval_cycles:,.0f} | {run.fps:,.0f} "
        f"| {run.latency_cycles / run.clock_hz * 1e6:.1f} |"
    )


if __name__ == "__main__":
    for name, entry in NETWORKS.items():
        print(row(name, *entry), flush=True)
