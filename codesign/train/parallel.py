"""Several processes that train one network, as `torchrun` starts them.

PyTorch's DistributedDataParallel averages the gradients; each process has its share of every batch,
so that [train] batch is that of all together. The first process alone writes files.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import torch
from torch import distributed, nn

from codesign.errors import BadInput
from codesign.recipe import Recipe
from codesign.train.device import chosen_device

# Procedures that several processes go through alike, all with the same weights after every batch.
SHARED = ("phases", "inq", "inq-dns", "fdqmp", "progressive")


def processes() -> int:
    """How many processes train."""
    return distributed.get_world_size() if distributed.is_initialized() else 1


def is_first() -> bool:
    """Whether this process writes files and prints."""
    return not _is_started() or os.environ.get("RANK", "0") == "0"


def share() -> slice:
    """The samples of a batch or of a part of the data that are this process's."""
    if processes() == 1:
        return slice(None)
    return slice(distributed.get_rank(), None, processes())


@contextmanager
def group(wish: str) -> Iterator[None]:
    """Join the processes that torchrun started (RANK, WORLD_SIZE, ..); nothing without it.

    `wish` is [train] device: on GPUs each process takes its own, and NCCL joins them.
    """
    if not _is_started() or distributed.is_initialized():
        yield
        return
    on_gpu = chosen_device(wish).type == "cuda"
    if on_gpu:
        torch.cuda.set_device(int(os.environ.get("LOCAL_RANK", "0")))
    distributed.init_process_group("nccl" if on_gpu else "gloo")
    try:
        yield
    finally:
        distributed.destroy_process_group()


def _is_started() -> bool:
    """Whether torchrun started more than one process."""
    return int(os.environ.get("WORLD_SIZE", "1")) > 1


def wrapped(model: nn.Module) -> nn.Module:
    """What to call instead of `model`, so that gradients are averaged; the model itself if alone.

    All processes have the parameters and buffers of the first one then.
    """
    if processes() == 1:
        return model
    return nn.parallel.DistributedDataParallel(model)


def summed(values: Sequence[float], device: torch.device) -> list[float]:
    """Sums over all processes."""
    if processes() == 1:
        return list(values)
    tensor = torch.tensor(values, dtype=torch.float64, device=device)
    distributed.all_reduce(tensor)
    return tensor.tolist()


def share_buffers(model: nn.Module) -> None:
    """Give every process the buffers of the first one, such as the statistics of norms."""
    if processes() > 1:
        for buffer in model.buffers():
            distributed.broadcast(buffer, 0)


def wait_for_all() -> None:
    """Go on when every process is here: what the first one wrote can be read then."""
    if processes() > 1:
        distributed.barrier()


def check_alone(recipe: Recipe) -> None:
    """Raise BadInput for what several processes cannot do together.

    Batches that are no loss of a whole network, importances from shares of a batch that nobody
    adds up, and searches of which each process may find another.
    """
    if processes() == 1:
        return
    kind = recipe.train.procedure
    alone = {f"procedure {kind!r}": kind not in SHARED, "[budget] board": recipe.budget.board}
    for what, found in alone.items():
        if found:
            raise BadInput(
                f"{what} trains in one process, and torchrun started {processes()}; start it "
                f"without torchrun, or choose one of {', '.join(SHARED)} without a board's budget"
            )
