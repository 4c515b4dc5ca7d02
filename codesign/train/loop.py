"""Epochs of training under budgets, with a checkpoint after each."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import torch
from torch import Tensor, nn

from codesign.data.dataset import Dataset
from codesign.errors import Interrupted
from codesign.quant.handles import handles
from codesign.recipe import Recipe, TrainSpec
from codesign.train.batches import batch_count, epoch_generator, to_input, training_batches
from codesign.train.budget import Budget
from codesign.train.checkpoint import FILE_NAME, save_checkpoint
from codesign.train.device import device_of
from codesign.train.diverged import check_finite, diverged
from codesign.train.evaluate import logits_of, shared_accuracy
from codesign.train.history import Epoch, mean_bits, summary
from codesign.train.objective import Objective, labelled
from codesign.train.optimise import network_optimiser, quantiser_optimiser, rate_factor, set_rate
from codesign.train.parallel import is_first, processes, share_buffers, summed, wrapped
from codesign.train.progress import Watcher

HOLD, LEARN, FIXED = "hold bits", "learn bits", "fixed bits"
GIVEN = "train"  # a network whose widths are given
REMARK = "remark"


@dataclass(frozen=True)
class Stage:
    """Epochs `start` up to `stop` (not included) that share optimisers and a learning-rate curve.

    Steps and ranges move with every `quantiser_every`-th batch, or never unless the stage `learns`.
    The rate rises linearly over the first `warmup_epochs`.
    """

    start: int
    stop: int
    lr: float
    learns: bool
    quantiser_every: int = 1
    warmup_epochs: float = 0.0

    def progress(self, epoch: float) -> float:
        """Part of the stage that is done at `epoch`, 0..1."""
        return (epoch - self.start) / (self.stop - self.start)


def learn_stage(spec: TrainSpec) -> Stage:
    """Hold and learn."""
    stop = spec.hold_epochs + spec.epochs
    return Stage(0, stop, spec.lr, learns=True, warmup_epochs=spec.warmup_epochs)


def finetune_stage(spec: TrainSpec) -> Stage:
    """The epochs after projection, in which the widths are fixed."""
    start = spec.hold_epochs + spec.epochs
    return Stage(start, spec.total_epochs, spec.finetune_lr or spec.lr / 10, learns=False)


class Trainer:
    """Trains `model` on `data` as `recipe` says and keeps a checkpoint in `folder`.

    `done` counts whole epochs, `history` holds their records. `first_bits` are the widths of the
    handles at the start, `learned` the indices of those that learn theirs. `objective` is the loss
    of a batch without penalties, `notes` is text that the checkpoint carries, each of `after_epoch`
    is called with every epoch's record before the checkpoint. Every random number depends on seed
    and epoch alone or is part of the checkpoint, so that a resumed run equals an uninterrupted one.
    It trains where the network lies.
    """

    def __init__(
        self,
        model: nn.Module,
        data: Dataset,
        recipe: Recipe,
        folder: Path,
        budget: Budget | None = None,
        watcher: Watcher | None = None,
    ) -> None:
        self.model = model
        self.data = data
        self.recipe = recipe
        self.folder = Path(folder)
        self.handles = handles(model)
        self.budget = budget
        self.watcher = watcher or Watcher(quiet=True)
        self.done = 0
        self.history: list[Epoch] = []
        self.optimisers: list[torch.optim.Optimizer] = []
        self.first_bits = [handle.integer_bits() for handle in self.handles]
        self.learned = [i for i, h in enumerate(self.handles) if h.bits().requires_grad]
        self.objective: Objective = labelled(recipe.train.label_smoothing)
        self.notes: dict[str, str] = {}
        self.after_epoch: list[Callable[[Trainer, Epoch], None]] = []
        self.moving: list[torch.optim.Optimizer] = []
        self.runner = model
        self._resumed: list[dict[str, Any]] | None = None

    @property
    def is_resumed(self) -> bool:
        """Whether it goes on from a checkpoint."""
        return self._resumed is not None

    def run(self, stage: Stage) -> None:
        """The epochs of `stage` that are not done yet.

        Raises Diverged when the loss is no finite number, Interrupted on Ctrl-C, BadInput when the
        checkpoint cannot be written. Checkpoint and history then hold the whole epochs before.
        """
        if self.done >= stage.stop:
            return
        self._begin(stage)
        try:
            while self.done < stage.stop:
                self._epoch(stage)
        except KeyboardInterrupt as stop:
            raise Interrupted(
                f"training was stopped in epoch {self.done + 1}; {self.folder / FILE_NAME} holds "
                f"the {self.done} whole epochs before it: run the same command with --resume",
                epochs=self.done,
                checkpoint=str(self.folder / FILE_NAME),
            ) from stop

    def fix_widths(self) -> None:
        """Stop learning steps and widths for good."""
        for handle in self.handles:
            handle.freeze()

    def remark(self, sentence: str) -> None:
        """Say what the procedure found, now and in the report."""
        self.notes[REMARK] = sentence
        self.watcher.line(sentence)

    def check_loss(self, loss: Tensor, x: Tensor, step: int) -> None:
        """Raise Diverged where the `loss` of batch `step`, counted from 0, is no finite number."""
        if not torch.isfinite(loss):
            kept = str(self.folder / FILE_NAME)
            raise diverged(self.model, x, float(loss.detach()), self.done + 1, step + 1, kept)

    def state(self) -> dict[str, Any]:
        """What a checkpoint holds."""
        board = self.budget.board if self.budget else None
        return {
            "epoch": self.done,
            "fixed": bool(self.handles) and not any(h.is_learned for h in self.handles),
            "model": self.model.state_dict(),
            "optimisers": [optimiser.state_dict() for optimiser in self.optimisers],
            "multipliers": dict(self.budget.multipliers) if self.budget else {},
            "board": board.saved() if board else "",
            "history": msgspec.json.encode(self.history).decode(),
            "notes": self.notes,
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from what `state` returned."""
        self.model.load_state_dict(state["model"])
        if state["fixed"]:
            self.fix_widths()
        self.done = state["epoch"]
        self.history = msgspec.json.decode(state["history"], type=list[Epoch])
        self.notes = state["notes"]
        self._resumed = state["optimisers"]
        if self.budget:
            self.budget.multipliers = dict(state["multipliers"])
            if self.budget.board and state["board"]:
                self.budget.board.restore(state["board"])

    def save(self) -> None:
        """Write the checkpoint."""
        if is_first():
            save_checkpoint(self.folder, self.recipe, self.state())

    def _begin(self, stage: Stage) -> None:
        self._calibrate()
        self.runner = wrapped(self.model)
        self.optimisers = self._optimisers(stage)
        if self._resumed and self.done > stage.start:
            for optimiser, state in zip(self.optimisers, self._resumed, strict=True):
                optimiser.load_state_dict(state)
        self._resumed = None
        if self.done == stage.start:
            self.save()

    @torch.no_grad()
    def _calibrate(self) -> None:
        """Let quantisers choose their first grids, from the same batch in every process."""
        if processes() > 1 and self.done == 0:
            first = self.data.train.take(slice(self.recipe.train.batch // processes()))
            logits_of(self.model.train(), to_input(first.x, self.data.input_max))

    def _optimisers(self, stage: Stage) -> list[torch.optim.Optimizer]:
        """The network's optimiser, then that of steps and ranges where the stage learns them."""
        spec = self.recipe.train
        steps = quantiser_optimiser(self.handles, spec) if stage.learns else None
        network = network_optimiser(self.model, self.handles, spec)
        return [network] if steps is None else [network, steps]

    def _epoch(self, stage: Stage) -> None:
        began = time.perf_counter()
        phase = self._phase(stage)
        if phase == LEARN and self.budget and self.budget.board:
            since = self.done - self.recipe.train.hold_epochs
            if since % self.recipe.budget.refresh_epochs == 0:
                self.budget.board.refresh(self.model)
        loss, right = self._train_epoch(stage, phase)
        count = batch_count(len(self.data.train), self.recipe.train.batch)
        check_finite(self.model, self.done + 1, count, str(self.folder / FILE_NAME))
        over = self.budget.ascend() if self.budget and phase == LEARN else {}
        self.done += 1
        self.history.append(self._record(phase, loss, right, over, time.perf_counter() - began))
        for note in self.after_epoch:
            note(self, self.history[-1])
        self.save()
        self.watcher.line(summary(self.history[-1], self.recipe.total_epochs))

    def _phase(self, stage: Stage) -> str:
        if not stage.learns:
            return FIXED
        if not self.learned:
            return GIVEN
        return HOLD if self.done < self.recipe.train.hold_epochs else LEARN

    def _train_epoch(self, stage: Stage, phase: str) -> tuple[float, float]:
        """Mean loss (without penalty) and accuracy over one epoch."""
        spec, split = self.recipe.train, self.data.train
        generator = epoch_generator(spec.seed, self.done)
        batches = training_batches(
            split, self.recipe.data, self.data.input_max, spec.batch, generator
        )
        count = batch_count(len(split), spec.batch)
        losses = right = seen = 0.0
        device = device_of(self.model.train())
        label = f"epoch {self.done + 1}"
        for step, (x, y) in enumerate(self.watcher.track(batches, label, count)):
            progress = stage.progress(self.done + step / count)
            self._set_rates(stage, progress)
            if self.budget:
                self.budget.progress = progress
            self.moving = self._moving(stage, (self.done - stage.start) * count + step)
            loss, correct = self._step(x.to(device), y.to(device), phase, step)
            losses, right, seen = losses + loss * len(y), right + correct, seen + len(y)
        losses, right, seen = summed((losses, right, seen), device)
        share_buffers(self.model)
        return losses / max(seen, 1), right / max(seen, 1)

    def _moving(self, stage: Stage, step: int) -> list[torch.optim.Optimizer]:
        """Optimisers that make a step with batch `step` of the stage, counted from 0."""
        every = (step + 1) % stage.quantiser_every == 0
        return self.optimisers if every else self.optimisers[:1]

    def _set_rates(self, stage: Stage, progress: float) -> None:
        length = stage.stop - stage.start
        warmup = stage.warmup_epochs / length
        factor = rate_factor(progress, warmup, self.recipe.train.schedule)
        for optimiser, rate in zip(
            self.optimisers, (stage.lr, self.recipe.train.quantiser_lr), strict=False
        ):
            set_rate(optimiser, rate * factor)

    def _step(self, x: Tensor, y: Tensor, phase: str, step: int) -> tuple[float, int]:
        for optimiser in self.optimisers:
            optimiser.zero_grad()
        logits, loss = self._forward(x, y)
        whole = loss + self.budget.penalty() if self.budget and phase == LEARN else loss
        self.check_loss(whole, x, step)
        whole.backward()
        self._clip_gradients()
        for optimiser in self.moving:
            optimiser.step()
        self._keep_legal(phase)
        return float(loss.detach()), int((logits.argmax(1) == y).sum())

    def _forward(self, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
        """Logits of a batch and its loss without penalties."""
        logits = logits_of(self.runner, x)
        return logits, self.objective(x, logits, y)

    def _rate(self) -> float:
        """The learning rate of the last batch."""
        return self.optimisers[0].param_groups[0]["lr"]

    def _clip_gradients(self) -> None:
        """To +-step, where a plain optimiser moves steps and ranges."""
        if self.recipe.train.clip_quantiser_gradients:
            for handle in self.handles:
                if handle.is_learned:
                    handle.clip_gradients_()

    def _keep_legal(self, phase: str) -> None:
        for handle in self.handles:
            if handle.is_learned:
                handle.clip_()
        if phase == HOLD:
            for index in self.learned:
                self.handles[index].set_bits(self.first_bits[index])

    def _record(
        self, phase: str, loss: float, right: float, over: dict[str, float], seconds: float
    ) -> Epoch:
        multipliers = dict(self.budget.multipliers) if self.budget else {}
        board = {k: v for k, v in over.items() if k not in self.recipe.budget.memory}
        scarce = max(board, key=board.__getitem__) if board else None
        return Epoch(
            epoch=self.done,
            phase=phase,
            train_loss=loss,
            train_accuracy=right,
            validation_accuracy=shared_accuracy(self.model, self.data.validation, self.data),
            board_ratio=1 + board[scarce] if scarce else None,
            board_lambda=multipliers.get(scarce) if scarce else None,
            seconds=round(seconds, 3),
            bits=mean_bits(self.handles, "weight"),
            act_bits=mean_bits(self.handles, "act"),
            lr=self._rate(),
            excess=over,
            multipliers=multipliers,
        )
