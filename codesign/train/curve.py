"""The training curve of a run as a small SVG file.

python -m codesign.train.curve runs/cnv docs/results/cnv-half.svg
"""

from __future__ import annotations

import io
import sys
import textwrap
from pathlib import Path

import msgspec

from codesign.errors import BadInput, CodesignError
from codesign.files import write_bytes_atomic
from codesign.report.data import EpochPart
from codesign.train.reload import run_config

METRICS_FILE = "metrics.json"
COLOURS = {"train_accuracy": "#8a8f98", "validation_accuracy": "#1f6fb2"}


class TrainMetrics(msgspec.Struct):
    """The part of metrics.json that a curve needs."""

    test_accuracy: float
    history: tuple[EpochPart, ...]


class Metrics(msgspec.Struct):
    """metrics.json of a run that trained."""

    train: TrainMetrics


def write_curve(folder: Path, path: Path) -> None:
    """Draw accuracy over epochs from metrics.json in `folder`; raises BadInput."""
    source = Path(folder) / METRICS_FILE
    try:
        train = msgspec.json.decode(source.read_bytes(), type=Metrics).train
    except (OSError, msgspec.DecodeError, msgspec.ValidationError) as error:
        raise BadInput(
            f"{source}: is not the metrics of a trained run ({error})", path=str(source)
        ) from error
    write_bytes_atomic(Path(path), draw(train, run_config(folder).title))


def draw(train: TrainMetrics, title: str) -> bytes:
    """Accuracy of training and validation over the epochs, and the test accuracy at the end."""
    import matplotlib

    matplotlib.use("svg")
    matplotlib.rcParams |= {"svg.hashsalt": "curve", "svg.fonttype": "none", "font.size": 9}
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(5.2, 3.0), layout="constrained")
    epochs = [epoch.epoch for epoch in train.history]
    for field, colour in COLOURS.items():
        values = [getattr(epoch, field) for epoch in train.history]
        axes.plot(epochs, values, color=colour, label=field.replace("_accuracy", ""))
    label = f"test, last epoch: {train.test_accuracy:.2%}"
    axes.plot(epochs[-1:], [train.test_accuracy], "o", color="#c0392b", label=label)
    axes.set(xlabel="epoch", ylabel="accuracy")
    axes.set_title(textwrap.fill(title, 56), fontsize=9)
    axes.grid(alpha=0.3)
    axes.legend(frameon=False)
    buffer = io.BytesIO()
    figure.savefig(buffer, format="svg", metadata={"Date": None})
    pyplot.close(figure)
    return buffer.getvalue()


def main(arguments: list[str]) -> int:
    """Command line: the folder of a run, and the SVG file to write."""
    if len(arguments) != 2:
        print("usage: python -m codesign.train.curve RUN_FOLDER FILE.svg", file=sys.stderr)
        return 2
    try:
        write_curve(Path(arguments[0]), Path(arguments[1]))
    except CodesignError as error:
        print(error.message, file=sys.stderr)
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
