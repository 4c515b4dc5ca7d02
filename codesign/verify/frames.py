"""The frames that hardware is run on: golden ones beside the design, a file, or random integers."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from codesign.design import HostInput
from codesign.errors import BadInput
from codesign.graph.execute import from_real, to_stream

GOLDEN = ("golden.npz", "model.golden.npz")


def random_frames(host: HostInput, frames: int, seed: int) -> np.ndarray:
    """Integers (frames, elements) spread evenly over the whole range of the input's type."""
    levels = np.random.default_rng(seed).integers(
        0, host.qtype.levels, (frames, int(np.prod(host.shape)))
    )
    return host.qtype.min + host.qtype.step * levels


def golden_file(folder: Path) -> Path | None:
    """The golden pairs that an export left in `folder`."""
    return next((folder / name for name in GOLDEN if (folder / name).exists()), None)


def frames_of(path: Path, host: HostInput, frames: int | None) -> np.ndarray:
    """The first `frames` real inputs (frames, *ONNX shape) of an .npy or golden .npz file.

    Returns integers (frames, elements) in stream order. Raises BadInput.
    """
    real = _array(path)
    if real.dtype.kind not in "fiub" or not np.isfinite(real).all():
        raise BadInput(f"{path}: must hold finite numbers, not {real.dtype}", path=str(path))
    if real.ndim == 0 or len(real) == 0:
        raise BadInput(f"{path}: holds no frame; its shape is {real.shape}", path=str(path))
    if frames is not None and len(real) < frames:
        raise BadInput(
            f"{path}: holds {len(real)} frames, fewer than the {frames} asked for", path=str(path)
        )
    return to_stream(host, from_real(host, real[:frames]))


def _array(path: Path) -> np.ndarray:
    try:
        found = np.load(path, allow_pickle=False)
        return found if isinstance(found, np.ndarray) else found["inputs"]
    except KeyError as error:
        raise BadInput(f"{path}: must hold an array `inputs`", path=str(path)) from error
    except (OSError, ValueError) as error:
        raise BadInput(
            f"{path}: is not a readable .npy or .npz ({error})", path=str(path)
        ) from error
