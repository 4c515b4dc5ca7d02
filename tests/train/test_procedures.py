"""INQ and FDQMP from recipe to integers, and resumed."""

from __future__ import annotations

import msgspec
import pytest
import torch

from codesign.errors import BadInput
from codesign.graph.load import import_model
from codesign.quant.handles import handles
from codesign.recipe import BudgetSpec, load_recipe
from codesign.train.budget import check_memory
from codesign.train.build import recipe_data, recipe_model
from codesign.train.fdqmp import RampedHinge, bound_grids
from codesign.train.inq import layers
from codesign.train.loop import Trainer
from codesign.train.project import Projection
from codesign.train.stages import check_model, export_model
from codesign.train.training import Trained, train_recipe
from tests.train.stopping import assert_same, stopped_and_resumed

change = msgspec.structs.replace


def short(name: str, **train: object):
    """A shipped recipe with a smaller network and fewer epochs."""
    recipe = load_recipe(name)
    model = change(recipe.model, name="tfc", options={"sizes": [24]})
    return change(recipe, model=model, train=change(recipe.train, **train))


INQ = short("digits_inq_pynq-z2", epochs=3)
INQ = change(INQ, inq=change(INQ.inq, step_epochs=1))
FDQMP = short("digits_fdqmp_pynq-z2", hold_epochs=2, epochs=4, finetune_epochs=2)
# A network of matrices: slices as convolutions have them.
FDQMP = change(FDQMP, quant=change(FDQMP.quant, per_channel_dense=True))
# 1,776 weights begin at 4 bits, 0.87 KiB.
FDQMP = change(
    FDQMP,
    budget=change(FDQMP.budget, weights_kib=0.55),
    fdqmp=change(FDQMP.fdqmp, strength=20.0),
)


def test_inq_ends_in_powers_of_two_that_the_hardware_shifts(tmp_path):
    seen = []

    def watch(trainer: Trainer) -> None:
        seen.append(
            [(q.held.clone(), q.held.isnan().float().mean()) for q, _ in layers(trainer.model)]
        )

    real = Trainer._begin
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Trainer, "_begin", lambda self, stage: (watch(self), real(self, stage))[1])
        trained = train_recipe(INQ, tmp_path)
    assert [round(float(step[0][1]), 3) for step in seen] == [1.0, 0.5, 0.25, 0.125]
    for quantiser, weight in layers(trained.model):
        assert not quantiser.free.any()
        assert torch.equal(quantiser.held, weight.detach())
        assert len(weight.unique()) <= 2**3 + 1
    first, last = seen[1][0][0], layers(trained.model)[0][0].held
    assert torch.equal(last[~first.isnan()], first[~first.isnan()])
    assert trained.test_accuracy > 0.8
    assert len(trained.history) == INQ.total_epochs == 6
    held = torch.cat([q.held.flatten() for q, _ in layers(trained.model)])
    kib = sum(1 if v == 0 else 4 for v in held.tolist()) / 8192
    assert f"take {kib:.2f} KiB in their variable-length code" in trained.remark

    export_model(trained.model, trained.data, tmp_path)
    graph = import_model(tmp_path / "model.onnx")
    kinds = {n.block.wtype.kind for n in graph.nodes if hasattr(n.block, "wtype")}
    assert kinds == {"power-of-two"}
    checks = check_model(trained.model, trained.data, tmp_path, graph)
    assert checks.integer_mismatches == 0


@pytest.mark.parametrize("partition", ["largest", "random"])
def test_portions_are_the_largest_weights_or_any(tmp_path, partition):
    recipe = change(INQ, inq=change(INQ.inq, portions=(0.5, 1.0), partition=partition))
    recipe = change(recipe, train=change(recipe.train, epochs=1))
    found = []
    real = Trainer._begin
    with pytest.MonkeyPatch.context() as patch:

        def begin(self: Trainer, stage: object) -> None:
            found.append([(q.held, w.detach().clone()) for q, w in layers(self.model)])
            real(self, stage)

        patch.setattr(Trainer, "_begin", begin)
        train_recipe(recipe, tmp_path)
    held, weight = found[1][0]
    size, free = weight.abs(), held.isnan()
    ordered = bool(size[~free].min() >= size[free].max() * 2 / 3)
    assert ordered == (partition == "largest")


@pytest.fixture(scope="module", params=["inq", "fdqmp"])
def whole(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Trained:
    recipe = INQ if request.param == "inq" else FDQMP
    return train_recipe(recipe, tmp_path_factory.mktemp(request.param))


@pytest.mark.parametrize("late", [0, 1])
def test_a_procedure_resumes_as_if_it_had_not_stopped(whole, tmp_path, late):
    stop = {"inq": (2, 4), "fdqmp": (5, 6)}[whole.recipe.train.procedure][late]
    assert_same(stopped_and_resumed(whole.recipe, tmp_path, stop), whole)


def test_fdqmp_freezes_searches_and_keeps_the_best_in_budget(tmp_path):
    start = {}
    real = Trainer._begin

    def begin(self: Trainer, stage: object) -> None:
        start[stage.start] = [p.detach().clone() for h in self.handles for p in h.parameters()]
        real(self, stage)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Trainer, "_begin", begin)
        trained = train_recipe(FDQMP, tmp_path)
    assert [e.phase for e in trained.history] == ["fixed bits"] * 2 + ["learn bits"] * 4 + [
        "fixed bits"
    ] * 2
    weights = {h.name: h.bits().item() for h in handles(trained.model) if h.role == "weight"}
    sizes = {h.name: h.numel for h in handles(trained.model) if h.role == "weight"}
    assert sum(weights[n] * sizes[n] for n in sizes) / 8192 <= 0.55
    assert trained.projection.fits
    assert trained.history[-1].bits == trained.history[-2].bits
    assert any(not float(b).is_integer() for b in weights.values())  # slices differ
    search = [e for e in trained.history if e.phase == "learn bits"]
    inside = [e for e in search if all(v <= 0 for v in e.excess.values())]
    best = max(inside, key=lambda e: e.validation_accuracy)
    assert trained.history[-1].bits == best.bits
    assert trained.test_accuracy > 0.8
    export_model(trained.model, trained.data, tmp_path)
    graph = import_model(tmp_path / "model.onnx")
    assert check_model(trained.model, trained.data, tmp_path, graph).integer_mismatches == 0


def test_hinge_is_the_published_penalty():
    found = handles(recipe_model(FDQMP, recipe_data(FDQMP)))
    for h in found:
        if h.role == "weight":
            h.set_bits(5)
    budget = RampedHinge(BudgetSpec(weights_kib=0.55, activations_sum_kib=0.01), found, FDQMP.fdqmp)
    # 64 * 24 + 24 * 10 weights of 5 bits, 24 activations of 4 bits; kB of 1000 bytes.
    over = (1776 * 5 / 8000 - 0.55 * 1.024) ** 2 + (24 * 4 / 8000 - 0.01 * 1.024) ** 2
    for progress, beta in ((0.0, 0.01), (0.25, 0.505), (0.5, 1.0), (0.9, 1.0)):
        budget.progress = progress
        assert float(budget.penalty()) == pytest.approx(beta * 20.0 * over, rel=1e-4)


@pytest.mark.parametrize(
    ("change_of", "words"),
    [
        ("weight_quantiser = 'u3'", "inq for procedure inq"),
        ("[inq]\nportions = [0.5, 0.4, 1.0]", "rising portions"),
        ("[inq]\npartition = 'biggest'", "one of largest, random"),
        ("[budget]\nweights_kib = 2", "left out for procedure inq"),
    ],
)
def test_mistakes_of_an_inq_recipe(tmp_path, change_of, words):
    text = "[model]\nname='tfc'\n[board]\nname='pynq-z2'\n[train]\nprocedure='inq'\n[quant]\n"
    text += "weight_quantiser = 'inq'\n" if "quantiser" not in change_of else ""
    path = tmp_path / "bad.toml"
    path.write_text(text + change_of)
    with pytest.raises(BadInput, match=words):
        load_recipe(path)


def test_a_budget_below_the_narrowest_widths_is_refused(tmp_path):
    # 1,776 signed weights of 2 bits are 0.4336 KiB.
    for limit, fits in ((0.44, True), (0.43, False)):
        recipe = change(FDQMP, budget=BudgetSpec(weights_kib=limit))
        found = handles(recipe_model(recipe, recipe_data(recipe)))
        if fits:
            check_memory(recipe.budget, found)
            continue
        with pytest.raises(
            BadInput, match="weights_kib is 0.43, and this network needs 0.4336 KiB"
        ):
            train_recipe(recipe, tmp_path)


def test_fdqmp_slices_convolutions_and_bounds_grids():
    recipe = load_recipe("digits_fdqmp_pynq-z2")
    found = {
        (h.name, h.role): h.quantiser for h in handles(recipe_model(recipe, recipe_data(recipe)))
    }
    shapes = {name: tuple(q.shape) for (name, role), q in found.items() if role == "weight"}
    assert shapes == {
        "features.conv1": (8, 1, 1, 1),
        "features.conv2": (16, 1, 1, 1),
        "classifier.fc1": (),
        "classifier.logits": (),
    }
    model = recipe_model(recipe, recipe_data(recipe))
    bound_grids(handles(model))
    for handle in handles(model):
        if handle.role == "input":
            continue
        handle.quantiser.step.data.fill_(50.0)
        handle.quantiser.qmax.data.fill_(500.0)
        handle.clip_()
        assert float(handle.quantiser.qmax.max()) == 127.0
        assert float(handle.quantiser.step.max()) == (1.0 if handle.role == "weight" else 8.0)


def test_every_phase_of_fdqmp_warms_up(tmp_path):
    stages = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Trainer, "run", lambda self, stage: stages.append(stage))
        patch.setattr(
            "codesign.train.fdqmp.project", lambda trainer: Projection(True, True, {}, {})
        )
        train_recipe(FDQMP, tmp_path)
    assert [(s.start, s.stop, s.learns, s.quantiser_every, s.warmup_epochs) for s in stages] == [
        (0, 2, False, 1, 1),
        (2, 6, True, 4, 1),
        (6, 8, False, 1, 1),
    ]
