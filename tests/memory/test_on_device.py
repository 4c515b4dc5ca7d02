"""Formulas of training memory against the tensors that training really keeps."""

from __future__ import annotations

import pytest
import torch

from codesign.memory.of_module import size_of_module
from codesign.memory.on_device import block_elements, local_need, niti_need
from codesign.models.registry import MODELS
from codesign.ondevice.convert import integer_network
from codesign.ondevice.layers import Update
from codesign.ondevice.local_blocks import local_blocks
from codesign.quant.config import QuantConfig
from codesign.quant.handles import record_quantisers
from tests.memory.nets import NETS, SHAPE, bytes_of


@pytest.mark.parametrize("name", NETS)
def test_integer_training_keeps_what_the_formula_says(name):
    model = MODELS[name](SHAPE, 10, **NETS[name])
    need = niti_need(size_of_module(model, SHAPE))
    generator = torch.Generator().manual_seed(0)
    network = integer_network(model, SHAPE, QuantConfig(weight_bits=8), 16, generator)
    frames = 5
    x = torch.randint(0, 17, (frames, *SHAPE), generator=generator, dtype=torch.uint8)
    network.train().learn(x, torch.arange(frames), Update(5, generator))
    kept = bytes_of(layer.kept for layer in network.layers if hasattr(layer, "kept"))
    assert kept == frames * need.frame_bytes
    assert bytes_of(layer.weight for layer in network.weighted) == need.parameter_bytes
    largest = max(layer.weight.numel() for layer in network.weighted)
    assert need.gradient_bytes == 4 * largest
    assert need.batch_bytes(frames) == need.parameter_bytes + 4 * largest + kept


class Saved:
    """A tensor that autograd keeps; `alive` and `peak` count the bytes of all of them."""

    alive = peak = 0

    def __init__(self, tensor: torch.Tensor) -> None:
        self.tensor, self.bytes = tensor, tensor.numel() * tensor.element_size()
        Saved.alive += self.bytes
        Saved.peak = max(Saved.peak, Saved.alive)

    def __del__(self) -> None:
        Saved.alive -= self.bytes


def peak_bytes(run) -> int:
    """Most bytes that autograd kept at one time while `run` ran."""
    Saved.alive = Saved.peak = 0
    with torch.autograd.graph.saved_tensors_hooks(Saved, lambda saved: saved.tensor):
        run()
    return Saved.peak


@pytest.mark.parametrize("name", NETS)
def test_local_losses_keep_one_block(name):
    model = record_quantisers(MODELS[name](SHAPE, 10, **NETS[name]), SHAPE).train()
    blocks = local_blocks(model, SHAPE, 10, "predsim")
    size = size_of_module(model, SHAPE)
    heads = sum(p.numel() for p in blocks.heads.parameters())
    need = local_need(size, heads)
    assert len(block_elements(size)) == len(blocks.members)
    everything = [*model.parameters(), *blocks.heads.parameters()]
    assert bytes_of(everything) == need.parameter_bytes
    optimiser = torch.optim.Adam(everything)
    x, y = torch.rand(32, *SHAPE), torch.arange(32) % 10
    output, _ = blocks.forward(x, y)
    torch.nn.functional.cross_entropy(output, y).backward()
    optimiser.step()
    moments = [optimiser.state[p][key] for p in everything for key in ("exp_avg", "exp_avg_sq")]
    assert bytes_of(moments) == need.optimiser_bytes
    assert bytes_of(p.grad for p in everything) == need.gradient_bytes
    # Every block's parts, of one frame, by the hooks of its modules.
    for elements, members in zip(block_elements(size), blocks.members, strict=True):
        assert elements == _run_elements(model, members, size.inputs)


def test_autograd_keeps_less_with_local_losses():
    """It also keeps what norms, activations and heads need; still a block is less than all."""
    model = record_quantisers(MODELS["cnv"](SHAPE, 10, **NETS["cnv"]), SHAPE).train()
    blocks = local_blocks(model, SHAPE, 10, "predsim")
    size = size_of_module(model, SHAPE)
    x, y = torch.rand(32, *SHAPE), torch.arange(32) % 10
    cross_entropy = torch.nn.functional.cross_entropy
    local = peak_bytes(lambda: cross_entropy(blocks.forward(x, y)[0], y).backward())
    whole = peak_bytes(lambda: cross_entropy(model(x), y).backward())
    assert 32 * local_need(size).frame_bytes < local < whole


def _run_elements(model, members, inputs) -> int:
    """Elements of one frame that enter the block and leave its weighted layers and pools."""
    modules = dict(model.named_modules())
    kinds = (torch.nn.Linear, torch.nn.Conv2d, torch.nn.MaxPool2d)
    found: list[tuple[int, int]] = []
    hooks = [
        modules[name].register_forward_hook(
            lambda _m, args, out: found.append((args[0][0].numel(), out[0].numel()))
        )
        for name in members
        if isinstance(modules[name], kinds)
    ]
    with torch.no_grad():
        model.eval()(torch.zeros(1, *SHAPE))
    model.train()
    for hook in hooks:
        hook.remove()
    return found[0][0] + sum(made for _, made in found)
