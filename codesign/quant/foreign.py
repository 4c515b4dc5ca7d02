"""Brevitas's own quantisers, in networks that users bring: read, never changed."""

from __future__ import annotations

from torch import Tensor, nn

from codesign.errors import BadInput
from codesign.quant.quantiser import Quantiser


class ForeignQuantiser(Quantiser):
    """Answers for the quantiser behind a Brevitas proxy; its width is what Brevitas says."""

    def __init__(self, proxy: nn.Module) -> None:
        super().__init__(bool(proxy.is_signed))
        # A list hides the proxy from torch: it stays a child of its own layer only.
        self.proxies = [proxy]

    def quantise(self, x: Tensor) -> Tensor:
        return self.proxies[0](x).value

    def scale(self, x: Tensor) -> Tensor:
        return self.proxies[0].scale()

    def bits(self) -> Tensor:
        return self.proxies[0].bit_width()

    def own_parameters(self) -> tuple[nn.Parameter, ...]:
        return tuple(self.proxies[0].parameters())

    def set_bits(self, bits: int) -> None:
        if bits != self.integer_bits():
            raise BadInput(
                f"this quantiser is Brevitas's own with {self.integer_bits()} bits and cannot move "
                f"to {bits}; change it where the network is written, or use build_model",
                bits=bits,
            )
