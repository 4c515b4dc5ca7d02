"""Every ONNX file of a folder with its verdict, and accuracies where test images are at hand.

    python -m codesign.graph.survey FOLDER [FRAMES]

prints the table as Markdown. Accuracies need the folder of data sets in CODESIGN_DATA.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from codesign.errors import CodesignError, UnsupportedLayer
from codesign.graph.check import check_against_qonnx
from codesign.graph.execute import execute, to_stream
from codesign.graph.ir import IntGraph
from codesign.graph.load import import_model
from codesign.types import QType

FRAMES = 4
PIXEL = QType(8, False)
PIXEL_SCALE = 1 / 255


def cnv_input(pixels: np.ndarray) -> np.ndarray:
    """The 8-bit fixed-point input of BNN-PYNQ's CNV: floor((2p/255 - 1) * 128), clipped."""
    return np.clip(np.floor((pixels / 255 * 2 - 1) * 128), -128, 127).astype(np.int64)


# File name -> data set, what is sent for its pixels.
ACCURACIES: dict[str, tuple[str, Callable[[np.ndarray], np.ndarray]]] = {
    "TFC_1W1A": ("mnist", np.asarray),
    "TFC_2W2A": ("mnist", np.asarray),
    "cifar10_cnvW1A1": ("cifar-10", cnv_input),
}

# Their own first quantiser has one or two bits; the test images are bytes.
RAW_PIXELS = ("TFC_1W1A", "TFC_2W2A")


@dataclass(frozen=True)
class Verdict:
    """One row: the blocks and the comparison, or the reason of the refusal."""

    name: str
    seconds: float
    blocks: int
    text: str


def survey(folder: Path, frames: int = FRAMES) -> Iterator[Verdict]:
    """The verdict of every .onnx file, compared with qonnx on random inputs."""
    for path in sorted(folder.glob("*.onnx")):
        start = time.process_time()
        try:
            graph, sent = _imported(path)
        except CodesignError as error:
            yield Verdict(path.stem, time.process_time() - start, 0, f"refused: {error}")
            continue
        seconds = time.process_time() - start
        report = check_against_qonnx(path, graph, _random_inputs(graph, frames))
        verdict = "exact" if report.ok else "DIFFERS"
        text = f"{verdict}: {report.sentence}; host sends {sent}"
        yield Verdict(path.stem, seconds, len(graph.nodes), text)


def accuracy(folder: Path, name: str) -> tuple[float, int, float]:
    """Accuracy over the whole test part, its images, and the seconds of integer execution."""
    from codesign.data import load_dataset

    data, prepare = ACCURACIES[name]
    test = load_dataset(data).test
    graph, _ = _imported(folder / f"{name}.onnx")
    x = to_stream(graph.input, prepare(np.asarray(test.x)))
    start = time.process_time()
    classes = execute(graph, x)[:, 0]
    seconds = time.process_time() - start
    return float((classes == np.asarray(test.y)).mean()), len(x), seconds


def _imported(path: Path) -> tuple[IntGraph, str]:
    """The graph, and what the host sends: as the file says, else raw pixels."""
    try:
        graph = import_model(path)
    except UnsupportedLayer as error:
        if "real numbers" not in str(error) and "--input" not in str(error):
            raise
        graph = import_model(path, PIXEL, PIXEL_SCALE)
    if path.stem in RAW_PIXELS:
        graph = import_model(path, PIXEL, PIXEL_SCALE)
    host = graph.input
    return graph, f"{host.qtype}, real = {host.scale:.6g}*q + {host.offset:.6g}"


def _random_inputs(graph: IntGraph, frames: int) -> np.ndarray:
    host = graph.input
    draw = np.random.default_rng(0).integers(host.qtype.levels, size=(frames, *host.onnx_shape))
    q = host.qtype.min + draw * host.qtype.step
    return (q * host.scale + host.offset).astype(np.float32)


def main(arguments: list[str]) -> int:
    """Print both tables; 2 when no folder is named, or frames are no number over 0."""
    frames = arguments[1] if len(arguments) > 1 else str(FRAMES)
    counted = frames.isdecimal() and int(frames) > 0
    if not arguments or not Path(arguments[0]).is_dir() or not counted:
        print("usage: python -m codesign.graph.survey FOLDER [FRAMES]", file=sys.stderr)
        return 2
    folder = Path(arguments[0])
    print("| file | import, s | blocks | verdict |\n|---|---|---|---|")
    for v in survey(folder, int(frames)):
        print(f"| {v.name} | {v.seconds:.2f} | {v.blocks or ''} | {v.text} |", flush=True)
    print("\n| file | test images | accuracy | integer execution, s |\n|---|---|---|---|")
    for name in (n for n in ACCURACIES if (folder / f"{n}.onnx").exists()):
        share, images, seconds = accuracy(folder, name)
        print(f"| {name} | {images} | {share:.2%} | {seconds:.2f} |", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
