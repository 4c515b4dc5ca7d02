"""Points on an existing Dask cluster, whose workers see the same files and the same codesign."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from codesign.errors import BadInput, ToolMissing
from codesign.sweep.work import Outcome, Task, run_task

CONNECT_SECONDS = 10


def run_on_cluster(
    tasks: Sequence[Task], address: str, work: Callable[[Task], Outcome] = run_task
) -> Iterator[tuple[Task, Outcome]]:
    """Each task with its outcome as it is finished; `address` is the scheduler's, tcp://host:port.

    No more tasks are handed out at once than the cluster has threads: the death of a worker counts
    against every task that it holds. A task whose worker dies is tried on others, as often as the
    scheduler's setting `allowed-failures` says. Raises ToolMissing without Dask, BadInput where
    nobody answers.
    """
    try:
        from distributed import Client, as_completed
    except ImportError as error:
        raise ToolMissing(
            "--scheduler needs Dask: pip install 'codesign[cluster]'; without the option the sweep "
            "runs on this machine"
        ) from error
    try:
        client = Client(address, timeout=CONNECT_SECONDS)
    except (OSError, ValueError) as error:
        raise BadInput(
            f"--scheduler {address}: no Dask scheduler answers ({type(error).__name__}); it must be "
            "tcp://host:port as `dask scheduler` prints it",
            scheduler=address,
        ) from error
    with client:
        waiting, futures = list(tasks)[::-1], {}
        finished = as_completed()
        try:
            while waiting or futures:
                while waiting and len(futures) < max(1, sum(client.nthreads().values())):
                    task = waiting.pop()
                    future = client.submit(work, task, pure=False)
                    futures[future] = task
                    finished.add(future)
                future = next(finished)
                yield futures.pop(future), _outcome(future)
        finally:
            client.cancel(list(futures))


def _outcome(future: object) -> Outcome:
    if future.status == "finished":
        return future.result()
    reason = future.exception() if future.status == "error" else future.status
    return Outcome(error=f"its worker on the cluster was lost: {type(reason).__name__} {reason}")
