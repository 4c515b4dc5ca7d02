"""Float and quantised checkpoints, and files that are neither."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from codesign.errors import BadInput
from codesign.models.registry import build_model
from codesign.models.tfc import Tfc
from codesign.quant import QuantConfig
from codesign.quant.handles import handles

SHAPE = (1, 8, 8)


def network(**options: object) -> nn.Module:
    return build_model("tfc", SHAPE, 10, QuantConfig(), sizes=(12,), **options)


def test_float_weights_are_loaded_and_the_steps_chosen_anew(tmp_path):
    plain = Tfc(SHAPE, 10, (12,))
    plain.fc1.weight.data.mul_(50)
    torch.save(plain.state_dict(), tmp_path / "float.pt")
    model = network(checkpoint=tmp_path / "float.pt")
    assert torch.equal(model.fc1.weight, plain.fc1.weight)
    model.eval()(torch.rand(2, *SHAPE))
    weight = next(h for h in handles(model) if h.role == "weight")
    top = weight.parameters()[1].item()
    assert 0.3 * plain.fc1.weight.abs().max() < top <= 1.1 * plain.fc1.weight.abs().max()


@pytest.mark.parametrize("key", [None, "model"])
def test_quantised_weights_come_back_exactly(tmp_path, key):
    trained = network()
    x = torch.rand(16, *SHAPE)
    trained(x)
    state = trained.state_dict()
    torch.save(state if key is None else {key: state, "epoch": 3}, tmp_path / "trained.pt")
    model = network(checkpoint=tmp_path / "trained.pt")
    assert torch.equal(model.eval()(x), trained.eval()(x))


def test_files_that_do_not_fit_are_refused(tmp_path):
    path = tmp_path / "checkpoint.pt"
    with pytest.raises(BadInput, match="not a readable torch checkpoint"):
        network(checkpoint=path)
    path.write_bytes(b"not a checkpoint")
    with pytest.raises(BadInput, match="not a readable torch checkpoint"):
        network(checkpoint=path)
    torch.save(Tfc(SHAPE, 10, (13,)).state_dict(), path)
    with pytest.raises(BadInput, match=r"of another shape: fc1.weight"):
        network(checkpoint=path)
    torch.save(Tfc(SHAPE, 10, (12, 5)).state_dict(), path)
    with pytest.raises(BadInput, match=r"unknown: fc2.weight"):
        network(checkpoint=path)
    torch.save([1, 2], path)
    with pytest.raises(BadInput, match="holds no state_dict"):
        network(checkpoint=path)
