"""A network cut into blocks between which no gradient passes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import brevitas.nn as qnn
import torch
from torch import Tensor, nn

from codesign.errors import BadInput
from codesign.models.join import Join
from codesign.ondevice.local_loss import LocalHead
from codesign.quant.handles import handles
from codesign.quant.trace import trace

ACTIVATIONS = (qnn.QuantIdentity, nn.ReLU, nn.ReLU6, nn.Hardtanh)
WEIGHTED = (nn.Linear, nn.Conv1d, nn.Conv2d)


@dataclass(frozen=True, eq=False)
class LocalBlocks:
    """Blocks of `model`, each but the last ended by the activation at the path `ends[i]`.

    `members[i]` are the paths of all modules that block i runs, `heads[i]` is its loss; the last
    block ends with the logits, whose loss is the caller's.
    """

    model: nn.Module
    ends: tuple[str, ...]
    members: tuple[tuple[str, ...], ...]
    heads: nn.ModuleList

    def parameters_of(self, block: int) -> list[nn.Parameter]:
        """Parameters of a block's layers and of its head, but not those of quantisers."""
        modules = dict(self.model.named_modules())
        steps = {id(p) for handle in handles(self.model) for p in handle.parameters()}
        own = [p for name in self.members[block] for p in modules[name].parameters(recurse=False)]
        head = list(self.heads[block].parameters()) if block < len(self.ends) else []
        return [p for p in own if id(p) not in steps] + head

    def forward(self, x: Tensor, y: Tensor) -> tuple[Tensor, list[Tensor]]:
        """The network's output and the losses of all blocks but the last.

        Those blocks have gone backwards: each as soon as its output was there, so that no more than
        one block's activations are ever kept. The output has a gradient for the last block alone.
        """
        losses: list[Tensor] = []
        modules = dict(self.model.named_modules())
        hooks = [
            modules[end].register_forward_hook(_stop(head, y, losses))
            for end, head in zip(self.ends, self.heads, strict=True)
        ]
        try:
            return self.model(x), losses
        finally:
            for hook in hooks:
                hook.remove()


def local_blocks(
    model: nn.Module, input_shape: tuple[int, ...], classes: int, loss: str
) -> LocalBlocks:
    """Cut `model`, float or quantised, after each activation behind a Linear or convolution.

    Raises BadInput for a network without such an activation.
    """
    ends, members = _cut(model, input_shape)
    if not ends:
        raise BadInput(
            f"{type(model).__name__} has no activation behind a layer with weights, so there is no "
            "place for a local loss; train it as a whole",
            model=type(model).__name__,
        )
    shapes = _shapes(model, ends, input_shape)
    heads = nn.ModuleList(LocalHead(shapes[end], classes, loss) for end in ends)
    return LocalBlocks(model, ends, members, heads)


def _cut(
    model: nn.Module, input_shape: tuple[int, ...]
) -> tuple[tuple[str, ...], tuple[tuple[str, ...], ...]]:
    modules = dict(model.named_modules())
    names = dict.fromkeys(visit.name for visit in trace(model, input_shape))
    ends: list[str] = []
    members: list[list[str]] = [[]]
    for name in names:
        members[-1].append(name)
        weighted = any(isinstance(modules[member], WEIGHTED) for member in members[-1])
        if weighted and _is_activation(modules, name):
            ends.append(name)
            members.append([])
    return tuple(ends), tuple(tuple(block) for block in members)


def _is_activation(modules: dict[str, nn.Module], name: str) -> bool:
    """True unless the quantiser belongs to a Join, which runs it on both branches."""
    parent = modules[name.rpartition(".")[0]]
    return isinstance(modules[name], ACTIVATIONS) and not isinstance(parent, Join)


def _shapes(
    model: nn.Module, ends: tuple[str, ...], input_shape: tuple[int, ...]
) -> dict[str, tuple[int, ...]]:
    """Shapes of one sample at the ends."""
    shapes: dict[str, tuple[int, ...]] = {}

    def recorder(name: str) -> Callable:
        def record(_module: nn.Module, _args: tuple, output: object) -> None:
            shapes[name] = tuple(getattr(output, "value", output).shape[1:])

        return record

    modules = dict(model.named_modules())
    hooks = [modules[end].register_forward_hook(recorder(end)) for end in ends]
    trace(model, input_shape)
    for hook in hooks:
        hook.remove()
    return shapes


def _stop(head: LocalHead, y: Tensor, losses: list[Tensor]) -> Callable:
    """A hook that trains what led to the output and hands it on without its history."""

    def hook(_module: nn.Module, _args: tuple, output: object) -> Tensor:
        h = getattr(output, "value", output)
        loss = head(h, y)
        if torch.isfinite(loss):
            loss.backward()
        losses.append(loss.detach())
        return h.detach()

    return hook
