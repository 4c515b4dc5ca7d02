"""The board term: equal to the estimator, its gradient agrees in sign, and learning needs it."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
import torch

from codesign.board import Board, load_board
from codesign.cost.estimate import estimate
from codesign.errors import InvariantBroken
from codesign.models.registry import build_model
from codesign.quant.config import QuantConfig
from codesign.quant.handles import handles
from codesign.recipe import (
    BoardSpec,
    BudgetSpec,
    DataSpec,
    ModelSpec,
    Recipe,
    TargetSpec,
    TrainSpec,
)
from codesign.search.retyping import Retyper
from codesign.train.board_demand import BoardDemand
from codesign.train.board_loss import TableLookup, steepest_chord
from codesign.train.budget import Budget
from codesign.train.build import recipe_data, recipe_model
from codesign.train.loop import Trainer, learn_stage
from codesign.train.training import train_recipe


def without_dsps(board: Board) -> Board:
    """With DSPs a wider product may cost fewer LUTs, as it moves into one; so leave them out."""
    return msgspec.structs.replace(board, counts=msgspec.structs.replace(board.counts, dsp=0))


BOARD = without_dsps(load_board("arty-a7-35t").share(0.1))
OPTIONS = {"stages": [[4], [16]], "hidden": [64]}


@pytest.fixture(scope="module")
def demand() -> BoardDemand:
    torch.manual_seed(0)
    model = build_model("cnv", (1, 8, 8), 10, QuantConfig(5, 4), input_max=16, **OPTIONS)
    model.train()(torch.rand(16, 1, 8, 8))
    found = BoardDemand(handles(model), (1, 8, 8), BOARD, TargetSpec(fps=20_000))
    found.refresh(model)
    return found


def widths(demand: BoardDemand) -> torch.Tensor:
    return torch.tensor([float(h.integer_bits()) for h in demand.handles])


def estimated(demand: BoardDemand, bits: torch.Tensor) -> dict[str, float]:
    """The estimator's own answer for the plan with other widths, by retyping the whole design.

    Blocks carry the layer's name with "_"; the quantiser behind a layer ends in _thr or _req.
    """
    weight_bits, act_bits = {}, {}
    names = [b.name for b in demand.planned.design.blocks]
    for handle, width in zip(demand.handles, bits.int().tolist(), strict=True):
        if handle.role == "weight":
            weight_bits[handle.name.replace(".", "_")] = width
        elif handle.role == "act":
            layer = handle.name.replace(".act", ".conv" if "features" in handle.name else ".fc")
            stem = layer.replace(".", "_")
            (block,) = (n for n in names if n in (f"{stem}_thr", f"{stem}_req"))
            act_bits[block] = width
    design = Retyper(demand.planned.design).retyped(weight_bits, act_bits)
    return {"BRAM18": 0.0, **estimate(design, demand.board).total.flat()}


def test_demand_equals_the_estimator_where_one_layer_changes(demand: BoardDemand) -> None:
    here = widths(demand)
    cases = [{}, {1: 2}, {3: 8}, {5: 3}, {7: 8}, {2: 6}, {4: 1}, {2: 2, 3: 7}, {6: 8, 7: 3}]
    for case in cases:
        bits = here.clone()
        for index, width in case.items():
            bits[index] = width
        found = demand.demand(bits)
        expected = estimated(demand, bits)
        for kind, value in found.items():
            assert float(value) == pytest.approx(expected[kind], abs=0.51), (case, kind)


def test_gradient_agrees_in_sign_with_differences_of_the_estimator(demand: BoardDemand) -> None:
    bits = widths(demand).requires_grad_()
    compared = 0
    for kind in ("lut", "BRAM18", "ff"):
        (gradient,) = torch.autograd.grad(demand.demand(bits)[kind], bits, retain_graph=True)
        for index, handle in enumerate(demand.handles):
            if handle.role == "input":
                assert gradient[index] == 0
                continue
            low, high = bits.detach().clone(), bits.detach().clone()
            low[index] -= 2
            # From 5 bits on activations are requantised, which takes fewer registers.
            high[index] += handle.role == "weight"
            rise = estimated(demand, high)[kind] - estimated(demand, low)[kind]
            if abs(rise) > 1:
                assert torch.sign(gradient[index]) == (1 if rise > 0 else -1), (kind, handle.name)
                compared += 1
    assert compared >= 8


def test_bilinear_between_integers_and_chord_across_a_plateau() -> None:
    table = torch.zeros(1, 8, 8, 1)
    # 1 block RAM up to 4 bits, 2 from 5 bits on, and one more for each 2 activation bits.
    table[0, 4:, :, 0] += 1
    table[0, :, :, 0] += torch.arange(8) / 2
    bits = torch.tensor([4.5]), torch.tensor([3.0])
    assert float(TableLookup.apply(table, *bits)) == pytest.approx(0.5 + 1.0)
    costs = table[:, :, 2]
    slopes = [float(steepest_chord(costs, torch.tensor([at]))) for at in range(8)]
    # Flat from 6 to 8 bits, yet 4 bits are cheaper: the way down is seen from anywhere above.
    assert slopes[:4] == [0, 0, 0, 0]
    assert slopes[4:] == pytest.approx([1, 1 / 2, 1 / 3, 1 / 4])


def test_tables_survive_a_checkpoint_and_must_exist(demand: BoardDemand) -> None:
    other = BoardDemand(demand.handles, (1, 8, 8), BOARD, TargetSpec())
    with pytest.raises(InvariantBroken):
        other.demand(widths(demand))
    other.restore(demand.saved())
    bits = widths(demand) - 1
    for kind, value in demand.demand(bits).items():
        assert float(other.demand(bits)[kind]) == pytest.approx(float(value))


BINDING = Recipe(
    model=ModelSpec("tfc", options={"sizes": [64, 32]}),
    data=DataSpec("digits", limit=300),
    quant=QuantConfig(8, 8),
    train=TrainSpec(epochs=8, finetune_epochs=1, batch=32, lr=5e-3, quantiser_lr=0.04),
    budget=BudgetSpec(board=True, refresh_epochs=3),
    board=BoardSpec("arty-a7-35t", share=0.05),
    target=TargetSpec(fps=2000),
)


def learned(recipe: Recipe, folder: Path, board_in_loss: bool) -> tuple[Trainer, bool]:
    """Learn without projection; does the network fit then?"""
    data = recipe_data(recipe)
    model = recipe_model(recipe, data)
    board = BoardDemand(handles(model), data.input_shape, recipe.board.load(), recipe.target)
    budget = Budget(recipe.budget, handles(model), board)
    trainer = Trainer(model, data, recipe, folder, budget if board_in_loss else None)
    trainer.run(learn_stage(recipe.train))
    board.refresh(model)
    return trainer, board.planned.fits


def test_learned_widths_fit_with_the_board_term_and_not_without(tmp_path: Path) -> None:
    with_term, fits = learned(BINDING, tmp_path / "with", board_in_loss=True)
    assert fits
    without, fits = learned(BINDING, tmp_path / "without", board_in_loss=False)
    assert not fits
    assert with_term.history[-1].validation_accuracy > 0.7
    assert without.history[-1].validation_accuracy > 0.7


def test_projection_makes_a_network_fit_that_learning_left_too_wide(tmp_path: Path) -> None:
    spec = msgspec.structs.replace(BINDING.train, epochs=1, quantiser_lr=0.0)
    trained = train_recipe(msgspec.structs.replace(BINDING, train=spec), tmp_path)
    assert trained.projection.fits
    assert not trained.projection.learned_fits
    assert trained.projection.narrowed
    assert "Projected" in trained.projection.sentence


def test_what_cannot_fit_is_told(tmp_path: Path) -> None:
    spec = msgspec.structs.replace(BINDING.train, epochs=1, finetune_epochs=0)
    tiny = msgspec.structs.replace(BINDING, train=spec, board=BoardSpec("arty-a7-35t", share=0.002))
    trained = train_recipe(tiny, tmp_path)
    assert not trained.projection.fits
    assert "Still over budget: " in trained.projection.sentence
    # 41 of the 20,800 LUTs of the board, 70 % of which a design may use.
    lut = trained.projection.least["lut"]
    assert lut > tiny.board.load().budget().lut
    assert f"lut by {100 * trained.projection.excess['lut']:.0f} % (the least is {lut:,.4g})" in (
        trained.projection.sentence
    )
    assert {trained.bits[name, "weight"] for name in ("fc1", "fc2", "logits")} == {2}


@pytest.mark.parametrize(
    ("name", "options"),
    [("resnet", {"depth": 8, "channels": 4}), ("mobile", {"width": 0.25})],
)
def test_every_learned_width_has_its_table(name: str, options: dict) -> None:
    """Residual joins share a quantiser, depthwise layers have weights: none may be forgotten."""
    torch.manual_seed(0)
    model = build_model(name, (1, 8, 8), 10, QuantConfig(4, 4), input_max=16, **options)
    model.train()(torch.rand(16, 1, 8, 8))
    found = BoardDemand(handles(model), (1, 8, 8), load_board("pynq-z2"), TargetSpec(fps=5000))
    found.refresh(model)
    covered = {t.weight for t in found.content.tables} | {t.act for t in found.content.tables}
    learned_ones = {i for i, h in enumerate(found.handles) if h.bits().requires_grad}
    assert learned_ones <= covered
    readers = [t.act for t in found.content.tables if t.weight >= 0]
    assert readers.count(-1) == 1  # only the first layer reads the input
