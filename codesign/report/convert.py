"""From the results of the stages to what the report draws."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import msgspec

from codesign.blocks.base import Block
from codesign.board import Board
from codesign.cost.clock import estimate_clock
from codesign.cost.estimate import DesignEstimate, PartEstimate
from codesign.cost.model import ANALYTIC, FITTED
from codesign.cost.resources import Resources, total
from codesign.cost.verdict import Verdict
from codesign.design import Design, HostInput, HostOutput, Stream
from codesign.report.data import (
    BitwidthPart,
    BitwidthRow,
    BlockPart,
    BoardPart,
    Contributor,
    Counts,
    Fact,
    HostPart,
    LayerBitwidths,
    Quantity,
    ReportData,
    SimulationPart,
    StagePart,
    StartupPart,
    StreamPart,
    Term,
    TimelinePart,
    TimelineRow,
    VerdictPart,
)
from codesign.report.format import rate

if TYPE_CHECKING:
    from codesign.search.plan import Plan
    from codesign.search.whatif import BitwidthRow as WidthRow
    from codesign.search.whatif import BitwidthTable
    from codesign.sim.simulate import Simulation


def counts(resources: Resources) -> Counts:
    """Resources by name, zeros left out."""
    return {kind: n for kind, n in resources.flat().items() if n}


def fitted_counts(resources: Resources) -> Counts:
    """The counts that have bounds, by name."""
    return {count: getattr(resources, count) for count in FITTED}


def verdict_part(verdict: Verdict) -> VerdictPart:
    """The verdict, with contributors and levers as lists."""
    contributors = tuple(Contributor(*entry) for entry in verdict.contributors)
    return VerdictPart(
        fits=verdict.fits,
        sentence=verdict.headline,
        gaps=verdict.gaps,
        contributors=contributors,
        levers=verdict.levers,
    )


def shortfall(plan: Plan) -> str:
    """What to say of a design that fits but misses its target; empty otherwise."""
    if plan.meets_target or not plan.fits:
        return ""
    if plan.proof and plan.proof.latency_s:
        shortest = f"{plan.proof.latency_s * 1e6:,.2f} µs"
        return f"The target is missed: the shortest latency found is {shortest} (simulated)."
    return (
        f"The target is missed: the fastest design that fits gives {rate(plan.best_fps)} frames/s."
    )


def board_part(board: Board) -> BoardPart:
    """The board with its device and its budget."""
    return BoardPart(
        name=board.name,
        title=board.title,
        part=board.part,
        clock_hz=board.clock_hz,
        device=board.resources.flat(),
        budget=board.budget().flat(),
        source=" ".join(board.source.split()),
    )


def block_parts(design: Design, estimate: DesignEstimate) -> tuple[BlockPart, ...]:
    """Every block with its folding, its cycles and its resources."""
    costs = {p.name: p for p in estimate.parts if p.kind == "block"}
    return tuple(_block_part(b, costs.get(b.name), design.origins) for b in design.blocks)


def _block_part(
    block: Block, cost: PartEstimate | None, origins: Mapping[str, tuple[str, ...]]
) -> BlockPart:
    weight = getattr(block, "wtype", None)
    return BlockPart(
        name=block.name,
        kind=type(block).__name__,
        size=size_of(block),
        input_type=str(block.inputs()[0].qtype),
        weight_type=str(weight) if weight else "",
        output_type=str(block.outputs()[0].qtype),
        pe=block.fold.pe,
        simd=block.fold.simd,
        multiplier=block.fold.multiplier if weight else "",
        memory=block.fold.memory if block.params else "",
        interval_cycles=block.program().interval_cycles,
        terms=tuple(Term(t.name, counts(t.resources)) for t in cost.terms) if cost else (),
        resources=counts(cost.resources) if cost else {},
        low=fitted_counts(cost.low) if cost else {},
        high=fitted_counts(cost.high) if cost else {},
        source=cost.source if cost else ANALYTIC,
        origins=origins.get(block.name, ()),
    )


def size_of(block: Block) -> str:
    """Whole numbers among the fields of a block, and what is so: "rows 64, cols 784, ties even"."""
    fields = msgspec.structs.asdict(block).items()
    numbers = ((k, v) for k, v in fields if isinstance(v, int | tuple) and v is not False)
    words = ((k.replace("_", " "), v) for k, v in numbers)
    return ", ".join(k if v is True else f"{k} {_plain(v)}" for k, v in words if _plain(v))


def _plain(value: int | tuple) -> str:
    parts = value if isinstance(value, tuple) else (value,)
    return "x".join(str(v) for v in parts if isinstance(v, int))


def stream_parts(
    design: Design, estimate: DesignEstimate, simulation: Simulation | None = None
) -> tuple[StreamPart, ...]:
    """Every FIFO with its cost, and how full it got where it was simulated."""
    costs = {p.name: p.resources for p in estimate.parts if p.kind == "stream"}
    marks = {c.name: c.high_water for c in simulation.channels} if simulation else {}
    return tuple(_stream_part(s, costs.get(s.name), marks.get(s.name)) for s in design.streams)


def _stream_part(stream: Stream, cost: Resources | None, high_water: int | None) -> StreamPart:
    return StreamPart(
        source=stream.source,
        target=stream.target,
        qtype=str(stream.qtype),
        lanes=stream.lanes,
        bits=stream.bits,
        beats_per_frame=stream.beats_per_frame,
        depth=stream.depth,
        style=stream.style,
        high_water=high_water,
        resources=counts(cost) if cost else {},
    )


def input_part(host: HostInput) -> HostPart:
    """What the accelerator takes."""
    return HostPart(
        name=host.name,
        shape=host.shape,
        onnx_shape=host.onnx_shape,
        qtype=str(host.qtype),
        scale=host.scale,
        offset=host.offset,
    )


def output_part(host: HostOutput) -> HostPart:
    """What the accelerator gives."""
    return HostPart(
        name=host.name,
        shape=host.shape,
        qtype=str(host.qtype),
        scale=host.scale,
        meaning=host.meaning,
    )


def bitwidth_part(table: BitwidthTable) -> BitwidthPart:
    """The per-bitwidth table."""
    layers = (
        LayerBitwidths(layer.layer, layer.present_bits, _rows(layer.rows)) for layer in table.layers
    )
    return BitwidthPart(
        uniform=_rows(table.uniform),
        layers=tuple(layers),
        refolded=_rows(table.refolded),
        assumption=table.assumption,
    )


def _rows(rows: Iterable[WidthRow]) -> tuple[BitwidthRow, ...]:
    return tuple(
        BitwidthRow(
            r.bits, r.resources.flat(), r.fps, r.fits, fitted_counts(r.low), fitted_counts(r.high)
        )
        for r in rows
    )


def provenance_part(origin: Mapping[str, Any]) -> tuple[Fact, ...]:
    """What `codesign.provenance.provenance` found, one line each."""
    git = origin["git"] or {}
    commit = str(git.get("commit", "outside a git checkout"))
    facts = {
        "Seed": origin["seed"],
        "Time": origin["time"],
        "Git commit": commit + (" with changes" if git.get("dirty") else ""),
        "Machine": origin["platform"],
        "Versions": ", ".join(f"{name} {v}" for name, v in origin["versions"].items() if v),
    }
    return tuple(Fact(label, str(found)) for label, found in facts.items() if found is not None)


def simulation_part(simulation: Simulation) -> SimulationPart:
    """Interval, latency, shares of every stage and the first frames over time."""
    rows = (TimelineRow(row.name, row.busy) for row in simulation.timeline.rows)
    return SimulationPart(
        interval_cycles=simulation.interval_cycles,
        latency_cycles=simulation.latency_cycles,
        total_cycles=simulation.total_cycles,
        fps=simulation.fps,
        clock_hz=simulation.clock_hz,
        frames=simulation.frames,
        io_bound=simulation.io_bound,
        steady=simulation.steady,
        stages=tuple(StagePart(s.name, s.busy, s.starved, s.blocked) for s in simulation.stages),
        timeline=TimelinePart(0, simulation.timeline.bin_cycles, tuple(rows)),
    )


def design_report(
    design: Design,
    board: Board,
    estimate: DesignEstimate,
    simulation: Simulation | None = None,
    bitwidths: BitwidthTable | None = None,
    title: str = "",
) -> ReportData:
    """The report of a design: everything but training, accuracy and provenance."""
    fps, source = (simulation.fps, "simulated") if simulation else (estimate.fps, "analytic")
    clock = estimate_clock(design, board.family)
    return ReportData(
        title=title or f"{design.name} on {board.name}",
        verdict=verdict_part(estimate.verdict),
        board=board_part(board),
        fps=Quantity(fps, source),
        latency_s=_latency_s(simulation) if simulation else None,
        startup=startup_part(estimate.startup_cycles, design.clock_hz, source),
        bottleneck=estimate.bottleneck,
        blocks=block_parts(design, estimate),
        streams=stream_parts(design, estimate, simulation),
        adapters=total(p.resources for p in estimate.parts if p.kind == "adapter").flat(),
        total=estimate.total.flat(),
        total_low=fitted_counts(estimate.low),
        total_high=fitted_counts(estimate.high),
        resources_source=estimate.source,
        clock=clock.sentence if clock else "",
        input=input_part(design.input),
        output=output_part(design.output),
        simulation=simulation_part(simulation) if simulation else None,
        bitwidths=bitwidth_part(bitwidths) if bitwidths else None,
        notes=design.notes,
    )


def startup_part(cycles: int, clock_hz: float, source: str) -> StartupPart | None:
    """The time of loading; None where nothing is loaded."""
    return StartupPart(cycles, cycles / clock_hz, source) if cycles else None


def _latency_s(simulation: Simulation) -> Quantity:
    return Quantity(simulation.latency_cycles / simulation.clock_hz, "simulated")
