"""LUTs of single products, the table behind `codesign.cost.products`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import product
from pathlib import Path

import msgspec

from codesign.blocks.sum_types import products_type
from codesign.characterise.run import NO_DSP
from codesign.cost.products import PRODUCTS, Grid, ProductTable
from codesign.files import write_bytes_atomic
from codesign.rtl.alone import modules_of, side_by_side
from codesign.tools.yosys import Job, Synthesis, synthesise_parts
from codesign.types import QType

WIDTHS = (2, 3, 4, 5, 6, 7, 8, 16)
# Modules in one run of synthesis.
BATCH = 32
# A path is only kept short where it is the longest of its module: behind the multiplexer stand two
# products, as rows share an operand, and beside them the counters of a matrix-vector unit.
ROWS = 2
BESIDE = "beside"
COUNTERS = {"valid_i": 1, "space_i": 1, "step_o": 1, "first_o": 1, "last_o": 1, "group_o": 6}
SEQUENCER = """tap_sequencer #(.Taps(72), .Groups(48)) u_sequencer (
    .clk_i, .rst_i, .valid_i, .space_i, .step_o, .first_o, .last_o, .group_o);
"""
# Text of a module and the widths of its ports.
Module = tuple[str, dict[str, int]]


def measure_products(family: str, out: Path = PRODUCTS, timeout_s: float = 3600) -> ProductTable:
    """Synthesise every product of WIDTHS for `family` and write `out`/<family>.json.

    Raises ToolMissing and SynthesisFailed.
    """
    keys = tuple(product((False, True), WIDTHS, WIDTHS))
    alone = _measured({_name(k): _alone(*k) for k in keys}, family, timeout_s)
    modules = {_name(k): _chosen(*k) for k in keys}
    modules[BESIDE] = _module(BESIDE, dict(COUNTERS), SEQUENCER)
    chosen = _measured(modules, family, timeout_s)
    beside = chosen[BESIDE].counts.lut
    extra = {k: chosen[_name(k)].counts.lut - beside - k[1] for k in keys}
    table = ProductTable(
        family,
        f"{chosen[BESIDE].tool} {chosen[BESIDE].version}",
        _grid({k: float(alone[_name(k)].counts.lut) for k in keys}),
        _grid({k: n / ROWS for k, n in extra.items()}),
    )
    text = msgspec.json.format(msgspec.json.encode(table), indent=1)
    write_bytes_atomic(out / f"{family}.json", text + b"\n")
    return table


def _grid(luts: Mapping[tuple[bool, int, int], float]) -> Grid:
    def rows(signed: bool) -> tuple[tuple[float, ...], ...]:
        return tuple(tuple(luts[signed, a, b] for b in WIDTHS) for a in WIDTHS)

    return Grid(WIDTHS, rows(False), rows(True))


def _name(key: tuple[bool, int, int]) -> str:
    signed, a, b = key
    return f"product_{'s' if signed else 'u'}{a}_{b}"


def _alone(signed: bool, a: int, b: int) -> Module:
    bits = _bits(signed, a, b)
    text = _product(0, "a_i", signed, a, b)
    return _module(_name((signed, a, b)), {"a_i": a, "b_i": b, "product_o": bits}, text)


def _chosen(signed: bool, a: int, b: int) -> Module:
    ports = {"choose_i": 1, "x_i": a, "y_i": a, "b_i": ROWS * b}
    ports["product_o"] = ROWS * _bits(signed, a, b)
    rows = "".join(_product(row, "a", signed, a, b) for row in range(ROWS))
    text = f"logic [{a - 1}:0] a;\nassign a = choose_i ? y_i : x_i;\n{rows}{SEQUENCER}"
    return _module(_name((signed, a, b)), COUNTERS | ports, text)


def _product(row: int, source: str, signed: bool, a: int, b: int) -> str:
    bits = _bits(signed, a, b)
    return (
        f"product #(.ABits({a}), .AKind({int(signed)}), .BBits({b}), .BKind(1), .Bits({bits}), "
        f".Stages(1)) u_{row} (.clk_i, .rst_i, .a_i({source}), .b_i(b_i[{row * b}+:{b}]), "
        f".product_o(product_o[{row * bits}+:{bits}]));\n"
    )


def _bits(signed: bool, a: int, b: int) -> int:
    return products_type(1, QType(a, signed), QType(b)).bits


def _module(name: str, ports: Mapping[str, int], text: str) -> Module:
    widths = {"clk_i": 1, "rst_i": 1, **ports}
    listed = ", ".join(
        f"{'input' if port.endswith('_i') else 'output'} logic [{bits - 1}:0] {port}"
        for port, bits in widths.items()
    )
    return f"(* keep_hierarchy *)\nmodule {name} ({listed});\n{text}endmodule\n", widths


def _measured(modules: Mapping[str, Module], family: str, timeout_s: float) -> dict[str, Synthesis]:
    found: dict[str, Synthesis] = {}
    for names in _batches(tuple(modules)):
        texts = {f"{name}.sv": modules[name][0] for name in names}
        top = side_by_side("batch", {name: modules[name][1] for name in names})
        library = modules_of("product", "tap_sequencer")
        job = Job({**texts, "batch.sv": top, **library}, "batch", family, options=NO_DSP[family])
        found |= dict(zip(names, synthesise_parts(job, names, timeout_s), strict=True))
    return found


def _batches(names: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    return (names[i : i + BATCH] for i in range(0, len(names), BATCH))
