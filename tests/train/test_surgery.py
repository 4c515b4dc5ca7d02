"""Dynamic network surgery: masks against a naive loop, splicing, and the code of what is left."""

from __future__ import annotations

import json
import math

import msgspec
import pytest
import torch

from codesign.errors import BadInput
from codesign.quant.surgery import SurgeryQuantiser
from codesign.recipe import load_recipe
from codesign.report.data import load_report_data
from codesign.train.inq import layers
from codesign.train.pipeline import run_recipe
from codesign.train.run_result import RunResult
from tests.train.stopping import assert_same, stopped_and_resumed

change = msgspec.structs.replace
WHOLE = load_recipe("digits_inq-dns_pynq-z2")
RECIPE = change(
    WHOLE,
    model=change(WHOLE.model, name="tfc", options={"sizes": [24]}),
    train=change(WHOLE.train, epochs=3),
    surgery=change(WHOLE.surgery, epochs=3),
    inq=change(WHOLE.inq, portions=(0.5, 1.0), step_epochs=1),
)


def masks(values: list[float], mask: list[float], low: float, high: float) -> list[float]:
    """The published rule, one weight at a time."""
    return [
        0.0 if abs(w) < low else 1.0 if abs(w) >= high else m
        for w, m in zip(values, mask, strict=True)
    ]


def test_masks_follow_the_rule_and_all_weights_learn():
    torch.manual_seed(0)
    weight = torch.nn.Parameter(torch.randn(40))
    quantiser = SurgeryQuantiser(4, True, True).train()
    quantiser.begin(weight, rate=0.5, gamma=0.0, power=1.0)
    values = weight.tolist()
    mean = sum(map(abs, values)) / 40
    spread = math.sqrt(sum((abs(v) - mean) ** 2 for v in values) / 40)
    middle = mean + 0.5 * spread
    mask = [1.0] * 40
    optimiser = torch.optim.SGD([weight], lr=0.5)
    cut, came_back = 0, 0
    for step in range(30):
        before, values = mask, weight.tolist()
        mask = masks(values, mask, 0.9 * middle, 1.1 * middle)
        out = quantiser.quantise(weight)
        expected = [w * m for w, m in zip(values, mask, strict=True)]
        assert out.tolist() == pytest.approx(expected, abs=1e-6)
        optimiser.zero_grad()
        out.backward(torch.full((40,), math.sin(step)))
        assert weight.grad.tolist() == pytest.approx([math.sin(step)] * 40)  # cut ones, too
        optimiser.step()
        cut += sum(m < b for m, b in zip(mask, before, strict=True))
        came_back += sum(m > b for m, b in zip(mask, before, strict=True))
    assert cut and came_back


def test_the_chance_of_a_move_falls_with_gamma_and_power():
    torch.manual_seed(1)
    weight = torch.nn.Parameter(torch.randn(10))
    quantiser = SurgeryQuantiser(4, True, True).train()
    quantiser.begin(weight, 0.0, gamma=0.5, power=1.0)
    moved = 0
    real = quantiser.operate

    def operate(x: torch.Tensor) -> None:
        nonlocal moved
        moved += 1
        real(x)

    quantiser.operate = operate
    for _ in range(400):
        quantiser.quantise(weight)
    # sum of 1/(1 + n/2), n = 0..399, about 2 (ln 401/2 + 0.577) - 1 = 9.9
    assert 3 <= moved <= 20


@pytest.fixture(scope="module")
def result(tmp_path_factory: pytest.TempPathFactory) -> RunResult:
    steps = ("train", "export", "lower", "check", "report")
    return run_recipe(RECIPE, tmp_path_factory.mktemp("surgery"), quiet=True, steps=steps)


def test_surgery_then_inq_reaches_the_hardware_and_states_its_compression(result):
    trained, folder = result.trained, result.folder
    held = torch.cat([q.held.flatten() for q, _ in layers(trained.model)])
    kept = torch.cat([q.kept.flatten() for q, _ in layers(trained.model)])
    assert 0.05 < float(kept.mean()) < 0.6
    assert not bool(held[kept == 0].any())
    bits = sum(1 if v == 0 else 4 for v in held.tolist())
    assert f"{32 * len(held) / bits:.1f} times less than float32" in trained.remark
    assert f"kept {int(kept.sum()):,} of {len(kept):,} weights" in trained.remark
    assert 32 * len(held) / bits > 12
    assert len(trained.history) == RECIPE.total_epochs == 7
    assert trained.test_accuracy > 0.75
    assert result.checks.integer_mismatches == 0
    assert trained.remark in load_report_data(folder).notes
    assert json.loads((folder / "metrics.json").read_text())["train"]["remark"] == trained.remark


def test_portions_count_the_weights_that_are_kept():
    quantiser = SurgeryQuantiser(4, True, True).train()
    weight = torch.nn.Parameter(torch.linspace(-1, 1, 20))
    quantiser.begin(weight, 0.0, 0.0, 1.0)
    quantiser.quantise(weight)
    quantiser.end()
    kept = int(quantiser.kept.sum())
    whole = quantiser.cut + 0.5 * (1 - quantiser.cut)
    quantiser.fix(weight, whole, weight.detach().abs().argsort(descending=True))
    assert int(quantiser.free.sum()) == round(kept / 2)


@pytest.mark.parametrize("stop", [4, 6])
def test_surgery_resumes_as_if_it_had_not_stopped(result, tmp_path, stop):
    assert_same(stopped_and_resumed(RECIPE, tmp_path, stop), result.trained)


def test_the_quantiser_and_the_procedure_belong_together(tmp_path):
    text = "[model]\nname='tfc'\n[board]\nname='pynq-z2'\n[train]\nprocedure='inq-dns'\n"
    path = tmp_path / "bad.toml"
    path.write_text(text + "[quant]\nweight_quantiser='inq'\n")
    with pytest.raises(BadInput, match="must be inq-dns for procedure inq-dns, found 'inq'"):
        load_recipe(path)
    path.write_text(text + "[quant]\nweight_quantiser='inq-dns'\n[surgery]\nepochs = 0\n")
    with pytest.raises(BadInput, match=r"surgery.epochs must be at least 1"):
        load_recipe(path)
