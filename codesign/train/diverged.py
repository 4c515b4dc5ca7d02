"""Where a loss that is no number comes from."""

from __future__ import annotations

import re

import torch
from torch import Tensor, nn

from codesign.errors import Diverged

# What Brevitas puts below a layer.
PROXY = re.compile(r"\.(weight|bias|act|input|output)_quant\b.*")


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
                bad.append(PROXY.sub("", name))

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
    return _error(epoch, step, f"found {loss}", where, kept)


def check_finite(model: nn.Module, epoch: int, step: int, kept: str) -> None:
    """Raise Diverged if the last `step` of an epoch left a parameter or norm that is no number.

    The loss would tell only in the next epoch, when the checkpoint holds it already.
    """
    state = model.state_dict()
    names = [name for name, _ in model.named_parameters()]
    names += [name for name in state if name.endswith(("running_mean", "running_var"))]
    bad = next((name for name in names if not torch.isfinite(state[name]).all()), None)
    if bad is not None:
        raise _error(epoch, step, "found none any more", f"parameter {bad}", kept)


def _error(epoch: int, step: int, found: str, where: str, kept: str) -> Diverged:
    return Diverged(
        f"training, epoch {epoch}, step {step}: the loss must be a finite number, {found} (first in "
        f"{where}); {kept} keeps the last good epoch, a smaller lr usually cures it",
        epoch=epoch,
        step=step,
        where=where,
        checkpoint=kept,
    )
