"""Workers of a sweep on this machine: `eval` and words of Python stand for the work and its points."""

from __future__ import annotations

import os
from contextlib import closing

from codesign.sweep.local import run_local

KILL = "__import__('os').kill(__import__('os').getpid(), 9)"


def test_a_worker_that_dies_takes_no_other_point_with_it() -> None:
    tasks = ["1 + 1", KILL, "2 + 2", "__import__('os')._exit(7)", "3 + 3"]
    found = dict(run_local(tasks, workers=2, work=eval))
    assert (found["1 + 1"], found["2 + 2"], found["3 + 3"]) == (2, 4, 6)
    assert found[KILL].error == "its worker process ended with exit code -9"
    assert found[tasks[3]].error == "its worker process ended with exit code 7"


def test_stopping_kills_what_still_runs() -> None:
    tasks = ["__import__('os').getpid()", "__import__('time').sleep(600)"]
    with closing(run_local(tasks, workers=1, work=eval)) as outcomes:
        _, pid = next(outcomes)
        os.kill(pid, 0)  # it is there, and goes on to sleep
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return
    raise AssertionError("the worker outlived its sweep")
