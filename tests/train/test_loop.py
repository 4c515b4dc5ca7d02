"""The training loop: the same numbers every time, resumed or not; failures keep the checkpoint."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import msgspec
import pytest
import torch

from codesign.data.load import load_dataset
from codesign.errors import BadInput, Diverged, Interrupted
from codesign.models.registry import build_model
from codesign.quant.config import QuantConfig
from codesign.quant.handles import handles
from codesign.recipe import BoardSpec, BudgetSpec, DataSpec, ModelSpec, Recipe, TrainSpec
from codesign.train.batches import augmented, epoch_generator, to_input, training_batches
from codesign.train.budget import Budget
from codesign.train.checkpoint import load_checkpoint
from codesign.train.device import chosen_device
from codesign.train.loop import FIXED, HOLD, LEARN, Trainer, finetune_stage, learn_stage

DATA = load_dataset("digits", limit=200)
RECIPE = Recipe(
    model=ModelSpec("tfc", options={"sizes": [16]}),
    data=DataSpec("digits", limit=200),
    quant=QuantConfig(weight_bits=6, act_bits=6),
    train=TrainSpec(epochs=4, hold_epochs=1, finetune_epochs=1, batch=32, quantiser_lr=0.05),
    budget=BudgetSpec(weights_kib=0.5),
    board=BoardSpec("pynq-z2"),
)


def trainer(folder: Path, recipe: Recipe = RECIPE) -> Trainer:
    torch.manual_seed(recipe.train.seed)
    sizes = recipe.model.options["sizes"]
    model = build_model("tfc", DATA.input_shape, 10, recipe.quant, input_max=16, sizes=sizes)
    return Trainer(model, DATA, recipe, folder, Budget(recipe.budget, handles(model)))


def whole_job(run: Trainer) -> Trainer:
    run.run(learn_stage(run.recipe.train))
    run.fix_widths()
    run.run(finetune_stage(run.recipe.train))
    return run


def weights(run: Trainer) -> dict[str, torch.Tensor]:
    return {name: value.clone() for name, value in run.model.state_dict().items()}


def untimed(run: Trainer) -> list:
    return [msgspec.structs.replace(epoch, seconds=0.0) for epoch in run.history]


@pytest.mark.parametrize("stop", [1, 3, 5])
def test_resumed_run_equals_uninterrupted_run(tmp_path: Path, stop: int) -> None:
    whole = whole_job(trainer(tmp_path / "whole"))
    first = trainer(tmp_path / "cut")
    learn = learn_stage(RECIPE.train)
    first.run(replace(learn, stop=min(stop, learn.stop))) if stop == 5 else cut_after(first, stop)
    torch.manual_seed(999)
    second = trainer(tmp_path / "cut")
    second.restore(load_checkpoint(tmp_path / "cut", RECIPE))
    assert second.done == stop
    whole_job(second)
    assert untimed(second) == untimed(whole)
    for name, value in weights(whole).items():
        assert torch.equal(weights(second)[name], value), name


def cut_after(run: Trainer, epochs: int) -> None:
    """Ctrl-C in the epoch after `epochs` whole ones."""
    real = run._step

    def step(*args: object) -> object:
        if run.done == epochs and args[-1] == 2:
            raise KeyboardInterrupt
        return real(*args)

    run._step = step
    with pytest.raises(Interrupted, match="--resume") as caught:
        run.run(learn_stage(run.recipe.train))
    assert caught.value.exit_code != 0
    assert caught.value.fields["epochs"] == epochs


def test_phases_hold_learn_and_fix_the_widths(tmp_path: Path) -> None:
    run = whole_job(trainer(tmp_path))
    assert [e.phase for e in run.history] == [HOLD, *[LEARN] * 4, FIXED]
    assert set(run.history[0].bits.values()) == {6.0}
    # 64*16 + 16*10 weights of 6 bits are 0.87 KiB: the budget of 0.5 makes them narrower.
    assert max(run.history[-1].bits.values()) < 6.0
    assert run.history[-1].bits == run.history[-2].bits
    assert run.history[-1].train_accuracy > 0.3


def test_diverging_run_names_the_layer_and_keeps_the_checkpoint(tmp_path: Path) -> None:
    run = trainer(tmp_path)
    real = run._step

    def step(*args: object) -> object:
        if run.done == 1:
            run.model.fc1.weight.data[0, 0] = float("nan")
        return real(*args)

    run._step = step
    with pytest.raises(Diverged, match=r"epoch 2.*fc1\.weight.*checkpoint"):
        run.run(learn_stage(RECIPE.train))
    state = load_checkpoint(tmp_path, RECIPE)
    assert state["epoch"] == 1
    assert all(torch.isfinite(v).all() for v in state["model"].values())


def test_weights_that_the_last_step_of_an_epoch_spoils_never_reach_the_checkpoint(
    tmp_path: Path,
) -> None:
    run = trainer(tmp_path)
    real = run._step

    def step(*args: object) -> object:
        found = real(*args)
        if run.done == 2:  # the loss of the step was fine
            run.model.logits.weight.data[3, 1] = float("inf")
        return found

    run._step = step
    run._train_epoch = one_step_epochs(run)
    with pytest.raises(Diverged, match=r"epoch 3.*logits\.weight.*keeps the last good") as caught:
        run.run(learn_stage(RECIPE.train))
    assert caught.value.fields["where"] == "parameter logits.weight"
    state = load_checkpoint(tmp_path, RECIPE)
    assert state["epoch"] == 2
    assert all(torch.isfinite(v).all() for v in state["model"].values())


def one_step_epochs(run: Trainer):
    """Epochs of a single batch, so that no later loss can tell."""

    def epoch(stage: object, phase: str) -> tuple[float, float]:
        run.moving = run.optimisers
        x, y = next(training_batches(DATA.train, RECIPE.data, 16, 32, epoch_generator(0, run.done)))
        loss, right = run._step(x, y, phase, 0)
        return loss, right / 32

    return epoch


def test_an_output_that_overflows_is_the_one_that_is_named(tmp_path: Path) -> None:
    recipe = msgspec.structs.replace(RECIPE, quant=QuantConfig(quantiser="float"))
    torch.manual_seed(0)
    model = build_model("tfc", DATA.input_shape, 10, recipe.quant, input_max=16, sizes=[16])
    model.logits.weight.data.mul_(1e37)  # finite weights, infinite sums
    model.bn1.weight.data.mul_(1e3)
    run = Trainer(model, DATA, recipe, tmp_path)
    with pytest.raises(Diverged, match=r"epoch 1, step 1: .*first in output of logits\)"):
        run.run(learn_stage(RECIPE.train))


def test_a_checkpoint_of_a_program_that_knew_fewer_keys_still_serves(tmp_path: Path) -> None:
    run = trainer(tmp_path)
    run.save()
    path = tmp_path / "checkpoint.pt"
    state = torch.load(path, weights_only=True)
    train = msgspec.json.decode(state["job"]["train"])
    del train["device"]
    state["job"] = {**state["job"], "train": msgspec.json.encode(train).decode()}
    del state["job"]["fdqmp"]
    torch.save(state, path)
    assert load_checkpoint(tmp_path, RECIPE)["epoch"] == 0


def test_a_gpu_that_is_not_there_is_bad_input() -> None:
    assert chosen_device("cpu").type == "cpu"
    if torch.cuda.is_available():
        assert chosen_device("auto").type == "cuda"
        return
    assert chosen_device("auto").type == "cpu"
    with pytest.raises(BadInput, match=r"\[train\] device is 'cuda'.*'auto' or 'cpu'"):
        chosen_device("cuda")


def test_checkpoint_that_cannot_serve_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="no checkpoint"):
        load_checkpoint(tmp_path, RECIPE)
    run = trainer(tmp_path)
    run.save()
    with pytest.raises(BadInput, match=r"differs in \[train\]"):
        load_checkpoint(tmp_path, RECIPE.with_seed(1))
    path = tmp_path / "checkpoint.pt"
    path.write_bytes(path.read_bytes()[:-200])
    with pytest.raises(BadInput, match="not a whole checkpoint"):
        load_checkpoint(tmp_path, RECIPE)


def test_unwritable_folder_is_bad_input(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("in the way")
    with pytest.raises(BadInput, match="cannot be written"):
        trainer(blocked / "out").run(learn_stage(RECIPE.train))


def test_batches_hold_every_sample_once_and_the_input_comes_back_exactly() -> None:
    split = DATA.train
    seen = [y for _, y in training_batches(split, RECIPE.data, 16, 32, epoch_generator(0, 0))]
    assert sorted(torch.cat(seen).tolist()) == sorted(split.y.tolist())
    raw = torch.arange(256, dtype=torch.uint8)
    step = torch.tensor(1 / 255, dtype=torch.float32)
    assert torch.equal((to_input(raw, 255) / step).round(), raw.float())


def test_augmentation_flips_and_moves_whole_images() -> None:
    x = torch.zeros(400, 1, 9, 9, dtype=torch.uint8)
    x[:, 0, 4, 2] = 1
    data = DataSpec(augment=("flip", "crop"), crop_pixels=2)
    found = augmented(x, data, epoch_generator(3, 1)).nonzero()
    assert len(found) == 400
    assert set(found[:, 2].tolist()) == {2, 3, 4, 5, 6}
    assert set(found[:, 3].tolist()) == {0, 1, 2, 3, 4, 5, 6, 7, 8}
