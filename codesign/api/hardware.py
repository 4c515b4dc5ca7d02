"""SystemVerilog of a design, and its proof."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from codesign.api.common import board, check_frames, path_of
from codesign.design import load_design, load_params

if TYPE_CHECKING:
    from codesign.verify.verify import Verification


def build(folder: str | Path, out: str | Path) -> tuple[str, ...]:
    """Write the Design in `folder` as SystemVerilog to `out`; return the names of the files.

    Raises BadInput, InvariantBroken, IllegalFold, and Deadlock before anything is written.
    """
    from codesign.rtl.build import build as write_hardware

    design = load_design(Path(folder))
    return write_hardware(design, load_params(Path(folder)), board(design.board), Path(out))


def verify(
    folder: str | Path,
    frames: int | None = None,
    inputs: str | Path | None = None,
    seed: int = 0,
    out: str | Path | None = None,
) -> Verification:
    """Run the hardware of the Design in `folder` under Verilator and compare it with the model.

    Frames are the real ones in the file `inputs`, else the golden ones beside the design, else
    random. `out` is the folder to work in; a temporary one is kept only on failure. Raises
    RtlMismatch with the first place that differs, ToolMissing, BadInput for less than 1 frame, and
    what `build` raises.
    """
    from codesign.verify.verify import verify_folder

    check_frames(frames)
    return verify_folder(Path(folder), frames, path_of(inputs), seed, path_of(out))
