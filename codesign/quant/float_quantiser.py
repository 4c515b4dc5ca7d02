"""No quantisation: the network that quantised ones are compared with."""

from __future__ import annotations

import torch
from torch import Tensor

from codesign.errors import BadInput
from codesign.quant.quantiser import NamedQuantiser

FLOAT_BITS = 32.0


class FloatQuantiser(NamedQuantiser):
    """Weights as they are; activations through ReLU, or as they are where they are signed.

    Takes the place of a quantiser so that float networks have the same layers and names. The width
    counts 32 bits for budgets; `bits` of the config are ignored, and there is no export.
    """

    has_qonnx_form = False

    def add_state(self, bits: int) -> None:
        self.register_buffer("width", torch.tensor(FLOAT_BITS), persistent=False)

    def quantise(self, x: Tensor) -> Tensor:
        return x if self.signed else torch.relu(x)

    def scale(self, x: Tensor) -> Tensor:
        return torch.ones_like(self.zero)

    def bits(self) -> Tensor:
        return self.width

    def set_bits(self, bits: int) -> None:
        raise BadInput(f"a float tensor cannot move to {bits} bits; choose another quantiser")
