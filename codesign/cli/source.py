"""Options that say what the host sends to a network, and how a network is read with them."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from codesign.errors import BadInput

if TYPE_CHECKING:
    import numpy as np

    from codesign.design import Design
    from codesign.graph.ir import IntGraph

InputType = Annotated[
    str | None,
    typer.Option("--input", help="Integers the host sends: uint8, int4, ... (default: the file's)"),
]
InputScale = Annotated[
    str | None,
    typer.Option(help="Real value of one step of the input; a number or a fraction: 1/255."),
]
InputOffset = Annotated[str, typer.Option(help="Real value of input 0; a number or a fraction.")]
PadChannels = Annotated[
    bool,
    typer.Option(
        "--pad-channels",
        help="Channel counts may be rounded up for a better folding; same outputs.",
    ),
]


def number(word: str, option: str) -> float:
    """A number, or a fraction such as "1/255"; raises BadInput that names the option."""
    try:
        return float(Fraction(word.replace(" ", "")))
    except (ValueError, ZeroDivisionError, OverflowError) as error:
        raise BadInput(
            f"{option} must be a number or a fraction such as 1/255, not {word!r}",
            option=option,
            found=word,
        ) from error


def read_model(
    path: Path, input_type: str | None, scale: str | None, offset: str
) -> IntGraph | Design:
    """The network in `path`: an ONNX file, a design.json, or a folder that holds one."""
    from codesign import api

    if not path.exists():
        raise BadInput(f"{path}: there is no such file or folder", path=str(path))
    real_scale = None if scale is None else number(scale, "--input-scale")
    return api.load(path, input_type, real_scale, number(offset, "--input-offset"))


def params_of(model: IntGraph | Design, path: Path) -> dict[str, np.ndarray]:
    """Weights and thresholds: the graph's own, or those beside the design."""
    from codesign.design import load_params

    return getattr(model, "params", None) or load_params(path)
