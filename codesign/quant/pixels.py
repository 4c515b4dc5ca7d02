"""The input pixels: a grid that is given by the data."""

from __future__ import annotations

import torch
from torch import Tensor

from codesign.errors import BadInput
from codesign.quant.quantiser import Quantiser
from codesign.quant.uniform import Grid, largest_level, snap


class PixelQuantiser(Quantiser):
    """Unsigned input x = q * scale with q the raw integer 0..`input_max` that a sensor delivers.

    scale = float32(1 / input_max) and the width is what input_max needs (uint8: 8 bits, digits with
    0..16: 5), so that x * input_max is the raw integer again, exactly. With fewer `bits` than that,
    scale = float32(1 / (2^bits - 1)) and pixels are rounded to the coarser grid.
    """

    def __init__(self, bits: int, input_max: int) -> None:
        super().__init__(signed=False)
        raw_bits = input_max.bit_length()
        top = input_max if bits >= raw_bits else largest_level(bits, signed=False)
        self.width = min(bits, raw_bits)
        self.register_buffer("step", torch.tensor(1 / top, dtype=torch.float32), persistent=False)

    def quantise(self, x: Tensor) -> Tensor:
        levels = torch.full_like(self.step, largest_level(self.width, signed=False))
        return snap(x, Grid(self.step, levels, signed=False))

    def scale(self, x: Tensor) -> Tensor:
        return self.step

    def bits(self) -> Tensor:
        return torch.full_like(self.step, self.width)

    def set_bits(self, bits: int) -> None:
        if bits != self.width:
            raise BadInput(
                f"the input has {self.width} bits, as its data; state input_bits in the "
                f"QuantConfig to build the network with {bits}",
                bits=bits,
            )
