"""Where a loss that is no number comes from."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from codesign.errors import Diverged


@torch.no_grad()
def first_bad_layer(model: nn.Module, x: Tensor) -> str:
    """Name of the first parameter or layer output that is not finite."""
    for name, parameter in model.named_parameters():
        if not torch.isfinite(parameter).all():
            return f"parameter {name}"
    bad: list[str] = []

    def watch(name: str):
        def hook(_module: nn.Module, _args: tuple, output: object) -> None:
            value = getattr(output, "value", output)
            if isinstance(value, Tensor) and not torch.isfinite(value).all():
                bad.append(name)

        return hook

    hooks = [m.register_forward_hook(watch(n)) for n, m in model.named_modules() if n]
    try:
        model(x)
    finally:
        for hook in hooks:
            hook.remove()
    return f"output of {bad[0]}" if bad else "the loss itself"


def diverged(
    model: nn.Module, x: Tensor, loss: float, epoch: int, step: int, kept: str
) -> Diverged:
    """The error to raise; `kept` names the checkpoint that is still good."""
    where = first_bad_layer(model, x)
    return Diverged(
        f"training, epoch {epoch}, step {step}: the loss must be a finite number, found {loss} "
        f"(first in {where}); {kept} keeps the last good epoch, a smaller lr usually cures it",
        epoch=epoch,
        step=step,
        where=where,
    )
