"""What quantisers of a given width share that learn nothing or only a range."""

from __future__ import annotations

from abc import abstractmethod

import torch
from torch import Tensor

from codesign.errors import BadInput
from codesign.quant.quantiser import NamedQuantiser
from codesign.quant.uniform import largest_level


class GivenWidth(NamedQuantiser):
    """A quantiser whose width is stated; `legal` are the widths of its method."""

    legal: range

    def add_state(self, bits: int) -> None:
        self.register_buffer("width", torch.tensor(float(self.legal_bits(bits))))

    def legal_bits(self, bits: int) -> int:
        """`bits`, checked."""
        if bits not in self.legal:
            raise BadInput(
                f"{type(self).__name__} has {self.legal[0]} to {self.legal[-1]} bits, not {bits}",
                bits=bits,
            )
        return bits

    @property
    def levels(self) -> int:
        """Largest integer of the width."""
        return largest_level(int(self.width), self.signed)

    @abstractmethod
    def scale(self, x: Tensor) -> Tensor:
        """Step of the grid, of `shape` or a scalar."""

    def per_slice(self, x: Tensor, mean: bool = True) -> Tensor:
        """Mean (or largest) of `x` in every slice, shaped to broadcast."""
        if not self.shape:
            return x.mean() if mean else x.max()
        rows = x.flatten(1)
        return (rows.mean(1) if mean else rows.amax(1)).reshape(self.shape)

    def latent(self, x: Tensor) -> Tensor | None:
        """The stored weights behind `x` while they are trained, to be changed in place; else None.

        Brevitas hands weights on as a view of the parameter.
        """
        stored = x if x._base is None else x._base
        trained = self.is_weight and self.training and stored.is_leaf and stored.requires_grad
        return x.data if trained else None

    def bound_latent(self, x: Tensor) -> None:
        """Clip latent weights to [-1, 1] before they are used, which is after the last step."""
        latent = self.latent(x)
        if latent is not None:
            latent.clamp_(-1, 1)

    def bits(self) -> Tensor:
        return self.width

    def set_bits(self, bits: int) -> None:
        self.width.fill_(self.legal_bits(bits))


class StraightThrough(torch.autograd.Function):
    """Given values forward; backward the gradient where `gate` holds (None: everywhere)."""

    @staticmethod
    def forward(ctx, x: Tensor, y: Tensor, gate: Tensor | None) -> Tensor:
        ctx.save_for_backward(*(() if gate is None else (gate,)))
        return y

    @staticmethod
    def backward(ctx, grad: Tensor) -> tuple[Tensor, None, None]:
        gates = ctx.saved_tensors
        return (grad * gates[0] if gates else grad), None, None
