"""Widths that a QuantConfig accepts, and whom it gives them to."""

from __future__ import annotations

import subprocess
import sys

import msgspec
import pytest

from codesign.errors import BadInput
from codesign.quant import LayerBits, QuantConfig


def test_the_longest_stated_path_wins():
    layers = {
        "features": LayerBits(weight=3, act=6),
        "features.conv2": LayerBits(weight=8),
        "features.act2": LayerBits(act=2),
    }
    config = QuantConfig(weight_bits=5, act_bits=7, layers=layers)
    assert [config.weight_bits_of(f"features.conv{i}") for i in (1, 2)] == [3, 8]
    assert [config.act_bits_of(f"features.act{i}") for i in (1, 2)] == [6, 2]
    assert config.act_bits_of("features.conv2") == 6
    assert (config.weight_bits_of("feature"), config.act_bits_of("logits")) == (5, 7)


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"weight_bits": 0}, "weight_bits must be a whole number of bits from 1 to 8, not 0"),
        ({"act_bits": 9}, "act_bits"),
        ({"input_bits": True}, "input_bits"),
        ({"weight_bits": 2.5}, "not 2.5"),
        ({"quantiser": "lsq"}, "there is no quantiser 'lsq'"),
        ({"quantiser": "p3", "weight_bits": 7}, "'p3' has 2 to 5 bits for weights"),
        (
            {"layers": {"fc1": LayerBits(act=8)}, "act_quantiser": "p1"},
            "'p1' has 2 to 5 bits for act",
        ),
        ({"binary_act": "sign"}, "binary_act is 'sign'"),
    ],
)
def test_illegal_values_are_refused(fields, words):
    with pytest.raises(BadInput, match=words):
        QuantConfig(**fields)


def test_illegal_layer_width_is_refused():
    with pytest.raises(BadInput, match="weight must be"):
        LayerBits(weight=12)


def test_a_layer_may_have_its_own_method():
    own = LayerBits(weight=8, act=8, quantiser="fixed")
    config = QuantConfig(1, 1, quantiser="bnn", layers={"head": own})
    assert (config.weight_method_of("head.fc").name, config.act_method_of("head").name) == (
        "fixed",
        "fixed",
    )
    assert config.weight_method_of("body").name == "bnn"
    assert config.weight_bits_of("head.fc") == 8
    with pytest.raises(BadInput, match="there is no quantiser 'lsq'"):
        QuantConfig(layers={"head": LayerBits(quantiser="lsq")})
    with pytest.raises(BadInput, match="'p3' has 2 to 5 bits for weights"):
        QuantConfig(8, 8, layers={"head": LayerBits(quantiser="p3")})


def test_survives_json():
    config = QuantConfig(weight_bits=1, layers={"fc1": LayerBits(act=3)}, per_channel=True)
    assert msgspec.json.decode(msgspec.json.encode(config), type=QuantConfig) == config


def test_importing_the_config_does_not_import_torch():
    code = "import sys, codesign.quant, codesign.models; assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)
