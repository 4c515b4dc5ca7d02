"""The frames that hardware is run on: golden ones beside the design, a file, or random integers."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from codesign.design import HostInput
from codesign.errors import BadInput
from codesign.graph.execute import from_real, to_stream

GOLDEN = ("golden.npz", "model.golden.npz")
DEFAULT_FRAMES = 10


@dataclass(frozen=True)
class Frames:
    """Integers (frames, elements) in stream order, and where they come from."""

    x: np.ndarray
    source: str


def chosen_frames(
    host: HostInput, folder: Path, frames: int | None, inputs: Path | None, seed: int
) -> Frames:
    """Those of the file `inputs`, else the golden ones in `folder`, else random ones.

    Raises BadInput.
    """
    if inputs is not None:
        return Frames(frames_of(inputs, host, frames), str(inputs))
    golden = next((folder / name for name in GOLDEN if (folder / name).exists()), None)
    if golden is not None:
        there = frames_of(golden, host, None)[: frames or DEFAULT_FRAMES]
        if frames is None or len(there) == frames:
            return Frames(there, str(golden))
    return random_frames(host, frames or DEFAULT_FRAMES, seed)


def random_frames(host: HostInput, frames: int, seed: int) -> Frames:
    """Integers spread evenly over the whole range of the input's type."""
    shape = frames, int(np.prod(host.shape))
    levels = np.random.default_rng(seed).integers(0, host.qtype.levels, shape)
    return Frames(host.qtype.min + host.qtype.step * levels, f"random, seed {seed}")


def frames_of(path: Path, host: HostInput, frames: int | None) -> np.ndarray:
    """The first `frames` real inputs (frames, *ONNX shape) of an .npy or golden .npz file.

    Returns integers (frames, elements) in stream order. Raises BadInput.
    """
    return to_stream(host, from_real(host, real_frames(path, host, frames)))


def real_frames(path: Path, host: HostInput, frames: int | None) -> np.ndarray:
    """The same as real numbers, as they stand in the file; raises BadInput."""
    real = _array(path)
    numbers = real.dtype.kind in "fiub"
    if not numbers or not np.isfinite(real).all():
        found = "NaN or infinity" if numbers else str(real.dtype)
        raise BadInput(f"{path}: must hold finite numbers, found {found}", path=str(path))
    if real.ndim == 0 or len(real) == 0:
        raise BadInput(f"{path}: holds no frame; its shape is {real.shape}", path=str(path))
    if real.shape[1:] != tuple(host.onnx_shape):
        raise BadInput(
            f"{path}: must have shape (frames, {', '.join(map(str, host.onnx_shape))}), "
            f"not {real.shape}",
            path=str(path),
        )
    if frames is not None and len(real) < frames:
        raise BadInput(
            f"{path}: holds {len(real)} frames, fewer than the {frames} asked for", path=str(path)
        )
    return real[:frames]


def _array(path: Path) -> np.ndarray:
    try:
        found = np.load(path, allow_pickle=False)
        return found if isinstance(found, np.ndarray) else found["inputs"]
    except KeyError as error:
        raise BadInput(f"{path}: must hold an array `inputs`", path=str(path)) from error
    except Exception as error:  # damaged bytes can raise nearly anything
        reason = getattr(error, "strerror", None) or "its bytes hold no array of numbers"
        raise BadInput(
            f"{path}: is not a readable .npy or .npz ({reason})", path=str(path)
        ) from error
