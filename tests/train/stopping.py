"""A run that is stopped with Ctrl-C and resumed, to be compared with one that was not."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from codesign.errors import Interrupted
from codesign.recipe import Recipe
from codesign.train.loop import Trainer
from codesign.train.training import Trained, train_recipe


def stopped_and_resumed(recipe: Recipe, folder: Path, stop: int) -> Trained:
    """Train, with Ctrl-C in the epoch after `stop` whole ones, then go on."""
    real = Trainer._epoch

    def epoch(self: Trainer, stage: object) -> None:
        if self.done == stop:
            raise KeyboardInterrupt
        real(self, stage)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Trainer, "_epoch", epoch)
        with pytest.raises(Interrupted):
            train_recipe(recipe, folder)
    return train_recipe(recipe, folder, resume=True)


def assert_same(found: Trained, whole: Trained) -> None:
    """Every parameter and buffer is equal, NaN (a free weight of INQ) being equal to itself."""
    assert len(found.history) == len(whole.history)
    state = found.model.state_dict()
    for name, value in whole.model.state_dict().items():
        assert torch.equal(value.nan_to_num(), state[name].nan_to_num()), name
