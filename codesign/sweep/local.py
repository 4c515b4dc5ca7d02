"""Points on this machine's cores: worker processes that may die without harm to the others."""

from __future__ import annotations

import os
import signal
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess

from codesign.sweep.work import Outcome, Task, run_task

# A fresh interpreter for each worker: threads of PyTorch and numba do not survive a fork.
SPAWN = get_context("spawn")
Work = Callable[[Task], Outcome]


@dataclass(frozen=True)
class Worker:
    """A process and our end of the pipe to it."""

    process: BaseProcess
    pipe: Connection


def run_local(
    tasks: Sequence[Task], workers: int | None = None, work: Work = run_task
) -> Iterator[tuple[Task, Outcome]]:
    """Each task with its outcome as it is finished, on `workers` processes (default: all cores).

    The end of a process is the outcome of the task that it was at; another one takes its place.
    Closing the iterator kills what still runs.
    """
    waiting, idle = list(tasks)[::-1], []
    busy: dict[Connection, tuple[Worker, Task]] = {}
    try:
        while waiting or busy:
            while waiting and len(busy) < (workers or os.cpu_count() or 1):
                worker, task = idle.pop() if idle else _hire(work), waiting.pop()
                busy[worker.pipe] = worker, task
                worker.pipe.send(task)
            for pipe in wait(list(busy)):
                worker, task = busy.pop(pipe)
                outcome = _answer(worker)
                if worker.process.is_alive():
                    idle.append(worker)
                yield task, outcome
    finally:
        for worker in (*idle, *(worker for worker, _ in busy.values())):
            worker.process.kill()
            worker.process.join()


def _hire(work: Work) -> Worker:
    ours, theirs = SPAWN.Pipe()
    process = SPAWN.Process(target=_serve, args=(theirs, work), daemon=True)
    process.start()
    theirs.close()  # so that the pipe ends with the process
    return Worker(process, ours)


def _serve(pipe: Connection, work: Work) -> None:
    """Ctrl-C is the parent's to answer; one thread each, for the processes share the cores."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    warnings.simplefilter("ignore")  # packages' warnings tell nobody anything, once a worker
    while True:
        pipe.send(work(pipe.recv()))


def _answer(worker: Worker) -> Outcome:
    try:
        return worker.pipe.recv()
    except (EOFError, ConnectionResetError):
        worker.process.join()
        return Outcome(error=f"its worker process ended with exit code {worker.process.exitcode}")
