"""Block-local losses: the published formulas, and gradients that stop at blocks."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

from codesign.errors import BadInput
from codesign.models.registry import MODELS, build_model
from codesign.ondevice.local_blocks import local_blocks
from codesign.ondevice.local_loss import LocalHead, similarity
from codesign.quant.config import QuantConfig
from codesign.quant.handles import record_quantisers


def naive_similarity(features):
    """Cosine of mean-centred rows, one pair after the other."""
    n = len(features)
    out = np.zeros((n, n))
    for i in range(n):
        for j in range(n):
            a = [v - sum(features[i]) / len(features[i]) for v in features[i]]
            b = [v - sum(features[j]) / len(features[j]) for v in features[j]]
            dot = sum(p * q for p, q in zip(a, b, strict=True))
            out[i, j] = dot / math.sqrt(sum(p * p for p in a) * sum(q * q for q in b))
    return out


def test_similarity_of_vectors_and_maps():
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(5, 7, generator=generator)
    assert np.allclose(similarity(x), naive_similarity(x.tolist()), atol=1e-5)
    maps = torch.randn(5, 6, 3, 4, generator=generator)
    spread = maps.numpy().reshape(5, 6, 12).std(2, ddof=1)
    assert np.allclose(similarity(maps), naive_similarity(spread.tolist()), atol=1e-5)
    assert similarity(x[:, :, None, None]).equal(similarity(x))


def test_losses_are_the_published_mixture():
    generator = torch.Generator().manual_seed(1)
    h, y = torch.randn(6, 4, 5, 5, generator=generator), torch.tensor([0, 1, 2, 0, 1, 2])
    both = LocalHead((4, 5, 5), 3, "predsim")
    logits = both.predict(h)
    onehot = np.eye(3)[y]
    wanted = naive_similarity(onehot.tolist())
    convolved = functional.conv2d(h, both.features.weight, padding=1).detach().numpy()
    found = naive_similarity(convolved.reshape(6, 4, 25).std(2, ddof=1).tolist())
    expected = (
        0.01 * functional.cross_entropy(logits, y).item() + 0.99 * ((found - wanted) ** 2).mean()
    )
    assert both(h, y).item() == pytest.approx(expected, rel=1e-4)
    assert LocalHead((4, 5, 5), 3, "pred").features is None
    assert LocalHead((4, 5, 5), 3, "sim").predict is None
    # 300 channels: 2,048 elements leave 2x2 means.
    assert LocalHead((300, 8, 8), 3, "pred").predict[2].in_features == 300 * 4


def plain_chain():
    torch.manual_seed(0)
    model = MODELS["cnv"]((1, 8, 8), 4, stages=((4,), (6,)), hidden=(8,))
    return record_quantisers(model, (1, 8, 8))


def batch(seed=0):
    generator = torch.Generator().manual_seed(seed)
    x = torch.randint(0, 17, (16, 1, 8, 8), generator=generator) / 16
    return x, torch.arange(16) % 4


def test_each_block_has_the_gradient_of_its_own_loss():
    model = plain_chain().train()
    blocks = local_blocks(model, (1, 8, 8), 4, "predsim")
    assert blocks.ends == ("features.act1", "features.act2", "classifier.act1")
    x, y = batch()
    output, losses = blocks.forward(x, y)
    functional.cross_entropy(output, y).backward()
    found = {n: p.grad.clone() for n, p in model.named_parameters()}

    h, start, number = x, 0, 0
    layers = [*model.features.children(), nn.Flatten(), *model.classifier.children()]
    names = [*model.features._modules, "flatten", *model.classifier._modules]
    for index, name in enumerate(names):
        if not name.startswith("act") and name != "logits":
            continue
        part = nn.Sequential(*layers[start : index + 1])
        own = [p for p in part.parameters()]
        h = part(h.detach())
        last = name == "logits"
        loss = functional.cross_entropy(h, y) if last else blocks.heads[number](h, y)
        expected = torch.autograd.grad(loss, own)
        paths = {id(p): n for n, p in model.named_parameters()}
        for p, grad in zip(own, expected, strict=True):
            assert torch.allclose(found[paths[id(p)]], grad, atol=1e-6), paths[id(p)]
        if not last:
            assert float(losses[number]) == pytest.approx(loss.item(), rel=1e-5)
        start, number = index + 1, number + 1
    assert number == 4


@pytest.mark.parametrize("name", ["tfc", "cnv", "resnet"])
def test_gradients_stop_at_blocks_with_quantisers_inside(name):
    options = {"tfc": {"sizes": (8, 8)}, "cnv": {"stages": ((4,), (6,)), "hidden": (8,)}}
    options = options.get(name, {"channels": 4})
    torch.manual_seed(0)
    model = build_model(name, (1, 8, 8), 4, QuantConfig(), 16, **options).train()
    blocks = local_blocks(model, (1, 8, 8), 4, "predsim")
    x, y = batch()
    model(x)  # quantisers choose their first steps
    sets = [{id(p) for p in blocks.parameters_of(i)} for i in range(len(blocks.ends) + 1)]
    assert all(not a & b for i, a in enumerate(sets) for b in sets[:i])
    weights = [p for n, p in model.named_parameters() if n.endswith("weight")]
    assert {id(p) for p in weights} <= set().union(*sets)

    def gradients(factor):
        for p in model.parameters():
            p.grad = None
        with torch.no_grad():
            for p in blocks.parameters_of(1):
                p.mul_(factor)
        blocks.forward(x, y)[0].sum().backward()
        return [[p.grad for p in blocks.parameters_of(i)] for i in (0, 1)]

    before, after = gradients(1.0), gradients(-1.5)
    assert all(torch.equal(a, b) for a, b in zip(before[0], after[0], strict=True))
    assert not all(torch.equal(a, b) for a, b in zip(before[1], after[1], strict=True))


def test_a_network_without_activations_has_no_place_for_local_losses():
    model = record_quantisers(nn.Sequential(nn.Flatten(), nn.Linear(64, 4)), (1, 8, 8))
    with pytest.raises(BadInput, match="no place for a local loss"):
        local_blocks(model, (1, 8, 8), 4, "pred")
