"""The tables of the binary search over thresholds, as hw/threshold.sv reads them."""

from __future__ import annotations

import numpy as np

from codesign.rtl.instance import Vector
from codesign.rtl.wire import packed, wire_code
from codesign.types import QType


def search_limits(thresholds: np.ndarray, sign: np.ndarray, itype: QType) -> np.ndarray:
    """Limits (channels, 2**stages - 1) of a comparison x >= limit, each in [min, max + 1] of `itype`.

    thresholds (channels, T) and sign (channels,). With sign -1 the answer is inverted:
    -x >= T is not x >= 1 - T. The search never counts beyond T: limits behind the last threshold
    are out of reach.
    """
    far = max(-itype.min, itype.max) + 1
    near = thresholds.clip(-far, far).astype(np.int64)
    limits = np.where(sign[:, None] > 0, near, 1 - near).clip(itype.min, itype.max + 1)
    missing = (1 << thresholds.shape[1].bit_length()) - 1 - thresholds.shape[1]
    never = np.where(sign > 0, itype.max + 1, itype.min)
    return np.concatenate([limits, np.repeat(never[:, None], missing, axis=1)], axis=1)


def limit_bits(limits: np.ndarray, itype: QType) -> int:
    """Bits of a limit: those of an input as an integer, one more where max + 1 occurs."""
    plain = 2 if itype.kind == "bipolar" else itype.bits
    return plain + int(limits.max() > itype.max)


def limit_vector(limits: np.ndarray, lanes: int, bits: int) -> Vector:
    """Limits lane by lane; in a lane stage by stage, then group of channels, then bits found."""
    channels, count = limits.shape
    by_lane = limits.reshape(channels // lanes, lanes, count).transpose(1, 0, 2)
    stages = range(count.bit_length())
    step = [1 << (len(stages) - k) for k in stages]
    parts = [by_lane[:, :, step[k] // 2 - 1 :: step[k]].reshape(lanes, -1) for k in stages]
    values = np.concatenate(parts, axis=1).reshape(-1).tolist()
    codes = [wire_code(value, QType(bits)) for value in values]
    return Vector(packed(codes, bits), bits * len(codes))
