"""Activation instability induced by weight quantisation (AIWQ), layer by layer.

PROFIT (Park and Yoo, ECCV 2020) asks how far the outputs of a layer move because its quantised
weights did, as the Kullback-Leibler divergence between the normal distributions of each output
channel before and after: log(s1/s0) + (s0^2 + (m0 - m1)^2) / (2 s1^2) - 1/2, averaged over
channels. The paper compares before and after a step; here before and after an epoch, on the same
inputs, which are those that the layer has after it.
"""

from __future__ import annotations

import msgspec
import torch
from torch import Tensor, nn

from codesign.train.batches import to_input
from codesign.train.evaluate import logits_of
from codesign.train.history import Epoch
from codesign.train.loop import Trainer

NOTE = "instability"
SAMPLES = 256
LEAST_SPREAD = 1e-6


class Instability:
    """Notes the AIWQ of every layer after each epoch; a call for `Trainer.after_epoch`."""

    def __init__(self, trainer: Trainer) -> None:
        self.before = _weights(trainer)

    def __call__(self, trainer: Trainer, epoch: Epoch) -> None:
        found = instability(trainer, self.before)
        trainer.notes[NOTE] = msgspec.json.encode(found).decode()
        self.before = _weights(trainer)


def most_unstable(trainer: Trainer, share: float) -> list[str]:
    """Names of that share of the layers, the most unstable first, at least one."""
    found = msgspec.json.decode(trainer.notes[NOTE], type=dict[str, float])
    ranked = sorted(found, key=found.__getitem__, reverse=True)
    return ranked[: max(1, round(share * len(ranked)))]


@torch.no_grad()
def instability(trainer: Trainer, before: dict[str, Tensor]) -> dict[str, float]:
    """Layer -> AIWQ between the weights `before` and those of now."""
    layers = _layers(trainer)
    found: dict[str, float] = {}

    def watch(name: str):
        def hook(layer: nn.Module, inputs: tuple, output: object) -> None:
            now, layer.weight.data = layer.weight.data, before[name]
            old = layer.forward(*inputs)
            layer.weight.data = now
            found[name] = float(divergence(_plain(old), _plain(output)))

        return hook

    hooks = [layer.register_forward_hook(watch(name)) for name, layer in layers.items()]
    model, split = trainer.model.eval(), trainer.data.train.take(slice(SAMPLES))
    try:
        logits_of(model, to_input(split.x, trainer.data.input_max))
    finally:
        for hook in hooks:
            hook.remove()
    return found


def divergence(old: Tensor, new: Tensor) -> Tensor:
    """Mean over channels of KL(old || new) of outputs (N, C, ..) taken as normal."""
    (m0, s0), (m1, s1) = _moments(old), _moments(new)
    return (torch.log(s1 / s0) + (s0**2 + (m0 - m1) ** 2) / (2 * s1**2) - 0.5).mean()


def _moments(y: Tensor) -> tuple[Tensor, Tensor]:
    rows = y.transpose(0, 1).flatten(1)
    return rows.mean(1), rows.std(1, correction=0).clamp(min=LEAST_SPREAD)


def _layers(trainer: Trainer) -> dict[str, nn.Module]:
    modules = dict(trainer.model.named_modules())
    return {h.name: modules[h.name] for h in trainer.handles if h.role == "weight"}


def _weights(trainer: Trainer) -> dict[str, Tensor]:
    return {name: layer.weight.detach().clone() for name, layer in _layers(trainer).items()}


def _plain(y: object) -> Tensor:
    return getattr(y, "value", y)
