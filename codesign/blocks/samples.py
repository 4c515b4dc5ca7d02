"""Random values and parameters for the examples of blocks."""

from __future__ import annotations

import numpy as np

from codesign.blocks.arrays import only_value
from codesign.blocks.base import ParamRef
from codesign.types import QType


def sample(qtype: QType, *shape: int, seed: int = 0) -> np.ndarray:
    """Uniform random values of `qtype`, reproducible by `seed`."""
    indices = np.random.default_rng(seed).integers(0, qtype.levels, shape)
    if qtype.kind == "power-of-two":
        powers = 1 << np.arange(qtype.exponents)
        return np.concatenate([-powers, [0], powers])[indices]
    return qtype.min + qtype.step * indices


def reference(name: str, values: np.ndarray) -> ParamRef:
    """A reference to `values`, with the narrowest integer type that holds them."""
    qtype = QType.covering(int(values.min()), int(values.max()))
    return ParamRef(name, values.shape, qtype, value=only_value(values))
