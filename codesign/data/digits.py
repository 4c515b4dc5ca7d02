"""The 1,797 handwritten digits of 8x8 pixels that come with scikit-learn: no download."""

from __future__ import annotations

import numpy as np

from codesign.data.dataset import Source, Split


def read_digits() -> Source:
    """UCI "Optical Recognition of Handwritten Digits", its test part: (1797, 1, 8, 8), 0 .. 16."""
    from sklearn.datasets import load_digits

    bunch = load_digits()
    x = bunch.images.astype(np.uint8)[:, np.newaxis]
    names = tuple(str(n) for n in bunch.target_names)
    return Source("digits", Split(x, bunch.target.astype(np.int64)), None, names, input_max=16)
