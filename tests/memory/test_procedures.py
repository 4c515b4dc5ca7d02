"""Training memory by procedure: against the tensors of real trainers, and printed sizes."""

from __future__ import annotations

import json
from functools import partial

import pytest
import torch
from torch import nn

from codesign.cli import main
from codesign.memory.of_module import size_of_module
from codesign.memory.procedures import (
    LOCAL_LOSSES,
    PROCEDURES,
    distilled_need,
    fdqmp_need,
    float_need,
    head_parameters,
    inq_need,
    integer_need,
    learned_need,
    limpq_need,
    qat_need,
    quantisers,
    slices,
    surgery_need,
)
from codesign.models.quantise import quantise
from codesign.models.registry import MODELS
from codesign.models.resnet import ResNet
from codesign.ondevice.local_blocks import local_blocks
from codesign.ondevice.local_loss import LOSSES
from codesign.quant.config import QuantConfig
from codesign.quant.handles import handles, record_quantisers
from codesign.train.optimise import RelativeAdam
from tests.memory.nets import NETS, SHAPE, bytes_of


def trained(model: nn.Module, make) -> tuple[int, int, int]:
    """Bytes of parameters, of the optimiser's tensors, and of gradients after one step."""
    model.train()
    optimiser = make(model.parameters())
    loss = nn.functional.cross_entropy(model(torch.rand(8, *SHAPE)), torch.arange(8))
    loss.backward()
    optimiser.step()
    own = [p for p in model.parameters() if p.grad is not None]
    states = (t for s in optimiser.state.values() for t in s.values() if torch.is_tensor(t))
    return (
        bytes_of(own),
        bytes_of(t for t in states if t.dim() or t.numel() > 1),
        bytes_of(p.grad for p in own),
    )


@pytest.mark.parametrize("name", NETS)
def test_float_and_lsq_hold_what_the_formulas_say(name):
    model = MODELS[name](SHAPE, 10, **NETS[name])
    size = size_of_module(model, SHAPE)
    sgd = partial(torch.optim.SGD, lr=0.1, momentum=0.9)
    need = float_need(size)
    expected = (need.parameter_bytes, need.optimiser_bytes, need.gradient_bytes)
    assert trained(MODELS[name](SHAPE, 10, **NETS[name]), sgd) == expected
    lsq = quantise(model, QuantConfig(quantiser="fixed"), SHAPE)
    need = qat_need(size)
    steps = [h for h in handles(lsq) if h.role != "input"]
    assert quantisers(size) == len(steps)
    found = trained(lsq, sgd)
    assert found[0] == need.parameter_bytes
    assert found[2] == need.gradient_bytes


def test_fdqmp_holds_a_step_and_a_range_for_each_slice():
    model = MODELS["cnv"](SHAPE, 10, **NETS["cnv"])
    size = size_of_module(model, SHAPE)
    config = QuantConfig(quantiser="u3", per_channel=True, per_channel_dense=False)
    network = quantise(model, config, SHAPE)
    numbers = sum(p.numel() for h in handles(network) for p in h.parameters())
    assert numbers == 2 * slices(size) == 2 * (8 + 6 + 12 + 1 + 1 + 4)
    rms = partial(torch.optim.RMSprop, momentum=0.9)
    need, found = fdqmp_need(size), trained(network, rms)
    assert found[0] == need.parameter_bytes
    assert found[2] == need.gradient_bytes
    assert need.optimiser_bytes == 2 * need.parameter_bytes


def test_learned_widths_hold_a_step_and_a_range_with_two_moments_each():
    model = MODELS["cnv"](SHAPE, 10, **NETS["cnv"])
    size = size_of_module(model, SHAPE)
    network = quantise(model, QuantConfig(quantiser="u3"), SHAPE)
    numbers = [p for h in handles(network) if h.is_learned for p in h.parameters()]
    for number in numbers:
        number.grad = torch.ones_like(number)
    optimiser = RelativeAdam(numbers, 0.1)
    optimiser.step()
    moments = [t for s in optimiser.state.values() for t in (s["mean"], s["square"])]
    found = bytes_of(numbers), bytes_of(moments), bytes_of(n.grad for n in numbers)
    need, plain = learned_need(size), float_need(size)
    assert found == (
        need.parameter_bytes - plain.parameter_bytes,
        need.optimiser_bytes - plain.optimiser_bytes,
        need.gradient_bytes - plain.gradient_bytes,
    )


@pytest.mark.parametrize("name", NETS)
def test_heads_are_those_of_the_local_blocks(name):
    model = record_quantisers(MODELS[name](SHAPE, 10, **NETS[name]), SHAPE)
    size = size_of_module(model, SHAPE)
    assert set(LOCAL_LOSSES) == set(LOSSES)
    for loss in LOCAL_LOSSES:
        heads = local_blocks(model, SHAPE, 10, loss).heads
        assert head_parameters(size, loss) == sum(p.numel() for p in heads.parameters())


def test_masks_teachers_and_candidate_steps_by_hand():
    size = size_of_module(MODELS["tfc"](SHAPE, 10, **NETS["tfc"]), SHAPE)
    weights = 64 * 24 + 24 * 16 + 16 * 10
    plain = float_need(size).parameter_bytes
    assert inq_need(size).parameter_bytes - plain == weights / 8 + 3
    assert surgery_need(size).parameter_bytes - plain == weights / 4 + 3 + 24
    assert distilled_need(size).parameter_bytes - qat_need(size).parameter_bytes == plain
    # 64 pixels less their mean (2 bytes each), 24 and 16 inputs, 24 and 16 masks; 24 sums of 4 bytes; 3 + 3 exponents.
    assert integer_need(size).frame_bytes == 2 * 64 + 40 + 40 + 96
    assert integer_need(size, 4).parameter_bytes == weights / 2 + 6
    assert limpq_need(size).fixed_bytes - qat_need(size).fixed_bytes == 5 * 5 * 16


def test_resnet20_is_that_of_the_slides_and_the_orders_are_clear():
    """Slides: 2.16 MB + 0.77 MB a frame in float32, 0.07 MB at 3 bits, without gradients."""
    shape = (3, 32, 32)
    net = ResNet(shape, 10, depth=20, channels=16, shortcut="widen", logits_bias=True)
    size = size_of_module(net, shape)
    need = float_need(size)
    assert round((need.fixed_bytes - need.gradient_bytes) / 1e6, 2) == 2.16
    assert round(need.frame_bytes / 1e6, 2) == 0.77
    assert round(qat_need(size, 3).frame_bytes / 1e6, 2) == 0.07
    frames = {p.name: p.need(size, 8).batch_bytes(128) for p in PROCEDURES}
    assert frames["QAT (LSQ, progressive)"] < 0.3 * frames["float, SGD"]
    assert frames["NITI, int8"] < 0.6 * frames["float, SGD"]
    assert frames["NITI, int4 weights"] < frames["NITI, int8"]


def test_the_command_prints_a_row_for_each_procedure(capsys):
    assert main(["memory", "--training", "--batch", "64", "--act-bits", "8", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)["training"]
    assert [row["procedure"] for row in rows] == [p.name for p in PROCEDURES]
    assert rows[0]["batch_bytes"] == pytest.approx(3 * 4 * 269_722 + 64 * 4 * 191_562, rel=0.01)
    assert main(["memory", "--training"]) == 0
    assert "INQ after surgery" in capsys.readouterr().out
    for words in (
        ["--training", "--batch", "0"],
        ["--training", "--act-bits", "0"],
        ["--training", "--weight-bits", "4"],
        ["--training", "--table", "dq3"],
        ["--batch", "9"],
    ):
        assert main(["memory", *words]) == 2
        assert "Traceback" not in capsys.readouterr().err
