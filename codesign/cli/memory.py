"""`codesign memory`: what a network stores at any widths, and the published tables of that."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from codesign.cli import show

if TYPE_CHECKING:
    from codesign.memory.published import Table
    from codesign.memory.sizes import NetworkSize
    from codesign.memory.training import MemoryNeed

UNIFORM_BITS = (1, 2, 3, 4, 5, 6, 7, 8, 16, 32)
LAYER_COLUMNS = ("Layer", "Kind", "Weights", "Other parameters", "Outputs", "Products")
NEED_COLUMNS = (
    "Weight bits",
    "Act. bits",
    "Parameters (kB)",
    "Largest act. (kB)",
    "Inference (kB)",
    "Training (kB)",
    "+ per frame (kB)",
)

TRAINING_COLUMNS = ("Parameters (kB)", "Optimiser (kB)", "Gradients (kB)", "+ per frame (kB)")
FORMULA = "Bytes; of a frame"
DEFAULT_ACT_BITS, DEFAULT_BATCH = 32.0, 128


def memory(
    model: Annotated[
        Path | None, typer.Argument(help="Any ONNX file; without it the published tables.")
    ] = None,
    weight_bits: Annotated[
        float | None, typer.Option(help="Bits of a parameter; default: a row for each width.")
    ] = None,
    act_bits: Annotated[
        float | None, typer.Option(help="Bits of an activation; default: as the weights.")
    ] = None,
    table: Annotated[
        str | None, typer.Option(help="One published table: width, training, dq3 or dq4.")
    ] = None,
    training: Annotated[
        bool, typer.Option("--training", help="Memory of training by each procedure.")
    ] = False,
    batch: Annotated[
        int | None, typer.Option(help="Frames of a batch, with --training; default: 128.")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Tell the memory of inference and training of a network at any bit widths.

    Without a model: published tables computed anew, each beside what was printed; with --training
    the ResNet-20 of those tables.

    Example: codesign memory model.onnx --weight-bits 4 --act-bits 4
    """
    if training:
        _alone("--training", {"--weight-bits": weight_bits, "--table": table})
        _training(model, act_bits, batch, json)
        return
    _alone("tables other than --training", {"--batch": batch})
    if model is None:
        _alone("the published tables", {"--weight-bits": weight_bits, "--act-bits": act_bits})
        _published(table, json)
        return
    _alone("a file", {"--table": table})
    from codesign.graph.sizes import size_of_onnx
    from codesign.memory.training import memory_need

    size = size_of_onnx(model)
    needs = tuple(memory_need(size, w, a) for w, a in _widths(weight_bits, act_bits))
    if json:
        show.print_json({"network": size, "needs": needs})
        return
    _print_layers(size)
    _print_needs(needs)


def _alone(what: str, others: dict[str, object]) -> None:
    """Raise BadInput for options that have no meaning here."""
    from codesign.errors import BadInput

    given = [name for name, value in others.items() if value is not None]
    if given:
        raise BadInput(f"{', '.join(given)} does not go with {what}; leave it out", given=given)


def _training(model: Path | None, act_bits: float | None, batch: int | None, json: bool) -> None:
    from codesign.errors import BadInput
    from codesign.graph.sizes import size_of_onnx
    from codesign.memory.procedures import training_rows
    from codesign.memory.published import resnet20

    _widths(None, act_bits)
    act_bits = DEFAULT_ACT_BITS if act_bits is None else act_bits
    batch = DEFAULT_BATCH if batch is None else batch
    if batch < 1:
        raise BadInput(f"--batch must be at least 1, not {batch}")
    size = resnet20() if model is None else size_of_onnx(model)
    rows = training_rows(size, act_bits, batch)
    if json:
        show.print_json({"network": size.name, "frames": batch, "training": rows})
        return
    columns = ("Procedure", FORMULA, *TRAINING_COLUMNS, f"Batch of {batch} (kB)")
    cells = [(r.procedure, r.counts, *(f"{n / 1000:,.2f}" for n in r.numbers)) for r in rows]
    caption = (
        f"kB of 1000 bytes, analytic. P parameters, W weights, S stored elements, A = {act_bits:g} "
        "bits an activation, Q quantisers, C slices, L layers."
    )
    title = f"Training memory of {size.name}"
    show.print_table(title, columns, cells, caption, left=2, optional=(FORMULA,))


def _widths(weight_bits: float | None, act_bits: float | None) -> tuple[tuple[float, float], ...]:
    from codesign.errors import BadInput

    for name, bits in (("--weight-bits", weight_bits), ("--act-bits", act_bits)):
        if bits is not None and not 0 < bits <= 64:
            raise BadInput(f"{name} must be over 0 and at most 64, not {bits:g}")
    weights = UNIFORM_BITS if weight_bits is None else (weight_bits,)
    return tuple((w, w if act_bits is None else act_bits) for w in weights)


def _print_layers(size: NetworkSize) -> None:
    rows = [(layer.name, layer.kind, *(f"{n:,}" for n in _counts(layer))) for layer in size.layers]
    total = (size.weights, size.parameters - size.weights, size.stored, size.macs)
    rows.append(("total", "", *(f"{n:,}" for n in total)))
    caption = "For one frame; the total of outputs counts the input and leaves out norms."
    show.print_table(size.name, LAYER_COLUMNS, rows, caption, left=2, optional=("Kind",))


def _counts(layer) -> tuple[int, ...]:
    return layer.weights, layer.parameters, layer.outputs, layer.macs


def _print_needs(needs: tuple[MemoryNeed, ...]) -> None:
    rows = [
        (
            f"{need.weight_bits:g}",
            f"{need.act_bits:g}",
            *(f"{n / 1000:,.2f}" for n in _bytes(need)),
        )
        for need in needs
    ]
    caption = (
        "kB of 1000 bytes, analytic. Inference: all parameters and the largest hidden activation; "
        "training: float parameters, one momentum each, and per frame of a batch every activation."
    )
    show.print_table("Memory", NEED_COLUMNS, rows, caption, left=0)


def _bytes(need: MemoryNeed) -> tuple[float, ...]:
    return (
        need.parameter_bytes,
        need.activation_bytes,
        need.inference_bytes,
        need.training_bytes,
        need.frame_bytes,
    )


def _published(name: str | None, json: bool) -> None:
    from codesign.errors import BadInput
    from codesign.memory.published import TABLES

    if name is not None and name not in TABLES:
        raise BadInput(f"there is no table {name!r}; there are {', '.join(TABLES)}")
    tables = {key: make() for key, make in TABLES.items() if name in (None, key)}
    if json:
        show.print_json(tables)
        return
    for table in tables.values():
        _print_table(table)


def _print_table(table: Table) -> None:
    rows = []
    for row in table.rows:
        rows.append((row.name, "computed", *(_number(n, table.digits) for n in row.computed)))
        rows.append(("", "printed", *(_number(n, table.digits) for n in row.printed)))
    unequal = ", ".join(row.name for row in table.differing())
    verdict = f"Rows that differ: {unequal}. " if unequal else "Every printed number is met. "
    columns = ("Row", "", *table.columns)
    shown = [r if len(r) == len(columns) else (*r, *["–"] * len(table.columns)) for r in rows]
    show.print_table(table.title, columns, shown, verdict + table.note, left=2)


def _number(value: float, digits: int) -> str:
    return f"{value:,.{digits}f}" if value % 1 else f"{value:,.0f}"
