"""Which leaf modules a network executes, in what order, and how many elements each returns."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import nn

from codesign.errors import BadInput


@dataclass(frozen=True)
class Visit:
    """One execution of a module: its path and the elements of one sample of input and output."""

    name: str
    elements_in: int
    elements_out: int


def trace(model: nn.Module, input_shape: tuple[int, ...]) -> tuple[Visit, ...]:
    """Visits of every module in order of completion, for one sample of `input_shape` (no batch).

    Raises BadInput when the network does not run on that shape. Leaves modes and state alone.
    """
    visits: list[Visit] = []
    modules = tuple((name, module) for name, module in model.named_modules() if name)
    hooks = [module.register_forward_hook(_recorder(name, visits)) for name, module in modules]
    was_training = {name: module.training for name, module in model.named_modules()}
    try:
        with torch.no_grad():
            model.eval()(torch.zeros(1, *input_shape, device=_device(model)))
    except (RuntimeError, ValueError, TypeError, IndexError) as error:
        raise BadInput(
            f"{type(model).__name__} does not run on one sample of shape {tuple(input_shape)}: "
            f"{error}; the model and the data must agree in shape",
            input_shape=tuple(input_shape),
        ) from error
    finally:
        for hook in hooks:
            hook.remove()
        for name, module in model.named_modules():
            module.training = was_training[name]
    return tuple(visits)


def _recorder(name: str, visits: list[Visit]):
    def record(_module: nn.Module, args: tuple, output: object) -> None:
        visits.append(Visit(name, _elements(args[0] if args else None), _elements(output)))

    return record


def _elements(value: object) -> int:
    tensor = getattr(value, "value", value)
    return tensor.numel() if isinstance(tensor, torch.Tensor) else 0


def _device(model: nn.Module) -> torch.device:
    return next((parameter.device for parameter in model.parameters()), torch.device("cpu"))
