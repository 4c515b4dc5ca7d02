"""The whole flow as functions, for notebooks and scripts; the command line calls the same ones.

    from codesign import api

    graph = api.load("model.onnx")                    # exact integers
    plan = api.estimate(graph, "pynq-z2")             # folded for the board, with its verdict
    simulation = api.simulate(plan.design)            # interval, latency, frames per second
    api.save(plan, "runs/model", graph.params, simulation=simulation)

A board is a name (`codesign boards`), the path of a TOML file, or a `Board`. Expected failures are
raised as `codesign.errors.CodesignError`; a design that does not fit is a result.
"""

from codesign.api.common import board, boards
from codesign.api.hardware import build, verify
from codesign.api.networks import check, execute, load
from codesign.api.planning import (
    estimate,
    fit,
    fold_as,
    pareto,
    per_bitwidth,
    simulate,
    write_folding,
)
from codesign.api.reports import report, report_data, save
from codesign.api.training import export, run, train
from codesign.design import load_params

__all__ = [
    "board",
    "boards",
    "build",
    "check",
    "estimate",
    "execute",
    "export",
    "fit",
    "fold_as",
    "load",
    "load_params",
    "pareto",
    "per_bitwidth",
    "report",
    "report_data",
    "run",
    "save",
    "simulate",
    "train",
    "verify",
    "write_folding",
]
