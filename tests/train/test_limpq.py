"""One-shot allocation: the program against enumeration, importances by hand, and whole runs."""

from __future__ import annotations

import itertools

import msgspec
import numpy as np
import pytest
import torch

from codesign.errors import BadInput, Diverged
from codesign.quant.config import LayerBits
from codesign.recipe import BoardSpec, BudgetSpec, load_recipe
from codesign.train.allocate import Need, allocate
from codesign.train.build import recipe_data, recipe_model
from codesign.train.indicators import Fisher, Steps
from codesign.train.limpq import movable
from codesign.train.loop import Trainer
from codesign.train.training import train_recipe

change = msgspec.structs.replace
WHOLE = load_recipe("digits_limpq_pynq-z2")
RECIPE = change(
    WHOLE,
    model=change(WHOLE.model, name="tfc", options={"sizes": [24]}),
    data=change(WHOLE.data, limit=300),
    train=change(WHOLE.train, hold_epochs=2, epochs=2),
    limpq=change(WHOLE.limpq, passes=1),
    budget=BudgetSpec(weights_kib=0.7),
)


def enumerated(costs: list[dict], needs: list[Need]) -> float | None:
    """The least cost of all widths that meet the needs, one combination after the other."""
    best = None
    for widths in itertools.product(*costs):
        amounts = [
            n.base
            + sum(by[widths[i]] for i, by in n.alone)
            + sum(by[widths[i], widths[j]] for (i, j), by in n.together)
            for n in needs
        ]
        if all(a <= n.limit + 1e-9 for a, n in zip(amounts, needs, strict=True)):
            cost = sum(own[w] for own, w in zip(costs, widths, strict=True))
            best = cost if best is None else min(best, cost)
    return best


@pytest.mark.parametrize("seed", range(12))
def test_the_program_finds_the_best_of_all_combinations(seed):
    rng = np.random.default_rng(seed)
    widths = (2, 3, 4, 6)
    costs = [{w: float(rng.random() / w) for w in widths} for _ in range(4)] + [{8: 0.0}]
    size = [{w: float(n * w) for w in (*widths, 8)} for n in rng.integers(1, 50, 5)]
    pairs = tuple(
        ((i, j), {(a, b): float(rng.random() * a * b) for a in size[i] for b in size[j]})
        for i, j in ((0, 1), (1, 2), (3, 4))
    )
    whole = sum(own[4] for own in size[:4]) + size[4][8]
    needs = [
        Need("memory", whole * rng.uniform(0.5, 1.2), alone=tuple(enumerate(size))),
        Need("luts", rng.uniform(5, 40), base=2.0, alone=((2, size[2]),), together=pairs),
    ]
    found = allocate(costs, needs)
    expected = enumerated(costs, needs)
    if expected is None:
        assert found is None
        return
    assert sum(own[w] for own, w in zip(costs, found, strict=True)) == pytest.approx(expected)
    assert enumerated([{w: own[w]} for own, w in zip(costs, found, strict=True)], needs) is not None


def prepared(folder, recipe=RECIPE) -> tuple[Trainer, Steps]:
    data = recipe_data(recipe)
    run = Trainer(recipe_model(recipe, data), data, recipe, folder)
    steps = Steps(run, movable(run), recipe.limpq.widths)
    steps.learn(1)
    return run, steps


def test_steps_shrink_with_width_and_the_network_stays(tmp_path):
    data = recipe_data(RECIPE)
    model = recipe_model(RECIPE, data)
    run = Trainer(model, data, RECIPE, tmp_path)
    before = {k: v.clone() for k, v in model.state_dict().items()}
    steps = Steps(run, movable(run), RECIPE.limpq.widths)
    steps.learn(1)
    for name, value in model.state_dict().items():
        assert torch.equal(value, before[name]), name
    assert [run.handles[i].name for i in steps.items] == ["fc1", "act1", "logits"]
    for item in steps.items:
        sizes = [steps.size(item, width) for width in steps.widths]
        assert sizes == sorted(sizes, reverse=True)
        assert sizes[0] > 3 * sizes[-1]


def test_a_loss_that_is_no_number_stops_the_measurement(tmp_path):
    data = recipe_data(RECIPE)
    run = Trainer(recipe_model(RECIPE, data), data, RECIPE, tmp_path)
    run.model.fc1.weight.data[0, 0] = float("nan")
    with pytest.raises(Diverged, match=r"step 1: .*first in parameter fc1\.weight"):
        Steps(run, movable(run), RECIPE.limpq.widths).learn(1)


def test_fisher_weighs_squared_errors_with_squared_gradients(tmp_path):
    run, steps = prepared(tmp_path)
    first = next(iter(steps.batches(0)))
    steps.batches = lambda number: [first]
    found = Fisher(steps).measure()
    x, y = first
    model = run.model.train()
    model.zero_grad()
    torch.nn.functional.cross_entropy(model(x), y).backward()
    (item,) = (i for i in steps.items if run.handles[i].name == "logits")
    weight, step = model.logits.weight.detach(), float(steps.table[item, 3].detach())
    total = 0.0
    for w, g in zip(
        weight.flatten().tolist(), model.logits.weight.grad.flatten().tolist(), strict=True
    ):
        rounded = max(-3, min(3, round(w / step))) * step
        total += len(y) * (g * (rounded - w)) ** 2
    assert found[item, 3] == pytest.approx(total, rel=1e-3)
    assert found[item, 2] > found[item, 4] > found[item, 6]


@pytest.mark.parametrize("importance", ["steps", "gradients"])
def test_a_run_meets_the_memory_and_spends_it(tmp_path, importance):
    recipe = change(RECIPE, limpq=change(RECIPE.limpq, importance=importance))
    trained = train_recipe(recipe, tmp_path)
    sizes = {h.name: h.numel * h.integer_bits() for h in trained.handles if h.role == "weight"}
    assert sum(sizes.values()) / 8192 <= 0.7
    # 1 bit more for the smaller layer, 240 weights, would still fit if it were worth it.
    assert sum(sizes.values()) / 8192 > 0.7 - 1536 / 8192
    assert trained.projection.fits
    assert trained.bits["act1", "act"] == 6  # nothing limits activations
    assert "LIMPQ" in trained.remark
    assert trained.test_accuracy > 0.5
    again = train_recipe(recipe, tmp_path, resume=True)
    assert again.bits == trained.bits


def test_learned_offsets_are_part_of_the_error(tmp_path):
    """LSQ+ rounds x to s round((x - b) / s) + b within its levels."""
    run, steps = prepared(tmp_path, change(RECIPE, quant=change(RECIPE.quant, quantiser="lsq+")))
    (item,) = (i for i in steps.items if run.handles[i].name == "act1")
    offset = -2 * float(steps.table[item, 3].detach())
    run.handles[item].quantiser.offset.data.fill_(offset)
    first = next(iter(steps.batches(0)))
    steps.batches = lambda number: [first]
    seen = []
    run.handles[item].proxy.register_forward_pre_hook(lambda proxy, given: seen.append(given[0]))
    found = Fisher(steps).measure()
    (x,), step = seen, float(steps.table[item, 3].detach())
    rounded = ((x.detach() - offset) / step).round().clamp(0, 7) * step + offset
    total = len(first[1]) * float((x.grad * (rounded - x)).square().sum())
    assert found[item, 3] == pytest.approx(total, rel=1e-3)


def test_the_board_limits_widths_too(tmp_path):
    board = BoardSpec("arty-a7-35t", share=0.03)
    recipe = change(
        RECIPE,
        model=change(RECIPE.model, options={"sizes": [64, 32]}),
        board=board,
        budget=BudgetSpec(board=True),
        target=change(RECIPE.target, fps=2000.0),
    )
    trained = train_recipe(recipe, tmp_path)
    assert trained.projection.fits
    assert any(h.integer_bits() < 6 for h in trained.handles if h.role == "weight")


def test_activations_that_are_not_quantised_count_with_32_bits(tmp_path):
    acts = 24 * 32 / 8192
    recipe = change(
        RECIPE,
        quant=change(RECIPE.quant, weight_quantiser="fixed", act_quantiser="float"),
        train=change(RECIPE.train, hold_epochs=1, epochs=1),
        budget=BudgetSpec(weights_kib=0.7, activations_sum_kib=acts),
        steps=("train",),
    )
    trained = train_recipe(recipe, tmp_path)
    assert trained.projection.fits
    tight = change(recipe, budget=BudgetSpec(weights_kib=0.7, activations_sum_kib=0.9 * acts))
    with pytest.raises(BadInput, match="activations_sum_kib is .* this network needs 0.09375 KiB"):
        train_recipe(tight, tmp_path / "tight")


def test_layers_with_widths_of_their_own_keep_them(tmp_path):
    recipe = change(RECIPE, quant=change(RECIPE.quant, layers={"logits": LayerBits(weight=8)}))
    data = recipe_data(recipe)
    run = Trainer(recipe_model(recipe, data), data, recipe, tmp_path)
    assert [run.handles[i].name for i in movable(run)] == ["fc1", "act1"]


def test_what_cannot_be_allocated_is_refused(tmp_path):
    # 1,776 weights of 2 bits are 0.4336 KiB.
    with pytest.raises(BadInput, match="weights_kib is 0.4, and this network needs 0.4336 KiB"):
        train_recipe(change(RECIPE, budget=BudgetSpec(weights_kib=0.4)), tmp_path)
    with pytest.raises(BadInput, match="and quantiser 'u3' has none .* choose 'fixed' or 'lsq\\+'"):
        train_recipe(change(RECIPE, quant=change(RECIPE.quant, quantiser="u3")), tmp_path)
    text = "[model]\nname='tfc'\n[board]\nname='pynq-z2'\n[train]\nprocedure='limpq'\n"
    path = tmp_path / "bad.toml"
    for section, words in (
        ("", "given, without a hinge"),
        ("[budget]\nweights_kib = 1\n[limpq]\nwidths = [4]\n", "rising widths from 2 to 8"),
        ("[budget]\nweights_kib = 1\n[limpq]\nimportance = 'stps'\n", "one of steps, gradients"),
    ):
        path.write_text(text + section)
        with pytest.raises(BadInput, match=words):
            load_recipe(path)
