"""Ranks of decomposed layers from a compression ratio, as NNabla's parametric functions choose them.

A ratio CR in (0, 1) leaves at most (1 - CR) of the weights of the layer with O outputs, I inputs and
k = K^2 kernel elements.
"""

from __future__ import annotations

from codesign.errors import BadInput


def svd_affine_rank(outputs: int, inputs: int, ratio: float) -> int:
    """floor((1 - CR) O I / (O + I)): U (O, R) and V (R, I)."""
    return _rank((1 - ratio) * outputs * inputs / (outputs + inputs), ratio)


def svd_convolution_rank(outputs: int, inputs: int, kernel: int, ratio: float) -> int:
    """floor((1 - CR) O I k / (I (O + k))): R kernels for each input, then 1x1 from I R channels."""
    weights = outputs * inputs * kernel
    return _rank((1 - ratio) * weights / (inputs * (outputs + kernel)), ratio)


def cp_convolution_rank(outputs: int, inputs: int, kernel: int, ratio: float) -> int:
    """floor((1 - CR) O I k / (O + I + k)): 1x1 to R channels, depthwise, 1x1."""
    weights = outputs * inputs * kernel
    return _rank((1 - ratio) * weights / (outputs + inputs + kernel), ratio)


def _rank(real: float, ratio: float) -> int:
    if real < 1:
        raise BadInput(
            f"a compression ratio of {ratio:g} leaves this layer no rank ({real:.2f}); choose a "
            "smaller ratio, or leave the layer as it is",
            ratio=ratio,
        )
    return int(real)
