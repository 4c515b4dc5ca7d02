"""How much each quantiser wants each width: steps learned at every width by one joint training.

"Mixed-Precision Neural Network Quantization via Learned Layer-wise Importance" (Tang et al., ECCV
2022): with every batch the network runs once at each uniform width and once at random ones, the
gradients of all runs are summed, and every (quantiser, width) moves its own step. A larger learned
step means coarser values, so a layer that should not get this width. Here only steps move: weights
and norms stay as they are. The second measure weighs the squared error of rounding with the
squared gradient (the empirical Fisher information): sum g^2 (Q_b(v) - v)^2.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import torch
from torch import Tensor, nn

from codesign.quant.handles import QuantHandle
from codesign.quant.learned_step import STEP_MAX, STEP_MIN
from codesign.train.batches import epoch_generator, training_batches
from codesign.train.device import device_of
from codesign.train.evaluate import logits_of
from codesign.train.loop import Trainer
from codesign.train.optimise import RelativeAdam

STREAM = 1 << 20  # epochs of random numbers that no training uses
FISHER_BATCHES = 8


class Steps:
    """A step for every (item, width); `items` are the handles that get a width."""

    def __init__(self, trainer: Trainer, items: Sequence[int], widths: Sequence[int]) -> None:
        self.trainer, self.items, self.widths = trainer, list(items), list(widths)
        self.table: dict[tuple[int, int], nn.Parameter] = {}

    def handle(self, item: int) -> QuantHandle:
        """The handle with this index."""
        return self.trainer.handles[item]

    def use(self, chosen: dict[int, int]) -> None:
        """Give the items these widths, with their own steps."""
        for item, width in chosen.items():
            quantiser = self.handle(item).quantiser
            quantiser.assign(self.table[item, width].detach(), quantiser.levels_of(width))

    def learn(self, passes: int) -> None:
        """Begin with least squares on the first batch, then move all steps with every batch.

        Raises Diverged where a loss is no number.
        """
        state = {k: v.clone() for k, v in self.trainer.model.state_dict().items()}
        for number in range(passes):
            for batch, (x, y) in enumerate(self.batches(number)):
                if not self.table:
                    self._begin(x)
                self._step(x, y, batch)
        self.trainer.model.load_state_dict(state)

    def batches(self, number: int) -> Iterator[tuple[Tensor, Tensor]]:
        """The training part in the order of pass `number`; the network is set to train."""
        t = self.trainer
        generator = epoch_generator(t.recipe.train.seed, STREAM + number)
        device = device_of(t.model.train())
        batch = t.recipe.train.batch
        for x, y in training_batches(
            t.data.train, t.recipe.data, t.data.input_max, batch, generator
        ):
            yield x.to(device), y.to(device)

    def _begin(self, x: Tensor) -> None:
        for width in self.widths:
            for item in self.items:
                self.handle(item).set_bits(width)
                self.handle(item).quantiser.recalibrate()
            with torch.no_grad():
                logits_of(self.trainer.model, x)
            for item in self.items:
                found = self.handle(item).quantiser.step.detach().clone()
                self.table[item, width] = nn.Parameter(found)
        rate = self.trainer.recipe.train.quantiser_lr
        self.optimiser = RelativeAdam(self.table.values(), rate)
        self.random = epoch_generator(self.trainer.recipe.train.seed, 2 * STREAM)

    def _step(self, x: Tensor, y: Tensor, batch: int) -> None:
        self.optimiser.zero_grad()
        plans = [dict.fromkeys(self.items, width) for width in self.widths]
        drawn = torch.randint(len(self.widths), (len(self.items),), generator=self.random)
        plans.append({i: self.widths[n] for i, n in zip(self.items, drawn.tolist(), strict=True)})
        for chosen in plans:
            self._add_gradients(chosen, x, y, batch)
        self.optimiser.step()
        for step in self.table.values():
            step.data.clamp_(STEP_MIN, STEP_MAX)

    def _add_gradients(self, chosen: dict[int, int], x: Tensor, y: Tensor, batch: int) -> None:
        self.use(chosen)
        self.trainer.model.zero_grad()
        loss = self.trainer.objective(x, logits_of(self.trainer.model, x), y)
        self.trainer.check_loss(loss, x, batch)
        loss.backward()
        for item, width in chosen.items():
            own, found = self.table[item, width], self.handle(item).quantiser.step.grad
            own.grad = found.clone() if own.grad is None else own.grad + found

    def size(self, item: int, width: int) -> float:
        """Importance by "steps": the mean learned step over slices."""
        return float(self.table[item, width].detach().mean())


class Fisher:
    """Importance by "gradients": mean over samples of sum g^2 (Q_b(v) - v)^2, g of one sample.

    From the gradient G of a batch of N: g = N G for an activation, of which each sample has its
    own, and g^2 about N G^2 for a weight, whose sample gradients are taken as independent.
    """

    def __init__(self, steps: Steps) -> None:
        self.steps = steps
        self.total = dict.fromkeys(steps.table, 0.0)
        self.seen: dict[int, Tensor] = {}

    def measure(self) -> dict[tuple[int, int], float]:
        """Over some batches of the training part, at the widths of now; the network stays."""
        trainer = self.steps.trainer
        state = {k: v.clone() for k, v in trainer.model.state_dict().items()}
        hooks = [self._watch(item) for item in self.steps.items]
        batches = 0
        for x, y in self.steps.batches(0):
            trainer.model.zero_grad()
            trainer.objective(x, logits_of(trainer.model, x), y).backward()
            self._add(len(y))
            batches += 1
            if batches == FISHER_BATCHES:
                break
        for hook in hooks:
            hook.remove()
        trainer.model.load_state_dict(state)
        return {key: value / batches for key, value in self.total.items()}

    def _watch(self, item: int):
        def before(_proxy: nn.Module, inputs: tuple) -> None:
            x = getattr(inputs[0], "value", inputs[0])
            if x.requires_grad and not x.is_leaf:
                x.retain_grad()
            self.seen[item] = x

        return self.steps.handle(item).proxy.register_forward_pre_hook(before)

    @torch.no_grad()
    def _add(self, samples: int) -> None:
        now = {item: self.steps.handle(item).integer_bits() for item in self.steps.items}
        for item, width in self.total:
            self.steps.use({item: width})
            x = self.seen[item]
            rounded = self.steps.handle(item).quantiser.quantise(x)
            self.total[item, width] += float(samples * (x.grad * (rounded - x)).square().sum())
        self.steps.use(now)
