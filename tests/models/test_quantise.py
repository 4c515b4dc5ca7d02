"""A user's own network: quantised layer by layer, or taken as it is."""

from __future__ import annotations

import brevitas.nn as qnn
import pytest
import torch
from torch import nn

from codesign.errors import BadInput
from codesign.models.join import Join
from codesign.models.quantise import quantise
from codesign.models.registry import build_model
from codesign.quant import LayerBits, QuantConfig
from codesign.quant.handles import handles

USER_MODULE = '''
import torch
from torch import nn
import brevitas.nn as qnn

class Plain(nn.Module):
    """One ReLU object used twice, a bias, and average pooling."""
    def __init__(self, input_shape, classes, channels=4):
        super().__init__()
        self.conv = nn.Conv2d(input_shape[0], channels, 3, padding=1)
        self.norm = nn.BatchNorm2d(channels)
        self.relu = nn.ReLU()
        self.depth = nn.Conv2d(channels, channels, 3, stride=2, groups=channels)
        self.pool = nn.AvgPool2d(3)
        self.fc = nn.Linear(channels, classes)
    def forward(self, x):
        x = self.relu(self.norm(self.conv(x)))
        return self.fc(torch.flatten(self.pool(self.relu(self.depth(x))), 1))

class Own(nn.Sequential):
    def __init__(self, classes):
        super().__init__(nn.Flatten(), qnn.QuantIdentity(bit_width=8),
                         qnn.QuantLinear(64, classes, bias=False, weight_bit_width=3))

def not_a_module():
    return 3
'''
SHAPE = (1, 8, 8)


@pytest.fixture
def user_module(tmp_path, monkeypatch):
    (tmp_path / "their_networks.py").write_text(USER_MODULE)
    monkeypatch.syspath_prepend(tmp_path)
    return "their_networks"


def test_plain_network_keeps_names_weights_and_nearly_its_values(user_module):
    config = QuantConfig(weight_bits=8, act_bits=8)
    model = build_model(f"{user_module}:Plain", SHAPE, 5, config, channels=6)
    roles = [(h.name, h.role) for h in handles(model)]
    assert roles == [
        ("conv", "input"),
        ("conv", "weight"),
        ("relu", "act"),
        ("depth", "weight"),
        ("fc", "weight"),
    ]
    import their_networks

    plain = their_networks.Plain(SHAPE, 5, 6)
    plain.load_state_dict({k: v for k, v in model.state_dict().items() if k in plain.state_dict()})
    x = torch.randint(0, 256, (16, *SHAPE)) / 255
    assert torch.allclose(model(x), plain(x), atol=0.05)


def test_a_brevitas_network_is_taken_as_it_is(user_module):
    model = build_model(f"{user_module}:Own", SHAPE, 5, QuantConfig())
    assert [(h.role, h.integer_bits()) for h in handles(model)] == [("input", 8), ("weight", 3)]


def test_the_original_is_not_changed():
    plain = nn.Sequential(nn.Flatten(), nn.Linear(64, 8), nn.ReLU(), nn.Linear(8, 3))
    quantise(plain, QuantConfig(), SHAPE)
    assert type(plain[1]) is nn.Linear and type(plain[2]) is nn.ReLU


def test_own_modules_may_reshape_but_not_hold_weights():
    class Rows(nn.Module):
        def forward(self, x):
            return x.reshape(x.shape[0], 64)

    class Gain(nn.Module):
        def __init__(self):
            super().__init__()
            self.gain = nn.Parameter(torch.ones(3))

        def forward(self, x):
            return x * self.gain

    plain = nn.Sequential(nn.Flatten(), nn.Linear(64, 64), nn.ReLU(), Rows(), nn.Linear(64, 3))
    assert len(handles(quantise(plain, QuantConfig(), SHAPE))) == 4
    with pytest.raises(BadInput, match="5 is a Gain"):
        quantise(nn.Sequential(*plain, Gain()), QuantConfig(), SHAPE)


def test_ends_of_the_network():
    plain = nn.Sequential(nn.Flatten(), nn.Linear(64, 8), nn.ReLU(), nn.Linear(8, 3))
    model = quantise(plain, QuantConfig(per_channel=True), SHAPE, input_max=16)
    first, hidden, _, last = handles(model)
    assert (first.role, first.integer_bits()) == ("input", 5)
    assert hidden.parameters()[0].shape == (8, 1)
    assert last.parameters()[0].shape == ()


def test_hardtanh_becomes_a_signed_quantiser():
    plain = nn.Sequential(nn.Flatten(), nn.Linear(64, 8), nn.Hardtanh(), nn.Linear(8, 3))
    for bits in (1, 4):
        model = quantise(plain, QuantConfig(act_bits=bits), SHAPE)
        act = handles(model)[2]
        assert (act.signed, act.integer_bits()) == (True, bits)


def test_join_adds_on_one_grid():
    join = quantise_join()
    x, y = torch.randn(50), torch.randn(50)
    total = join(x, y)
    step = join.quantiser.act_quant.quantiser.grid().step
    assert isinstance(join.quantiser, qnn.QuantIdentity)
    assert torch.allclose((total / step).round() * step, total, atol=1e-6)


def quantise_join() -> Join:
    class Residual(nn.Module):
        def __init__(self):
            super().__init__()
            self.fc, self.join = nn.Linear(64, 64), Join()

        def forward(self, x):
            x = x.flatten(1)
            return self.join(x, self.fc(x))

    return quantise(Residual(), QuantConfig(), SHAPE).join


class Doubled(nn.Linear):
    def forward(self, x):
        return 2 * super().forward(x)


@pytest.mark.parametrize(
    ("layers", "config", "words"),
    [
        ([nn.Flatten(), nn.Linear(64, 8), nn.GELU()], QuantConfig(), "2 is a GELU.*no quantised"),
        ([nn.BatchNorm2d(1), nn.Flatten(), nn.Linear(64, 8)], QuantConfig(), "before the first"),
        ([nn.Flatten(), nn.Linear(60, 8)], QuantConfig(), "does not run on one sample of shape"),
        ([nn.Flatten(), nn.ReLU()], QuantConfig(), "no Linear or Conv"),
        ([nn.Flatten(), Doubled(64, 8)], QuantConfig(), "1 is a Doubled.*forward of its own"),
        (
            [nn.Flatten(), nn.Linear(64, 8)],
            QuantConfig(layers={"fc9": LayerBits(weight=2)}),
            "names fc9, but the layers of Sequential are 0, 1",
        ),
    ],
)
def test_networks_without_a_quantised_form_are_refused(layers, config, words):
    with pytest.raises(BadInput, match=words):
        quantise(nn.Sequential(*layers), config, SHAPE)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("nowhere.at_all:Net", "cannot be imported"),
        ("their_networks:Missing", "cannot be imported"),
        ("their_networks:not_a_module", "made a int"),
    ],
)
def test_user_classes_that_cannot_be_had(user_module, name, words):
    with pytest.raises(BadInput, match=words):
        build_model(name, SHAPE, 5, QuantConfig())
