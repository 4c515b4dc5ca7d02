"""The tables of estimate and simulate, made from the same records as the report."""

from __future__ import annotations

from codesign.cli.show import print_line, print_table
from codesign.report.data import BitwidthRow, BlockPart, Counts, ReportData
from codesign.report.format import bounded, count, percent, rate, resource_name


def print_resources(data: ReportData) -> None:
    """Every block with folding, cycles and resources; FIFOs and adapters summed up; total, budget."""
    kinds = [k for k, budget in data.board.budget.items() if budget or data.total.get(k)]
    columns = ("Block", "Kind", "Weights", "PE x SIMD", "Cycles/frame", *map(resource_name, kinds))
    rows = [(*_block_words(b), *_amounts(b.resources, kinds, b.low, b.high)) for b in data.blocks]
    fifos = {k: sum(s.resources.get(k, 0.0) for s in data.streams) for k in kinds}
    rows.append((f"{len(data.streams)} FIFOs", "", "", "", "", *_amounts(fifos, kinds)))
    rows.append(("AXI adapters", "", "", "", "", *_amounts(data.adapters, kinds)))
    rows.append(
        ("total", "", "", "", "", *_amounts(data.total, kinds, data.total_low, data.total_high))
    )
    rows.append(("usable", "", "", "", "", *_amounts(data.board.budget, kinds)))
    shares = [_share(data.total.get(k, 0.0), data.board.budget.get(k, 0.0)) for k in kinds]
    rows.append(("share", "", "", "", "", *shares))
    within = " In brackets: where nine in ten lie." if data.total_high != data.total_low else ""
    caption = f"Resources: {data.resources_source}.{within} Cycles: analytic."
    optional = ("Kind", "Weights", "PE x SIMD")
    print_table(data.title, columns, rows, caption, left=3, optional=optional)
    for kind, source in {b.kind: b.source for b in data.blocks if b.source != "analytic"}.items():
        print_line(f"{kind}: {source}")


def _block_words(block: BlockPart) -> tuple[str, ...]:
    fold = f"{block.pe} x {block.simd}" if block.weight_type else str(block.pe)
    return block.name, block.kind, block.weight_type, fold, count(block.interval_cycles)


def _amounts(
    counts: Counts, kinds: list[str], low: Counts | None = None, high: Counts | None = None
) -> list[str]:
    low, high = low or {}, high or {}
    return [bounded(counts.get(k, 0.0), low.get(k), high.get(k)) for k in kinds]


def _share(used: float, budget: float) -> str:
    return percent(used / budget) if budget else "–"


def print_stages(data: ReportData) -> None:
    """How every stage spends its time, and how full every FIFO got."""
    rows = [
        (s.name, percent(s.busy, 1), percent(s.starved, 1), percent(s.blocked, 1))
        for s in data.simulation.stages
    ]
    columns = ("Stage", "Busy", "Starved", "Blocked")
    print_table("Where the cycles go", columns, rows, "Simulated, steady state.")
    streams = [
        (s.source, s.target, s.style, count(s.bits), count(s.depth), count(s.high_water))
        for s in data.streams
    ]
    columns = ("From", "To", "FIFO", "Beat (bits)", "Depth (beats)", "High water (beats)")
    optional = ("FIFO", "Beat (bits)")
    print_table("FIFOs", columns, streams, "High water: simulated.", left=3, optional=optional)


def print_bitwidths(data: ReportData) -> None:
    """The network at every uniform width, then each layer at every width."""
    table = data.bitwidths
    kinds = [k for k, budget in data.board.budget.items() if budget]
    columns = ("Bits", *map(resource_name, kinds), "Frames/s", "Fits")
    for title, found in (
        ("The network at every bit width, folding as it is", table.uniform),
        ("The network at every bit width, folded anew for the most frames/s", table.refolded),
    ):
        if found:
            rows = [_width_words(row, kinds) for row in found]
            print_table(title, columns, rows, _caption(data))
    columns = ("Layer", "Weights now", *columns)
    rows = [
        (layer.layer, str(layer.present_bits), *_width_words(row, kinds))
        for layer in table.layers
        for row in layer.rows
    ]
    title = (
        "One layer (weights, and activations behind them) at each bit width, the others as they are"
    )
    print_table(title, columns, rows, _caption(data))
    print_line(table.assumption)


def _caption(data: ReportData) -> str:
    return f"Resources: {data.resources_source}. Frames/s: analytic."


def _width_words(row: BitwidthRow, kinds: list[str]) -> tuple[str, ...]:
    fits = "yes" if row.fits else "no"
    return str(row.bits), *_amounts(row.resources, kinds, row.low, row.high), rate(row.fps), fits
