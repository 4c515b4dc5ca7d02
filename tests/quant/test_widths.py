"""A width that a method cannot have: one sentence, exit code 2, for every method of the list."""

from __future__ import annotations

import pytest

from codesign.cli import main
from codesign.errors import BadInput
from codesign.quant.config import QuantConfig
from codesign.quant.methods import METHODS

RECIPE = """
[model]
name = "tfc"

[board]
name = "pynq-z2"

[quant]
{role}_quantiser = "{method}"
{role}_bits = {bits}
{other}_quantiser = "fixed"
"""

# One bit of weights is the bipolar quantiser where a method has none of its own.
WEIGHTS = [(m, b) for m in METHODS for b in range(2, 9) if b not in m.weight_bits]
ACTS = [(m, b) for m in METHODS for b in range(1, 9) if b not in m.act_bits]
CASES = [("weight", *case) for case in WEIGHTS] + [("act", *case) for case in ACTS]


def ends(values: range) -> str:
    if not values:
        return "no form for"
    return f"{values[0]} to {values[-1]} bits for" if len(values) > 1 else f"{values[0]} bit"


def test_every_method_that_cannot_do_all_widths_is_tried():
    whole = {m.name for m in METHODS if len(m.weight_bits) >= 7 and len(m.act_bits) == 8}
    assert {m.name for _, m, _ in CASES} == {m.name for m in METHODS} - whole
    assert len(CASES) > 100


@pytest.mark.parametrize(
    ("role", "method", "bits"), CASES, ids=lambda value: getattr(value, "name", str(value))
)
def test_it_is_refused_with_its_name_and_its_widths(role, method, bits):
    fields = {f"{role}_quantiser": method.name, f"{role}_bits": bits}
    other = {f"{'act' if role == 'weight' else 'weight'}_quantiser": "fixed"}
    legal = method.weight_bits if role == "weight" else method.act_bits
    with pytest.raises(BadInput) as caught:
        QuantConfig(**fields, **other)
    words = str(caught.value)
    assert f"quantiser '{method.name}' has {ends(legal)}" in words
    assert f"and {bits} was asked for" in words and "can do it" in words


@pytest.mark.parametrize(
    "method", [m for m in METHODS if m.name in {c[1].name for c in CASES}], ids=lambda m: m.name
)
def test_the_command_line_says_so_and_trains_nothing(method, tmp_path, capfd):
    role, _, bits = next(case for case in CASES if case[1] is method)
    path = tmp_path / "job.toml"
    other = "act" if role == "weight" else "weight"
    path.write_text(RECIPE.format(role=role, other=other, method=method.name, bits=bits))
    assert main(["train", str(path), "--out", str(tmp_path / "out")]) == 2
    said = capfd.readouterr().err
    assert method.name in said and f"{bits} was asked for" in " ".join(said.split())
    assert "Traceback" not in said and not (tmp_path / "out").exists()
