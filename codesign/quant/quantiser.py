"""What every quantiser of the project answers, whatever its method."""

from __future__ import annotations

from abc import abstractmethod

import torch
from torch import Tensor, nn

from codesign.quant.staircase import Staircase


class Quantiser(nn.Module):
    """Base of the tensor quantisers that Brevitas proxies carry.

    `forward` gives Brevitas its four values (y, scale, zero point, bit width); `quantise` only y.
    The scale is a scalar or one value per output channel, the bit width the widest slice's.
    """

    signed: bool
    is_learned: bool = False
    # Whether QONNX has a node for it: weights are stored quantised, so theirs always does.
    has_qonnx_form: bool = True
    # Whether weights are no integers times a scale: they are exported as float32.
    has_real_levels: bool = False
    # Values -1 and +1 times the scale, BipolarQuant in QONNX.
    bipolar: bool = False
    # Whether a signed range leaves out its most negative integer.
    narrow: bool = True

    def __init__(self, signed: bool) -> None:
        super().__init__()
        self.signed = signed
        self.register_buffer("zero", torch.zeros(()), persistent=False)

    @abstractmethod
    def quantise(self, x: Tensor) -> Tensor:
        """Quantised `x`, differentiable."""

    def train_through(self, x: Tensor) -> Tensor:
        """`quantise` for a training step, with the gradient that the method's config asks for."""
        return self.quantise(x)

    @abstractmethod
    def scale(self, x: Tensor) -> Tensor:
        """Step of the grid, exact float32."""

    @abstractmethod
    def bits(self) -> Tensor:
        """Width of every slice, differentiable where it is learned."""

    @property
    def least_bits(self) -> int:
        """Narrowest width that `set_bits` takes: a sign needs a second bit."""
        return 1 + self.signed

    def integer_bits(self) -> int:
        """Width the hardware carries: that of the widest slice."""
        return int(self.bits().detach().max())

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        y = self.quantise(x)
        return y, self.scale(x), self.zero, self.bits().detach().max()

    def staircase(self) -> Staircase | None:
        """Thresholds and levels of activations that are not equally spaced; None where they are."""
        return None

    @property
    def widest_step(self) -> int:
        """Largest distance of two neighbouring levels in integers."""
        stairs = self.staircase()
        return stairs.widest_step if stairs else 1 + (self.signed and self.integer_bits() == 1)

    def own_parameters(self) -> tuple[nn.Parameter, ...]:
        """Learned parameters of the quantiser (steps and ranges)."""
        return tuple(self.parameters(recurse=False))

    def freeze(self) -> None:
        """Stop learning step and width; the grid stays as it is."""
        for parameter in self.own_parameters():
            parameter.requires_grad_(False)

    def clip_(self) -> None:
        """Bring the parameters back into their legal region."""

    def recalibrate(self) -> None:
        """Choose the grid anew from the next tensor seen."""

    @abstractmethod
    def set_bits(self, bits: int) -> None:
        """Move to a grid of `bits` bits; raises BadInput where that width cannot be."""


class NamedQuantiser(Quantiser):
    """A quantiser of codesign/quant/methods.py, which makes them all alike.

    `as_power` asks for a step that is a power of two; `shape` is () for one grid per tensor or
    (C, 1, ..) per output channel. A method may have its own say in both sign and grids. Raises
    BadInput for a width that it does not have.
    """

    # The sign of every grid of the method; None: as asked for.
    own_sign: bool | None = None
    # Whether a tensor has one grid whatever is asked for.
    one_scale: bool = False

    def __init__(
        self,
        bits: int,
        is_weight: bool,
        signed: bool,
        as_power: bool = False,
        shape: tuple[int, ...] = (),
    ) -> None:
        super().__init__(signed if self.own_sign is None else self.own_sign)
        self.is_weight, self.as_power = is_weight, as_power
        self.shape = () if self.one_scale else tuple(shape)
        self.add_state(bits)

    @abstractmethod
    def add_state(self, bits: int) -> None:
        """Parameters and buffers of the method, called once."""
