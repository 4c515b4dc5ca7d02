"""One handle per quantiser of a network, in execution order: what budgets and projection turn."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from codesign.errors import BadInput
from codesign.quant.foreign import ForeignQuantiser
from codesign.quant.quantiser import Quantiser
from codesign.quant.trace import trace

RECORD = "quantiser_trace"
PROXY_ROLES = {"weight_quant": "weight", "act_quant": "act", "input_quant": "act"}


@dataclass(frozen=True)
class Recorded:
    """What the forward trace knows of one quantiser; `proxy` is its path in the network."""

    name: str
    role: str
    proxy: str
    numel: int


@dataclass(frozen=True, eq=False)
class QuantHandle:
    """One quantiser: `name` is the path of the layer it belongs to, `role` weight, act or input.

    `numel` counts the weights (without bias), or the elements of one sample of the activation.
    Quantisers that several layers share appear once, where they are first used. `proxy` is the
    Brevitas module that carries the quantiser.
    """

    name: str
    role: str
    signed: bool
    numel: int
    quantiser: Quantiser
    proxy: nn.Module

    @property
    def is_learned(self) -> bool:
        """Whether the step (and, for U3, the width) takes part in training."""
        return self.quantiser.is_learned

    @property
    def least_bits(self) -> int:
        """Width below which `set_bits` cannot go."""
        return self.quantiser.least_bits

    def bits(self) -> Tensor:
        """Mean width over slices as a scalar in bits, differentiable for U3."""
        return self.quantiser.bits().mean()

    def integer_bits(self) -> int:
        """Width the hardware carries, that of the widest slice, in bits."""
        return self.quantiser.integer_bits()

    def set_bits(self, bits: int) -> None:
        """Give every slice `bits` bits, keeping its range; raises BadInput where it cannot."""
        self.quantiser.set_bits(bits)

    def narrow(self, bits: int) -> None:
        """`set_bits`; weights then choose the step with the least squared error at that width.

        For a jump of width without training after it: keeping the range, as `set_bits` does, would
        send most weights to zero at 2 or 3 bits.
        """
        self.quantiser.set_bits(bits)
        if self.role == "weight":
            self.quantiser.recalibrate()

    def freeze(self) -> None:
        """Stop learning step and width; the grid stays."""
        self.quantiser.freeze()

    def parameters(self) -> tuple[nn.Parameter, ...]:
        """Step and, for U3, range."""
        return self.quantiser.own_parameters()

    def clip_(self) -> None:
        """Bring step and range back into their legal region, after an optimiser's step."""
        self.quantiser.clip_()

    def clip_gradients_(self) -> None:
        """Clip the gradients of step and range to +-step (DQ's and FDQMP's recipe)."""
        parameters = self.parameters()
        for parameter in parameters:
            if parameter.grad is not None:
                step = parameters[0].detach()
                parameter.grad.copy_(torch.maximum(torch.minimum(parameter.grad, step), -step))


def record_quantisers(model: nn.Module, input_shape: tuple[int, ...]) -> nn.Module:
    """Trace `model` once on `input_shape` (no batch), so that `handles` knows order and sizes.

    Returns the same model. Raises BadInput when it does not run on that shape.
    """
    modules = dict(model.named_modules())
    records: dict[str, Recorded] = {}
    for visit in trace(model, input_shape):
        layer, _, attribute = visit.name.rpartition(".")
        enabled = getattr(modules[visit.name], "is_quant_enabled", False)
        if attribute in PROXY_ROLES and enabled and visit.name not in records:
            role = PROXY_ROLES[attribute] if records or attribute == "weight_quant" else "input"
            records[visit.name] = Recorded(layer, role, visit.name, visit.elements_out)
    setattr(model, RECORD, tuple(records.values()))
    return model


def handles(model: nn.Module) -> tuple[QuantHandle, ...]:
    """Handles of all quantisers in execution order; an input quantiser comes first.

    Raises BadInput when the network was never traced (`build_model` and `record_quantisers` do).
    """
    records = getattr(model, RECORD, None)
    if records is None:
        raise BadInput(
            f"{type(model).__name__} was built outside build_model, so the order of its quantisers "
            "is unknown; call record_quantisers(model, input_shape) once",
            model=type(model).__name__,
        )
    modules = dict(model.named_modules())
    return tuple(_handle(record, modules[record.proxy]) for record in records)


def _handle(record: Recorded, proxy: nn.Module) -> QuantHandle:
    quantiser = getattr(proxy, "quantiser", None) or ForeignQuantiser(proxy)
    return QuantHandle(record.name, record.role, quantiser.signed, record.numel, quantiser, proxy)
