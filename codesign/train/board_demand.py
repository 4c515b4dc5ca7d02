"""The estimator as tables over the learned widths of a network, at the folding of its plan.

Every resource that can bind enters: LUTs, LUTRAM, FFs, DSPs and each kind of block RAM.
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path

import msgspec
import torch
from torch import Tensor, nn

from codesign.board import Board
from codesign.errors import InvariantBroken
from codesign.graph.ir import IntGraph
from codesign.graph.load import import_model
from codesign.quant.handles import QuantHandle
from codesign.recipe import TargetSpec
from codesign.search.plan import Plan, plan
from codesign.train.board_loss import WIDTHS, TableLookup
from codesign.train.budget import Demand
from codesign.train.demand_tables import DemandTables, demand_tables
from codesign.train.export import export_qonnx


class BoardDemand:
    """Differentiable demand of the accelerator of a network under training; a `BoardTerm`.

    `refresh` exports the network, searches a folding for the board and target, and tabulates the
    estimate around it. `limits` is the board's budget by resource.
    """

    def __init__(
        self,
        handles: Sequence[QuantHandle],
        input_shape: tuple[int, ...],
        board: Board,
        target: TargetSpec,
    ) -> None:
        self.handles = handles
        self.input_shape = input_shape
        self.board = board
        self.target = target
        self.limits = board.budget().flat()
        self.planned: Plan | None = None
        self._use(DemandTables((), [], ()))

    def refresh(self, model: nn.Module) -> None:
        """Plan the network as it is, and tabulate the estimate around that plan."""
        graph = exported_graph(model, self.input_shape)
        targets = self.target.fps, self.target.latency_s
        self.planned = plan(graph, self.board, *targets, advise=False)
        self._use(demand_tables(self.planned, self.board, self.handles))

    def demand(self, widest: Tensor) -> Demand:
        """Estimated demand by resource at integer or fractional widths (handles,)."""
        if not self.content.kinds:
            raise InvariantBroken("the board's demand was asked for before any folding was found")
        padded = torch.cat([widest, torch.ones(1)])  # index -1: a width that does not matter
        change = TableLookup.apply(self.tables, padded[self.weight], padded[self.act])
        counts = self.plan_counts + change.sum(0)
        return dict(zip(self.content.kinds, counts, strict=True))

    def saved(self) -> str:
        """The tables as text, for a checkpoint."""
        return msgspec.json.encode(self.content).decode()

    def restore(self, text: str) -> None:
        """Use the tables that `saved` returned."""
        self._use(msgspec.json.decode(text, type=DemandTables))

    def _use(self, content: DemandTables) -> None:
        self.content = content
        shape = (len(content.tables), WIDTHS, WIDTHS, len(content.kinds))
        self.tables = torch.tensor([t.change for t in content.tables]).reshape(shape)
        self.weight = torch.tensor([t.weight for t in content.tables], dtype=torch.long)
        self.act = torch.tensor([t.act for t in content.tables], dtype=torch.long)
        self.plan_counts = torch.tensor(content.plan)


def exported_graph(model: nn.Module, input_shape: tuple[int, ...]) -> IntGraph:
    """The integer graph of the network as it is, through a temporary QONNX file."""
    with tempfile.TemporaryDirectory(prefix="codesign-") as folder:
        path = Path(folder) / "network.onnx"
        export_qonnx(model, input_shape, path)
        return import_model(path)
